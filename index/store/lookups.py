"""Lookups: columns of many versions by their keys, ten in one statement."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Text,
    bindparam,
    case,
    column,
    select,
    values,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from index.store.prepared import PreparedRead
from index.store.tables import articles, versions

_AT_ONCE = 10  # as many as a page has hits
_NAMES = [f"{part}{n}" for n in range(_AT_ONCE) for part in ("id", "version")]
_NO_KEYS = dict.fromkeys(_NAMES)  # NULL is the key of nothing
# A join with a table of keys: for pairs IN a list, SQLite would not use its index.
_KEYS = (
    values(column("id", Text), column("version", Text), name="keys")
    .data(
        [
            (bindparam(_NAMES[place]), bindparam(_NAMES[place + 1]))
            for place in range(0, len(_NAMES), 2)
        ]
    )
    .cte("keys")
)
_OF_KEYS = _KEYS.join(
    versions,
    (versions.c.id == _KEYS.c.id) & (versions.c.version == _KEYS.c.version),
)


class _Utf8(FunctionElement[bytes]):
    """A text as bytes of UTF-8."""

    type = LargeBinary()
    inherit_cache = True


@compiles(_Utf8)
def _as_blob(element: _Utf8, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS BLOB)"


@compiles(_Utf8, "postgresql")
def _converted(element: _Utf8, compiler: SQLCompiler, **options: Any) -> str:
    # A cast would read the backslashes of JSON as escapes.
    return f"convert_to({compiler.process(element.clauses, **options)}, 'UTF8')"


# The JSON of a version. Most texts have letters beyond ASCII: a driver would decode
# them, and to parse them they would be encoded again.
CONTENT = _Utf8(versions.c.content)
# Status of the article if a version is the current one: it may have been killed since.
EFFECTIVE = case(
    (articles.c.version == versions.c.version, articles.c.status), else_=None
).label("effective")


class Lookup:
    """A read of columns of versions, by the keys (id, version) of these.

    Ten keys are looked up in half of the time that ten statements would take.
    """

    def __init__(self, *columns: ColumnElement[Any], of_article: bool = False) -> None:
        """
        :param of_article: some of the columns are those of the table ``articles``.
        """
        tables = _OF_KEYS
        if of_article:
            tables = tables.join(articles, articles.c.id == versions.c.id)
        statement = select(versions.c.id, versions.c.version, *columns)
        self._read = PreparedRead(statement.select_from(tables))

    def rows(
        self, connection: Connection, keys: Iterable[tuple[str, str]]
    ) -> Generator[Any]:
        """Yield id, version and columns of each of these versions that is stored.

        The rows of ten keys come in any order, each when it is asked for; see
        :meth:`PreparedRead.each`.
        """
        distinct = tuple(dict.fromkeys(keys))
        for start in range(0, len(distinct), _AT_ONCE):
            parts = chain.from_iterable(distinct[start : start + _AT_ONCE])
            named = dict(zip(_NAMES, parts, strict=False))
            yield from self._read.each(connection, **{**_NO_KEYS, **named})
