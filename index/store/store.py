"""The store: the home of every article, its versions and the log of changes.

A write is acknowledged once its transaction is committed and synced, and is never lost
after that. Each accepted write is one entry of the change log. Entries are numbered
without gaps by a counter that is locked in the write's own transaction, so the numbers
grow in the order of the commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, delete

from index.article import Article, Draft
from index.dates import Clock, micros, utc_now
from index.errors import ArticleNotFound, InputError, StoreReadOnly, StoreUnavailable
from index.history import Change, ChangeType, Counts, Expected, Notice, Written
from index.query import PUBLIC, Reader
from index.store import integrity, rebuilds, withdrawal
from index.store.change_log import append
from index.store.database import Backup, IndexerLock, Migration, Restored
from index.store.keyring import Keyring
from index.store.opening import migrate_database, open_database
from index.store.preconditions import check_deletion, expected_drafts
from index.store.reinstatement import reinstate
from index.store.rows import standing_of
from index.store.sessions import Sessions
from index.store.tables import articles, replaced, versions
from index.store.transactions import Scope, Withdrawal, changed, log_in_pages
from index.store.versions import bytes_of
from index.store.view import View
from index.store.writers import check_writer, checked_drafts
from index.store.writing import put, scope_of, stored_draft

T = TypeVar("T")


class Store:
    """Every article, its versions and the change log, in one SQL database.

    Safe to use from several threads and processes. A forked process opens connections
    of its own.

    :param url: ``sqlite:///FILE`` or ``postgresql+psycopg://USER:PASSWORD@HOST/NAME``;
        folder, file and tables are created if need be.
    :param clock: gives the instants of writes, of ended embargoes and of keys.
    :raises InvalidValue: there is no such kind of store.
    :raises MigrationNeeded: it is of an older schema: :meth:`migrate` it.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
        Every method that reads or writes raises this, once it is so.
    :raises StoreReadOnly: its disk is read-only, so that it cannot be opened.
    :raises StoreUnavailable: it cannot be opened, and why.
    """

    def __init__(self, url: str, *, clock: Clock = utc_now) -> None:
        self.url = url
        self.clock = clock
        self._database = open_database(url)
        self._rebuild_seen = 0  # number of a request
        opening = (self._database.reading, self._database.writing)
        self.keys = Keyring(*opening, clock)
        self.sessions = Sessions(*opening, clock)
        self.rates = self._database.rates
        self.quarantine = self._database.quarantine

    @classmethod
    def open(cls, url: str, *, clock: Clock = utc_now) -> Self:
        """The store at a URL."""
        return cls(url, clock=clock)

    @staticmethod
    def migrate(url: str) -> Migration:
        """Take the store at a URL to the schema of this release; create it if need be.

        One transaction that writes. Processes of older releases may go on if all that
        was done is an addition; otherwise their next transaction is refused.

        :raises InvalidValue: there is no such kind of store.
        :raises ReleaseOutdated: a newer release has migrated it, beyond this one.
        :raises StoreUnavailable: it cannot be opened, and why; or processes of a
            release that would not notice have it open.
        """
        return migrate_database(url)

    @property
    def path(self) -> Path | None:
        """The file of the store on this machine, absolute; ``None`` if it has none."""
        return self._database.path

    @property
    def place(self) -> str:
        """Where the store is, in words for messages, without a password."""
        return self._database.place

    def close(self) -> None:
        """Close the connections of this process; the next call opens new ones."""
        self._database.close()

    # The parameter reader is the writer as a reader. Its filters limit writes, too: a
    # writer can neither change an article that the filters hide nor store one that they
    # would hide. The transaction that writes checks this, so nothing changes between.

    def put(
        self,
        batch: Sequence[Article | Draft],
        *,
        reader: Reader = PUBLIC,
        force: bool = False,
        amend: bool = False,
        expected: Expected | None = None,
    ) -> tuple[Written | InputError, ...]:
        """Store articles in one durable transaction; return the outcome of each.

        An article without a version gets the next one if its content differs from that
        of the current version. The outcome of an article may be an error: a
        :class:`VersionConflict` if the version exists with other content, an
        :class:`InvalidArticle` if the article cannot be written as JSON or its version
        is below 0, an :class:`OutsideFilter` if the writer's filters do not cover it.
        The others of the batch are stored all the same.

        :param batch: articles, or drafts of articles that are JSON already, which may
            have originals. An unchanged article keeps the first original.
        :param force: replace a version that exists with other content. Nothing of it is
            kept, and searches find the new content once it is indexed. A kill or
            withholding stays in force.
        :param amend: replace a version whose text, status and embargo are the same. A
            repeat of content that was replaced before is unchanged.
        :param expected: states in one of which each article must be; otherwise its
            outcome is a :class:`PreconditionFailed`.
        :raises StoreFull: nothing of the batch was stored.
        :raises StoreUnavailable: nothing of the batch is acknowledged.
        """
        drafts = [stored_draft(article) for article in batch]
        if not batch:
            return ()

        def change(connection: Connection, at: int) -> tuple[Written | InputError, ...]:
            checked = checked_drafts(connection, drafts, reader)
            checked = expected_drafts(connection, checked, expected)
            return put(
                *(connection, checked), at=at, force=force, amend=amend, reader=reader
            )

        return self._change(change, scope_of(drafts))

    def delete(
        self,
        article_id: str,
        *,
        reader: Reader = PUBLIC,
        expected: Expected | None = None,
    ) -> int:
        """Remove an article with all its versions; return the seq of the deletion.

        A later put of the same id starts anew. The notice of a kill stays.

        :raises ArticleNotFound: there is no such article.
        :raises PreconditionFailed: it is in none of the ``expected`` states.
        """

        def change(connection: Connection, at: int) -> int:
            check_deletion(connection, article_id, reader, expected)
            before = standing_of(connection, article_id)
            if before is None:
                raise ArticleNotFound(article_id)
            connection.execute(delete(versions).where(versions.c.id == article_id))
            connection.execute(delete(replaced).where(replaced.c.id == article_id))
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

        return self._change(
            change, Withdrawal([article_id], lambda read: bytes_of(read, article_id))
        )

    # Changes of status, without a new version.

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
        """Kill an article, all versions of it; return the notices now in force.

        Once this returns, no text of it is served any more. Of an article that is not
        stored only the notice is kept; versions of it that arrive later are killed on
        arrival.

        :param version: kill all versions up to this one; by default up to the current
            one.
        :param cascade: kill every article of its story, too: those that it evolved
            from, that evolved from it, and that name the same story, also when they
            arrive later.
        :raises ArticleNotFound: for a writer with a filter also if the article was
            never stored, since its filter cannot be checked.
        :raises InvalidArticle: the id cannot be one.
        """

        def change(connection: Connection, at: int) -> tuple[Notice, ...]:
            check_writer(connection, article_id, reader, unknown=False)
            return withdrawal.kill(
                connection,
                article_id,
                at=at,
                note=note,
                replacement=replacement,
                version=version,
                cascade=cascade,
            )

        return self._change(change, Withdrawal([article_id]))

    def withhold(
        self,
        article_id: str,
        *,
        version: str | None = None,
        unknown: bool = False,
        reader: Reader = PUBLIC,
    ) -> int | None:
        """Hold an article back until it is reinstated; return the seq of the change.

        A usable version with a higher number ends the withholding, too. ``None`` if the
        article was withheld already, or is not stored.

        :param version: hold back all versions up to this one; by default up to the
            current one.
        :param unknown: if the article is not stored, hold it back when it arrives.
        :raises ArticleNotFound: there is no such article.
        :raises StatusConflict: it was killed.
        """

        def change(connection: Connection, at: int) -> int | None:
            check_writer(connection, article_id, reader)
            return withdrawal.withhold(
                connection, article_id, at=at, version=version, unknown=unknown
            )

        return self._change(change, Withdrawal([article_id]))

    def reinstate(self, article_id: str, *, reader: Reader = PUBLIC) -> int | None:
        """Undo a kill or a withholding; return the seq of the change.

        ``None`` if there was neither. If a canceled version killed the article, its
        last usable version becomes current again, under a number of its own: that of
        the canceled one and ``.1``.

        :raises ArticleNotFound: there is no such article, nor a notice of one.
        :raises ArticlePurged: its texts were erased.
        :raises OutsideFilter: the writer's filters do not cover that usable version.
        :raises StatusConflict: it arrived canceled, so there is nothing to show.
        """

        def change(connection: Connection, at: int) -> int | None:
            check_writer(connection, article_id, reader)
            return reinstate(connection, article_id, at=at, reader=reader)

        return self._change(change, [article_id])

    def purge(self, article_id: str) -> int:
        """Erase every text of a killed or deleted article, and keep the notice.

        It requests a rebuild of the index, since old segments may still hold the words.
        Returns the number of erased versions.

        :raises ArticleNotFound: there was never such an article.
        :raises StatusConflict: it is neither killed nor deleted.
        """
        with self._database.writing(ordinary=False) as connection:
            erased = withdrawal.purge(connection, article_id, at=self._now())
            rebuilds.request(connection)
        self._database.erase_deleted()
        return erased

    def log_ended_embargoes(self, now: int | None = None) -> int:
        """Log each embargo that has ended and each article that has expired by now.

        Each is logged once, however many processes do this, and before any other
        change of the article. Returns the number of entries.
        """
        return log_in_pages(self._database, lambda: self._now() if now is None else now)

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Read one unchanging state of the store for the length of a block."""
        with self._database.reading() as connection, closing(View(connection)) as view:
            yield view

    def seq(self) -> int:
        """Number of the newest change; 0 before the first."""
        with self.reading() as view:
            return view.seq

    def wait_for_change(self, after: int, seconds: float) -> int:
        """The newest seq, as soon as it is above ``after``, or once time is up."""
        return self._database.wait_for_change(after, seconds)

    def changes(self, since: int, limit: int) -> tuple[Change, ...]:
        """Changes after ``since``, at most ``limit``, the oldest first."""
        with self.reading() as view:
            return view.changes(since, limit)

    def counts(self) -> Counts:
        """Numbers of articles and versions."""
        with self.reading() as view:
            return view.counts()

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        return self._database.size()

    def writable(self) -> bool:
        """Whether the database can be written, as far as that shows.

        A write of this process that was refused shows that, until another is accepted.
        """
        return self._database.writable()

    def try_to_write(self) -> None:
        """Find out whether writes are accepted again, if the last one was refused."""
        self._database.try_to_write()

    def forget_erased(self) -> None:
        """Free what this process has read of texts purged since the last call."""
        # A purge requests a rebuild.
        request = self.rebuild_requested()
        if request != self._rebuild_seen:
            self._database.forget_pages()
            self._rebuild_seen = request

    def fill_reserve(self) -> None:
        """Keep room on the disk for withdrawals if it is not there and can be had."""
        self._database.fill_reserve()

    def request_rebuild(self) -> int:
        """Ask the indexer to build its index anew; return this request's number."""
        with self._database.writing() as connection:
            return rebuilds.request(connection)

    def rebuild_requested(self) -> int:
        """Number of the newest request for a rebuild; 0 if there was none."""
        with self._database.reading() as connection:
            return rebuilds.requested(connection)

    def rebuild_finished(self) -> int:
        """Number of the newest request that was fulfilled; 0 if none was."""
        with self._database.reading() as connection:
            return rebuilds.finished(connection)

    def finish_rebuild(self, request: int) -> None:
        """Record that the index was built anew after this request."""
        with self._database.writing() as connection:
            rebuilds.finish(connection, request)

    def indexer_lock(self) -> AbstractContextManager[IndexerLock]:
        """Be this store's one indexer for a block, which calls ``check`` at each step.

        :raises IndexerRunning: another process is, or this one already.
        """
        return self._database.indexer_lock()

    def indexer_running(self) -> bool:
        """Whether some process is this store's indexer."""
        return self._database.indexer_running()

    def indexer_process(self) -> int | str | None:
        """The process that is this store's indexer: its id, or ``ID@HOST``."""
        return self._database.indexer_process()

    def check(self) -> list[str]:
        """Every contradiction in the store, each as a sentence.

        Reads everything: the database, the log, and each version of each article.
        """
        try:
            with self._database.reading() as connection:
                return [
                    *self._database.problems(connection),
                    *integrity.problems(connection, self._now()),
                ]
        except (StoreReadOnly, StoreUnavailable) as error:
            return [str(error)]

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each thing about the database that may cause damage."""
        return self._database.warnings()

    def take_backup(self, file: Path, *, replace: bool = False) -> Backup:
        """Copy the store into one file; writes and searches go on meanwhile.

        Everything that was acknowledged before this call is in it. The file gets its
        name once the copy is complete, checked and on disk; only its owner may read it.

        :param replace: a file of that name may be replaced.
        :raises InvalidValue: a file of that name exists, or none can be made.
        :raises StoreUnavailable: the store is damaged or cannot be read, or there is no
            room for the copy.
        """
        return self._database.take_backup(file, replace=replace)

    def restore_backup(self, file: Path, *, with_keys: bool = False) -> Restored:
        """Make the store what it was when a backup was taken; other processes go on.

        The backup is checked first, and never changed: one of an older schema is
        migrated in a copy. One transaction replaces everything. In it the store gets a
        new epoch, so that everyone who follows its changes starts anew, and a request
        to build the index again. What was withdrawn since the backup stays withdrawn:
        killed and purged articles are killed and purged again, withheld ones and
        embargoes hold as long as before. That includes every withdrawal acknowledged
        before the commit: other writers wait from before the store looks for
        withdrawals until then. Keys and secrets stay those of this store. If the backup
        has keys and this store has none, callers need a key from then on.

        :param with_keys: take the backup's keys, too; of a key that both have, this
            store's state holds.
        :raises InvalidValue: the file is no sound backup of a store, or was changed.
        :raises StoreFull: there is no room for the copy, or for the store.
        :raises StoreUnavailable: the store is damaged or too busy; it is as it was.
        """
        return self._database.restore_backup(
            file, with_keys=with_keys, clock=self.clock
        )

    def _change(
        self,
        change: Callable[[Connection, int], T],
        scope: Scope,
    ) -> T:
        return changed(self._database, self.clock, change, scope)

    def _now(self) -> int:
        return micros(self.clock())
