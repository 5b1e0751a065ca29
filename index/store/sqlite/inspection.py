"""Inspection of a backup before it is put back: its tables, values and digest.

A backup may come from anywhere. It is attached to a connection whose own database is a
new store, so it is compared with the tables of this release as SQLite has made them;
its rows are copied into those, and nothing else of it gets into a store.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Integer, LargeBinary, Table

from index.errors import InvalidValue
from index.store.keyring import LOCKED
from index.store.sqlite import digest
from index.store.tables import (
    SCHEMA,
    articles,
    changes,
    keys,
    metadata,
    moves,
    secrets,
    sessions,
    state,
    versions,
)

BACKUP = "backup"  # the name under which it is attached
_MAGIC = b"SQLite format 3\x00"
_NUMBERS = ("schema", "seq", "rebuild", "rebuilt")  # that every store has
_MORE_NUMBERS = ("epoch", LOCKED)  # that are taken from a backup, too
_HIGHEST = 2**53  # of a number: some are counted up
_OWN = (articles, versions, changes, state)  # tables that every store has
# What SQLite itself adds to a database, and nobody else can create.
_INTERNAL = re.compile(r"sqlite_(stat\d|autoindex_\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup holds, once it was inspected.

    :param numbers: those of the table ``state``.
    :param tables: columns of each of its tables, by name.
    :param keys: number of its keys.
    :param has_digest: whether it holds a digest, which is right.
    """

    numbers: dict[str, int]
    tables: dict[str, tuple[str, ...]]
    keys: int
    has_digest: bool


def check_kind(file: Path) -> None:
    """Refuse what is no SQLite database, before SQLite opens it.

    :raises InvalidValue: it is none, or no regular file.
    """
    try:
        if file.exists() and not file.is_file():
            raise InvalidValue("FILE", f"{file} is not a file; name a backup")
        with file.open("rb") as opened:
            head = opened.read(len(_MAGIC))
    except OSError as error:
        raise InvalidValue("FILE", f"{file} cannot be read: {error}") from error
    if head != _MAGIC:
        raise InvalidValue("FILE", f"{file} is no backup; it is no SQLite database")


def inspect(connection: sqlite3.Connection, name: str) -> Contents:
    """Contents of an attached backup, all of which was read and found to be in order.

    :param connection: its own database is a new store of this release.
    :param name: of the backup, for messages.
    :raises InvalidValue: it is no store, or a newer one, or damaged, or was changed.
    """
    try:
        numbers = _numbers(connection, name)
        _refuse(name, "is no store", _differing(connection, numbers["schema"]))
        lines = connection.execute(f"PRAGMA {BACKUP}.integrity_check(1)").fetchall()
        _refuse(name, "is damaged", (line for (line,) in lines if line != "ok"))
        tables = {
            table.name: columns
            for table in metadata.sorted_tables
            if (columns := _names_of_columns(connection, table))
        }
        _refuse(name, "is damaged", _wrong_values(connection, tables))
        stored = digest.stored_digest(connection, BACKUP)
        if stored is not None and stored != digest.digest_of(connection, BACKUP):
            raise InvalidValue(
                "FILE",
                f"{name} was changed after it was written: its digest differs; use"
                " another backup. If it was used as a store since, take a backup of it"
                " as a store",
            )
        count = 0
        if keys.name in tables:
            ((count,),) = connection.execute(f"SELECT count(*) FROM {BACKUP}.keys")  # noqa: S608
    except sqlite3.DatabaseError as error:
        raise InvalidValue("FILE", f"{name} is damaged: {error}") from error
    return Contents(
        numbers=numbers, tables=tables, keys=count, has_digest=stored is not None
    )


def _refuse(name: str, fault: str, reasons: Iterator[str]) -> None:
    """Refuse a backup if there is a reason."""
    for reason in reasons:
        raise InvalidValue("FILE", f"{name} {fault}: {reason}")


def _numbers(connection: sqlite3.Connection, name: str) -> dict[str, int]:
    """The numbers in the table ``state`` of a backup, those that are taken from one."""
    kinds = dict(
        connection.execute(
            f"SELECT name, iif(rootpage, type, 'no table') FROM {BACKUP}.sqlite_master"  # noqa: S608
            " WHERE type IN ('table', 'view')"
        ).fetchall()
    )
    for table in _OWN:
        # What a name stands for is looked at before the first row is read.
        kind = kinds.get(table.name)
        if kind is None:
            raise InvalidValue("FILE", f"{name} is another program's database")
        if kind != "table":
            raise InvalidValue("FILE", f"{name} is no store: {table.name} is no table")
    stored: dict[Any, Any] = dict(
        connection.execute(f"SELECT name, value FROM {BACKUP}.state").fetchall()  # noqa: S608
    )
    numbers = {
        each: stored[each]
        for each in (*_NUMBERS, *_MORE_NUMBERS)
        if type(stored.get(each)) is int and 0 <= stored[each] < _HIGHEST
    }
    schema = numbers.get("schema", 0)
    if schema > SCHEMA:
        raise InvalidValue(
            "FILE",
            f"{name} has schema {schema}, newer than {SCHEMA} of this Nutgraf; use the"
            " version of Nutgraf that wrote it",
        )
    needed = (*_NUMBERS, "epoch") if schema == SCHEMA else _NUMBERS
    for each in needed:
        if each not in numbers:
            raise InvalidValue(
                "FILE", f"{name} is no store: its table state has no number for {each}"
            )
    if schema < 1:
        raise InvalidValue("FILE", f"{name} is no store: there is no schema {schema}")
    return numbers


