"""The digest of a backup's content, which the backup holds in a table of its own.

It is computed over the schema and over every row of every other table, so any change is
found: of a letter, a number, a key, or of what SQLite would run. It has no secret: who
can write to a backup can compute it anew.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

TABLE = "backup_digest"
CREATE = f"CREATE TABLE {TABLE} (format INTEGER NOT NULL, digest BLOB NOT NULL)"
FORMAT = 1  # of what is hashed
_ROWS = 500  # hashed at a time


class _Text(bytes):
    """A text of the database, as it is stored: it need not be UTF-8."""


# By the class of a value: bytes that no other value begins with.
_ENCODINGS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"n",
    int: lambda value: b"i%d;" % value,
    float: lambda value: b"f" + struct.pack(">d", value),
    _Text: lambda value: b"t%d:%b" % (len(value), value),
    bytes: lambda value: b"b%d:%b" % (len(value), value),
}


def write_digest(connection: sqlite3.Connection) -> None:
    """Compute the digest of a database and store it there, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
    digest = digest_of(connection, "main")
    connection.execute(CREATE)
    connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?)", (FORMAT, digest))  # noqa: S608
    connection.execute("COMMIT")


def stored_digest(connection: sqlite3.Connection, schema: str) -> bytes | None:
    """The digest that a database holds; ``None`` if it has no table for one.

    An empty one if the table does not hold one digest of a known format.

    :param schema: the name under which the database is attached.
    """
    tables = connection.execute(
        f"SELECT 1 FROM {schema}.sqlite_master WHERE name = ?",  # noqa: S608
        (TABLE,),
    )
    if tables.fetchone() is None:
        return None
    rows = connection.execute(f"SELECT * FROM {schema}.{TABLE} LIMIT 2").fetchall()  # noqa: S608
    if len(rows) == 1 and rows[0][0] == FORMAT and isinstance(rows[0][1], bytes):
        return rows[0][1]
    return b""


def digest_of(connection: sqlite3.Connection, schema: str) -> bytes:
    """SHA-256 of everything in a database but its digest; reads all of it.

    :param schema: the name under which the database is attached.
    """
    before = connection.text_factory
    connection.text_factory = _Text
    try:
        hashed = sha256()
        for piece in _pieces(connection, schema):
            hashed.update(piece)
        return hashed.digest()
    finally:
        connection.text_factory = before


def _pieces(connection: sqlite3.Connection, schema: str) -> Iterator[bytes]:
    """Yield the schema of a database, then the rows of its tables in their order."""
    objects = connection.execute(
        f"SELECT type, name, tbl_name, sql FROM {schema}.sqlite_master"  # noqa: S608
        " WHERE name != ? ORDER BY type, name",
        (TABLE,),
    ).fetchall()
    yield _encoded(objects)
    for kind, name, _, _ in objects:
        if kind != b"table":
            continue
        quoted = '"{}"'.format(name.decode().replace('"', '""'))
        rows = connection.execute(f"SELECT * FROM {schema}.{quoted} NOT INDEXED")  # noqa: S608
        yield _encoded([(name,)])
        while some := rows.fetchmany(_ROWS):
            yield _encoded(some)


def _encoded(rows: list[tuple[Any, ...]]) -> bytes:
    return b"".join(
        b"r%d:" % len(row) + b"".join([_ENCODINGS[type(v)](v) for v in row])
        for row in rows
    )
