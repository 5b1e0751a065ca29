"""Tables that only PostgreSQL has: in other stores, they are files beside the store.

None of them is part of a backup or a move: a store is complete without their rows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    inspect,
)

metadata = MetaData()
# Not in the write-ahead log: after a crash of the server everybody starts anew.
rates = Table(
    "rates",
    metadata,
    Column("kind", SmallInteger, primary_key=True),
    Column("who", LargeBinary, primary_key=True),  # a digest
    Column("until", BigInteger, nullable=False),  # instant of the full allowance
    Column("used", BigInteger, nullable=False),  # instant of the last call
    Column("taken", Boolean, nullable=False),  # whether that was within the rate
    prefixes=["UNLOGGED"],
)
# Of the indexer: articles that cannot be indexed, and its attempt under way.
notes = Table(
    "notes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),  # JSON
)


def has_own_tables(connection: Connection) -> bool:
    """Whether a database has these tables."""
    return set(metadata.tables) <= set(inspect(connection).get_table_names())


def create_own_tables(connection: Connection) -> None:
    """Create the tables that do not exist yet, in the caller's transaction."""
    metadata.create_all(connection)
