"""Columns as Whoosh reads them: a value of each document, to sort and to group by."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from typing import Any

from whoosh.columns import (
    Column,
    ColumnReader,
    CompressedBlockColumn,
    PickleColumn,
    WrappedColumn,
)
from whoosh.filedb.structfile import BufferFile, StructFile

from index.engines.whoosh.files import Array, Strings
from index.engines.whoosh.stock.stored_values import NotKept


class NumberReader(ColumnReader):  # type: ignore[misc]  # Whoosh has no types
    """Reads a number of each document."""

    def __init__(self, values: Array) -> None:
        self._values = values.data
        self._reverse = False

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, document: int) -> int:
        return int(self._values[document])

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def sort_key(self, document: int) -> int:
        """Return what orders a document."""
        value = int(self._values[document])
        return -value if self._reverse else value

    def set_reverse(self) -> None:
        """Order from high to low."""
        self._reverse = True


class SpellingReader(ColumnReader):  # type: ignore[misc]
    """Reads a spelling of each document, as bytes.

    :param codes: of each document its spelling; -1 where it has none.
    """

    def __init__(self, spellings: Strings, codes: Array, default: bytes) -> None:
        self._spellings = spellings
        self._codes = codes.data
        self._default = default

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, document: int) -> bytes:
        code = self._codes[document]
        return self._default if code < 0 else bytes(self._spellings[code])

    def __iter__(self) -> Iterator[bytes]:
        known: list[bytes] = [*self._spellings[:], self._default]
        return (known[code] for code in self._codes)  # that of -1 is the last


class MappedFile(BufferFile):  # type: ignore[misc]
    """A file of Whoosh's over bytes of a memory map.

    Whoosh's own copies all of it at once; this does when it is read as a stream.
    """

    def __init__(self, view: memoryview, name: str) -> None:
        self._buf, self._name = view, name
        self.onclose, self.is_real, self.is_closed = None, False, False

    @cached_property
    def file(self) -> BytesIO:
        """The bytes as a stream."""
        return BytesIO(self._buf)


class ColumnDraft:
    """A column of Whoosh's being written, to be kept byte for byte.

    :raises NotKept: it is a column that pickles what it holds.
    """

    def __init__(self, field: str, column: Column) -> None:
        inner = column
        while isinstance(inner, WrappedColumn) and not isinstance(inner, PickleColumn):
            inner = inner._child
        if isinstance(inner, PickleColumn | CompressedBlockColumn):
            kind = type(inner).__name__
            raise NotKept(f"{kind} pickles what it holds", field=field)
        self._bytes = BytesIO()
        self._writer = column.writer(StructFile(self._bytes))

    def add(self, document: int, value: Any) -> None:
        """Add the value of a document behind the last that had one."""
        self._writer.add(document, value)

    def close(self, documents: int) -> bytes:
        """Return the column's bytes."""
        self._writer.finish(documents)
        return self._bytes.getvalue()
