"""Probing: which articles stop a rebuild, by trying each of them alone."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from index.article import Article
from index.engines import Engine
from index.errors import IndexUnavailable, InputError, ServiceError
from index.jobs.attempts import DIED, REBUILD, Attempts
from index.store import Indexable, Store, View

LOG = logging.getLogger("nutgraf.indexer")

# Number of articles to leave out untried, attempt by attempt, counted back from the
# last that was read when the engine refused: it may read some before it looks at them.
SUSPECTS = (1, 10, 100, 1_000)
# Attempts at a rebuild after which only the last articles are probed. Each costs most
# of a rebuild, so after them all articles are probed at once.
_ROUNDS = 3


class Stopped(Exception):
    """End of a rebuild because the indexer has to stop; the old index remains."""


class Probe:
    """Articles, each tried alone; those that fail are set aside, durably and at once.

    While no article has passed, none is set aside: the engine may take nothing at all.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        attempts: Attempts,
        stop: threading.Event | None,
    ) -> None:
        self._store, self._engine, self._attempts = store, engine, attempts
        self._stop = stop

    def all(self, first: str = "") -> set[str]:
        """Try all articles, in order of ids; return the ids of those set aside.

        :param first: id of the article to begin with: those before it were tried.
        :raises ServiceError: the engine failed, and not for an article.
        :raises Stopped: the indexer has to stop.
        """
        LOG.warning("probing articles", extra={"facts": {"first": first}})
        with self._store.reading() as view:
            ids = (
                article.id
                for article in Feed(
                    view,
                    without=set(self._attempts.set_aside()),
                    suspects=0,
                    stop=self._stop,
                )
                if article.id >= first
            )
            return self._refused(view, ids)

    def last(self, ids: Sequence[str]) -> set[str]:
        """Try these articles, the last first; return the ids of those set aside.

        :raises ServiceError: the engine failed, and not for an article.
        :raises Stopped: the indexer has to stop.
        """
        with self._store.reading() as view:
            return self._refused(view, reversed(ids))

    def _refused(self, view: View, ids: Iterable[str]) -> set[str]:
        attempts = self._attempts
        refused: set[str] = set()
        passed = False
        waiting: list[tuple[Indexable, str]] = []  # for the first article that passes
        try:
            for article_id in ids:
                if self._stop is not None and self._stop.is_set():
                    raise Stopped
                current = view.indexable(article_id)
                if current is None:
                    continue
                if attempts.killed(REBUILD, article_id):
                    put_aside(current, DIED, attempts)
                    refused.add(article_id)
                    continue
                attempts.begin(REBUILD, view.seq, article_id)
                try:
                    self._engine.probe(current.article)
                    passed = True
                except (ServiceError, OSError):
                    raise
                except Exception as error:  # noqa: BLE001 - of this article
                    waiting.append((current, reason_of(error)))
                if passed:
                    for failed, reason in waiting:
                        put_aside(failed, reason, attempts)
                        refused.add(failed.article.id)
                    waiting.clear()
                elif len(waiting) >= SUSPECTS[-1]:
                    break
        finally:
            attempts.end()
        return refused


class Suspects:
    """The articles to leave out of a rebuild after each attempt that failed.

    They are those that fail alone: among the last that were read or, if none of these
    does, among all. If no article fails alone, they are the last that were read, more
    of them each time. So every attempt leaves out more than the one before, or ends it.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._rounds = 0
        self._all_probed = False
        self._untried = iter(SUSPECTS)

    def after(self, recent: Sequence[str]) -> set[str]:
        """Ids to leave out from now on.

        :param recent: ids of the last articles that were read, in order.
        :raises IndexUnavailable: there is nothing left to suspect.
        """
        if self._rounds < _ROUNDS:
            self._rounds += 1
            if refused := self._probe.last(recent):
                return refused
        if not self._all_probed:
            self._all_probed = True
            if refused := self._probe.all():
                return refused
        size = next(self._untried, None)
        if size is None:
            raise IndexUnavailable(
                "the engine cannot rebuild, and no article that it read last fails"
                " alone; see the log for its reason, and report it with that"
            )
        return set(recent[-size:])


class Feed:
    """The current articles of a view; it remembers the last few that were read.

    :param without: ids to leave out.
    :param suspects: number of ids to remember.
    :param check: called before each article; what it raises ends the feed.
    """

    def __init__(
        self,
        view: View,
        *,
        without: set[str],
        suspects: int,
        stop: threading.Event | None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._view, self._without, self._stop = view, without, stop
        self._check = check
        self.recent: deque[str] = deque(maxlen=suspects)

    def __iter__(self) -> Iterator[Article]:
        for article in self._view.iterate():
            if self._stop is not None and self._stop.is_set():
                raise Stopped
            self._check()
            if article.id not in self._without:
                self.recent.append(article.id)
                yield article


def put_aside(refused: Indexable, reason: str, attempts: Attempts) -> None:
    """Set an article aside and log that."""
    article = refused.article
    assert article.version is not None, article.id
    attempts.put_aside(article.id, article.version, refused.digest, reason)
    LOG.error(
        "article set aside",
        extra={
            "facts": {"id": article.id, "version": article.version, "reason": reason}
        },
    )


def reason_of(error: Exception) -> str:
    """An error as a phrase, also of a kind whose text says little alone."""
    if isinstance(error, InputError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
