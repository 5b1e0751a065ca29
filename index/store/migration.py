"""How the store of an older Nutgraf becomes one of this."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert, inspect, select, update
from sqlalchemy.schema import CreateColumn

from index.access import CANCELED, Standing, audience_of, restrictions_of, values_of
from index.dates import micros
from index.history import next_turn
from index.store import tables
from index.store.tables import articles, changes, notices, originals, state, versions
from index.store.view import CHUNK, OF_CURRENT, read_article

LOG = logging.getLogger("nutgraf.store")


def from_1(connection: Connection) -> None:
    """Make a store of schema 1 one of this, in the caller's transaction.

    Every article is read once, some 2,000 a second. Canceled ones get a notice and
    leave the index, which is built again for that.
    """
    LOG.warning(
        "the store is being brought to schema %d: every article is read once",
        tables.SCHEMA,
    )
    for table in (articles, versions, changes):
        there = {each["name"] for each in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                wanted = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {wanted}"
                )
    tables.metadata.create_all(connection)
    for table in (articles, versions, changes):
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    connection.execute(update(versions).values(sent=versions.c.digest))
    for row in _every_article(connection):
        _fill(connection, row)
    connection.execute(insert(state), [{"name": "epoch", "value": tables.new_epoch()}])
    connection.execute(
        update(state).where(state.c.name == "rebuild").values(value=state.c.value + 1)
    )
    from_2(connection)


def from_2(connection: Connection) -> None:
    """Make a store of schema 2 one of this, in the caller's transaction.

    Of the versions that it has there are no originals.
    """
    originals.create(connection, checkfirst=True)
    connection.execute(
        update(state).where(state.c.name == "schema").values(value=tables.SCHEMA)
    )


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
    # The entry that made it current is what readers of the feed are told of it.
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
