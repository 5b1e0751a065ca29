"""Migration: the creation of a store's tables, and the steps from older schemas.

Only ``nutgraf migrate`` takes these steps, in one transaction that writes. A step first
creates the tables, columns and indexes that are missing, so one that only adds some is
one row of :data:`STEPS`. Whether a step *breaks* decides which releases go on: those
with an older schema go on after an addition, and stop at a step that breaks. A column
or table is an addition if the rows that an older release writes, which leave it out,
are right without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    insert,
    inspect,
    select,
    tuple_,
    update,
)
from sqlalchemy.schema import CreateColumn

from index.access import CANCELED, Standing, audience_of, restrictions_of, values_of
from index.dates import micros
from index.errors import StoreUnavailable
from index.history import next_turn
from index.query import CURSOR_KEY_BYTES
from index.store.change_log import new_epoch
from index.store.rows import CHUNK, OF_CURRENT, read_article
from index.store.schema import FIRST_THAT_LOOKS, Schema, schema_of, set_schema
from index.store.tables import (
    SCHEMA,
    articles,
    changes,
    metadata,
    notices,
    secrets,
    state,
    superseded,
    versions,
)
from index.store.versions import standing_of_text

_SUPERSEDED = (
    select(versions.c.id, versions.c.version)
    .join(articles, articles.c.id == versions.c.id)
    .where(
        versions.c.version != articles.c.version,
        tuple_(versions.c.id, versions.c.version)
        > tuple_(bindparam("id"), bindparam("version")),
    )
    .order_by(versions.c.id, versions.c.version)
    .limit(bindparam("limit"))
)
LOG = logging.getLogger("nutgraf.store")


def has_tables(connection: Connection) -> bool:
    """Whether a database has the tables of a store; not if it has none at all.

    :raises StoreUnavailable: its tables are another program's.
    """
    names = inspect(connection).get_table_names()
    if names and not {state.name, articles.name} <= set(names):
        raise StoreUnavailable(
            "this is another program's database; give the store one of its own"
        )
    return bool(names)


def create_tables(connection: Connection) -> None:
    """Create the tables of a new store, in the caller's transaction."""
    metadata.create_all(connection, checkfirst=False)  # there are none
    fill_new_tables(connection)


def fill_new_tables(connection: Connection) -> None:
    """Write the rows of a new store into its tables, which are empty."""
    rows = {"seq": 0, "rebuild": 0, "rebuilt": 0, "epoch": new_epoch()}
    connection.execute(
        insert(state),
        [{"name": name, "value": value} for name, value in rows.items()],
    )
    _create_secrets(connection)
    _set_own_schema(connection)


def migrate(connection: Connection) -> None:
    """Take a store to the schema of this release, in the caller's transaction.

    :param connection: to a store of this schema or an older one.
    """
    schema = schema_of(connection)
    steps = [step for step in STEPS if step.schema > schema.number]
    if steps:
        _add_what_is_missing(connection)
    for step in steps:
        step.fill(connection)
    _set_own_schema(connection)


def _set_own_schema(connection: Connection) -> None:
    """Record the schema of this release, and the oldest whose releases may go on."""
    last_break = max(step.schema for step in STEPS if step.breaks)
    set_schema(connection, Schema(SCHEMA, max(last_break, FIRST_THAT_LOOKS)))


def _add_what_is_missing(connection: Connection) -> None:
    """Create the tables, columns and indexes of this release that are not there."""
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        present = {c["name"] for c in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {definition}"
                )
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def _create_secrets(connection: Connection) -> None:
    """Make the keys that the processes of a store encrypt with, in place of others."""
    connection.execute(delete(secrets))
    connection.execute(
        insert(secrets).values(name="cursors", value=token_bytes(CURSOR_KEY_BYTES))
    )


def _fill_from_1(connection: Connection) -> None:
    """Fill the columns that decide who sees an article.

    It reads every article once, some 2,000 a second. Canceled ones get a notice. They
    must leave the index, so it asks for a new one.
    """
    LOG.warning("the store is being migrated: every article is read once")
    connection.execute(update(versions).values(sent=versions.c.digest))
    for row in _every_article(connection):
        _fill(connection, row)
    connection.execute(insert(state), [{"name": "epoch", "value": new_epoch()}])
    connection.execute(
        update(state).where(state.c.name == "rebuild").values(value=state.c.value + 1)
    )


def _nothing(_connection: Connection) -> None:
    """Fill nothing: what was added is right as it is."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the schema.

    :param schema: the number of the schema that it leads to.
    :param breaks: whether releases with an older schema must stop.
    :param fill: fills what was added, in the caller's transaction.
    """

    schema: int
    breaks: bool
    fill: Callable[[Connection], None] = _nothing


def _add_superseded(connection: Connection) -> None:
    """Add the table of superseded versions, in the caller's transaction.

    It reads the versions below the current ones once, one text at a time. A version
    that cannot be read gets no row; whoever lists it is told.
    """
    after = ("", "")
    while page := connection.execute(
        _SUPERSEDED, {"id": after[0], "version": after[1], "limit": CHUNK}
    ).all():
        rows = [_superseded_row(connection, row.id, row.version) for row in page]
        if readable := [row for row in rows if row is not None]:
            connection.execute(insert(superseded), readable)
        after = (page[-1].id, page[-1].version)


def _superseded_row(
    connection: Connection, article_id: str, version: str
) -> dict[str, Any] | None:
    try:
        own = standing_of_text(connection, article_id, version)
    except StoreUnavailable as error:
        LOG.warning("%s", error)
        return None
    return {
        "id": article_id,
        "version": version,
        "embargoed_until": own.restrictions.embargoed_until,
        "expires": own.restrictions.expires,
        "values": Standing.values_text(own.values),
    }


STEPS: tuple[Step, ...] = (
    Step(2, breaks=True, fill=_fill_from_1),
    Step(3, breaks=True),  # versions stored before have no originals
    # Cursors given out before are not encrypted, and not valid any more.
    Step(4, breaks=True, fill=_create_secrets),
    # A version without a row is listed from its text.
    Step(5, breaks=False, fill=_add_superseded),
    Step(6, breaks=False),  # what was replaced before may come back
    Step(7, breaks=False),  # an older release knows no sessions, and begins none
    Step(8, breaks=False),  # a move first shuts out older releases, which know none
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
