"""The search budget: the memory that all searches of a process may take together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from index.errors import LimitExceeded, SearchMemoryUsed

# Default budget of a process, in bytes.
SEARCH_MEMORY = 384 * 1024 * 1024
# A search is large above this share of the budget. Few large ones run at a time, and
# few wait: other threads of a process stay free for the searches of others.
_LARGE = 1 / 16
_LARGE_AT_ONCE = 2
_MOST_WAITING = 3
# Share of the budget that large searches leave to small ones, unless one needs it all.
_SMALL_SHARE = 1 / 8
# Share of the time until its deadline that a search may wait: the rest is for itself.
_WAITING_SHARE = 0.5


class SearchMemory(NamedTuple):
    """Memory of the searches of a process.

    :param reserved: bytes, of the searches under way.
    :param limit: bytes.
    :param large_finished: number of large searches that have ended.
    """

    reserved: int
    limit: int
    large_finished: int


class SearchBudget:
    """The budget of one process; safe to use from several threads.

    Small searches overtake large ones that wait.

    :param limit: bytes.
    """

    def __init__(self, limit: int = SEARCH_MEMORY) -> None:
        self.limit = limit
        self._used = self._large = self._waiting = self._finished = 0
        self._lock = threading.Lock()
        self._freed = threading.Condition(self._lock)

    def state(self) -> SearchMemory:
        """What is reserved now."""
        return SearchMemory(self._used, self.limit, self._finished)

    @property
    def large(self) -> float:
        """Size in bytes above which a search is large."""
        return self.limit * _LARGE

    @contextmanager
    def reserved(self, size: int, deadline: float | None) -> Iterator[None]:
        """Reserve memory for the length of a block; see :meth:`reserve`."""
        self.reserve(size, deadline)
        try:
            yield
        finally:
            self.release(size)

    def reserve(self, size: int, deadline: float | None) -> None:
        """Reserve memory until it is released, after waiting for it if need be.

        :param size: bytes.
        :param deadline: of the search, on the clock of :func:`time.monotonic`.
        :raises LimitExceeded: it is more than the whole budget.
        :raises SearchMemoryUsed: it is not free, and others wait already, or did not
            become free in time.
        """
        if size > self.limit:
            raise LimitExceeded(
                "q",
                limit=self.limit,
                got=size,
                detail=f"the search needs about {size:,} bytes of memory, and at most"
                f" {self.limit:,} are allowed (NUTGRAF_SEARCH_MEMORY); use fewer words"
                " and wildcards, or search for articles instead of paragraphs",
            )
        is_large = size > self.large
        with self._lock:
            if not self._has_room(size, is_large):
                self._wait(size, is_large, deadline)
            self._used += size
            self._large += is_large

    def release(self, size: int) -> None:
        """Let go of what was reserved."""
        is_large = size > self.large
        with self._lock:
            self._used -= size
            self._large -= is_large
            self._finished += is_large
            if self._waiting:
                self._freed.notify_all()

    def _has_room(self, size: int, is_large: bool) -> bool:
        if not is_large or not self._used:
            return self._used + size <= self.limit
        room = self.limit * (1 - _SMALL_SHARE) - self._used
        return self._large < _LARGE_AT_ONCE and size <= room

    def _wait(self, size: int, is_large: bool, deadline: float | None) -> None:
        if is_large and self._waiting >= _MOST_WAITING:
            raise SearchMemoryUsed()
        now = time.monotonic()
        seconds = None if deadline is None else (deadline - now) * _WAITING_SHARE
        self._waiting += 1
        try:
            if not self._freed.wait_for(
                lambda: self._has_room(size, is_large), seconds
            ):
                raise SearchMemoryUsed()
        finally:
            self._waiting -= 1
