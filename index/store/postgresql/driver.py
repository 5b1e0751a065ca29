"""Connections of the driver: opened, checked, and given up when they fall silent."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from typing import Any, Self, TypeVar

import psycopg
from psycopg.errors import Diagnostic

from index.errors import InvalidValue, StoreUnavailable
from index.store.postgresql.failures import BUSY_SECONDS, store_errors

OLDEST = 14  # major version of PostgreSQL
SILENCE_SECONDS = 10.0  # a statement of an answer takes far less
# A transaction that writes keeps others waiting: one whose machine is gone ends soon.
_IDLE_SECONDS = 60

T = TypeVar("T")

# One row, and one round trip: what a session is, and what it is set to.
_SESSION = """
SELECT
  pg_backend_pid(),
  current_setting('server_version_num')::int / 10000,
  current_setting('server_encoding'),
  set_config('synchronous_commit', CASE current_setting('synchronous_commit')
    WHEN 'off' THEN 'on' WHEN 'local' THEN 'on'
    ELSE current_setting('synchronous_commit') END, false),
  set_config('lock_timeout', %(lock)s, false),
  set_config('idle_in_transaction_session_timeout', %(idle)s, false),
  set_config('tcp_keepalives_idle', '3', false),
  set_config('tcp_keepalives_interval', '2', false),
  set_config('tcp_keepalives_count', '2', false),
  set_config('statement_timeout', '0', false),
  set_config('jit', 'off', false)
"""


class Driver(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is closed if the server does not answer in time.

    TCP notices a machine that is gone, but not a server or a proxy that is stopped.
    """

    silence: float | None = None  # seconds; None: no limit
    fell_silent = False
    warned = False  # whether a WARNING came since this was set to False

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        if self.silence is not None:
            gen = self._answered(gen, time.monotonic() + self.silence)
        return super().wait(gen, *args, **kwargs)

    def _answered(
        self, gen: Generator[Any, Any, T], limit: float
    ) -> Generator[Any, Any, T]:
        """The same waits, as long as time is left."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > limit:
                    self.fell_silent = True
                    self.pgconn.finish()
                    raise psycopg.OperationalError(
                        f"the server has not answered for {self.silence:g} s"
                    )
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result

    def limit_silence(self) -> None:
        """Wait for an answer as long as a statement of ours may take at the most."""
        # One that writes may wait for others first.
        self.silence = SILENCE_SECONDS + (0 if self.read_only else BUSY_SECONDS)

    def note(self, diagnostic: Diagnostic) -> None:
        """Remember that the server warned."""
        if diagnostic.severity_nonlocalized == "WARNING":
            self.warned = True

    @classmethod
    def open(cls, parameters: Mapping[str, Any], *, writes: bool) -> Self:
        """A new connection, out of any transaction.

        :param writes: its transactions write, and follow each other; those of others
            read one state of the database.
        :raises InvalidValue: libpq does not know a parameter.
        :raises StoreUnavailable: there is no server, or one that cannot be used.
        """
        with store_errors():
            try:
                driver = cls.connect(**parameters, autocommit=True)
            except psycopg.ProgrammingError as error:
                raise InvalidValue("store", " ".join(str(error).split())) from error
            try:
                driver.add_notice_handler(driver.note)
                _check_session(driver, writes=writes)
            except BaseException:
                driver.close()
                raise
        driver.isolation_level = (
            psycopg.IsolationLevel.READ_COMMITTED
            if writes
            else psycopg.IsolationLevel.REPEATABLE_READ
        )
        driver.read_only = not writes
        driver.limit_silence()
        driver.autocommit = False
        return driver


def _check_session(driver: Driver, *, writes: bool) -> None:
    limits = {
        "lock": f"{BUSY_SECONDS:g}s",
        "idle": f"{_IDLE_SECONDS if writes else 0}s",
    }
    row = driver.execute(_SESSION, limits).fetchone()
    assert row is not None, "a SELECT without FROM has one row"
    process, version, encoding = row[:3]
    if version < OLDEST:
        raise StoreUnavailable(
            f"the store needs PostgreSQL {OLDEST} or later, and this is {version};"
            " update the server"
        )
    if encoding != "UTF8":
        raise StoreUnavailable(
            f"the database has the encoding {encoding}, which lacks characters of news;"
            " create one with ENCODING 'UTF8' TEMPLATE template0"
        )
    # A pooler makes up the number of the process that it tells its clients.
    if process != driver.info.backend_pid:
        raise StoreUnavailable(
            "a connection pooler such as PgBouncer is between Nutgraf and PostgreSQL:"
            " locks and notifications of a session do not hold through it; connect to"
            " PostgreSQL itself, and let Nutgraf pool its connections"
        )
