"""Rate limits in a table, which the web machines of a store share.

A call is one statement, which PostgreSQL commits without waiting for its disk. The
table is not in the write-ahead log, so it is empty after a crash and on a standby.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any

import psycopg

from index.access import MINUTE, Allowance, allow
from index.dates import micros, utc_now
from index.errors import NutgrafError
from index.store.postgresql.driver import Driver

_KEYS, _ADDRESSES = 0, 1  # kinds of callers
_ANSWER_SECONDS = 2.0  # after which a process counts for itself
_ALONE_SECONDS = 5.0  # for which it then does
_ALONE_CALLERS = 4096  # that it counts at the most
_TOUCH_SECONDS = 10.0  # uses of a key without a limit are recorded this often
_SWEEP_SECONDS = 60.0  # between two looks of a process for addresses to forget

LOG = logging.getLogger("nutgraf.rates")

# The arithmetic of index.access.allow, in the statement that locks the caller's row.
_USED = "LEAST(GREATEST(r.until - EXCLUDED.used, 0), %(capacity)s::bigint)"
_TAKEN = f"{_USED} + %(step)s::bigint <= %(capacity)s::bigint"
_TAKE = f"""
INSERT INTO rates AS r (kind, who, until, used, taken)
VALUES (%(kind)s, %(who)s, %(now)s::bigint + %(step)s::bigint, %(now)s::bigint, true)
ON CONFLICT (kind, who) DO UPDATE SET
  until = EXCLUDED.used + {_USED}
    + CASE WHEN {_TAKEN} THEN %(step)s::bigint ELSE 0 END,
  used = EXCLUDED.used,
  taken = {_TAKEN}
RETURNING until, taken
"""  # noqa: S608 - our own constants
_TOUCH = """
INSERT INTO rates (kind, who, until, used, taken)
VALUES (%(kind)s, %(who)s, 0, %(now)s::bigint, true)
ON CONFLICT (kind, who) DO UPDATE SET used = EXCLUDED.used
"""
_FIND = "SELECT used FROM rates WHERE kind = %(kind)s AND who = %(who)s"
# An address whose allowance is full again is as good as new. Keys are few.
_SWEEP = "DELETE FROM rates WHERE kind = %(kind)s AND until < %(now)s::bigint"


class RateRows:
    """Rate limits in a table; see :class:`index.access.Rates`.

    All threads of a process share one connection.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._lock = threading.Lock()
        self._driver: Driver | None = None
        self._process = os.getpid()
        self._alone_until = 0.0
        self._alone: OrderedDict[tuple[int, bytes], int] = OrderedDict()
        self._touched: OrderedDict[bytes, float] = OrderedDict()
        self._next_sweep = 0.0

    def take(self, key: str, limit: int, *, now: int | None = None) -> Allowance:
        return self._take(_KEYS, key, limit, now)

    def fail(self, address: str, limit: int, *, now: int | None = None) -> Allowance:
        self._sweep(_now(now))
        return self._take(_ADDRESSES, address, limit, now)

    def touch(self, key: str, *, now: int | None = None) -> None:
        who, instant = _digest(key), time.monotonic()
        with self._lock:
            if instant < self._touched.get(who, 0.0):
                return
            self._touched[who] = instant + _TOUCH_SECONDS
            _shorten(self._touched)
        self._run(_TOUCH, kind=_KEYS, who=who, now=_now(now))

    def used(self, key: str) -> int | None:
        rows = self._run(_FIND, kind=_KEYS, who=_digest(key))
        return rows[0][0] if rows else None

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _take(self, kind: int, name: str, limit: int, now: int | None) -> Allowance:
        who, at = _digest(name), _now(now)
        step = MINUTE // limit
        rows = self._run(
            _TAKE, kind=kind, who=who, now=at, step=step, capacity=step * limit
        )
        if rows:
            ((until, taken),) = rows
            _, allowance = allow(until - step if taken else until, at, limit)
            return allowance
        with self._lock:
            until, allowance = allow(self._alone.get((kind, who), 0), at, limit)
            self._alone[kind, who] = until
            self._alone.move_to_end((kind, who))
            _shorten(self._alone)
        return allowance

    def _sweep(self, now: int) -> None:
        with self._lock:
            if time.monotonic() < self._next_sweep:
                return
            self._next_sweep = time.monotonic() + _SWEEP_SECONDS
        self._run(_SWEEP, kind=_ADDRESSES, now=now)

    def _run(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement; none if this process counts for itself now."""
        with self._lock:
            if time.monotonic() < self._alone_until:
                return []
            try:
                try:
                    return self._rows(statement, values)
                except psycopg.OperationalError:
                    if not self._opened().closed:
                        raise
                    # The server has closed it since the last call. If this call was
                    # counted before that, it is counted twice.
                    self._drop()
                    return self._rows(statement, values)
            except (NutgrafError, psycopg.Error) as error:
                self._drop()
                self._alone_until = time.monotonic() + _ALONE_SECONDS
                LOG.warning(
                    "rates are counted by this process alone for %g s: %s",
                    *(_ALONE_SECONDS, " ".join(str(error).split())),
                )
                return []

    def _rows(self, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        cursor = self._opened().execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    def _opened(self) -> Driver:
        if self._process != os.getpid():
            # Its parent's connection stays the parent's.
            self._driver, self._process = None, os.getpid()
        if self._driver is None:
            driver = Driver.open(self._parameters, writes=True)
            driver.silence = _ANSWER_SECONDS
            driver.autocommit = True
            driver.execute("SET synchronous_commit = off")
            self._driver = driver
        return self._driver

    def _drop(self) -> None:
        if self._driver is not None and self._process == os.getpid():
            with suppress(psycopg.Error):
                self._driver.close()
        self._driver = None


def _shorten(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > _ALONE_CALLERS:
        kept.popitem(last=False)


def _digest(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _now(now: int | None) -> int:
    return micros(utc_now()) if now is None else now
