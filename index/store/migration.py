"""The schema of a store: its creation, and upgrades from older ones."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from secrets import token_bytes
from typing import Any

from sqlalchemy import Connection, insert, inspect, select, update
from sqlalchemy.schema import CreateColumn

from index.access import CANCELED, Standing, audience_of, restrictions_of, values_of
from index.dates import micros
from index.errors import StoreUnavailable
from index.history import next_turn
from index.query import CURSOR_KEY_BYTES
from index.store.change_log import new_epoch
from index.store.rows import CHUNK, OF_CURRENT, read_article
from index.store.tables import (
    SCHEMA,
    articles,
    changes,
    metadata,
    notices,
    originals,
    secrets,
    state,
    versions,
)

LOG = logging.getLogger("nutgraf.store")


def create_or_upgrade(connection: Connection) -> None:
    """Create the tables, or upgrade those of an older schema, in one transaction.

    :raises StoreUnavailable: they are another program's, or a newer Nutgraf's.
    """
    names = inspect(connection).get_table_names()
    if not names:
        _create(connection)
        return
    if state.name not in names or articles.name not in names:
        raise StoreUnavailable(
            "this file is another program's database; give the store a file of its own"
        )
    schema = connection.execute(
        select(state.c.value).where(state.c.name == "schema")
    ).scalar_one()
    upgrade = _UPGRADES.get(schema)
    if upgrade is not None:
        upgrade(connection)
    elif schema != SCHEMA:
        raise StoreUnavailable(
            f"the store has schema {schema}, newer than {SCHEMA} of this Nutgraf; use"
            " the version of Nutgraf that wrote it"
        )


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    rows = {
        "schema": SCHEMA,
        "seq": 0,
        "rebuild": 0,
        "rebuilt": 0,
        "epoch": new_epoch(),
    }
    connection.execute(
        insert(state),
        [{"name": name, "value": value} for name, value in rows.items()],
    )
    _create_secrets(connection)


def _create_secrets(connection: Connection) -> None:
    """Make the keys that the processes of a store encrypt with."""
    connection.execute(
        insert(secrets).values(name="cursors", value=token_bytes(CURSOR_KEY_BYTES))
    )


def _from_1(connection: Connection) -> None:
    """Upgrade from schema 1, in the caller's transaction.

    It reads every article once, some 2,000 a second. Canceled ones get a notice. They
    must leave the index, so it asks for a new one.
    """
    LOG.warning(
        "the store is being brought to schema %d: every article is read once",
        SCHEMA,
    )
    for table in (articles, versions, changes):
        present = {c["name"] for c in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {definition}"
                )
    metadata.create_all(connection)
    for table in (articles, versions, changes):
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    connection.execute(update(versions).values(sent=versions.c.digest))
    for row in _every_article(connection):
        _fill(connection, row)
    connection.execute(insert(state), [{"name": "epoch", "value": new_epoch()}])
    connection.execute(
        update(state).where(state.c.name == "rebuild").values(value=state.c.value + 1)
    )
    _from_2(connection)


def _from_2(connection: Connection) -> None:
    """Upgrade from schema 2, in the caller's transaction.

    Versions stored before have no originals.
    """
    originals.create(connection, checkfirst=True)
    _from_3(connection)


def _from_3(connection: Connection) -> None:
    """Upgrade from schema 3, in the caller's transaction.

    Cursors given out before are not encrypted, and not valid any more.
    """
    secrets.create(connection, checkfirst=True)
    _create_secrets(connection)
    for index in notices.indexes:
        index.create(connection, checkfirst=True)
    connection.execute(
        update(state).where(state.c.name == "schema").values(value=SCHEMA)
    )


_UPGRADES = {1: _from_1, 2: _from_2, 3: _from_3}


def _every_article(connection: Connection) -> Iterator[Any]:
    after = ""
    while page := connection.execute(
        select(
            articles.c.id,
            articles.c.seq,
            versions.c.version,
            versions.c.at,
            versions.c.content,
        )
        .join(versions, OF_CURRENT)
        .where(articles.c.id > after)
        .order_by(articles.c.id)
        .limit(CHUNK)
    ).all():
        yield from page
        after = page[-1].id


def _fill(connection: Connection, row: Any) -> None:
    article = read_article(row.id, row.version, row.content)
    own, values = restrictions_of(article), values_of(article)
    standing = Standing(own, values)
    connection.execute(
        update(articles)
        .where(articles.c.id == row.id)
        .values(
            turns=next_turn(own, row.at),
            values=Standing.values_text(values),
            published=None if article.published is None else micros(article.published),
            evolved_from=article.evolved_from,
            story=article.story,
        )
    )
    # Followers of the changes learn of it from the entry that made it current.
    connection.execute(
        update(changes)
        .where(changes.c.seq == row.seq)
        .values(facts=Standing.facts(None, standing))
    )
    if own.status == CANCELED:
        connection.execute(
            insert(notices).values(
                id=row.id,
                version=row.version,
                seq=row.seq,
                at=row.at,
                note=article.correction,
                replacement=None,
                cascade=False,
                facts=audience_of(standing, row.at).text(),
                purged=None,
            )
        )
