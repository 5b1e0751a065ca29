"""The store: the home of every article, its versions and the log of changes.

A write is acknowledged when its transaction is committed and synced, and never lost
after that. Each accepted write is one entry of the change log; entries are numbered
without gaps by a counter that is locked in the write's own transaction, so the numbers
grow in the order of the commits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import (
    Connection,
    delete,
)

from index.access import Rates
from index.article import Article, Draft, draft_of
from index.dates import micros
from index.errors import (
    ArticleNotFound,
    InputError,
    InvalidArticle,
    StoreUnavailable,
)
from index.history import (
    Change,
    ChangeType,
    Counts,
    Notice,
    Written,
)
from index.query import PUBLIC, Reader
from index.store import integrity, migration, tables, withdrawal
from index.store.change_log import SET_STATE, append, locked_seq
from index.store.embargoes import is_due, log_turns
from index.store.keyring import Keyring
from index.store.reinstatement import reinstate
from index.store.sqlite.connections import WRITES, Connections, forget, store_errors
from index.store.tables import articles, versions
from index.store.view import View, standing_of, value_of
from index.store.writers import check_within, within
from index.store.writing import as_kept, put


class Store:
    """Every article, its versions and the change log, in one SQL database.

    Safe to use from several threads and processes. A process that was forked makes its
    own connections.

    :param url: ``sqlite:///FILE``; folder, file and tables are made if there are none.
    :raises InvalidValue: no such kind of store.
    :raises StoreUnavailable: it cannot be opened, and why.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = tables.file_of(url)
        self.lock_path = self.path.with_name(f"{self.path.name}-indexer.lock")
        tables.create(self.path, {1: migration.from_1, 2: migration.from_2})
        # By process: SQLite's connections must not be used, nor closed, after a fork
        # (sqlite.org/howtocorrupt.html, 2.6), so the parent's stay here untouched.
        self._connections: dict[int, Connections] = {}
        self.keys = Keyring(self._reading, self._writing)
        self.rates = Rates(self.path.with_name(f"{self.path.name}-rates"))

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the store of a URL."""
        return cls(url)

    def close(self) -> None:
        """Let go of the connections of this process; the next call makes new ones."""
        connections = self._connections.pop(os.getpid(), None)
        if connections is not None:
            connections.close()
        self.rates.close()

    # A writer is bound by the filters of the reader that they are: they neither change
    # what they cannot see for a filter, nor store what they could not see then. That is
    # looked at where it is written, so that nobody changes it in between.

    def put(
        self,
        batch: Sequence[Article | Draft],
        *,
        reader: Reader = PUBLIC,
        force: bool = False,
    ) -> tuple[Written | InputError, ...]:
        """Keep articles, all in one durable transaction; return what became of each.

        Without a version, content that differs from the current version's becomes the
        next version. A version that is there with other content is that article's
        :class:`VersionConflict`, and an article that cannot be kept as JSON, or whose
        version is below 0, its :class:`InvalidArticle`; one beyond the writer's filters
        is an :class:`OutsideFilter`. The others are kept nevertheless.

        :param batch: articles, or the drafts of those that are written already, which
            may have originals. An unchanged article keeps the first original.
        :param force: where a version is there with other content, that is replaced.
            Nothing of it is kept, and it is found again once it is indexed anew. What
            was killed or withheld stays so.
        :raises StoreFull: nothing of the batch was kept.
        :raises StoreUnavailable: nothing of the batch is acknowledged.
        """
        drafts = [_drafted(each) for each in batch]
        if not batch:
            return ()
        with self._changing() as (connection, at):
            may = within(connection, drafts, reader)
            return put(connection, may, at=at, force=force, reader=reader)

    def delete(self, article_id: str, *, reader: Reader = PUBLIC) -> int:
        """Remove an article with all its versions; return the seq of the deletion.

        A later put of the same id starts anew. The notice of a kill stays.

        :raises ArticleNotFound: there is no such article.
        """
        with self._changing() as (connection, at):
            check_within(connection, article_id, reader)
            before = standing_of(connection, article_id)
            if before is None:
                raise ArticleNotFound(article_id)
            connection.execute(delete(versions).where(versions.c.id == article_id))
            connection.execute(delete(articles).where(articles.c.id == article_id))
            return append(
                connection,
                ChangeType.DELETED,
                article_id,
                None,
                at=at,
                hides=True,
                before=before,
                after=None,
            )

    # What is done to an article without a new version of it.

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
        """Kill an article, all versions of it; return the notices that are its own now.

        Where this returns, no text of it is served any more. Of an article that is not
        here the notice alone is kept, and what comes of it later is killed already.

        :param version: the highest that is meant, where the caller knows; by default
            the current one.
        :param cascade: every article of its story, too: those that it evolved from,
            that evolved from it, and that name the same story, also when they come
            later.
        :raises ArticleNotFound: to somebody with a filter, also what was never here:
            nobody knows whether it is theirs.
        :raises InvalidArticle: the id cannot be one.
        """
        with self._changing() as (connection, at):
            check_within(connection, article_id, reader, unknown=False)
            return withdrawal.kill(
                connection,
                article_id,
                at=at,
                note=note,
                replacement=replacement,
                version=version,
                cascade=cascade,
            )

    def withhold(
        self,
        article_id: str,
        *,
        version: str | None = None,
        unknown: bool = False,
        reader: Reader = PUBLIC,
    ) -> int | None:
        """Hold an article back until it is restored; return the seq of that.

        Or until a version comes that is told to be higher and usable. ``None`` if it
        was withheld already, or is not here.

        :param version: the highest that is meant, by default the current one.
        :param unknown: hold it back when it comes, if it is not here.
        :raises ArticleNotFound: there is no such article.
        :raises StatusConflict: it was killed.
        """
        with self._changing() as (connection, at):
            check_within(connection, article_id, reader)
            return withdrawal.withhold(
                connection, article_id, at=at, version=version, unknown=unknown
            )

    def reinstate(self, article_id: str, *, reader: Reader = PUBLIC) -> int | None:
        """Take back that an article was killed or withheld; return the seq of that.

        ``None`` if it was neither. Where it was killed by a canceled version, the last
        usable one becomes the current one again, under a number of its own: that of the
        current one and ``.1``.

        :raises ArticleNotFound: there is no such article, nor the notice of one.
        :raises ArticlePurged: its texts were erased.
        :raises OutsideFilter: that usable version is beyond the writer's filters.
        :raises StatusConflict: it came canceled, so there is nothing to show.
        """
        with self._changing() as (connection, at):
            check_within(connection, article_id, reader)
            return reinstate(connection, article_id, at=at, reader=reader)

    def purge(self, article_id: str) -> int:
        """Erase every text of a killed or deleted article, and keep the notice.

        The index is built again, since parts of it may still hold its words. Returns
        how many versions were erased.

        :raises ArticleNotFound: there was never such an article.
        :raises StatusConflict: it is neither killed nor deleted.
        """
        with self._writing() as connection:
            erased = withdrawal.purge(connection, article_id, at=_now())
            _ask_for_rebuild(connection)
        forget(self._opened().engine)
        return erased

    def turn(self, now: int | None = None) -> int:
        """Log each embargo that has ended and each article that has expired by now.

        Each is logged once, however many processes do this, and before any other
        change of the article. Returns how many were.
        """
        if not self._due(_now() if now is None else now):
            return 0
        with self._writing() as connection:
            return log_turns(connection, _now() if now is None else now)

    def _due(self, now: int) -> bool:
        with self._reading() as connection:
            return is_due(connection, now)

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Read one unchanging state of the store for the length of a block."""
        with self._reading() as connection:
            yield View(connection)

    def seq(self) -> int:
        """Return the number of the newest change; 0 before the first."""
        with self.reading() as view:
            return view.seq

    def changes(self, since: int, limit: int) -> tuple[Change, ...]:
        """Return at most ``limit`` changes after ``since``, oldest first."""
        with self.reading() as view:
            return view.changes(since, limit)

    def counts(self) -> Counts:
        """Return how many articles and versions there are."""
        with self.reading() as view:
            return view.counts()

    def size(self) -> int:
        """Return the bytes that the store takes on disk, its log of writes included."""
        names = (self.path.name, f"{self.path.name}-wal")
        files = [self.path.with_name(name) for name in names]
        return sum(each.stat().st_size for each in files if each.exists())

    def request_rebuild(self) -> int:
        """Ask the indexer to build its index anew; return this request's number."""
        with self._writing() as connection:
            return _ask_for_rebuild(connection)

    def rebuild_requested(self) -> int:
        """Return how many rebuilds were asked for since the store was made."""
        with self._reading() as connection:
            return value_of(connection, "rebuild")

    def rebuild_finished(self) -> int:
        """Return the number of the newest request that was fulfilled; 0 if none was."""
        with self._reading() as connection:
            return value_of(connection, "rebuilt")

    def finish_rebuild(self, asked: int) -> None:
        """Say that the index was built anew after this request was made."""
        with self._writing() as connection:
            connection.execute(SET_STATE, {"of": "rebuilt", "value": asked})

    def indexer_lock(self) -> AbstractContextManager[None]:
        """Be this store's one indexer for the length of a block.

        :raises IndexerRunning: another process is, or this one already.
        """
        return tables.exclusive(self.lock_path)

    def indexer_running(self) -> bool:
        """Return whether some process is this store's indexer."""
        return tables.is_locked(self.lock_path)

    def indexer_process(self) -> int | None:
        """Return the id of the process that is this store's indexer."""
        return tables.holder(self.lock_path)

    def check(self) -> list[str]:
        """Return every contradiction found in the store; empty if it is sound.

        Reads everything: the file, the log, and each version of each article.
        """
        try:
            with self.reading() as view:
                return [*view.problems(), *integrity.problems(view)]
        except StoreUnavailable as error:
            return [str(error)]

    def _opened(self) -> Connections:
        pid = os.getpid()
        found = self._connections.get(pid)
        if found is None:
            # Of two threads that come here at once, both go on with the same ones.
            found = self._connections.setdefault(pid, Connections(self.path))
        return found

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with store_errors(), self._opened().reading() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with (
            store_errors(),
            self._opened().engine.connect().execution_options(**WRITES) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _changing(self) -> Iterator[tuple[Connection, int]]:
        """Write changes: yield the connection and the instant of all of them.

        Embargoes that have ended, and articles that have expired, are logged first: no
        later change of an article may come before that.
        """
        with self._writing() as connection:
            at = _now()
            log_turns(connection, at)
            yield connection, at


def _drafted(given: Article | Draft) -> Draft | InvalidArticle:
    """Return what is to be kept of an article, or why it cannot be."""
    try:
        return as_kept(given if isinstance(given, Draft) else draft_of(given))
    except InvalidArticle as error:
        return error


def _ask_for_rebuild(connection: Connection) -> int:
    locked_seq(connection)
    asked = value_of(connection, "rebuild") + 1
    connection.execute(SET_STATE, {"of": "rebuild", "value": asked})
    return asked


def _now() -> int:
    return micros(datetime.now(UTC))
