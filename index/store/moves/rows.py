"""Rows of a store on their way to another one, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, insert

from index.store.tables import (
    articles,
    changes,
    keys,
    notices,
    originals,
    replaced,
    secrets,
    sessions,
    superseded,
    versions,
)

# Rows that belong to one article, in the order in which they refer to each other. Each
# change of them is in the log, or comes with a change of the article's notice; only the
# instant at which its next end is to be logged may change without either.
OF_ARTICLES = (articles, versions, superseded, originals, replaced)
# Tables whose changes are in no log. They are compared as a whole, as often as needed:
# a row each for what was killed, for keys and for those who are logged in.
UNLOGGED = (notices, keys, sessions, secrets)
EVERY_TABLE = (*OF_ARTICLES, changes, *UNLOGGED)
# Numbers of the table state that a store takes along.
NUMBERS = ("seq", "epoch", "rebuild", "rebuilt", "locked")

_BATCH_BYTES = 4 * 1024 * 1024  # inserted by one statement; one row may be longer
_BATCH_ROWS = 500
_FETCHED = 16  # rows at a time: each may hold a text of the greatest length


def stream(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    """Yield the rows of a statement; a few are in memory at a time."""
    options = {"yield_per": _FETCHED}
    with connection.execute(statement, execution_options=options) as result:
        yield from result


def copy_rows(target: Connection, table: Table, rows: Iterable[Any]) -> int:
    """Insert rows that have all columns of a table; return their number."""
    count, batch, size = 0, [], 0
    for row in rows:
        batch.append(dict(row._mapping))
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        count += 1
        if size >= _BATCH_BYTES or len(batch) == _BATCH_ROWS:
            target.execute(insert(table), batch)
            batch, size = [], 0
    if batch:
        target.execute(insert(table), batch)
    return count
