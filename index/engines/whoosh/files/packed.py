"""Columns of mostly small numbers: a byte or two each, and the exceptions beside them.

A column is stored in the type in which it takes least room together with the numbers
that this type does not hold. Where one of those belongs, the column has the highest
number of its type; ``NAME.high`` has the numbers, ``NAME.high.at`` their places.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from pathlib import Path
from typing import IO, Any

import numpy as np

from index.engines.whoosh.files.arrays import Array, ArraysFile, ArraysWriter, Column

_PLACE = np.dtype("<i8")
_TYPES = tuple(np.dtype(kind) for kind in ("<u1", "<u2", "<u4"))


def packed_column(out: ArraysWriter, name: str) -> Column:
    """Start a packed array of a file."""
    column = PackedColumn(out.path.parent)
    out.add(name, column)
    out.add(f"{name}.high", column.high)
    out.add(f"{name}.high.at", column.places)
    return column


class PackedColumn(Column):
    """A column that is packed when it is written to the file.

    :ivar high: the exceptions, complete once the column is written.
    :ivar places: index of each exception in the column.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, None)
        self.high = Column(folder, None, optional=True)
        self.places = Column(folder, _PLACE, optional=True)
        self._exceptions = dict.fromkeys(_TYPES, 0)

    def append(self, values: Array) -> None:
        """Append values; see :meth:`.Column.append`."""
        super().append(values)
        for kind in _TYPES:
            if kind.itemsize < self.dtype.itemsize:
                high = int(np.count_nonzero(values >= np.iinfo(kind).max))
                self._exceptions[kind] += high

    def write_to(self, target: IO[bytes]) -> int:
        """Write the array without the exceptions; return its CRC-32."""
        wide, packed = self.dtype, self._packed_type()
        if packed == wide:
            return super().write_to(target)
        crc = count = 0
        mark = np.iinfo(packed).max
        for block in self._blocks():
            values = np.frombuffer(block, wide)
            at = np.flatnonzero(values >= mark)
            self.high.append(values[at])
            self.places.append(at + count)
            count += len(values)
            data = np.minimum(values, mark).astype(packed).data.cast("B")
            crc = zlib.crc32(data, crc)
            target.write(data)
        self.dtype = packed
        return crc

    def _packed_type(self) -> np.dtype[Any]:
        """Type in which the column and its exceptions take least room."""
        wide = self.dtype
        size = _PLACE.itemsize + wide.itemsize
        rooms = {
            kind: self.count * kind.itemsize + self._exceptions[kind] * size
            for kind in _TYPES
            if kind.itemsize < wide.itemsize
        }
        rooms[wide] = self.count * wide.itemsize
        return min(rooms, key=rooms.__getitem__)


class PackedArray:
    """A packed array of an open file.

    What is read of it has as wide a type as its numbers need, and no exception is left
    out. A run without exceptions is a view of the file.
    """

    __slots__ = ("_high", "_mark", "_places", "_values", "_view")

    def __init__(self, file: ArraysFile, name: str) -> None:
        self._values = file[name]
        self._mark = np.iinfo(self._values.dtype).max
        self._high = file.get(f"{name}.high", "<u1")
        self._places = file.get(f"{name}.high.at", _PLACE.str)
        # A binary search in this costs less than one in the array.
        self._view = memoryview(self._places)  # type: ignore[arg-type]  # numpy's stubs

    def __len__(self) -> int:
        return len(self._values)

    def run(self, low: int, end: int) -> Array:
        """Numbers from ``low`` to ``end``, the latter not included."""
        values = self._values[low:end]
        if not len(self._places):
            return values
        first = bisect_left(self._view, low)
        if first == len(self._view) or self._view[first] >= end:
            return values
        after = bisect_left(self._view, end, first)
        values = values.astype(self._high.dtype)
        values[self._places[first:after] - low] = self._high[first:after]
        return values

    def take(self, at: Array) -> Array:
        """Numbers at some places."""
        values = self._values.take(at)
        if not len(self._places):
            return values
        marked = (values == self._mark).nonzero()[0]
        if len(marked):
            values = values.astype(self._high.dtype)
            values[marked] = self._high[self._places.searchsorted(at[marked])]
        return values
