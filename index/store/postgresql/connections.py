"""Connections of one process: lent for one transaction each, and kept for the next.

SQLAlchemy takes as long to lend a connection as PostgreSQL takes to answer, so they are
kept here, in two pools: those that read, and those that write.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from index.errors import StoreReadOnly, StoreUnavailable
from index.store.postgresql.driver import Driver
from index.store.postgresql.failures import BUSY_SECONDS, store_errors

READERS, WRITERS = 24, 8  # connections of one process at the most
CHANNEL = "nutgraf_changes"  # of notifications that something was committed
# Writers of the store follow each other from their first statement on, as if each had
# the store for itself: what one reads, nobody changes before it commits.
_TAKE_TURN = text("SELECT value FROM state WHERE name = 'seq' FOR UPDATE")
_NOTIFY = f"NOTIFY {CHANNEL}"

_Check = Callable[[Connection], None]


class Pool:
    """Connections that are lent one transaction at a time, and kept.

    A connection that the server has closed meanwhile is replaced, together with all
    that are idle: they were of the same server, which was restarted or replaced.

    :param limit: connections that may be lent at a time.
    """

    def __init__(
        self, parameters: Mapping[str, Any], *, limit: int, writes: bool
    ) -> None:
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=partial(Driver.open, parameters, writes=writes),
            poolclass=NullPool,
            use_native_hstore=False,
        )
        self._limit = limit
        self._free = threading.BoundedSemaphore(limit)
        self._idle: deque[Connection] = deque()

    @contextmanager
    def lend(self, begin: _Check) -> Iterator[Connection]:
        """Lend a connection in a transaction, which the caller ends.

        :param begin: called first; it is called again on a new connection if the
            server has closed the one that was kept.
        :raises StoreUnavailable: all of them are lent, and stay so.
        """
        if not self._free.acquire(timeout=BUSY_SECONDS):
            raise StoreUnavailable(
                f"all {self._limit} connections to PostgreSQL are in use; try again"
            )
        try:
            connection = self._begun(begin)
            try:
                yield connection
            finally:
                self._take_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close all that are not lent."""
        while self._idle:
            with suppress(IndexError):  # another thread took the last
                self._idle.pop().close()

    def _begun(self, begin: _Check) -> Connection:
        with suppress(IndexError):
            connection = self._idle.pop()
            driver = driver_of(connection)
            driver.limit_silence()
            try:
                begin(connection)
                return connection
            except BaseException as error:
                stale = driver.closed and not driver.fell_silent
                stale = stale or _is_read_only(error)
                self._take_back(connection)
                if not stale:
                    raise
            self.close()
        connection = self._engine.connect()
        try:
            begin(connection)
        except BaseException:
            self._take_back(connection)
            raise
        return connection

    def _take_back(self, connection: Connection) -> None:
        """Keep a connection that is out of its transaction; close any other."""
        try:
            if not is_broken(connection):
                end(connection)
                self._idle.append(connection)
                return
        except (DBAPIError, psycopg.Error):
            pass
        connection.invalidate()
        connection.close()


class Connections:
    """Connections of one process to a database that exists.

    Safe to use from several threads.

    :param check: called first in each transaction, which ends if it raises.
    """

    def __init__(
        self, parameters: Mapping[str, Any], *, check: _Check = lambda _: None
    ) -> None:
        self._check = check
        self._readers = Pool(parameters, limit=READERS, writes=False)
        self._writers = Pool(parameters, limit=WRITERS, writes=True)
        # Whether the last write was refused since the server only reads.
        self.read_only = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that sees one unchanging state for the length of a block.

        Its first read fixes the state.
        """
        with store_errors(), self._readers.lend(self._check) as connection:
            yield connection

    @contextmanager
    def writing(self, *, in_turn: bool = True) -> Iterator[Connection]:
        """Lend a connection for one transaction that writes, and commit it.

        :param in_turn: such transactions exclude each other from their beginning on;
            only the one that creates the tables does not, and has a lock of its own.
        """

        def begin(connection: Connection) -> None:
            if in_turn:
                connection.execute(_TAKE_TURN)
            self._check(connection)

        try:
            with store_errors(), self._writers.lend(begin) as connection:
                try:
                    yield connection
                except BaseException:
                    undo(connection)
                    raise
                _commit(connection)
        except StoreReadOnly:
            self.read_only = True
            raise
        self.read_only = False

    def close(self) -> None:
        """Close all that are not in use; the next reader or writer opens a new one."""
        self._readers.close()
        self._writers.close()


def driver_of(connection: Connection) -> Driver:
    """The driver's own connection below one of SQLAlchemy's."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, Driver), "a pool opens no other"
    return driver


def is_broken(connection: Connection) -> bool:
    """Whether the server, or the driver, has closed a connection."""
    return connection.closed or connection.invalidated or driver_of(connection).closed


def end(connection: Connection) -> None:
    """End the transaction of a connection, if it is in one that has not failed.

    By COMMIT also where nothing was written: the driver throws its prepared statements
    away at a ROLLBACK.
    """
    driver_of(connection).commit()
    if connection.in_transaction():
        connection.commit()  # nothing is left to do for the driver


def undo(connection: Connection) -> None:
    """Undo the transaction of a connection, if the server can still be told."""
    with suppress(DBAPIError, psycopg.Error):
        if not is_broken(connection):
            driver_of(connection).rollback()
            if connection.in_transaction():
                connection.rollback()


def _commit(connection: Connection) -> None:
    """Commit a transaction, and tell those who wait for changes.

    :raises StoreUnavailable: the outcome is unknown, so nothing may be acknowledged.
    """
    driver = driver_of(connection)
    driver.execute(_NOTIFY, prepare=False)
    driver.warned = False
    try:
        outcome = driver.execute("COMMIT", prepare=False).statusmessage
    except psycopg.OperationalError as error:
        raise StoreUnavailable(
            "the connection was lost during a commit, so nobody knows whether the write"
            " was stored; send it again"
        ) from error
    if outcome != "COMMIT":
        raise StoreUnavailable("PostgreSQL undid the write; try again")
    if driver.warned:
        # A wait for the synchronous standby was canceled: a failover may lose it.
        raise StoreUnavailable(
            "the write was committed, but no standby has confirmed it; send it again"
        )


def _is_read_only(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.errors.ReadOnlySqlTransaction)


def is_idle(driver: Driver) -> bool:
    """Whether a connection is open and in no transaction."""
    return driver.info.transaction_status is TransactionStatus.IDLE
