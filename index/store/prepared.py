"""Prepared reads: compiled to SQL once, and run by the driver itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

# Values of one execution, in the form that the driver takes them in.
_Parameters = dict[str, Any] | tuple[Any, ...]


class PreparedRead:
    """A ``SELECT`` for a read that every answer needs.

    SQLAlchemy takes ten times as long to run one. Rows are tuples of what the database
    holds, without SQLAlchemy's conversions. Errors are the driver's; the database that
    lent the connection translates them.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}  # by the name of the dialect

    def rows(self, connection: Connection, **values: object) -> list[Any]:
        """All rows for these values of the parameters."""
        compiled = self._compiled_for(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.text, compiled.parameters(values))
            return list(cursor.fetchall())
        finally:
            cursor.close()  # an exception would keep the connection's handle open

    def each(self, connection: Connection, **values: object) -> Iterator[Any]:
        """Yield the rows for these values of the parameters.

        A row is in memory while it is used, so they may be long. The state that is read
        is kept until the last row was taken, or the iterator is closed.
        """
        compiled = self._compiled_for(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.text, compiled.parameters(values))
            yield from iter(cursor.fetchone, None)
        finally:
            cursor.close()

    def _compiled_for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = _Compiled(self._statement, dialect)
            self._compiled[dialect.name] = compiled
        return compiled


class _Compiled:
    """A statement in the SQL of one dialect."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler), "a SELECT becomes SQL"
        self.text = str(compiled)
        # Values that SQLAlchemy adds, such as the 0 of an OFFSET after a LIMIT.
        self._fixed = {n: v for n, v in compiled.params.items() if v is not None}
        self._order = compiled.positiontup

    def parameters(self, values: dict[str, object]) -> _Parameters:
        """Values by name, or in their order where the dialect has no names."""
        if self._fixed:
            values = {**self._fixed, **values}
        if self._order is None:
            return values
        return tuple([values[name] for name in self._order])
