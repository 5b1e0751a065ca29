"""What the views of one app share: settings, archive, metrics, slots to wait in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask, Request, current_app, g, request

from index.archive import Archive
from index.errors import ServiceError
from index.settings import Settings
from service.hosts import host_of, is_loopback
from service.memory import give_back
from service.metrics import Metrics
from service.refusals import TooManyExports

EXTENSION = "nutgraf"


class Context:
    """One app's settings, archive and metrics.

    The first request that needs the archive opens it: after gunicorn has forked its
    workers, which must not share database connections and index files.

    :param threads: threads of this process; at most half of them may wait at a time.
    """

    def __init__(
        self,
        settings: Settings,
        archive: Archive | None,
        metrics: Metrics,
        *,
        threads: int = 8,
    ) -> None:
        self.settings, self.metrics = settings, metrics
        self._archive = archive
        self._large_finished = 0
        self._exports: Counter[str] = Counter()  # under way, by key
        self._counting = threading.Lock()
        self._opening = threading.Lock()
        self._alive: Callable[[], bool] = lambda: True
        self._connections: Callable[[], Mapping[int, int]] = dict
        self.bound_host = host_of(settings.bind)
        self.bound_to([settings.bind])
        self.use_threads(threads)

    @property
    def archive(self) -> Archive:
        """The archive; the first use opens it.

        :raises ServiceError: it cannot be opened now.
        """
        if self._archive is None:
            with self._opening:
                if self._archive is None:
                    self._archive = Archive.open(self.settings)
        return self._archive

    def alive(self) -> bool:
        """Whether the server keeps running; if not, waiting requests must end."""
        return self._alive()

    def connections(self) -> Mapping[int, int]:
        """Open connections of each worker of the server, by its number."""
        return self._connections()

    def use_worker(
        self, alive: Callable[[], bool], connections: Callable[[], Mapping[int, int]]
    ) -> None:
        """Give it the worker of a server; see :func:`service.app.use_worker`."""
        self._alive, self._connections = alive, connections

    @contextmanager
    def waiting_slot(self) -> Iterator[bool]:
        """Take a slot to wait in for the length of a block; yield whether one was free.

        If too many threads waited, none would be left to answer.
        """
        release = self.take_slot()
        try:
            yield release is not None
        finally:
            if release is not None:
                release()

    def take_slot(self) -> Callable[[], None] | None:
        """Take a slot to wait in; return what releases it, ``None`` if none is free."""
        waiting = self._waiting
        if not waiting.acquire(blocking=False):
            return None
        self.metrics.waiting.inc()

        def release() -> None:
            self.metrics.waiting.dec()
            waiting.release()

        return release

    def take_export(self, key: str) -> Callable[[], None]:
        """Take a slot for an export; return what releases it.

        Exports are few at a time, of each key and of all: each takes a thread.

        :param key: id of the caller's key; blank without one.
        :raises TooManyExports: as many of this key are under way as may be.
        :raises ServiceError: no slot is free.
        """
        with self._counting:
            if self._exports[key] >= self.settings.exports:
                raise TooManyExports(self.settings.exports)
            free = self.take_slot()
            if free is None:
                raise ServiceError(
                    "as many requests that take long are under way as threads allow;"
                    " try again later"
                )
            self._exports[key] += 1

        def release() -> None:
            with self._counting:
                self._exports[key] -= 1
                if not self._exports[key]:
                    del self._exports[key]
            free()

        return release

    def take_room(self) -> Callable[[], None] | None:
        """Take room for a large body; return what releases it, ``None`` in vain.

        As many threads as may wait at a time wait for it, each at most as long as
        ``?wait=1`` does.
        """
        room = self._room
        if not room.acquire(blocking=False):
            with self.waiting_slot() as is_free:
                seconds = self.settings.wait_seconds
                if not is_free or not room.acquire(timeout=seconds):
                    return None
        return room.release

    def bound_to(self, addresses: Iterable[str]) -> None:
        """Set the addresses the server listens on, each as ``HOST:PORT``."""
        # Whether only this machine can reach the service.
        self.loopback = all(map(is_loopback, addresses))

    def use_threads(self, threads: int) -> None:
        """Set the number of threads before the first request; half of them may wait."""
        self._slots = max(1, threads // 2)
        self._waiting = threading.BoundedSemaphore(self._slots)
        # A small body of gzip may become a large one: these, too, are few at a time.
        self._room = threading.BoundedSemaphore(max(1, threads // 4))

    def measure(self) -> None:
        """Set the gauges of this process, and give back what large searches took."""
        # Before the first search there is no cache, and no need to open the archive.
        archive = self._archive
        if archive is None:
            self.metrics.measure(slots=self._slots)
            return
        memory = archive.search_memory()
        self.metrics.measure(
            slots=self._slots,
            cache_bytes=archive.cache_bytes(),
            search_bytes=memory.reserved,
            search_limit=memory.limit,
        )
        if memory.large_finished != self._large_finished:
            self._large_finished = memory.large_finished
            give_back()


def this_request() -> Request:
    """The request that is being answered, itself.

    Flask's ``request`` looks for it at each use, which takes as long as most of what is
    asked of it.
    """
    current: Request = request._get_current_object()  # type: ignore[attr-defined]
    return current


def its_facts() -> Any:
    """What is known of the request that is being answered: Flask's ``g``, itself."""
    return g._get_current_object()


def context() -> Context:
    """Context of the app that is answering."""
    return context_of(current_app)


def context_of(app: Flask) -> Context:
    """Context of an app."""
    shared: Context = app.extensions[EXTENSION]
    return shared
