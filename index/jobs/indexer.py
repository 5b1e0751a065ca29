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
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from index.engines import OTHER_HISTORY, Engine, EngineState, of_one_history
from index.errors import (
    IndexDamaged,
    IndexUnavailable,
    ServiceError,
)
from index.jobs.attempts import DIED, REBUILD, Attempts
from index.jobs.batch import Batch, next_batch
from index.jobs.probing import (
    SUSPECTS,
    Feed,
    Probe,
    Stopped,
    Suspects,
    put_aside,
    reason_of,
)
from index.store import Indexable, Store, View

LOG = logging.getLogger("nutgraf.indexer")

# How long an idle indexer waits for a change at a time, before it sees whether an
# embargo has ended, or whether it has to stop.
IDLE_SECONDS = 0.1
# How often an idle indexer checks for a deleted index or a requested rebuild.
CHECK_SECONDS = 1.0
# Backoff after failures of the engine or the store, doubled until a step succeeds.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0

Progress = Callable[[int, int], None]  # articles done, of how many


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
        self._attempts: Attempts | None = None
        # Of a single step, the caller holds the lock.
        self._check_lock: Callable[[], None] = lambda: None

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
            attempts = self._attempts_of(view.epoch)
            if reason is None:
                batch = next_batch(view, state.seq, attempts, memory=self.engine.memory)
        if reason is not None:
            _log("rebuilding", reason=reason)
            self.rebuild(stop=stop, progress=on_rebuild)
            return max(1, self.engine.state().articles)
        if not batch.changes:
            return self._retried(attempts, state.seq)
        started = time.monotonic()
        try:
            self._commit(batch, attempts, before=state.seq)
        except IndexDamaged as error:
            _log("rebuilding", logging.ERROR, reason=str(error))
            self.rebuild(stop=stop, progress=on_rebuild)
            return max(1, self.engine.state().articles)
        _log(
            "applied",
            seq=batch.seq,
            changes=batch.changes,
            articles=len(batch.puts),
            deleted=len(batch.deletes),
            seconds=round(time.monotonic() - started, 3),
        )
        return batch.changes

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
        :raises StoreUnavailable: the lock was lost, so another process may be it now.
        """
        with self.store.indexer_lock() as lock:
            self._check_lock = lock.check
            _log("started", engine=self.engine.url)
            pause = FIRST_PAUSE_SECONDS
            applied = -1  # the seq up to which nothing is pending; -1 if unknown
            checked = 0.0
            while not stop.is_set():
                lock.check()
                try:
                    self.store.log_ended_embargoes()
                    newest = self.store.wait_for_change(
                        applied, 0 if applied < 0 else IDLE_SECONDS
                    )
                    now = time.monotonic()
                    if applied == newest and now - checked < CHECK_SECONDS:
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

        An article that cannot be indexed is left out and set aside. Those that were
        set aside before are tried again afterwards, each alone.

        :raises ServiceError: store or engine failed; the old index remains.
        :raises Stopped: ``stop`` was set.
        """
        request = self.store.rebuild_requested()
        with self.store.reading() as view:
            attempts = self._attempts_of(view.epoch)
            if not attempts.is_rebuild_again:
                attempts.retry_all()
        probe = Probe(self.store, self.engine, attempts, stop)
        if attempts.probed_before is not None:
            probe.all(attempts.probed_before)
        set_aside = set(attempts.set_aside())
        left_out = set(set_aside)
        suspects = Suspects(probe)
        while True:
            started = time.monotonic()
            with self.store.reading() as view:
                total = view.searchable()
                feed = Feed(
                    view,
                    without=left_out,
                    suspects=SUSPECTS[-1],
                    stop=stop,
                    check=self._check_lock,
                )
                attempts.begin(REBUILD, view.seq)
                try:
                    self.engine.rebuild(
                        feed,
                        seq=view.seq,
                        epoch=view.epoch,
                        total=total,
                        progress=partial(_forward, progress, total),
                    )
                    break
                except (ServiceError, OSError, Stopped):
                    raise
                except Exception as error:  # noqa: BLE001 - of some article
                    _log(
                        "rebuild refused",
                        logging.WARNING,
                        reason=str(error),
                        last=feed.recent[-1] if feed.recent else None,
                    )
                finally:
                    attempts.end()
            left_out |= suspects.after(tuple(feed.recent))
        state = self.engine.state()
        self._apply_current(left_out - set_aside, attempts)
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
        if view.moved_to is not None:
            # Where it is now, the index is rebuilt if that was requested: here nobody
            # could record it.
            return None
        if self.store.rebuild_requested() != self.store.rebuild_finished():
            return "a rebuild was requested"
        return None

    def _attempts_of(self, epoch: int) -> Attempts:
        """The attempts in a history of the store; those of another do not count."""
        if self._attempts is None or self._attempts.epoch != epoch:
            self._attempts = Attempts(self.store.quarantine, epoch)
        return self._attempts

    def _commit(self, batch: Batch, attempts: Attempts, *, before: int) -> None:
        """Commit a batch, with the note of the attempt for the case that it kills us.

        :param before: seq of the index.
        """
        alone = batch.puts[0] if batch.is_single and batch.puts else None
        if alone is not None and attempts.killed(before, alone.article.id):
            put_aside(alone, DIED, attempts)
            batch.puts.clear()
            batch.deletes.append(alone.article.id)
        attempts.begin(before, batch.seq, None if alone is None else alone.article.id)
        try:
            refused = self._apply(
                batch.puts,
                sorted(batch.deletes),
                attempts,
                seq=batch.seq,
                before=before,
            )
        finally:
            attempts.end()
        put = {current.article.id: current for current in batch.puts}
        for known in batch.set_aside:
            current = put.get(known.id)
            with self.store.reading() as view:
                gone = current is None and view.indexable(known.id) is None
            if known.id not in refused and (current is not None or gone):
                attempts.release(known.id)

    def _apply(
        self,
        puts: Sequence[Indexable],
        deletes: Sequence[str],
        attempts: Attempts,
        *,
        seq: int,
        before: int,
    ) -> set[str]:
        """Commit a batch; if it fails for an article, find that article.

        It is set aside and left out of the index, and so is its older version, which
        must not be shown any more. Halves are committed at ``before``, so a process
        that is killed between them repeats the whole batch.

        :return: ids of the articles that were set aside.
        """
        self._check_lock()
        try:
            self.engine.apply([put.article for put in puts], deletes, seq=seq)
            return set()
        except (ServiceError, OSError):
            raise  # not for an article
        except Exception as error:
            if not puts:
                raise IndexUnavailable(f"the engine cannot delete: {error}") from error
            reason = reason_of(error)
        if len(puts) > 1:
            half = len(puts) // 2
            return self._apply(
                puts[:half], deletes, attempts, seq=before, before=before
            ) | self._apply(puts[half:], (), attempts, seq=seq, before=before)
        (refused,) = puts
        self.engine.apply((), (*deletes, refused.article.id), seq=seq)
        put_aside(refused, reason, attempts)
        return {refused.article.id}

    def _retried(self, attempts: Attempts, seq: int) -> int:
        """Try an article that was set aside once more; return 1 if there was one."""
        known = attempts.next_retry()
        if known is None:
            return 0
        attempts.begin(seq, seq, known.id)
        try:
            self._apply_current([known.id], attempts)
        finally:
            attempts.end()
        return 1

    def _apply_current(self, ids: Iterable[str], attempts: Attempts) -> None:
        """Put the current versions of these articles at the index's own seq."""
        seq = self.engine.state().seq
        for article_id in sorted(ids):
            with self.store.reading() as view:
                current = view.indexable(article_id)
            puts = [] if current is None else [current]
            if not self._apply(
                puts, () if puts else (article_id,), attempts, seq=seq, before=seq
            ):
                attempts.release(article_id)


def _forward(progress: Progress, total: int, done: int) -> None:
    progress(done, total)


def _log(event: str, level: int = logging.INFO, **facts: object) -> None:
    LOG.log(level, event, extra={"facts": facts})
