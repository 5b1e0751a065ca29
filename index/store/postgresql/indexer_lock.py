"""The lock of the one indexer: an advisory lock of a session of its own.

It ends with the session: when the process closes it or dies, when the server stops, or
some seconds after the machine of the process is gone. So its holder has to look whether
it still has the session before each step that must not be taken by two.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import psycopg

from index.errors import IndexerRunning, StoreUnavailable
from index.store.postgresql.driver import Driver
from index.store.postgresql.failures import store_errors

# In the lock's key, beside the OID of a table of the store: "indx" in ASCII.
_CLASS = 0x696E6478
_KEY = f"{_CLASS}, 'state'::regclass::oid::int"
_TAKE = f"SELECT pg_try_advisory_lock({_KEY})"
_HOLDER = f"""
SELECT application_name, pid FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = {_CLASS} AND objid = 'state'::regclass::oid
"""  # noqa: S608 - our own constant
_PREFIX = "nutgraf indexer "  # of the name of the session, before the process
_ANSWER_SECONDS = 3.0  # less than the server waits for a machine that is gone
_FRESH_SECONDS = 0.1  # for which one look at the session holds


_held: set[int] = set()  # sockets of the sessions in which this process holds a lock


@cache
def _close_in_children() -> None:
    # A forked child shares the socket: one that outlives its parent would hold the
    # lock on. Closing the child's copy leaves the parent's.
    def close() -> None:
        while _held:
            os.close(_held.pop())

    os.register_at_fork(after_in_child=close)


class IndexerLock:
    """The lock while this process holds it; safe to use from several threads."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._lock = threading.Lock()
        self._seen = time.monotonic()

    def check(self) -> None:
        """Check that the session of the lock still exists.

        :raises StoreUnavailable: it ended, so another process may be the indexer now.
        """
        with self._lock:
            if time.monotonic() - self._seen < _FRESH_SECONDS:
                return
            try:
                self._driver.execute("SELECT")
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._seen = float("-inf")
                if not self._driver.closed:
                    _held.discard(self._driver.fileno())
                self._driver.close()
                raise StoreUnavailable(
                    "the connection that held the indexer's lock was lost, and another"
                    " indexer may have it now; start this one again"
                ) from error
            self._seen = time.monotonic()


@contextmanager
def held(parameters: Mapping[str, Any], place: str) -> Iterator[IndexerLock]:
    """Hold the lock for the length of a block.

    :param place: the database in words, for the message.
    :raises IndexerRunning: another process holds it, or this one already does.
    """
    process = os.getpid()
    name = f"{_PREFIX}{process}@{socket.gethostname()}"[:63]
    driver = Driver.open({**parameters, "application_name": name}, writes=False)
    try:
        driver.silence = _ANSWER_SECONDS
        with store_errors():
            driver.autocommit = True
            taken = driver.execute(_TAKE).fetchone()
            if taken != (True,):
                other = holder_of(driver)
                raise IndexerRunning(f"the lock of {place}", other)
        _close_in_children()
        _held.add(driver.fileno())
        yield IndexerLock(driver)
    finally:
        # A child, forked inside the block, must not end the session of its parent.
        if os.getpid() == process:
            if not driver.closed:
                _held.discard(driver.fileno())
            with suppress(psycopg.Error):
                driver.close()


def holder_of(driver: Driver) -> str | None:
    """The process that holds the lock, as ``PROCESS@HOST``; ``None`` if none does."""
    row = driver.execute(_HOLDER).fetchone()
    if row is None:
        return None
    name, process = row
    if name is not None and name.startswith(_PREFIX):
        return str(name.removeprefix(_PREFIX))
    # Another user's session, whose name this user may not see.
    return f"session {process} of PostgreSQL"
