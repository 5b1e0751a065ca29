"""The tables of a store in PostgreSQL: their creation, and their migration.

Several processes may do this at once, on several machines: they take turns by an
advisory lock, which ends with the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text

from index.errors import StoreUnavailable
from index.store import carryover, migration
from index.store.database import Migration
from index.store.migration import create_tables, has_tables
from index.store.postgresql.connections import Connections, driver_of
from index.store.postgresql.own_tables import create_own_tables, has_own_tables, notes
from index.store.schema import check_release, schema_of
from index.store.tables import SCHEMA

# "nutg" in ASCII. The names of tables are unique within a schema only.
_TAKE_TURN = text(
    "SELECT pg_advisory_xact_lock(1853191271, hashtext(current_schema()))"
)


# A copy of a database has another identity. A standby that was promoted has not.
_IDENTITY = text(
    "SELECT concat_ws('.', system_identifier, database.oid, 'state'::regclass::oid)"
    " FROM pg_control_system(), pg_database AS database"
    " WHERE datname = current_database()"
)
_NOTE = "identity"  # name of a note


def create(parameters: Mapping[str, Any]) -> None:
    """Create the tables that do not exist yet; those of an older schema stay.

    :raises MigrationNeeded: the store is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: it cannot be reached, its tables are another program's, or
        it was restored from a dump: :func:`begin_history`.
    """
    with closing(Connections(parameters)) as connections:
        _create_tables(connections)
        with connections.reading() as connection:
            check_release(connection)
            noted = _noted_identity(connection)
            if noted not in (None, _identity(connection)):
                raise StoreUnavailable(
                    "the store was restored or copied by PostgreSQL's own tools; run"
                    " nutgraf restored once, so that no index and no client goes on"
                    " with the history that it had before"
                )
        if noted is None:
            with connections.writing() as connection:
                _note_identity(connection)


def begin_history(parameters: Mapping[str, Any]) -> None:
    """Begin a new history in a store that PostgreSQL's tools have restored.

    :raises MigrationNeeded: the store is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: there is no store.
    """
    with (
        closing(Connections(parameters, check=check_release)) as connections,
        connections.writing() as connection,
    ):
        carryover.begin_history(connection)
        connection.execute(delete(notes))  # of another indexer
        _note_identity(connection)


def _identity(connection: Connection) -> str:
    return str(connection.execute(_IDENTITY).scalar_one())


def _noted_identity(connection: Connection) -> str | None:
    row = connection.execute(select(notes.c.document).where(notes.c.name == _NOTE))
    noted = row.scalar_one_or_none()
    return None if noted is None else bytes(noted).decode()


def _note_identity(connection: Connection) -> None:
    document = _identity(connection).encode()
    connection.execute(delete(notes).where(notes.c.name == _NOTE))
    connection.execute(insert(notes).values(name=_NOTE, document=document))


def migrate(parameters: Mapping[str, Any]) -> Migration:
    """Take a store to the schema of this release; create it if need be.

    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: as for :func:`create`.
    """
    with closing(Connections(parameters)) as connections:
        _create_tables(connections)
        with connections.writing() as connection:
            driver_of(connection).silence = None
            before = schema_of(connection).number
            if before < SCHEMA:
                migration.migrate(connection)
        with connections.reading() as connection:
            check_release(connection)
            after = schema_of(connection)
    return Migration(
        before=before, after=after.number, oldest_writer=after.oldest_writer
    )


def _create_tables(connections: Connections) -> None:
    """Create the tables of a new store; one that exists is only read."""
    with connections.reading() as connection:
        exists = has_tables(connection) and has_own_tables(connection)
    if not exists:
        with _alone(connections) as connection:
            if not has_tables(connection):
                create_tables(connection)
            create_own_tables(connection)


@contextmanager
def _alone(connections: Connections) -> Iterator[Connection]:
    """A transaction in which no other process creates tables; it may take long."""
    with connections.writing(in_turn=False) as connection:
        driver_of(connection).silence = None
        connection.execute(_TAKE_TURN)
        yield connection