def _differing(connection: sqlite3.Connection, schema: int) -> Iterator[str]:
    """Yield where the schema of a backup differs from that of a new store.

    One of an older schema may lack what was added since.
    """
    own, of_backup = _objects(connection, "main"), _objects(connection, BACKUP)
    optional = ("table", digest.TABLE)
    own[optional] = digest.CREATE
    for (kind, name), sql in of_backup.items():
        expected = own.get((kind, name))
        if expected is None:
            yield f"it has a {kind} named {name}, which no store has"
        elif kind == "index" and _words(sql) != _words(expected):
            yield f"its index {name} is another"
        # Columns that a migration has added come last, so the order may be another.
        elif more := sorted(set(_words(sql)) - set(_words(expected))):
            yield f"its table {name} has {more[0]}, which no store has"
    whole = schema == SCHEMA
    # Tables first: one that is missing takes its indexes with it.
    for kind, name in sorted(own.keys() - {optional}, reverse=True):
        if (kind, name) not in of_backup:
            if whole:
                yield f"it has no {kind} {name}"
        elif kind == "table":
            expected_columns = _columns(connection, "main", name)
            columns = _columns(connection, BACKUP, name)
            for column, facts in columns.items():
                if expected_columns.get(column) != facts:
                    yield f"its table {name} has another column {column}"
            for column in expected_columns.keys() - columns.keys():
                if whole:
                    yield f"its table {name} has no {column}"


def _objects(connection: sqlite3.Connection, schema: str) -> dict[tuple[str, str], str]:
    """SQL of each object of a database, by kind and name."""
    rows = connection.execute(
        f"SELECT type, name, rootpage, sql FROM {schema}.sqlite_master"  # noqa: S608
    )
    return {
        ("virtual table" if kind == "table" and not page else kind, name): sql or ""
        for kind, name, page, sql in rows
        if not (_INTERNAL.fullmatch(name) and kind in ("table", "index"))
    }


def _words(sql: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s,()]", sql.upper())


def _columns(
    connection: sqlite3.Connection, schema: str, table: str
) -> dict[str, tuple[object, ...]]:
    """Facts about each column of a table: its type, default, place in the key."""
    rows = connection.execute(
        "SELECT name, upper(type), [notnull], dflt_value, pk, hidden"
        " FROM pragma_table_xinfo(?, ?)",
        (table, schema),
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def _names_of_columns(connection: sqlite3.Connection, table: Table) -> tuple[str, ...]:
    present = _columns(connection, BACKUP, table.name)
    return tuple(column.name for column in table.columns if column.name in present)


def _wrong_values(
    connection: sqlite3.Connection, tables: dict[str, tuple[str, ...]]
) -> Iterator[str]:
    """Yield the columns that hold a value of another type than theirs.

    SQLite stores a value of any type in any column.
    """
    for table, names in tables.items():
        columns = [metadata.tables[table].columns[name] for name in names]
        counts = ", ".join(
            f'total(typeof("{column.name}") NOT IN ({_types(column)}))'
            for column in columns
        )
        (row,) = connection.execute(f"SELECT {counts} FROM {BACKUP}.{table}")  # noqa: S608
        for column, count in zip(columns, row, strict=True):
            if count:
                yield f"{table}.{column.name} has a value of another type"


def _types(column: Column[Any]) -> str:
    """The storage classes that a column's values may have, as SQL."""
    kind = "text"
    if isinstance(column.type, Integer | Boolean):
        kind = "integer"
    elif isinstance(column.type, LargeBinary):
        kind = "blob"
    return f"'{kind}', 'null'" if column.nullable else f"'{kind}'"


def copy_rows(
    connection: sqlite3.Connection, contents: Contents, *, with_keys: bool
) -> None:
    """Copy the rows of an inspected backup into the new store of a connection.

    Its secrets and sessions stay behind, and without ``with_keys`` its keys. The new
    store then has the schema number of the backup, and is yet to be migrated.
    """
    left_out = {secrets.name, sessions.name, state.name, moves.name}
    if not with_keys:
        left_out.add(keys.name)
    connection.execute("BEGIN IMMEDIATE")
    for table, names in contents.tables.items():
        if table not in left_out:
            columns = ", ".join(f'"{name}"' for name in names)
            connection.execute(
                f"INSERT INTO main.{table} ({columns})"  # noqa: S608
                f" SELECT {columns} FROM {BACKUP}.{table}"
            )
    # Whoever had keys does not answer callers without one, here neither.
    numbers = contents.numbers | ({LOCKED: 1} if contents.keys else {})
    connection.execute("DELETE FROM main.state")
    connection.executemany(
        "INSERT INTO main.state (name, value) VALUES (?, ?)", numbers.items()
    )
    connection.execute("COMMIT")
