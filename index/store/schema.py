"""The schema of a store: its number, and the releases that may use the store.

Two rows of the table ``state`` say it: ``schema``, the number that the last migration
has set, and ``oldest_writer``, the oldest schema whose releases may go on. Every
transaction reads both first, in the state that it goes on to read or write, so a
release stops with the commit of the migration that it cannot follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from index.errors import MigrationNeeded, ReleaseOutdated, StoreUnavailable
from index.store.prepared import PreparedRead
from index.store.tables import SCHEMA, state

# The schema of the first release that reads those rows. Older ones do not notice a
# migration, so none of them may go on, whatever a store says.
FIRST_THAT_LOOKS = 5
_NUMBER, _OLDEST_WRITER = "schema", "oldest_writer"  # names of rows


def state_value(name: str) -> Any:
    """A value of the table ``state``, for statements that read several."""
    return select(state.c.value).where(state.c.name == name).scalar_subquery()


# One row: this is read in every transaction.
_READ = PreparedRead(select(state_value(_NUMBER), state_value(_OLDEST_WRITER)))


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a store.

    :param oldest_writer: the oldest schema whose releases may read and write the store.
    """

    number: int
    oldest_writer: int


def schema_of(connection: Connection) -> Schema:
    """The schema of a store.

    :raises StoreUnavailable: the store does not say it.
    """
    ((number, oldest_writer),) = _READ.rows(connection)
    if number is None:
        raise StoreUnavailable(
            "the store does not say which schema it has; restore a backup"
        )
    # Stores that were made before there was such a row suit their own release only.
    if oldest_writer is None:
        return Schema(number, number)
    return Schema(number, max(oldest_writer, FIRST_THAT_LOOKS))


def check_release(connection: Connection) -> None:
    """Check that this release may read and write a store.

    :raises MigrationNeeded: the store is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    """
    schema = schema_of(connection)
    if schema.number < SCHEMA:
        raise MigrationNeeded(schema.number, needed=SCHEMA)
    if schema.oldest_writer > SCHEMA:
        raise ReleaseOutdated(schema.number, oldest=schema.oldest_writer, own=SCHEMA)


def set_schema(connection: Connection, schema: Schema) -> None:
    """Record the schema of a store."""
    values = {_NUMBER: schema.number, _OLDEST_WRITER: schema.oldest_writer}
    connection.execute(delete(state).where(state.c.name.in_(values)))
    connection.execute(
        insert(state),
        [{"name": name, "value": value} for name, value in values.items()],
    )
