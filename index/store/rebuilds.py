"""Rebuilds: requests to build the index anew, by number, and those fulfilled."""

from __future__ import annotations

from sqlalchemy import Connection

from index.store.change_log import SET_STATE, locked_seq
from index.store.rows import value_of

_REQUESTED, _FINISHED = "rebuild", "rebuilt"  # names of rows


def request(connection: Connection) -> int:
    """Ask for a rebuild; return the number of the request."""
    locked_seq(connection)
    number = requested(connection) + 1
    connection.execute(SET_STATE, {"of": _REQUESTED, "value": number})
    return number


def requested(connection: Connection) -> int:
    """Number of the newest request; 0 if there was none."""
    return value_of(connection, _REQUESTED)


def finished(connection: Connection) -> int:
    """Number of the newest request that was fulfilled; 0 if none was."""
    return value_of(connection, _FINISHED)


def finish(connection: Connection, number: int) -> None:
    """Record that a request was fulfilled."""
    connection.execute(SET_STATE, {"of": _FINISHED, "value": number})
