"""Threads of a worker: started when needed, each does one piece of work at a time.

The pools of :mod:`concurrent.futures` make an object with a lock for each piece, and
take as long as parsing a request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Threads(Generic[T]):
    """Threads that take work in the order in which it comes.

    One thread, which is none of them, gives them work and is told when it is done.

    :param size: number of threads at most.
    :param do: called in one of the threads, with a piece of work; it never raises.
    :ivar busy: pieces of work that are under way or wait for a thread.
    """

    def __init__(self, size: int, do: Callable[[T], None]) -> None:
        self.busy = 0
        self._size, self._do = size, do
        self._started = 0
        self._waiting: SimpleQueue[T | None] = SimpleQueue()

    def submit(self, work: T) -> None:
        """Give work to the next free thread."""
        self.busy += 1
        if self._started < min(self.busy, self._size):
            self._started += 1
            name = f"nutgraf-request-{self._started}"
            threading.Thread(target=self._run, name=name).start()
        self._waiting.put(work)

    def done(self) -> None:
        """Count one piece of work as done."""
        self.busy -= 1

    def has_half_free(self) -> bool:
        """Whether half of the threads have nothing to do."""
        return self.busy * 2 <= self._size

    def shutdown(self, wait: bool = False) -> None:
        """End each thread once no work waits, without waiting for that.

        :param wait: as gunicorn passes it; always false.
        """
        for _ in range(self._started):
            self._waiting.put(None)

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            self._do(work)
            del work  # free it while this thread waits
