"""The database that holds a store: what each kind of database does in its own way.

Everything else in :mod:`index.store` is SQL that SQLAlchemy writes for any of them. A
kind of database is a package, :mod:`index.store.sqlite` or
:mod:`index.store.postgresql`, with a class that has these methods, and a line in
:mod:`index.store.opening`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from index.access import Rates
from index.dates import Clock
from index.store.quarantine import Quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """The contents of a backup.

    :param seq: the newest change in it.
    """

    schema: int
    seq: int
    articles: int
    versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The changes to a store when a backup was restored into it.

    :param backup: what was restored.
    :param before: the newest change that the store had; changes after ``backup.seq``
        are gone.
    :param killed_again: ids of articles that were killed or purged after the backup was
        taken; the restore killed or purged them again.
    :param restricted_again: ids of articles that were withheld, or got a longer embargo
        or an earlier expiry, after the backup was taken; the restore did the same
        again.
    :param keys: number of keys in the backup.
    :param keys_taken: whether they were taken; otherwise they stayed behind.
    :param has_digest: whether the backup held a digest of its content, which was right.
    """

    backup: Backup
    before: int
    killed_again: tuple[str, ...]
    restricted_again: tuple[str, ...]
    keys: int
    keys_taken: bool
    has_digest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The migration of a store.

    :param before: the schema that it had; the same as ``after`` if none was needed.
    :param oldest_writer: the oldest schema whose releases may go on using the store.
    """

    before: int
    after: int
    oldest_writer: int


class IndexerLock(Protocol):
    """The lock of the one indexer, while this process holds it."""

    def check(self) -> None:
        """Check that this process still holds it, before a step of the indexer.

        :raises StoreUnavailable: it was lost: the process must not write any more.
        """
        ...


class Database(Protocol):
    """One open database; its tables exist, and this release may use them.

    Safe to use from several threads. Several processes may use it at once, on one
    machine or, if the database can do that, on several. A forked child makes
    connections of its own and leaves its parent's alone.

    Every method raises :class:`~index.errors.StoreFull` if there is no room left, and
    :class:`~index.errors.StoreUnavailable` if the database is locked, unreachable or
    damaged. Every transaction begins with what it was
    opened to check, by default :func:`index.store.schema.check_release`, which may
    raise too. No error of a driver or of SQLAlchemy leaves a block of
    :meth:`reading` or :meth:`writing`, except those that only a mistake in Nutgraf can
    cause.
    """

    @property
    def rates(self) -> Rates:
        """The rate limits of callers, which all web processes of the store share."""
        ...

    @property
    def quarantine(self) -> Quarantine:
        """Articles that cannot be indexed, wherever the indexer runs."""
        ...

    @property
    def path(self) -> Path | None:
        """The file of the store on this machine, absolute; ``None`` if it has none."""
        ...

    @property
    def place(self) -> str:
        """Where the store is, in words for messages, without a password."""
        ...

    def close(self) -> None:
        """Close the connections of this process; the next call opens new ones."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Lend a connection that reads one unchanging state of the database.

        The first read of the block fixes that state. It includes every transaction that
        was committed before, by any process. Readers never wait for writers, nor
        writers for readers. Every result must be read to its end within the block.
        """
        ...

    def writing(
        self, *, room: int = 0, ordinary: bool = True
    ) -> AbstractContextManager[Connection]:
        """Lend a connection for one transaction that writes.

        It is committed and on disk once the block ends, and undone if the block raises.
        Nothing of it can be seen by others before. A block that has called
        :func:`index.store.change_log.locked_seq` excludes every other that does, so
        that the numbers of changes grow in the order of the commits.

        :param room: bytes of the reserve to free for it, once no other can write.
        :param ordinary: whether it first fills a reserve that was used, or is refused
            if there is no room for that. All writes but withdrawals are.
        :raises StoreFull: there is no room for the reserve; the block is not run.
        """
        ...

    def wait_for_change(self, after: int, seconds: float) -> int:
        """The newest seq, as soon as it is above ``after``, or once time is up."""
        ...

    def forget_pages(self) -> None:
        """Free the memory in which this process keeps pages of earlier reads."""
        ...

    def reserve(self) -> int:
        """Bytes on disk that are kept for withdrawals; 0 if they are used up."""
        ...

    def fill_reserve(self) -> None:
        """Keep room on disk for withdrawals, if there is some and none is kept.

        Of a reserve that was used, the room is taken back from where it went.
        """
        ...

    def indexer_lock(self) -> AbstractContextManager[IndexerLock]:
        """Hold the lock of the one indexer of this store for the length of a block.

        The lock ends with the process, however that ends, also with its machine. Forked
        children do not hold it.

        :raises IndexerRunning: another process holds it, or this one already does.
        """
        ...

    def indexer_running(self) -> bool:
        """Whether some process holds the indexer's lock."""
        ...

    def indexer_process(self) -> int | str | None:
        """The process that holds the indexer's lock: its id, or ``ID@HOST``."""
        ...

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        ...

    def writable(self) -> bool:
        """Whether the database can be written, as far as that shows.

        A write of this process that was refused shows that, until another is accepted.
        """
        ...

    def try_to_write(self) -> None:
        """Find out whether writes are accepted again, if the last one was refused."""
        ...

    def problems(self, connection: Connection) -> Iterator[str]:
        """Yield a sentence for each fault in the database itself.

        Damaged files or pages, and rows that refer to rows that do not exist. Reads
        everything.
        """
        ...

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each thing that may damage a store later."""
        ...

    def erase_deleted(self) -> None:
        """Leave no copy of deleted rows that this program could still read.

        SQLite overwrites them in free pages and in its write-ahead log. PostgreSQL
        frees their room, and overwrites it by and by.

        :raises StoreUnavailable: readers of older states did not end in time. The rows
            are deleted all the same; the next call can still erase them.
        """
        ...

    def take_backup(self, file: Path, *, replace: bool) -> Backup:
        """Copy the store into one file while reads and writes go on.

        The copy is one state of the store, and holds all that was acknowledged before
        this call. It has other secrets than the store, and a digest of all its content.
        The file gets its name once the copy is complete, checked and on disk, and only
        its owner may read it.

        :param replace: a file of that name may be replaced.
        :raises InvalidValue: a file of that name exists, or none can be made; or the
            database has a tool of its own for this, which the message names.
        :raises StoreUnavailable: also if there is no room for the copy.
        """
        ...

    def restore_backup(self, file: Path, *, with_keys: bool, clock: Clock) -> Restored:
        """Replace the content of the store by a backup, in one transaction.

        Other processes go on; they see the store as it was, or the backup as a whole.
        The backup file is checked first and never changed: only its rows are copied,
        into the tables of this release. One of an older schema is migrated in the copy.
        :func:`index.store.carryover.carry` is part of the transaction. It carries over
        every withdrawal acknowledged before the commit: other writers wait from before
        it looks for them until then.

        :param with_keys: take the backup's keys, too.
        :raises InvalidValue: the file is no sound backup of a store, or was changed; or
            as for :meth:`take_backup`.
        :raises StoreUnavailable: also if the store is too busy, or a newer release has
            migrated it; it is as it was.
        """
        ...
