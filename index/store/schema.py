"""The schema of a store: its number, and the releases that may use the store.

Two rows of the table ``state`` say it: ``schema``, the number that the last migration
has set, and ``oldest_writer``, the oldest schema whose releases may go on. Every
transaction reads both first, in the state that it goes on to read or write, so a
release stops with the commit of the migration that it cannot follow. A third row, the
stage of a move, is read with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, delete, insert, select

from index.errors import MigrationNeeded, ReleaseOutdated, StoreUnavailable
from index.store.prepared import PreparedRead
from index.store.stages import MOVE, Stage, check_stage
from index.store.tables import SCHEMA, state

# The schema of the first release that reads those rows. Older ones do not notice a
# migration, so none of them may go on, whatever a store says.
FIRST_THAT_LOOKS = 5
_NUMBER, _OLDEST_WRITER = "schema", "oldest_writer"  # names of rows


def state_value(name: str) -> Any:
    """A value of the table ``state``, for statements that read several."""
    return select(state.c.value).where(state.c.name == name).scalar_subquery()


# One row: this is read in every transaction.
_READ = PreparedRead(
    select(state_value(_NUMBER), state_value(_OLDEST_WRITER), state_value(MOVE))
)


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a store.

    :param oldest_writer: the oldest schema whose releases may read and write the store.
    """

    number: int
    oldest_writer: int


class Check(Protocol):
    """What every transaction begins with: may it use the store?"""

    def __call__(self, connection: Connection, *, writing: bool) -> None: ...


def schema_of(connection: Connection) -> Schema:
    """The schema of a store.

    :raises StoreUnavailable: the store does not say it.
    """
    return _schema_and_stage(connection)[0]


def _schema_and_stage(connection: Connection) -> tuple[Schema, int | None]:
    ((number, oldest_writer, stage),) = _READ.rows(connection)
    if number is None:
        raise StoreUnavailable(
            "the store does not say which schema it has; restore a backup"
        )
    # Stores that were made before there was such a row suit their own release only.
    if oldest_writer is None:
        return Schema(number, number), stage
    return Schema(number, max(oldest_writer, FIRST_THAT_LOOKS)), stage


def check_release(connection: Connection, *, writing: bool) -> None:
    """Check that this release may read a store, or write to it.

    :raises MigrationNeeded: the store is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreIncomplete: a move into it has not ended.
    :raises StoreReadOnly: it is to be written, and is being moved or was moved.
    """
    stage = _stage_for_release(connection)
    if stage is not None:
        check_stage(connection, Stage(stage), writing=writing)


def check_schema(connection: Connection, *, writing: bool) -> None:
    """Check the release alone, for the process that moves a store; see above."""
    _stage_for_release(connection)


def _stage_for_release(connection: Connection) -> int | None:
    schema, stage = _schema_and_stage(connection)
    if schema.number < SCHEMA:
        raise MigrationNeeded(schema.number, needed=SCHEMA)
    if schema.oldest_writer > SCHEMA:
        raise ReleaseOutdated(schema.number, oldest=schema.oldest_writer, own=SCHEMA)
    return stage


def set_schema(connection: Connection, schema: Schema) -> None:
    """Record the schema of a store."""
    values = {_NUMBER: schema.number, _OLDEST_WRITER: schema.oldest_writer}
    connection.execute(delete(state).where(state.c.name.in_(values)))
    connection.execute(
        insert(state),
        [{"name": name, "value": value} for name, value in values.items()],
    )
