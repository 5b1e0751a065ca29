"""Named arrays in one file, each aligned, read through one memory map.

A header of 64 bytes points to the directory. The directory, in JSON, has the type,
count, offset and checksum of each array. ``docs/segment_format.md`` has every byte.
"""

from __future__ import annotations

import bisect
import json
import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from errno import EIO
from itertools import pairwise
from pathlib import Path
from typing import IO, Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged

MAGIC = b"NUTGRAF\n"
VERSION = 1
ALIGNMENT = 64  # bytes: a cache line, and more than any type needs
# Magic, version; CRC-32, offset and length of the directory; length of the file.
HEADER = struct.Struct("<8sIIQQQ")
_SPILL_BYTES = 1 << 22  # a column larger than this moves to a temporary file
_BLOCK_BYTES = 1 << 20  # read at a time
_SAMPLING = 32  # strings between two samples of a sorted list

Array = NDArray[Any]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def narrowest_type(highest: int) -> np.dtype[Any]:
    """Smallest unsigned type that holds numbers up to ``highest``."""
    for kind in ("<u1", "<u2", "<u4"):
        if highest <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype("<u8")


class Column:
    """An array that is written piece by piece.

    :param folder: for a temporary file, if the array grows large.
    :param dtype: type of the values; ``None`` for unsigned numbers in the narrowest
        type that holds all of them.
    :param optional: the file has no such array if it is empty.
    """

    def __init__(
        self, folder: Path, dtype: np.dtype[Any] | None, *, optional: bool = False
    ) -> None:
        self.dtype = dtype or narrowest_type(0)
        self.optional = optional
        self.count = 0
        self._narrow = dtype is None
        self._folder = folder
        self._pieces: list[Array] = []  # in memory, behind what is in the file
        self._bytes = 0  # of these pieces
        self._file: IO[bytes] | None = None

    def append(self, values: Array) -> None:
        """Append values.

        They are not copied: do not change them before the file is closed.
        """
        if self._narrow and len(values):
            needed = narrowest_type(int(values.max()))
            if needed.itemsize > self.dtype.itemsize:
                self._widen(needed)
        piece = np.ascontiguousarray(values, self.dtype)
        self.count += len(piece)
        self._pieces.append(piece)
        self._bytes += piece.nbytes
        if self._bytes > _SPILL_BYTES:
            self._spill()

    def write_to(self, target: IO[bytes]) -> int:
        """Write the array at the current offset of ``target``; return its CRC-32."""
        crc = 0
        for block in self._blocks():
            crc = zlib.crc32(block, crc)
            target.write(block)
        return crc

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()

    def _blocks(self) -> Iterator[bytes | memoryview]:
        if self._file is not None:
            self._spill()
            self._file.seek(0)
            while block := self._file.read(_BLOCK_BYTES):
                yield block
        for piece in self._pieces:
            if len(piece):
                yield piece.data.cast("B")

    def _widen(self, dtype: np.dtype[Any]) -> None:
        narrow, file = self.dtype, self._file
        self._pieces = [piece.astype(dtype) for piece in self._pieces]
        self.dtype = dtype
        if file is not None:
            # Block by block, since the file may be larger than the memory.
            wide = self._file = os.fdopen(_unnamed_file(self._folder), "w+b")
            file.seek(0)
            while block := file.read(_BLOCK_BYTES):
                wide.write(np.frombuffer(block, narrow).astype(dtype).data.cast("B"))
            file.close()
        self._bytes = sum(piece.nbytes for piece in self._pieces)

    def _spill(self) -> None:
        if self._file is None:
            # The file has no name, so nothing stays behind however this process ends.
            self._file = os.fdopen(_unnamed_file(self._folder), "w+b")
        for piece in self._pieces:
            if len(piece):
                self._file.write(piece.data.cast("B"))
        self._pieces, self._bytes = [], 0


def _unnamed_file(folder: Path) -> int:
    if hasattr(os, "O_TMPFILE"):
        with suppress(OSError):  # not every file system supports this
            return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    path = folder / f".column-{os.urandom(8).hex()}"
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    path.unlink()
    return handle


