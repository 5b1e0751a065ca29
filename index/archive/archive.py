"""The archive: articles in, answers out; what the command line and the API call.

It joins the store, which holds the articles and decides what is true, with an engine,
which knows where the words are. Every answer passes :mod:`index.access` at that moment,
and leaves out what the store has hidden since the index was written.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Self

from index.archive import versions
from index.archive.answer_cache import AnswerCache
from index.archive.answers import Answer, ArticleView
from index.archive.carried import Carriage
from index.archive.condition import ArchiveState, Condition, condition_of, state_of
from index.archive.feed import (
    ChangePage,
    NoticePage,
    indexed_seq,
    page_of_changes,
    page_of_notices,
    with_articles,
)
from index.archive.moment import Moment
from index.archive.question import (
    Question,
    check_of_one_store,
    hidden_from,
    search_after_cursor,
)
from index.archive.suggestions import Suggestion, suggestions
from index.article import Article, Draft, Original
from index.dates import Clock, utc_now
from index.deadline import deadline_in
from index.engines import Engine, SearchMemory, Snapshot, open_engine
from index.errors import (
    IndexDamaged,
    IndexUnavailable,
    InputError,
    InvalidValue,
)
from index.history import Counts, Expected, Notice, Written
from index.query import PUBLIC, Reader, Request, compile_request
from index.settings import Settings
from index.store import Store

_POLL_SECONDS = 0.002  # between two looks at the index, each of some 0.02 ms
LOG = logging.getLogger("nutgraf.archive")


def open_parts(settings: Settings, *, clock: Clock = utc_now) -> tuple[Store, Engine]:
    """The store and the engine that settings name; the store is created if missing."""
    engine = open_engine(
        settings.engine,
        language=settings.language,
        expansions=settings.expansions,
        memory=settings.index_memory,
        search_memory=settings.search_memory,
    )
    return Store.open(settings.store, clock=clock), engine


class Archive:
    """A store and an engine that answer together; safe to use from several threads.

    ::

        settings = Settings(store="sqlite:///data/nutgraf.db", engine="memory:")
        store, engine = open_parts(settings)
        archive = Archive(store, engine, settings)
        archive.put([article_of({"id": "a-1", "headline": "Ferry back in service"})])
        Indexer(store, engine).catch_up()  # in production the indexer's own process
        archive.search(Request(q="ferry")).hits[0].article["id"]  # "a-1"

    With a ``reader``, a method answers with or writes only what that reader's filters
    cover. The default, ``PUBLIC``, has no filters and sees what everybody may see.
    """

    def __init__(self, store: Store, engine: Engine, settings: Settings) -> None:
        self.store, self.engine, self.settings = store, engine, settings
        self.clock = store.clock
        self.answer_cache = AnswerCache()
        # The keys of the callers, the sessions of their browsers, and how often each
        # key has called, and each address that sent a wrong one.
        self.keys, self.sessions, self.rates = store.keys, store.sessions, store.rates
        self.wait_for_change = store.wait_for_change

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = utc_now) -> Self:
        """The archive that settings name; the store is created if missing."""
        return cls(*open_parts(settings, clock=clock), settings)

    def close(self) -> None:
        """Close the files and free the memory."""
        self.answer_cache.clear()
        self.engine.close()
        self.store.close()

    # Writing. The filters of ``reader`` limit what it may write, too.

    def put(
        self,
        batch: Sequence[Article | Draft],
        *,
        reader: Reader = PUBLIC,
        force: bool = False,
        amend: bool = False,
        expected: Expected | None = None,
    ) -> tuple[Written | InputError, ...]:
        """Store articles; see :meth:`index.store.Store.put`."""
        return self.store.put(
            batch, reader=reader, force=force, amend=amend, expected=expected
        )

    def delete(
        self,
        article_id: str,
        *,
        reader: Reader = PUBLIC,
        expected: Expected | None = None,
    ) -> int:
        """Remove an article; see :meth:`index.store.Store.delete`."""
        return self.store.delete(article_id, reader=reader, expected=expected)

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
        """Kill an article, with ``cascade`` its whole story.

        See :meth:`index.store.Store.kill`.

        :raises ArticleNotFound: for a writer with a filter also if the article was
            never stored, since its filter cannot be checked.
        :raises InvalidValue: a writer with a filter asks for ``cascade``: the story may
            go beyond their filter.
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
        """Withhold an article; see :meth:`index.store.Store.withhold`."""
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
        """Wait until the index includes a change; whether it does after ``seconds``."""
        deadline = time.monotonic() + seconds
        with self.store.reading() as view:
            epoch = view.epoch
        while True:
            try:
                snapshot = self.engine.snapshot()
                if snapshot.seq >= seq and snapshot.epoch in (epoch, None):
                    return True
            except IndexUnavailable:
                pass  # being built, perhaps finished before the time is up
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)

    def search(
        self,
        request: Request,
        *,
        now: datetime | None = None,
        reader: Reader = PUBLIC,
    ) -> Answer:
        """Articles or paragraphs that match and that the reader may see, marked.

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
        """Prepare a search whose tag and answer are of one moment, within a block.

        :raises InputError: the request is wrong; the error names the parameter.
        """
        search, parsed = compile_request(
            request,
            settings=self.settings,
            now=now or self.store.clock(),
            reader=reader,
            deadline=deadline_in(self.settings.search_seconds),
        )
        snapshot: Snapshot | IndexUnavailable
        try:
            snapshot = self._snapshot()
        except IndexUnavailable as error:
            snapshot = error
        # First the index, then the store: it knows all that was hidden since then.
        with (
            self.store.reading() as view,
            self._rebuild_if_damaged(),
            ExitStack() as held,
        ):
            yield Question(
                request,
                search_after_cursor(request, search, view),
                parsed,
                snapshot=snapshot,
                view=view,
                settings=self.settings,
                held=held,
            )

    def suggest(
        self,
        q: str,
        *,
        limit: int = 10,
        now: datetime | None = None,
        reader: Reader = PUBLIC,
    ) -> tuple[Suggestion, ...]:
        """Names, words and headlines that continue what was typed."""
        snapshot = self._snapshot()
        with self.store.reading() as view, self._rebuild_if_damaged():
            check_of_one_store(snapshot, view)
            search, _ = compile_request(
                Request(limit=limit, within="headline", passages=0),
                settings=self.settings,
                now=now or self.store.clock(),
                reader=reader,
                hidden=hidden_from(reader, view, snapshot.seq),
                deadline=deadline_in(self.settings.search_seconds),
            )
            return suggestions(snapshot, view, search, q)

    @contextmanager
    def moment(
        self, *, now: datetime | None = None, reader: Reader = PUBLIC
    ) -> Iterator[Moment]:
        """Look up articles as they are at one moment, within a block."""
        with self.store.reading() as view:
            yield Moment(
                view,
                now or self.store.clock(),
                reader,
                settings=self.settings,
                snapshot=self._snapshot_if_any,
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

        :raises ArticleNotFound: there is no such article, or the reader may not see it.
        :raises ArticleKilled: it was killed, and the reader may see its notice.
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
        """Bytes that a version was parsed from, if parsing changed them.

        Articles that nobody may see now are included: originals are for audits.

        :raises ArticleNotFound: there is no such version, or the filters exclude it.
        :raises ArticleKilled: it was killed, and the reader may see its notice.
        :raises OriginalNotFound: no original is stored for the version.
        """
        with self.store.reading() as view:
            return versions.original_of(view, article_id, version, reader)

    def was_killed(self, article_id: str, version: str) -> bool:
        """Whether a version was killed and a newer one is published since."""
        with self.store.reading() as view:
            return versions.was_killed(view, article_id, version)

    def newer_than(self, article_id: str, version: str) -> str | None:
        """Current version of an article if it is above another, visible or not."""
        with self.store.reading() as view:
            return versions.newer_than(view, article_id, version)

    def counts(self) -> Counts:
        """Numbers of articles and versions."""
        return self.store.counts()

    def page(self, after: str, limit: int) -> tuple[Article, ...]:
        """Current versions in the order of ids, hidden ones included.

        :param after: the last id of the page before.
        """
        with self.store.reading() as view:
            return view.current(after, limit)

    def changes(
        self,
        since: int | None,
        *,
        history: str | None = None,
        limit: int = 100,
        reader: Reader = PUBLIC,
        carriage: Carriage | None = None,
    ) -> ChangePage:
        """Page of the change feed after a seq, as a reader sees it, oldest first.

        If the index is behind, the page ends before the first article that it does not
        include: a reader can find every article that the feed names. Without an index
        the page does not wait for one.

        :param since: ``None`` for the newest change that searches include.
        :param limit: of entries; a page may have fewer if many changes are not for
            this reader, or their articles are large.
        :param history: as given by the page before.
        :raises HistoryChanged: an older copy of the store was restored since then.
        """
        snapshot = self._snapshot_if_any()
        with self.store.reading() as view:
            indexed = indexed_seq(snapshot, view)
            page = page_of_changes(
                view, since, limit, reader, indexed=indexed, history=history
            )
            return with_articles(page, view, carriage, reader, self.store.clock())

    def notices(
        self, *, before: int | None = None, limit: int = 100, reader: Reader = PUBLIC
    ) -> NoticePage:
        """Page of the notices of kills that a reader may see, the newest first.

        :param before: only notices with a smaller seq: the ``next`` of a page.
        """
        with self.store.reading() as view:
            return page_of_notices(view, before, limit, reader)

    def condition(self, *, now: datetime | None = None) -> Condition:
        """Condition for monitoring, cheap enough for every second."""
        now = now or self.store.clock()
        return condition_of(self.store, self.engine, self.settings, now)

    def state(self) -> ArchiveState:
        """Counts and sizes of the store and the index."""
        return state_of(self.store, self.engine)

    def cache_bytes(self) -> int:
        """Bytes of memory that the caches of answers and of the engine take."""
        return self.answer_cache.bytes + self.engine.cache_bytes()

    def tend(self) -> None:
        """Do what a process that serves the archive must do now and then, also idle.

        It drops answers that a write has made old, lets go of what a purge or a newer
        commit has removed from the disk, and removes sessions that have ended.

        :raises ServiceError: the store cannot be reached now.
        """
        self.engine.let_go()
        with self.store.reading() as view:
            self.answer_cache.let_go(view.epoch, view.seq)
        self.store.forget_erased()
        self.store.try_to_write()
        self.store.fill_reserve()
        self.sessions.tend()

    def search_memory(self) -> SearchMemory:
        """Memory that the searches under way in this process have reserved."""
        return self.engine.search_memory()

    def seq(self) -> int:
        """Seq of the newest change; 0 before the first."""
        return self.store.seq()

    def _snapshot(self) -> Snapshot:
        try:
            with self._rebuild_if_damaged():
                return self.engine.snapshot()
        except IndexUnavailable:
            if self.store.seq() == 0:
                # Nothing was ever stored, so an empty index answers correctly.
                return open_engine("memory:").snapshot()
            raise

    def _snapshot_if_any(self) -> Snapshot | None:
        with suppress(IndexUnavailable):
            return self._snapshot()
        return None

    @contextmanager
    def _rebuild_if_damaged(self) -> Iterator[None]:
        """Ask the indexer for a rebuild if the index turns out to be damaged."""
        try:
            yield
        except IndexDamaged as error:
            LOG.error("%s", str(error))
            if self.store.rebuild_requested() == self.store.rebuild_finished():
                self.store.request_rebuild()
            raise
