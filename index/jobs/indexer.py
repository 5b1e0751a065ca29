"""The indexer: it follows the store's change log, and is the only writer of the index.

A batch holds the changes since the last commit, within bounds: a single article is
searchable after one short commit, and under load the batches grow by themselves. Each
commit records the ``seq`` that the index has applied, so a process that is killed at
any point continues after the last commit.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from index.article import Article
from index.engines import OTHER_HISTORY, Engine, EngineState, of_one_history
from index.errors import (
    IndexDamaged,
    IndexUnavailable,
    InputError,
    ServiceError,
)
from index.history import INDEXED_TYPES, Change
from index.store import Store, View

LOG = logging.getLogger("nutgraf.indexer")

# How often an idle indexer asks the store for its newest seq (one row by its key, well
# below 0.1 ms), which is also how long a new article may wait.
IDLE_SECONDS = 0.01
# How often an idle indexer checks for a deleted index or a requested rebuild.
CHECK_SECONDS = 1.0
# Bounds of a batch, for the memory it takes and the work that a failed commit repeats.
BATCH_CHANGES = 5_000
BATCH_PARAGRAPHS = 20_000
READ_ARTICLES = 200  # read from the store at a time
# Backoff after failures of the engine or the store, doubled until a step succeeds.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
# Number of articles to leave out, attempt by attempt, counted back from the last that
# was read when the engine refused: it may read some before it looks at them.
SUSPECTS = (1, 10, 100, 1_000)

Progress = Callable[[int, int], None]  # articles done, of how many


class Stopped(Exception):
    """End of a rebuild because the indexer has to stop; the old index remains."""


class Indexer:
    """Writer that brings an index up to date with its store.

    ::

        store, engine = open_parts(settings)
        with store.indexer_lock():
            Indexer(store, engine).catch_up()

    The caller holds the store's :meth:`~index.store.Store.indexer_lock`; only
    :meth:`run` takes it itself.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self.store, self.engine = store, engine

    def step(
        self,
        *,
        stop: threading.Event | None = None,
        on_rebuild: Progress = lambda done, total: None,
    ) -> int:
        """Commit one batch of pending changes; return their number, 0 if none are.

        If the index is stale or ahead of the store, or a rebuild was requested, it is
        rebuilt instead; the result is then the number of articles, at least 1.

        :raises ServiceError: store or engine failed; nothing is lost, try again.
        :raises Stopped: ``stop`` was set during a rebuild.
        """
        self.store.log_ended_embargoes()
        state = self.engine.state()
        with self.store.reading() as view:
            # From one view, so the batch is of the history that was checked.
            reason = self._must_rebuild(state, view)
            if reason is None:
                pending, puts, deletes = self._batch(view, state.seq)
        if reason is not None:
            _log("rebuilding", reason=reason)
            self.rebuild(stop=stop, progress=on_rebuild)
            return max(1, self.engine.state().articles)
        if not pending:
            return 0
        started = time.monotonic()
        seq = pending[-1].seq
        try:
            self._apply(puts, deletes, seq=seq, before=state.seq)
        except IndexDamaged as error:
            _log("rebuilding", logging.ERROR, reason=str(error))
            self.rebuild(stop=stop, progress=on_rebuild)
            return max(1, self.engine.state().articles)
        _log(
            "applied",
            seq=seq,
            changes=len(pending),
            articles=len(puts),
            deleted=len(deletes),
            seconds=round(time.monotonic() - started, 3),
        )
        return len(pending)

    def catch_up(
        self,
        *,
        stop: threading.Event | None = None,
        on_step: Callable[[int], None] = lambda seq: None,
        on_rebuild: Progress = lambda done, total: None,
    ) -> None:
        """Commit batches until nothing is pending or ``stop`` is set.

        :param on_step: called with the applied ``seq`` after each commit.
        :raises ServiceError: store or engine failed; nothing is lost.
        """
        while (stop is None or not stop.is_set()) and self.step(
            stop=stop, on_rebuild=on_rebuild
        ):
            on_step(self.engine.state().seq)

    def run(self, stop: threading.Event) -> None:
        """Follow the change log until ``stop`` is set; the current batch is finished.

        After failures of engine or store it logs them and tries again, with backoff.

        :raises IndexerRunning: another process is this store's indexer.
        """
        with self.store.indexer_lock():
            _log("started", engine=self.engine.url)
            pause = FIRST_PAUSE_SECONDS
            applied = -1  # the seq up to which nothing is pending; -1 if unknown
            checked = 0.0
            while not stop.is_set():
                try:
                    now = time.monotonic()
                    self.store.log_ended_embargoes()
                    if applied == self.store.seq() and now - checked < CHECK_SECONDS:
                        stop.wait(IDLE_SECONDS)
                        continue
                    checked = now
                    if not self.step(stop=stop):
                        applied = self.engine.state().seq
                except Stopped:
                    break
                except (ServiceError, OSError) as error:
                    _log(
                        "failed", logging.ERROR, reason=str(error), retry_seconds=pause
                    )
                    applied = -1
                    stop.wait(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                else:
                    pause = FIRST_PAUSE_SECONDS
            _log("stopped")

    def rebuild(
        self,
        *,
        stop: threading.Event | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        """Build a new index from the store's current articles.

        An article that the engine refuses is left out and logged.

        :raises ServiceError: store or engine failed; the old index remains.
        :raises Stopped: ``stop`` was set.
        """
        request = self.store.rebuild_requested()
        left_out: set[str] = set()
        for suspects in SUSPECTS:
            started = time.monotonic()
            with self.store.reading() as view:
                total = view.searchable()
                feed = _Feed(view, without=left_out, suspects=suspects, stop=stop)
                try:
                    self.engine.rebuild(
                        feed,
                        seq=view.seq,
                        epoch=view.epoch,
                        total=total,
                        progress=partial(_forward, progress, total),
                    )
                    break
                except (InputError, ValueError) as error:
                    left_out.update(feed.recent)
                    _log(
                        "rebuild refused",
                        logging.WARNING,
                        reason=str(error),
                        last=feed.recent[-1] if feed.recent else None,
                    )
        else:
            raise IndexUnavailable(
                "the engine cannot rebuild; see the log for the articles it read last"
            )
        state = self.engine.state()
        self._apply_current(left_out)
        self.store.finish_rebuild(request)
        _log(
            "rebuilt",
            seq=state.seq,
            articles=state.articles,
            seconds=round(time.monotonic() - started, 3),
        )

    def _must_rebuild(self, state: EngineState, view: View) -> str | None:
        """Reason to rebuild the index; ``None`` if there is none."""
        if state.stale is not None:
            return state.stale
        if not of_one_history(state, view.epoch):
            return OTHER_HISTORY
        if state.seq > view.seq:
            return f"the index is at seq {state.seq}, the store at {view.seq}"
        if self.store.rebuild_requested() != self.store.rebuild_finished():
            return "a rebuild was requested"
        return None

    @staticmethod
    def _batch(
        view: View, since: int
    ) -> tuple[tuple[Change, ...], list[Article], list[str]]:
        """Next changes, with the articles to put and the ids to delete for them.

        An article that changed several times is among them once.
        """
        changes = view.changes(since, BATCH_CHANGES)
        puts: dict[str, Article] = {}
        deletes: set[str] = set()
        paragraphs = taken = 0
        while taken < len(changes) and paragraphs < BATCH_PARAGRAPHS:
            part = changes[taken : taken + READ_ARTICLES]
            taken += len(part)
            # Other types change nothing in the index: an older version that arrived
            # late, or the end of an embargo, whose time the index has.
            ids = dict.fromkeys(c.id for c in part if c.type in INDEXED_TYPES)
            # Articles as they are now, not as they were then: one that was withdrawn
            # since must not be found for even a moment.
            articles = view.indexable(ids)
            for article_id in ids:
                article = articles.get(article_id)
                if article is None:
                    puts.pop(article_id, None)
                    deletes.add(article_id)
                else:
                    deletes.discard(article_id)
                    puts[article_id] = article
                    paragraphs += len(article.paragraphs)
        return changes[:taken], list(puts.values()), sorted(deletes)

    def _apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int, before: int
    ) -> None:
        """Commit a batch; if the engine refuses it, find the article at fault.

        That article is left out of the index, and so is its older version, which must
        not be shown any more. Halves are committed at ``before``, so a process that is
        killed between them repeats the whole batch.
        """
        try:
            self.engine.apply(puts, deletes, seq=seq)
        except (InputError, ValueError) as error:
            if not puts:
                raise IndexUnavailable(f"the engine cannot delete: {error}") from error
            if len(puts) > 1:
                half = len(puts) // 2
                self._apply(puts[:half], deletes, seq=before, before=before)
                self._apply(puts[half:], (), seq=seq, before=before)
                return
            (refused,) = puts
            _log(
                "article refused",
                logging.ERROR,
                id=refused.id,
                version=refused.version,
                reason=str(error),
            )
            self.engine.apply((), (*deletes, refused.id), seq=seq)

    def _apply_current(self, ids: Iterable[str]) -> None:
        """Put the current versions of these articles at the index's own seq."""
        seq = self.engine.state().seq
        with self.store.reading() as view:
            articles = view.indexable(sorted(ids))
        if articles:
            self._apply(list(articles.values()), (), seq=seq, before=seq)


class _Feed:
    """The current articles of a view; it remembers the last few that were read.

    :param without: ids to leave out.
    :param suspects: number of ids to remember.
    """

    def __init__(
        self,
        view: View,
        *,
        without: set[str],
        suspects: int,
        stop: threading.Event | None,
    ) -> None:
        self._view, self._without, self._stop = view, without, stop
        self.recent: deque[str] = deque(maxlen=suspects)

    def __iter__(self) -> Iterator[Article]:
        for article in self._view.iterate():
            if self._stop is not None and self._stop.is_set():
                raise Stopped
            if article.id not in self._without:
                self.recent.append(article.id)
                yield article


def _forward(progress: Progress, total: int, done: int) -> None:
    progress(done, total)


def _log(event: str, level: int = logging.INFO, **facts: object) -> None:
    LOG.log(level, event, extra={"facts": facts})
