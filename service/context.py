"""What the views of one app share: settings, the archive, metrics, room to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from flask import current_app

from index.archive import Archive
from index.settings import Settings
from service.hosts import host_of, is_loopback
from service.metrics import Metrics

EXTENSION = "nutgraf"


class Context:
    """One app's settings, archive and metrics.

    The archive is opened by the first request that needs it: after gunicorn has forked
    its workers, since database connections and index files must not be shared by them.

    :param threads: of this process; half of them may wait at a time.
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
        self._opening = threading.Lock()
        self._alive: Callable[[], bool] = lambda: True
        self.bound_host = host_of(settings.bind)
        self.bound_to([settings.bind])
        self.use_threads(threads)

    @property
    def archive(self) -> Archive:
        """The archive, opened if it is not yet.

        :raises ServiceError: it cannot be opened now.
        """
        if self._archive is None:
            with self._opening:
                if self._archive is None:
                    self._archive = Archive.open(self.settings)
        return self._archive

    def alive(self) -> bool:
        """Whether the server goes on: who waits stops waiting when it does not."""
        return self._alive()

    def use_worker(self, alive: Callable[[], bool]) -> None:
        """Ask a server's worker, from here on, whether it goes on."""
        self._alive = alive

    @contextmanager
    def room_to_wait(self) -> Iterator[bool]:
        """Yield whether this thread may wait; too many would leave none to answer."""
        leave = self.take_room()
        try:
            yield leave is not None
        finally:
            if leave is not None:
                leave()

    def take_room(self) -> Callable[[], None] | None:
        """Return what gives the room of a waiting thread back, ``None`` if none is."""
        waiting = self._waiting
        if not waiting.acquire(blocking=False):
            return None
        self.metrics.waiting.inc()

        def leave() -> None:
            self.metrics.waiting.dec()
            waiting.release()

        return leave

    def bound_to(self, addresses: Iterable[str]) -> None:
        """Take in where the server listens, each as ``HOST:PORT``."""
        # Whether only its own machine can reach the service.
        self.loopback = all(map(is_loopback, addresses))

    def use_threads(self, threads: int) -> None:
        """Let half of so many threads wait; to be called before the first request."""
        self._slots = max(1, threads // 2)
        self._waiting = threading.BoundedSemaphore(self._slots)

    def measure(self) -> None:
        """Tell the metrics how this process is."""
        # One that has not searched yet keeps nothing, and need not open anything.
        archive = self._archive
        cache = 0 if archive is None else archive.cache_bytes()
        self.metrics.measure(slots=self._slots, cache_bytes=cache)


def context() -> Context:
    """Return the context of the app that is answering."""
    found: Context = current_app.extensions[EXTENSION]
    return found
