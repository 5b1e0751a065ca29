"""Connections to a SQLite file, and the translation of its errors.

SQLAlchemy takes as long to lend a connection and to take it back as SQLite takes to
answer. So connections that read are lent once and kept, and only what SQLite needs is
done before each read and after it.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.pool import QueuePool

from index.errors import ServiceError, StoreFull, StoreReadOnly, StoreUnavailable
from index.store.schema import Check

BUSY_SECONDS = 10.0  # how long a writer waits for another one
DRAIN_SECONDS = 1.0  # how long new readers wait after a disk was read-only
# ``execution_options`` of a connection whose next transaction will write.
_WRITES = {"nutgraf_writes": True}
# On a connection that was opened while the file was read-only, BEGIN IMMEDIATE begins
# to read and says nothing. This is refused there, and has no effect elsewhere: the file
# gives no free pages back (sqlite.org/pragma.html#pragma_auto_vacuum).
_WRITE_NOTHING = "PRAGMA main.incremental_vacuum(1)"


class Connections:
    """Connections of one process to an existing file.

    Safe to use from several threads.

    :param attached: another store's file; reads find its tables in the schema ``live``.
    :param check: called first in each transaction, which ends if it raises; by default
        nothing is checked.
    """

    def __init__(
        self,
        file: Path,
        *,
        attached: Path | None = None,
        check: Check | None = None,
    ) -> None:
        self._file = file
        self._check = check
        self.engine = _engine(file, attached)
        # At most as many as ever read at once; none of them is in a transaction.
        self._idle: deque[Connection] = deque()
        self._open = threading.Event()  # to new readers
        self._open.set()
        self._drains = 0
        # Whether the last write was refused since the file, or its disk, is read-only.
        self.read_only = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that sees one unchanging state for the length of a block.

        Every result must be read to its end within the block: an unfinished one keeps
        its state for whoever borrows the connection next.

        A connection whose block raised is not kept, since its state is unknown.
        """
        if not self._open.is_set():
            self._open.wait(DRAIN_SECONDS)
        drains = self._drains
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self.engine.connect()
            try:
                _driver(connection).execute("BEGIN")
                if self._check is not None:
                    self._check(connection, writing=False)
                yield connection
                _end_reading(connection)
            except BaseException as error:
                _drop_if_broken(connection, error)
                connection.close()
                raise
            if drains == self._drains:
                self._idle.append(connection)
            else:
                connection.invalidate()
                connection.close()
        except (DBAPIError, sqlite3.Error) as error:
            _raise_translated(error, self._file)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection for one transaction, from ``BEGIN IMMEDIATE`` to its end.

        Such transactions exclude each other from their beginning on.
        """
        with store_errors(self._file):
            try:
                with ExitStack() as entered:
                    connection = self._begun(entered)
                    try:
                        if self._check is not None:
                            self._check(connection, writing=True)
                        yield connection
                    except sqlite3.Error as error:
                        _drop_if_broken(connection, error)
                        raise
            except (sqlite3.Error, DBAPIError) as error:
                self.read_only = self.read_only or _is_read_only(error)
                raise
            self.read_only = False

    def _begun(self, entered: ExitStack) -> Connection:
        """A connection in a transaction that writes, until the stack is left."""
        try:
            return self._begun_once(entered)
        except sqlite3.Error as error:
            if not _is_read_only(error) or not os.access(self._file, os.W_OK):
                raise
        # Here the error is gone, and with it the connections that it held.
        self._drain()
        return self._begun_once(entered)

    def _begun_once(self, entered: ExitStack) -> Connection:
        drains = self._drains
        with ExitStack() as attempt:
            connection = self.engine.connect().execution_options(**_WRITES)
            attempt.enter_context(connection)
            attempt.callback(self._drop_if_drained, connection, drains)
            attempt.enter_context(connection.begin())
            entered.push(attempt.pop_all())
        return connection

    def _drop_if_drained(self, connection: Connection, drains: int) -> None:
        """Drop a connection that was lent before the last drain."""
        if drains != self._drains:
            connection.invalidate()

    def _drain(self) -> None:
        """Close all connections once their readers end, and keep new ones waiting.

        Those of a process share what SQLite found when the first of them was opened:
        while one from a read-only disk is open, no other can write.
        """
        self._open.clear()
        self._drains += 1  # whoever still reads closes its connection
        try:
            limit = time.monotonic() + DRAIN_SECONDS
            self._release_idle()
            pool = cast("QueuePool", self.engine.pool)
            while pool.checkedout() and time.monotonic() < limit:
                time.sleep(0.005)
                self._release_idle()
            self.engine.dispose()
            # SQLite's handle stays open while a result is: exceptions may hold some.
            gc.collect()
        finally:
            self._open.set()

    def truncate_log(self) -> None:
        """Empty the write-ahead log, so that no copy of deleted rows stays in it.

        :raises StoreUnavailable: readers of older states did not end in time.
        """
        limit = time.monotonic() + BUSY_SECONDS
        while True:
            if self.empty_log():
                return
            if time.monotonic() > limit:
                raise StoreUnavailable(
                    "the text was erased, but copies stay in the write-ahead log until"
                    " readers of older snapshots end; purge it again later"
                )
            time.sleep(0.1)

    def empty_log(self) -> bool:
        """Whether no reader of an older state kept the write-ahead log from emptying.

        :raises StoreFull: what is in the log does not fit into the file.
        """
        with store_errors(self._file), self.engine.connect() as connection:
            return not _is_busy(connection)

    def close(self) -> None:
        """Close all that are not in use; the next reader or writer opens a new one."""
        self._release_idle()
        self.engine.dispose()

    def _release_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _engine(file: Path, attached: Path | None) -> Engine:
    """A new engine; its connections belong to the process that opened them."""

    def connect() -> sqlite3.Connection:
        # mode=rw: a store that was removed is an error, not a new and empty store.
        return sqlite3.connect(
            f"file:{quote(str(file))}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            # SQLAlchemy's recipe: sqlite3 itself begins nothing, _begin does.
            isolation_level=None,
            check_same_thread=False,
        )

    def attach(connection: sqlite3.Connection, _record: object) -> None:
        # To read only: a transaction that writes would want to write there, too.
        connection.execute(
            "ATTACH ? AS live", (f"file:{quote(str(attached))}?mode=ro",)
        )

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=-1,
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _set_pragmas)
    if attached is not None:
        event.listen(engine, "connect", attach)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _mark_broken)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    # Stays with the file, but a restored backup may have lost it.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Each thread of a worker has a connection; the system's cache is shared by all.
    connection.execute("PRAGMA cache_size = -256")  # KB
    connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
    # Deleted rows are overwritten: a withdrawn text must not stay in free pages.
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    driver = _driver(connection)
    if not driver.in_transaction:
        writes = connection.get_execution_options().get("nutgraf_writes", False)
        try:
            driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            if writes:
                driver.execute(_WRITE_NOTHING).close()
        except sqlite3.Error as error:
            _drop_if_broken(connection, error)
            raise


def _end_reading(connection: Connection) -> None:
    if connection.in_transaction():  # SQLAlchemy has run something in it
        connection.rollback()
    else:
        _driver(connection).rollback()


def _is_busy(connection: Connection) -> bool:
    """Whether a reader of an older state keeps the log from being emptied."""
    try:
        # Not through SQLAlchemy, which would begin a transaction.
        checkpoint = _driver(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((busy, _, _),) = checkpoint.fetchall()
    except sqlite3.Error as error:
        _drop_if_broken(connection, error)
        raise
    return bool(busy)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


# A connection that met one of these is not used again: after a failed write or fsync
# nobody knows what its pages hold.
_BREAKING = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    # One that was opened while the file was read-only never writes.
    sqlite3.SQLITE_READONLY,
}


def _drop_if_broken(connection: Connection, error: BaseException) -> None:
    """Drop a connection for an error of the driver that SQLAlchemy has not seen."""
    if _code(error) & 0xFF in _BREAKING:
        connection.invalidate(error)


def _mark_broken(context: ExceptionContext) -> None:
    if _code(context.original_exception) & 0xFF in _BREAKING:
        context.is_disconnect = True
        cursor = getattr(context.execution_context, "cursor", None)
        if cursor is not None:
            # SQLAlchemy leaves it open, and as long as the exception lives it would
            # hold SQLite's handle.
            cursor.close()


def _is_read_only(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return _code(cause) & 0xFF == sqlite3.SQLITE_READONLY


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0)


# SQLite says FULL only for ENOSPC. A quota (EDQUOT) or a file size limit (EFBIG) fails
# write() too, which for a local file hardly anything else does: bad disks fail fsync().
_FULL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def store_errors(file: Path | None = None) -> Iterator[None]:
    """Translate SQLite's errors; those that only a mistake of ours can cause pass.

    :param file: of the store, to tell why it cannot be opened.
    :raises StoreFull: the disk or a quota is used up; the transaction is undone.
    :raises StoreReadOnly: likewise; or it can neither be written nor opened to read.
    :raises StoreUnavailable: locked, unreachable or damaged.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        _raise_translated(error, file)