class ArraysWriter:
    """Writes a file of arrays.

    The arrays are collected in memory and temporary files; :meth:`close` writes the
    file at ``path``, or leaves none there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: dict[str, Column] = {}

    def column(
        self,
        name: str,
        dtype: str | np.dtype[Any] | None = None,
        *,
        optional: bool = False,
    ) -> Column:
        """Start a new array; see :class:`Column`."""
        column = Column(
            self.path.parent,
            None if dtype is None else np.dtype(dtype).newbyteorder("<"),
            optional=optional,
        )
        self.add(name, column)
        return column

    def add(self, name: str, column: Column) -> None:
        """Add an array that may still grow. They are written in this order."""
        assert name not in self._columns, name
        self._columns[name] = column

    def put(self, name: str, values: Array) -> None:
        """Add a whole array."""
        self.column(name, values.dtype).append(values)

    def put_strings(self, name: str, values: Iterable[bytes]) -> None:
        """Add byte strings, end to end; ``NAME.at`` gets their offsets."""
        strings = list(values)
        offsets = np.zeros(len(strings) + 1, "<u8")
        np.cumsum([len(string) for string in strings], out=offsets[1:])
        blob = np.frombuffer(b"".join(strings), "u1")
        self.put(name, blob)
        self.put(f"{name}.at", narrowed_offsets(offsets))

    def close(self, metadata: Mapping[str, Any]) -> int:
        """Write the file; return its length in bytes. It is not synced to disk.

        :param metadata: of the whole file, as JSON can hold it; see
            :attr:`ArraysFile.metadata`.
        """
        try:
            with self.path.open("xb") as file:
                file.write(bytes(ALIGNMENT))
                arrays: dict[str, Any] = {}
                for name, column in self._columns.items():
                    if column.optional and not column.count:
                        continue
                    _pad(file)
                    offset = file.tell()
                    crc = column.write_to(file)
                    arrays[name] = [column.dtype.str, column.count, offset, crc]
                directory = {"facts": dict(metadata), "arrays": arrays}
                _pad(file)
                offset = file.tell()
                text = json.dumps(directory, separators=(",", ":")).encode()
                file.write(text)
                length = file.tell()
                file.seek(0)
                file.write(
                    HEADER.pack(
                        MAGIC, VERSION, zlib.crc32(text), offset, len(text), length
                    )
                )
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        finally:
            self.abandon()
        return length

    def abandon(self) -> None:
        """Forget all arrays, and remove their temporary files."""
        for column in self._columns.values():
            column.close()
        self._columns = {}


def _pad(file: IO[bytes]) -> None:
    file.write(bytes(-file.tell() % ALIGNMENT))


class ArraysFile:
    """An open file of arrays: each array is a view of one memory map.

    :ivar length: of the file, in bytes.
    :ivar metadata: what the writer said of the whole file.
    :raises IndexDamaged: the header or the directory is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY)
        finalize(self, os.close, self._file)
        self.length = length = os.fstat(self._file).st_size
        if length < ALIGNMENT:
            raise IndexDamaged(f"{path.name} has {length} bytes")
        self._map = mmap.mmap(self._file, 0, access=mmap.ACCESS_READ)
        self._view = memoryview(self._map)
        magic, version, crc, offset, size, written = HEADER.unpack_from(self._map)
        if magic != MAGIC or version != VERSION or written != length:
            raise IndexDamaged(f"{path.name} is cut off, or no segment of Nutgraf")
        text = self._view[offset : offset + size]
        if zlib.crc32(text) != crc:
            raise IndexDamaged(f"the directory of {path.name}")
        directory = json.loads(bytes(text))
        self.metadata: Mapping[str, Any] = directory["facts"]
        self._arrays: Mapping[str, Sequence[Any]] = directory["arrays"]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __getitem__(self, name: str) -> Array:
        """A read-only array."""
        dtype, count, offset, _ = self._arrays[name]
        return np.frombuffer(self._map, dtype, count, offset)

    def get(self, name: str, dtype: str) -> Array:
        """An array, empty if the file has none of this name."""
        return self[name] if name in self._arrays else np.empty(0, dtype)

    def strings(self, name: str) -> Strings:
        """A list of byte strings; see :meth:`ArraysWriter.put_strings`."""
        return Strings(self._bytes(name), self[f"{name}.at"])

    def damaged(
        self, suffix: str = "", throttle: Callable[[int], None] = lambda count: None
    ) -> Iterator[str]:
        """Yield the names of damaged arrays, by reading all and comparing checksums.

        They are read from the file, not from the memory map: a failing disk raises an
        error here, and would end the process there.

        :param suffix: read only arrays whose names end like this.
        :param throttle: called with the length of each block that was read, in bytes.
        """
        for name, (dtype, count, offset, crc) in self._arrays.items():
            if name.endswith(suffix):
                length = np.dtype(dtype).itemsize * count
                if self._checksum(offset, length, throttle) != crc:
                    yield name

    def _checksum(
        self, offset: int, length: int, throttle: Callable[[int], None]
    ) -> int | None:
        """CRC-32 of a part of the file, ``None`` if the disk cannot read it."""
        crc = 0
        for at in range(offset, offset + length, _BLOCK_BYTES):
            size = min(_BLOCK_BYTES, offset + length - at)
            try:
                crc = zlib.crc32(os.pread(self._file, size, at), crc)
            except OSError as error:
                if error.errno != EIO:
                    raise  # the process is ending or out of resources: no damage
                return None
            throttle(size)
        return crc

    def _bytes(self, name: str) -> memoryview:
        dtype, count, offset, _ = self._arrays[name]
        return self._view[offset : offset + np.dtype(dtype).itemsize * count]


