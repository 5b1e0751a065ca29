"""The search budget: reservations, waiting, and refusals."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest
from waiting import until

from index.engines.budget import SearchBudget
from index.errors import LimitExceeded, SearchMemoryUsed

LIMIT = 1_000
LARGE = 300


def soon() -> float:
    """A deadline that is over before a test is."""
    return time.monotonic() + 0.02


class Searches:
    """Searches in threads of their own, which go on until they are ended."""

    def __init__(self, budget: SearchBudget) -> None:
        self.budget = budget
        self.running = 0
        self.refused = 0
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, size: int, count: int = 1) -> None:
        for _ in range(count):
            thread = threading.Thread(target=self._search, args=(size,))
            thread.start()
            self._threads.append(thread)

    def _search(self, size: int) -> None:
        try:
            with self.budget.reserved(size, time.monotonic() + 60):
                self.running += 1
                assert self._end.wait(30)
        except SearchMemoryUsed:
            self.refused += 1

    def end(self) -> None:
        """End those that run, and those that start from now on."""
        self._end.set()

    def __enter__(self) -> Searches:
        return self

    def __exit__(self, *raised: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(30)


def test_what_is_reserved_is_given_back_also_after_an_error() -> None:
    budget = SearchBudget(LIMIT)
    with pytest.raises(KeyError), budget.reserved(LARGE, None):
        assert budget.state().reserved == LARGE
        raise KeyError
    assert budget.state() == (0, LIMIT, 1)


def test_the_searches_under_way_never_reserve_more_than_the_budget() -> None:
    budget = SearchBudget(LIMIT)
    small = int(budget.large)
    with ExitStack() as running:
        while budget.state().reserved + small <= LIMIT:
            running.enter_context(budget.reserved(small, None))
        with pytest.raises(SearchMemoryUsed), budget.reserved(small, soon()):
            raise AssertionError("there was no room")
    assert budget.state().reserved == 0


def test_few_large_searches_run_and_few_wait_and_small_ones_go_ahead() -> None:
    budget = SearchBudget(LIMIT)
    with Searches(budget) as searches:
        searches.start(LARGE, 16)
        until(lambda: searches.running + searches.refused == 13)
        assert searches.running == 2  # and three wait
        with budget.reserved(10, soon()):
            assert budget.state().reserved == 2 * LARGE + 10
    assert searches.running == 5
    assert budget.state() == (0, LIMIT, 5)


def test_large_searches_leave_room_for_small_ones() -> None:
    budget = SearchBudget(LIMIT)
    with Searches(budget) as large:
        large.start(480, 6)
        until(lambda: large.running == 1 and large.refused == 2)
        with budget.reserved(50, soon()), budget.reserved(50, soon()):
            assert budget.state().reserved == 580


def test_a_small_search_waits_however_many_do() -> None:
    budget = SearchBudget(LIMIT)
    with Searches(budget) as large, Searches(budget) as small:
        large.start(LIMIT, 6)
        until(lambda: large.running == 1 and large.refused == 2)
        small.start(50, 4)
        large.end()
        until(lambda: small.running == 4)
        assert small.refused == 0


def test_who_waits_runs_as_soon_as_there_is_room() -> None:
    budget = SearchBudget(LIMIT)
    with Searches(budget) as later:
        with budget.reserved(LARGE, None), budget.reserved(LARGE, None):
            later.start(LARGE)
            time.sleep(0.01)
            assert later.running == 0
        until(lambda: later.running == 1)


def test_a_search_waits_no_longer_than_half_of_its_time() -> None:
    budget = SearchBudget(LIMIT)
    with budget.reserved(LARGE, None), budget.reserved(LARGE, None):
        deadline = soon()
        with pytest.raises(SearchMemoryUsed), budget.reserved(LARGE, deadline):
            raise AssertionError("there was no room")


def test_a_search_above_the_whole_budget_is_refused_for_good() -> None:
    with (
        pytest.raises(LimitExceeded, match="NUTGRAF_SEARCH_MEMORY"),
        SearchBudget(LIMIT).reserved(LIMIT + 1, None),
    ):
        raise AssertionError("there was no room")
