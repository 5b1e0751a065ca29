"""The comparison of two stores, row by row, in the order of their keys.

Both are read at once and in step, so memory holds a few rows of each. Keys sort by code
point in every kind of database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, select

from index.store.moves.rows import EVERY_TABLE, NUMBERS, stream
from index.store.tables import state


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that two stores do not both have with the same values.

    :param key: values of its primary key.
    :param columns: names of those that differ; none if one store lacks the row.
    :param missing: whether the second store lacks it; ``None`` if both have it.
    """

    table: str
    key: tuple[Any, ...]
    columns: tuple[str, ...] = ()
    missing: bool | None = None

    def __str__(self) -> str:
        key = [v.hex() if isinstance(v, bytes) else v for v in self.key]
        row = f"{self.table} {', '.join(map(repr, key))}"
        if self.missing is None:
            return f"{row} differs in {', '.join(self.columns)}"
        return f"{row} is missing there" if self.missing else f"{row} is only there"


def differences(one: Connection, other: Connection) -> Iterator[Difference]:
    """Yield every difference between two stores; reads all of both.

    Left out are the numbers of their schemas, and how far a move is.
    """
    for table in EVERY_TABLE:
        yield from table_differences(one, other, table)
    yield from table_differences(one, other, state, state.c.name.in_(NUMBERS))


def table_differences(
    one: Connection,
    other: Connection,
    table: Table,
    where: ColumnElement[bool] | None = None,
    columns: Sequence[Column[Any]] | None = None,
) -> Iterator[Difference]:
    """Yield the differences between a table of two stores, in the order of its key.

    :param where: rows that are compared; by default all.
    :param columns: those that are compared, the key first; by default all.
    """
    key_columns = tuple(table.primary_key.columns)
    chosen = (*key_columns, *(c for c in table.c if not c.primary_key))
    if columns is not None:
        chosen = tuple(columns)
    statement = select(*chosen).order_by(*key_columns)
    if where is not None:
        statement = statement.where(where)
    width = len(key_columns)
    left, right = stream(one, statement), stream(other, statement)
    here, there = next(left, None), next(right, None)
    while here is not None or there is not None:
        key = () if here is None else tuple(here[:width])
        other_key = () if there is None else tuple(there[:width])
        if here is None or (there is not None and other_key < key):
            yield Difference(table.name, other_key, missing=False)
            there = next(right, None)
            continue
        if there is None or key < other_key:
            yield Difference(table.name, key, missing=True)
            here = next(left, None)
            continue
        if names := _columns_that_differ(chosen, here, there):
            yield Difference(table.name, key, names)
        here, there = next(left, None), next(right, None)


def _columns_that_differ(
    columns: Sequence[Column[Any]], here: Any, there: Any
) -> tuple[str, ...]:
    if tuple(here) == tuple(there):
        return ()
    values = zip(columns, here, there, strict=True)
    return tuple(column.name for column, one, other in values if one != other)
