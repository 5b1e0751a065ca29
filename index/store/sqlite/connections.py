"""How a process speaks to the store's database: its connections, and their errors.

SQLAlchemy takes as long to lend a connection and to take it back as SQLite to answer.
So those that read are lent once and kept, and nothing but what SQLite needs is done
before each read and after it.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Select, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.pool import QueuePool

from index.errors import ServiceError, StoreFull, StoreUnavailable

BUSY_SECONDS = 10.0  # how long a writer waits for another one
# ``execution_options`` of a connection whose next transaction will write.
WRITES = {"nutgraf_writes": True}


class Connections:
    """Connections of one process; safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        self.engine = make_engine(file)
        # As many as ever read at once; none of them is within a transaction.
        self._idle: deque[Connection] = deque()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that sees one unchanging state for the length of a block.

        Every result must be read to its end within the block: one that is not keeps the
        state of its moment, for whoever gets the connection next.

        One in whose block something was raised is not kept: nobody knows its state.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.engine.connect()
        try:
            _begin_reading(connection)
            yield connection
            _end_reading(connection)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Let go of all of them; the next one to read makes a new one."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()


def make_engine(file: Path) -> Engine:
    """Return a new engine on an existing file; it connects when first used.

    Its connections belong to the process that made them.
    """

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

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=-1,
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _drop_broken)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    # Stays with the file, but a restored backup may have lost it.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Each thread of a worker has a connection; what the system caches is everybody's.
    connection.execute("PRAGMA cache_size = -256")  # KB
    connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
    # What is deleted is overwritten: a withdrawn text must not stay in free pages.
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    if not _driver(connection).in_transaction:
        writes = connection.get_execution_options().get("nutgraf_writes", False)
        _rows(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_reading(connection: Connection) -> None:
    _rows(connection, "BEGIN")


def _end_reading(connection: Connection) -> None:
    if connection.in_transaction():  # SQLAlchemy has run something in it
        connection.rollback()
    else:
        _driver(connection).rollback()


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _rows(
    connection: Connection,
    text: str,
    several: Iterable[dict[str, object] | tuple[()]] = ((),),
) -> list[Any]:
    rows: list[Any] = []
    try:
        driver = _driver(connection)
        for values in several:
            rows += driver.execute(text, values).fetchall()
    except sqlite3.Error as error:
        if _code(error) & 0xFF in _BREAKING:
            connection.invalidate(error)
        raise
    return rows


_NAMED = sqlite.dialect(paramstyle="named")


class Direct:
    """A read that SQLAlchemy puts into SQL once, and that the driver runs by itself.

    For the few reads that every answer needs: running them through SQLAlchemy takes ten
    times as long. Rows come as tuples of what the database holds.
    """

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=_NAMED)
        self.text = str(compiled)
        # What SQLAlchemy puts in by itself, such as the 0 of an OFFSET after a LIMIT.
        self._fixed = {n: v for n, v in compiled.params.items() if v is not None}

    def rows(self, connection: Connection, **values: object) -> list[Any]:
        """Return all rows, with these values in the places of that name."""
        return _rows(connection, self.text, [{**self._fixed, **values}])

    def rows_of_each(
        self, connection: Connection, several: Iterable[dict[str, object]]
    ) -> list[Any]:
        """Return the rows for each of several sets of values, in their order."""
        if self._fixed:
            several = [{**self._fixed, **values} for values in several]
        return _rows(connection, self.text, several)


# A connection that met one of these is not used again: after a failed write or fsync
# nobody knows what its pages hold.
_BREAKING = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
}


def _drop_broken(context: ExceptionContext) -> None:
    if _code(context.original_exception) & 0xFF in _BREAKING:
        context.is_disconnect = True


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
def store_errors() -> Iterator[None]:
    """Translate the database's errors; those that only our own mistake can raise pass.

    :raises StoreFull: the disk or a quota is used up; the transaction is undone.
    :raises StoreUnavailable: locked, unreachable or damaged.
    """
    try:
        yield
    except (IntegrityError, ProgrammingError, sqlite3.ProgrammingError):
        raise
    except DBAPIError as error:
        raise _translated(error.orig or error) from error
    except sqlite3.Error as error:  # from the driver itself
        raise _translated(error) from error


def _translated(error: BaseException) -> ServiceError:
    code = _code(error)
    if code in _FULL:
        return StoreFull()
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


def forget(engine: Engine) -> None:
    """Let no copy of what was deleted stay in the write-ahead log.

    :raises StoreUnavailable: readers of older states did not end in time.
    """
    limit = time.monotonic() + BUSY_SECONDS
    while True:
        with store_errors(), engine.connect() as connection:
            ((busy, _, _),) = _rows(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
        if not busy:
            return
        if time.monotonic() > limit:
            raise StoreUnavailable(
                "the text was erased, but copies stay in the write-ahead log until"
                " readers of older snapshots end; purge it again later"
            )
        time.sleep(0.1)
