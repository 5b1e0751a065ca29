"""Faults of a store in PostgreSQL, and settings of the server that endanger it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, literal, select, text

from index.store.tables import metadata

# Without these, a crash of the server's machine may damage the store.
_SAFE = ("fsync", "full_page_writes")
_SETTINGS = text(
    "SELECT name, setting FROM pg_settings WHERE name IN"
    " ('fsync', 'full_page_writes', 'synchronous_standby_names')"
)
# What a role may not see of others is NULL; the number of rows is right.
_STANDBYS = text(
    "SELECT count(*), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')),"
    " count(sync_state) FROM pg_stat_replication WHERE application_name NOT LIKE"
    " 'pg_basebackup%'"
)
_SYNCHRONOUS_COMMIT = text(
    "SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'"
)
_NAMED = 100  # of those that belong to none, of each table
_BROKEN_INDEXES = text(
    "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON oid = indrelid"
    " WHERE relnamespace = current_schema()::regnamespace AND NOT indisvalid"
)


def problems(connection: Connection) -> Iterator[str]:
    """Yield a sentence for each broken index, and each row that refers to no other.

    Damaged pages show when the rows on them are read.
    """
    for name in connection.execute(_BROKEN_INDEXES).scalars():
        yield f"the index {name} is not valid; run REINDEX INDEX {name}"
    for table in metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            other = key.referred_table
            pairs = [(e.parent, e.column) for e in key.elements]
            lost = (
                select(literal(1))
                .select_from(table)
                .join(other, and_(*(a == b for a, b in pairs)), isouter=True)
                .where(pairs[0][1].is_(None))
            )
            for _ in connection.execute(lost.limit(_NAMED)):
                yield f"a row of {table.name} belongs to none of {other.name}"


def warnings(connection: Connection) -> Iterator[str]:
    """Yield a sentence for each setting that may cost acknowledged articles."""
    settings: dict[str, str] = {
        row.name: row.setting for row in connection.execute(_SETTINGS)
    }
    for name in _SAFE:
        if settings.get(name) == "off":
            yield (
                f"PostgreSQL runs with {name} = off, so a crash of its machine may"
                " damage the store; set it to on"
            )
    commit = connection.execute(_SYNCHRONOUS_COMMIT).scalar_one()
    if commit in ("off", "local"):
        yield (
            f"PostgreSQL's default is synchronous_commit = {commit}; Nutgraf sets it to"
            " on for its own writes; set it for the database, too"
        )
    standbys, synchronous, known = connection.execute(_STANDBYS).one()
    if settings.get("synchronous_standby_names"):
        if known == standbys and not synchronous:
            yield (
                "synchronous_standby_names is set and no such standby is connected:"
                " writes wait until one is"
            )
    elif standbys:
        yield (
            "no standby is synchronous, so a failover may lose acknowledged articles;"
            " set synchronous_standby_names"
        )
