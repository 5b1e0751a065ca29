"""Columns for Whoosh: one value per document, to sort and to group by."""

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
from index.engines.whoosh.stock.stored_values import NotSupported


class NumberReader(ColumnReader):  # type: ignore[misc]  # Whoosh has no types
    """Reads a column of numbers."""

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
        """Sort key of a document."""
        value = int(self._values[document])
        return -value if self._reverse else value

    def set_reverse(self) -> None:
        """Sort in descending order."""
        self._reverse = True


class StringReader(ColumnReader):  # type: ignore[misc]
    """Reads a column of strings, as bytes.

    :param values: the distinct values.
    :param codes: number of each document's value; -1 if it has none.
    """

    def __init__(self, values: Strings, codes: Array, default: bytes) -> None:
        self._values = values
        self._codes = codes.data
        self._default = default

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, document: int) -> bytes:
        code = self._codes[document]
        return self._default if code < 0 else bytes(self._values[code])

    def __iter__(self) -> Iterator[bytes]:
        values: list[bytes] = [*self._values[:], self._default]
        return (values[code] for code in self._codes)  # -1 is the last: the default


class MappedFile(BufferFile):  # type: ignore[misc]
    """A Whoosh file over part of a memory map.

    Whoosh's own class copies all bytes at once; this one only to read them as a stream.
    """

    def __init__(self, view: memoryview, name: str) -> None:
        self._buf, self._name = view, name
        self.onclose, self.is_real, self.is_closed = None, False, False

    @cached_property
    def file(self) -> BytesIO:
        """The bytes as a stream."""
        return BytesIO(self._buf)


class ColumnDraft:
    """A Whoosh column being written, to be stored byte for byte.

    :raises NotSupported: the column type pickles its values.
    """

    def __init__(self, field: str, column: Column) -> None:
        inner = column
        while isinstance(inner, WrappedColumn) and not isinstance(inner, PickleColumn):
            inner = inner._child
        if isinstance(inner, PickleColumn | CompressedBlockColumn):
            kind = type(inner).__name__
            raise NotSupported(f"{kind} pickles its values", field=field)
        self._bytes = BytesIO()
        self._writer = column.writer(StructFile(self._bytes))

    def add(self, document: int, value: Any) -> None:
        """Append the value of a document."""
        self._writer.add(document, value)

    def close(self, documents: int) -> bytes:
        """Finish the column; return its bytes."""
        self._writer.finish(documents)
        return self._bytes.getvalue()