def _raise_translated(error: DBAPIError | sqlite3.Error, file: Path | None) -> NoReturn:
    """Raise an error of SQLite as :func:`store_errors` does."""
    if isinstance(error, IntegrityError | ProgrammingError | sqlite3.ProgrammingError):
        raise error
    cause = error.orig if isinstance(error, DBAPIError) else error  # or the driver's
    raise _translated(cause or error, file) from error


def _translated(error: BaseException, file: Path | None) -> ServiceError:
    code = _code(error)
    if code in _FULL:
        return StoreFull()
    if code & 0xFF == sqlite3.SQLITE_READONLY:
        return StoreReadOnly()
    if (
        code & 0xFF == sqlite3.SQLITE_CANTOPEN
        and file is not None
        and file.exists()
        and not os.access(file.parent, os.W_OK)
    ):
        return StoreReadOnly(
            "the store was closed and its folder is read-only, so it cannot even be"
            " read: SQLite creates two files beside it first; make its disk and folder"
            " writable and try again"
        )
    if code & 0xFF in _BUSY:
        return StoreUnavailable(
            f"the store was busy with another write for {BUSY_SECONDS:g} s; try again"
        )
    if code & 0xFF in _DAMAGED:
        return StoreUnavailable(
            f"the store is damaged ({error}); stop Nutgraf, keep a copy of the"
            " store's folder, then restore a backup"
        )
    return StoreUnavailable(
        f"the store cannot be reached ({error}); check its disk and the permissions"
        " of its folder"
    )
