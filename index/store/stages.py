"""Stages of a move: what a store may be used for while it is moved, and afterwards.

A row of the table ``state`` says the stage; a store without one is an ordinary store.
Every transaction reads it first, in the state that it goes on to read or write, so a
stage holds in every process from the commit that sets it.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from index.dates import micros, utc_now
from index.errors import StoreIncomplete, StoreMoved, StoreMoving
from index.store.tables import moves, state

MOVE = "move"  # name of the row
_SECOND = 1_000_000  # microseconds
_REFUSE_ONE = update(moves).values(refused=moves.c.refused + 1)


class Stage(IntEnum):
    """How far a move is: the first two of the store that is filled."""

    COPYING = 1  # it lacks rows
    FOLLOWING = 2  # it lacks changes
    STOPPED = 3  # of the store that is moved: writes are refused for a moment
    MOVED = 4  # likewise, for good


def check_stage(connection: Connection, stage: Stage, *, writing: bool) -> None:
    """Check that a store at a stage may be used.

    Writes that were stopped go on once the time for that is over, even if the mover is
    gone: the first of them ends the stage. One that is refused is counted, which ends
    its transaction.

    :param writing: whether the transaction goes on to write.
    :raises StoreIncomplete: a move into it has not ended.
    :raises StoreMoving: it is to be written, and writes are stopped for a moment.
    :raises StoreMoved: it is to be written, and was moved to another place.
    """
    if stage in (Stage.COPYING, Stage.FOLLOWING):
        raise StoreIncomplete(place_of(connection))
    if not writing:
        return
    if stage is Stage.MOVED:
        raise StoreMoved(place_of(connection))
    left = _until(connection) - micros(utc_now())
    if left <= 0:
        clear_stage(connection)
        return
    connection.execute(_REFUSE_ONE)
    connection.commit()
    raise StoreMoving(left / _SECOND)


def stage_of(connection: Connection) -> Stage | None:
    """The stage of a store; ``None`` of an ordinary one."""
    rows = connection.execute(select(state.c.value).where(state.c.name == MOVE))
    number = rows.scalar_one_or_none()
    return None if number is None else Stage(number)


def place_of(connection: Connection) -> str:
    """Where the other store of a move is, without a password."""
    place = connection.execute(select(moves.c.place)).scalar_one_or_none()
    return "another store" if place is None else place


def moved_to(connection: Connection) -> str | None:
    """Where a store was moved, without a password; ``None`` if it was not."""
    return place_of(connection) if stage_of(connection) is Stage.MOVED else None


def refused_in(connection: Connection) -> int:
    """Number of writes that were refused while they were stopped."""
    return connection.execute(select(moves.c.refused)).scalar_one_or_none() or 0


def set_stage(connection: Connection, stage: Stage, place: str, until: int = 0) -> None:
    """Set the stage of a store, in place of an earlier one.

    :param place: of the other store, without a password.
    :param until: instant at which stopped writes go on; microseconds since 1970 UTC.
    """
    clear_stage(connection)
    connection.execute(insert(state).values(name=MOVE, value=stage))
    connection.execute(insert(moves).values(place=place, until=until, refused=0))


def clear_stage(connection: Connection) -> None:
    """Make a store an ordinary one."""
    connection.execute(
        delete(state).where(state.c.name == bindparam("of")), {"of": MOVE}
    )
    connection.execute(delete(moves))


def is_stopped_until(connection: Connection, until: int) -> bool:
    """Whether no write was accepted since writes were stopped until an instant."""
    return stage_of(connection) is Stage.STOPPED and _until(connection) == until


def _until(connection: Connection) -> int:
    """When stopped writes go on; at once if that is not known."""
    return connection.execute(select(moves.c.until)).scalar_one_or_none() or 0
