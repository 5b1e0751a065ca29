"""The archive: articles in, answers out; all that the command line and the API call.

It joins the store, which has the text and the truth, with an engine, which knows where
the words are. Whatever leaves it has passed :mod:`index.access` at that moment, and
nothing that the store has hidden since the index was written.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Self

from index.access import Rates
from index.archive import editions
from index.archive.answers import Answer, ArticleView
from index.archive.condition import ArchiveState, Condition, condition_of, state_of
from index.archive.feed import ChangePage, may_read, page_of_changes
from index.archive.moment import Moment
from index.archive.question import Question, check_of_one_store, hidden_from
from index.archive.suggestions import Suggestion, suggestions
from index.article import Article, Draft, Original
from index.engines import Engine, Snapshot, of_one_history, open_engine
from index.engines.memory import MemoryEngine
from index.errors import (
    IndexDamaged,
    IndexUnavailable,
    InputError,
    InvalidValue,
)
from index.history import Counts, Notice, Written
from index.query import PUBLIC, Reader, Request, compile_request
from index.settings import Settings
from index.store import Keyring, Store

_POLL_SECONDS = 0.002  # while somebody waits; a look takes a hundredth of that
_NO_SEQ = 2**62  # above all there are
LOG = logging.getLogger("nutgraf.archive")


def open_parts(settings: Settings) -> tuple[Store, Engine]:
    """The store, which is made if there is none, and the engine of settings."""
    engine = open_engine(
        settings.engine,
        language=settings.language,
        expansions=settings.expansions,
        memory=settings.index_memory,
    )
    return Store.open(settings.store), engine


class Archive:
    """A store and an engine that answer together; safe to use from several threads."""

    def __init__(self, store: Store, engine: Engine, settings: Settings) -> None:
        self.store, self.engine, self.settings = store, engine, settings

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the archive that settings describe; a new store is made if need be."""
        return cls(*open_parts(settings), settings)

    def close(self) -> None:
        """Let go of files and memory."""
        self.engine.close()
        self.store.close()

    @property
    def keys(self) -> Keyring:
        """The keys that callers are let in by."""
        return self.store.keys

    @property
    def rates(self) -> Rates:
        """How often each key, and each address with a wrong one, has called."""
        return self.store.rates

    # A writer is bound by the filters of the reader that they are; see the store.

    def put(
        self,
        batch: Sequence[Article | Draft],
        *,
        reader: Reader = PUBLIC,
        force: bool = False,
    ) -> tuple[Written | InputError, ...]:
        """Store articles, as the store's put does; what is returned is on disk."""
        return self.store.put(batch, reader=reader, force=force)

    def delete(self, article_id: str, *, reader: Reader = PUBLIC) -> int:
        """Remove an article with all its versions, and return the change's seq.

        :raises ArticleNotFound: there is none.
        """
        return self.store.delete(article_id, reader=reader)

    def kill(
        self,
        article_id: str,
        *,
        note: str | None = None,
        replacement: str | None = None,
        version: str | None = None,
        cascade: bool = False,
        reader: Reader = PUBLIC,
    ) -> tuple[Notice, ...]:
        """Kill an article, and with ``cascade`` its whole story.

        See :meth:`index.store.Store.kill`.

        :raises ArticleNotFound: to somebody with a filter, also what was never here:
            nobody knows whether it is theirs.
        :raises InvalidValue: they cannot kill a story, which may go beyond theirs.
        """
        if reader.filters and cascade:
            raise InvalidValue(
                "cascade", "a key with a filter kills one article only; leave it out"
            )
        return self.store.kill(
            article_id,
            note=note,
            replacement=replacement,
            version=version,
            cascade=cascade,
            reader=reader,
        )

    def withhold(
        self,
        article_id: str,
        *,
        version: str | None = None,
        unknown: bool = False,
        reader: Reader = PUBLIC,
    ) -> int | None:
        """Hold an article back; see :meth:`index.store.Store.withhold`."""
        return self.store.withhold(
            article_id, version=version, unknown=unknown, reader=reader
        )

    def reinstate(self, article_id: str, *, reader: Reader = PUBLIC) -> int | None:
        """Undo a kill or a withholding; see :meth:`index.store.Store.reinstate`."""
        return self.store.reinstate(article_id, reader=reader)

    def purge(self, article_id: str) -> int:
        """Erase a killed article's texts; see :meth:`index.store.Store.purge`."""
        return self.store.purge(article_id)

    def wait_indexed(self, seq: int, seconds: float) -> bool:
        """Wait until the index includes a change; return whether it does in time."""
        deadline = time.monotonic() + seconds
        with self.store.reading() as view:
            epoch = view.epoch
        while True:
            try:
                snapshot = self.engine.snapshot()
                if snapshot.seq >= seq and snapshot.epoch in (epoch, None):
                    return True
            except IndexUnavailable:
                pass  # being built: it may be there before the time is up
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)

    # Searching.

    def search(
        self,
        request: Request,
        *,
        now: datetime | None = None,
        reader: Reader = PUBLIC,
    ) -> Answer:
        """Return what matches of what a reader may see, with its passages marked.

        :raises InputError: the request is wrong; the error names the parameter.
        :raises SearchTimeout: it took longer than the settings allow.
        :raises IndexUnavailable: there is no index to answer from now.
        """
        with self.asking(request, now=now, reader=reader) as question:
            return question.answer()

    @contextmanager
    def asking(
        self,
        request: Request,
        *,
        now: datetime | None = None,
        reader: Reader = PUBLIC,
    ) -> Iterator[Question]:
        """Ask something of one moment, which stays the same for the length of a block.

        :raises InputError: the request is wrong; the error names the parameter.
        """
        search, parsed = compile_request(
            request,
            settings=self.settings,
            now=now or datetime.now(UTC),
            reader=reader,
            deadline=time.monotonic() + self.settings.search_seconds,
        )
        found: Snapshot | IndexUnavailable
        try:
            found = self._snapshot()
        except IndexUnavailable as error:
            found = error
        # The index first, then the store: so all that the store has hidden since then
        # is known.
        with self.store.reading() as view, self._damage_mended():
            yield Question(
                request,
                search,
                parsed,
                snapshot=found,
                view=view,
                settings=self.settings,
            )

    def suggest(
        self,
        q: str,
        *,
        limit: int = 10,
        now: datetime | None = None,
        reader: Reader = PUBLIC,
    ) -> tuple[Suggestion, ...]:
        """Return names, words and headlines that go on from what was typed."""
        snapshot = self._snapshot()
        with self.store.reading() as view, self._damage_mended():
            check_of_one_store(snapshot, view)
            search, _ = compile_request(
                Request(limit=limit, within="headline", passages=0),
                settings=self.settings,
                now=now or datetime.now(UTC),
                reader=reader,
                hidden=hidden_from(reader, view, snapshot.seq),
                deadline=time.monotonic() + self.settings.search_seconds,
            )
            return suggestions(snapshot, view, search, q)

    # Reading.

    @contextmanager
    def moment(
        self, *, now: datetime | None = None, reader: Reader = PUBLIC
    ) -> Iterator[Moment]:
        """Look up articles of one moment, the same for the length of a block."""
        with self.store.reading() as view:
            yield Moment(
                view,
                now or datetime.now(UTC),
                reader,
                settings=self.settings,
                index_seq=self._index_seq,
            )

    def get(
        self,
        article_id: str,
        *,
        version: str | None = None,
        q: str = "",
        within: str = "text",
        now: datetime | None = None,
        reader: Reader = PUBLIC,
    ) -> ArticleView:
        """An article with all its paragraphs; see :meth:`.Moment.article`.

        :raises ArticleNotFound: there is none, or none that may be seen.
        :raises ArticleKilled: it was, and its notice is all there is.
        """
        with self.moment(now=now, reader=reader) as moment:
            return moment.article(article_id, version=version, q=q, within=within)

    def original(
        self,
        article_id: str,
        *,
        version: str | None = None,
        reader: Reader = PUBLIC,
    ) -> Original:
        """Return what a version was sent as, where reading it changed that.

        Also of an article that does not show: whoever may ask this checks what others
        did with it.

        :raises ArticleNotFound: there is no such version, or not within the filters.
        :raises ArticleKilled: it was, and its notice is all there is.
        :raises OriginalNotFound: there is no original of it.
        """
        with self.store.reading() as view:
            return editions.original_of(view, article_id, version, reader)

    def was_killed(self, article_id: str, version: str) -> bool:
        """Return whether a version was killed, and a newer one shows since."""
        with self.store.reading() as view:
            return editions.was_killed(view, article_id, version)

    def newer_than(self, article_id: str, version: str) -> str | None:
        """Return an article's current version, seen or not, if it is above another."""
        with self.store.reading() as view:
            return editions.newer_than(view, article_id, version)

    def counts(self) -> Counts:
        """How many articles and versions there are."""
        return self.store.counts()

    def page(self, after: str, limit: int) -> tuple[Article, ...]:
        """Current versions in the order of ids, those that do not show included.

        :param after: the id that comes before the first of them.
        """
        with self.store.reading() as view:
            return view.current(after, limit)

    # What changed.

    def changes(
        self,
        since: int,
        *,
        history: str | None = None,
        limit: int = 100,
        reader: Reader = PUBLIC,
    ) -> ChangePage:
        """Return what a reader is told of the changes after a seq, oldest first.

        Where the index is behind the page ends before the first article that it does
        not include, so that whoever is told of one can find it. While there is no index
        there is nothing to wait for.

        :param limit: of entries; fewer are returned where many changes are not for
            this reader.
        :param history: of the page before, as it said.
        :raises HistoryChanged: an older copy of the store was put back since then.
        """
        snapshot: Snapshot | None = None
        with suppress(IndexUnavailable):
            snapshot = self._snapshot()
        with self.store.reading() as view:
            ours = snapshot is not None and of_one_history(snapshot, view.epoch)
            indexed = snapshot.seq if snapshot is not None and ours else None
            return page_of_changes(
                view, since, limit, reader, indexed=indexed, history=history
            )

    def notices(
        self, *, before: int | None = None, limit: int = 100, reader: Reader = PUBLIC
    ) -> tuple[Notice, ...]:
        """Return the notices of kills that a reader may see, the newest first.

        :param before: only those with a smaller seq.
        """
        found: list[Notice] = []
        least = _NO_SEQ if before is None else min(before, _NO_SEQ)
        with self.store.reading() as view:
            while page := view.notices(least, limit):
                found += [each for each in page if may_read(each, reader)]
                least = page[-1].seq
                if len(found) >= limit:
                    break
        return tuple(found[:limit])

    def condition(self, *, now: datetime | None = None) -> Condition:
        """What whoever watches it asks every second; see :mod:`.condition`."""
        now = now or datetime.now(UTC)
        return condition_of(self.store, self.engine, self.settings, now)

    def state(self) -> ArchiveState:
        """Counts and sizes of everything."""
        return state_of(self.store, self.engine)

    def cache_bytes(self) -> int:
        """Bytes of memory that the engine keeps of earlier answers."""
        return self.engine.cache_bytes()

    def seq(self) -> int:
        """Number of the newest change; 0 before the first."""
        return self.store.seq()

    def _snapshot(self) -> Snapshot:
        try:
            with self._damage_mended():
                return self.engine.snapshot()
        except IndexUnavailable:
            if self.store.seq() == 0:
                # Nothing was ever stored: nothing is what there is to find.
                return MemoryEngine().snapshot()
            raise

    def _index_seq(self) -> int:
        """Return the newest change that the index includes; -1 if there is no index."""
        try:
            return self._snapshot().seq
        except IndexUnavailable:
            return -1

    @contextmanager
    def _damage_mended(self) -> Iterator[None]:
        """Ask the indexer for a new index when this one turns out to be damaged."""
        try:
            yield
        except IndexDamaged as error:
            LOG.error("%s", str(error))
            if self.store.rebuild_requested() == self.store.rebuild_finished():
                self.store.request_rebuild()
            raise