class Strings(Sequence[bytes]):
    """A list of byte strings, end to end in one buffer.

    :meth:`find` and :meth:`bisect` need them in order.

    :ivar at: offset of each string in ``blob``, then the end of the last.
    """

    __slots__ = ("_at", "_blob", "_samples", "at", "blob")

    def __init__(self, blob: memoryview, at: Array) -> None:
        self.blob, self.at = blob, at
        self._blob = blob
        self._at = memoryview(at)  # type: ignore[arg-type]  # numpy's stubs
        self._samples: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self.at) - 1

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        return bytes(self._blob[self._at[number] : self._at[number + 1]])

    def text(self, number: int) -> str:
        """One string, decoded."""
        return str(self._blob[self._at[number] : self._at[number + 1]], "utf-8")

    def texts_of(self, numbers: Sequence[int]) -> list[str]:
        """Decode the strings of some numbers."""
        blob, at = self._blob, self._at
        return [str(blob[at[each] : at[each + 1]], "utf-8") for each in numbers]

    def all(self) -> list[bytes]:
        """Read all strings."""
        blob, at = bytes(self._blob), self.at.tolist()
        return [blob[low:high] for low, high in pairwise(at)]

    def texts(self, first: int = 0, end: int | None = None) -> list[str]:
        """Decode a run of strings."""
        end = len(self) if end is None else end
        blob, at = self._blob, self.at[first : end + 1].tolist()
        start = at[0] if at else 0
        run = bytes(blob[start : at[-1]]) if at else b""
        if run.isascii():
            text = run.decode("ascii")
            return [text[low - start : high - start] for low, high in pairwise(at)]
        return [run[low - start : high - start].decode() for low, high in pairwise(at)]

    def bisect(self, wanted: bytes) -> int:
        """Number of the first string that does not sort before ``wanted``."""
        sample = bisect.bisect_left(self._sampled, wanted)
        low, high = max(0, (sample - 1) * _SAMPLING), min(len(self), sample * _SAMPLING)
        blob, at = self._blob, self._at
        while low < high:
            middle = (low + high) // 2
            if bytes(blob[at[middle] : at[middle + 1]]) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, wanted: bytes) -> int:
        """Number of a string, -1 if it is not in the list."""
        number = self.bisect(wanted)
        if number < len(self) and self[number] == wanted:
            return number
        return -1

    @property
    def _sampled(self) -> list[bytes]:
        """Every 32nd string: a binary search in this list runs in C."""
        samples = self._samples
        if samples is None:
            numbers = range(0, len(self), _SAMPLING)
            samples = self._samples = [self[number] for number in numbers]
        return samples


def narrowed_offsets(offsets: Array) -> Array:
    """Ascending offsets as u4, or as u8 where the last needs it."""
    return offsets.astype("<u4" if offsets[-1] < 1 << 32 else "<u8")


def expand_ranges(starts: Array, counts: Array) -> Ints:
    """Numbers of several ranges, end to end."""
    # NumPy converts an operand of another type piece by piece, which takes longer.
    counts = counts.astype(np.int64, copy=False)
    ends = counts.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    shifts = starts + counts
    shifts -= ends
    numbers: Ints = shifts.repeat(counts)
    numbers += np.arange(total)
    return numbers
