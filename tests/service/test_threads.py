"""Threads of a worker: as many as are needed, and no more than there may be."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from service.threads import Threads


def test_work_is_done_in_its_order_by_no_more_threads_than_there_is_work():
    done: SimpleQueue[tuple[int, str]] = SimpleQueue()
    threads = Threads[int](
        8, lambda number: done.put((number, threading.current_thread().name))
    )
    names = set()
    for number in range(20):
        threads.submit(number)
        seen, name = done.get(timeout=10)
        threads.done()
        assert seen == number
        names.add(name)
    threads.shutdown()
    assert len(names) == 1


def test_work_beyond_the_threads_waits_and_is_done_before_they_end():
    gate = threading.Event()
    done: SimpleQueue[tuple[int, threading.Thread]] = SimpleQueue()

    def do(number: int) -> None:
        gate.wait(10)
        done.put((number, threading.current_thread()))

    threads = Threads[int](3, do)
    for number in range(10):
        threads.submit(number)
    threads.shutdown()
    gate.set()
    numbers, doers = zip(*(done.get(timeout=10) for _ in range(10)), strict=True)
    assert sorted(numbers) == [*range(10)]
    assert len(set(doers)) <= 3


def test_half_of_the_threads_are_free_up_to_half_of_the_work():
    threads = Threads[None](8, lambda _: None)
    free = []
    for _ in range(6):
        free.append(threads.has_half_free())
        threads.busy += 1
    assert free == [True, True, True, True, True, False]
