"""Failures of PostgreSQL, by their SQLSTATE, as errors of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from index.errors import ServiceError, StoreFull, StoreReadOnly, StoreUnavailable

BUSY_SECONDS = 10.0  # how long a writer waits for another one

_READ_ONLY = "25006"
_FULL = frozenset(("53100",))
# SQLSTATEs, or the classes that they begin with, and what happened in words.
_REASONS = {
    "08": "the connection to PostgreSQL was lost; try again",
    "28": "PostgreSQL refuses the user or the password; check NUTGRAF_STORE",
    "3D000": "PostgreSQL has no such database; create it, or correct NUTGRAF_STORE",
    "3F000": "the schema does not exist; create it, or correct the search_path",
    "40": "another transaction was in the way; try again",
    "42501": "the user lacks a right; see docs/operations.md",
    "42P01": "a table of the store is missing; restore a backup",
    "53200": "PostgreSQL has no memory left; try again",
    "53300": "PostgreSQL has no connection left; raise max_connections, or run fewer"
    " processes",
    "53400": "PostgreSQL has reached a limit of its configuration",
    "54": "PostgreSQL has reached a limit of its own",
    "55P03": f"the store was busy with another write for {BUSY_SECONDS:g} s; try again",
    "57014": "PostgreSQL canceled a statement that took too long; try again",
    "57P": "PostgreSQL stops or starts; try again",
    "58": "PostgreSQL cannot use its disk; see its log",
    "XX": "the store is damaged; see PostgreSQL's log, then restore a backup",
}


@contextmanager
def store_errors() -> Iterator[None]:
    """Translate PostgreSQL's errors; those that only a mistake of ours causes pass.

    :raises StoreFull: the disk of the server is full; the transaction is undone.
    :raises StoreReadOnly: the server is a standby, or writes are switched off.
    :raises StoreUnavailable: unreachable, busy, misconfigured or damaged.
    """
    try:
        yield
    except DBAPIError as error:
        if (translated := _translated(error.orig)) is None:
            raise
        raise translated from error
    except PendingRollbackError as error:  # after a failure that the block went on from
        raise StoreUnavailable(
            "the store cannot be reached: the connection was lost; try again"
        ) from error
    except psycopg.Error as error:  # from the driver itself
        if (translated := _translated(error)) is None:
            raise
        raise translated from error


def _translated(error: BaseException | None) -> ServiceError | None:
    """The error of the store for one of the driver; ``None`` if it is a mistake."""
    state = getattr(error, "sqlstate", None) or ""
    if state in _FULL:
        return StoreFull()
    if state == _READ_ONLY or _is_standby(error):
        return StoreReadOnly(
            "the database is a standby or is read-only, and nothing of this write was"
            " stored; connect to the primary server and try again"
        )
    reason = next(
        (_REASONS[state[:n]] for n in (5, 3, 2) if state[:n] in _REASONS), None
    )
    if reason is None and isinstance(
        error,
        psycopg.OperationalError | psycopg.InternalError | psycopg.InterfaceError,
    ):
        reason = "check the server and NUTGRAF_STORE"
    if reason is None:
        return None
    return StoreUnavailable(f"the store cannot be reached ({_text(error)}): {reason}")


def _is_standby(error: BaseException | None) -> bool:
    """Whether no server could be connected to that is a primary."""
    return isinstance(error, psycopg.OperationalError) and any(
        sign in str(error)
        for sign in ("server is in hot standby mode", "session is read-only")
    )


def _text(error: BaseException | None) -> str:
    """The driver's words on one line, without the SQL that it quotes."""
    diagnosed = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join((diagnosed or str(error)).split())
