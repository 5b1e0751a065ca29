"""Named arrays in one file, each aligned, read through one memory map.

A header of 64 bytes says where the directory is; the directory, JSON, says of each
array its type, place and checksum. ``docs/architecture.md`` has it byte by byte.
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
HEADER = struct.Struct("<8sIIQQQ")  # magic, version, directory: crc, place, length; all
_IN_MEMORY = 1 << 22  # bytes of an array that is not put into a file of its own yet
_COPIED = 1 << 20  # bytes at a time
_STEP = 32  # strings from one landmark to the next

Array = NDArray[Any]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def narrowest_type(highest: int) -> np.dtype[Any]:
    """Return the smallest unsigned type that holds numbers up to this one."""
    for kind in ("<u1", "<u2", "<u4"):
        if highest <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype("<u8")


class Column:
    """One array of a file being written, appended to piece by piece.

    :param dtype: of its values; ``None`` for unsigned numbers in the narrowest type
        that holds all of them.
    """

    def __init__(self, folder: Path, dtype: np.dtype[Any] | None) -> None:
        self.dtype = dtype or narrowest_type(0)
        self.count = 0
        self._narrow = dtype is None
        self._folder = folder
        self._held: list[Array] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def append(self, values: Array) -> None:
        """Add values behind those that are there.

        They are kept as they are until the file is closed: do not change them.
        """
        if self._narrow and len(values):
            needed = narrowest_type(int(values.max()))
            if needed.itemsize > self.dtype.itemsize:
                self._widen(needed)
        piece = np.ascontiguousarray(values, self.dtype)
        self.count += len(piece)
        self._held.append(piece)
        self._bytes += piece.nbytes
        if self._bytes > _IN_MEMORY:
            self._spill()

    def write_to(self, target: IO[bytes]) -> int:
        """Write all of it at the place where a file stands; return its checksum."""
        crc = 0
        for block in self._blocks():
            crc = zlib.crc32(block, crc)
            target.write(block)
        return crc

    def close(self) -> None:
        """Let go of the file it has on disk."""
        if self._file is not None:
            self._file.close()

    def _blocks(self) -> Iterator[bytes | memoryview]:
        if self._file is not None:
            self._spill()
            self._file.seek(0)
            while block := self._file.read(_COPIED):
                yield block
        for piece in self._held:
            if len(piece):
                yield piece.data.cast("B")

    def _widen(self, dtype: np.dtype[Any]) -> None:
        whole = np.frombuffer(b"".join(self._blocks()), self.dtype)
        self.close()
        self._file, self.dtype = None, dtype
        self._held = [whole.astype(dtype)]
        self._bytes = self._held[0].nbytes

    def _spill(self) -> None:
        if self._file is None:
            # Without a name, so that nothing is left of it however this process ends.
            self._file = os.fdopen(_unnamed(self._folder), "w+b")
        for piece in self._held:
            if len(piece):
                self._file.write(piece.data.cast("B"))
        self._held, self._bytes = [], 0


def _unnamed(folder: Path) -> int:
    if hasattr(os, "O_TMPFILE"):
        with suppress(OSError):  # not every file system has such files
            return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    path = folder / f".column-{os.urandom(8).hex()}"
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    path.unlink()
    return handle


class ArraysWriter:
    """A file of arrays being written; what it is called it becomes only when whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: dict[str, Column] = {}

    def column(self, name: str, dtype: str | np.dtype[Any] | None = None) -> Column:
        """Return a new array, to be appended to; see :class:`Column`."""
        assert name not in self._columns, name
        made = Column(
            self.path.parent,
            None if dtype is None else np.dtype(dtype).newbyteorder("<"),
        )
        self._columns[name] = made
        return made

    def put(self, name: str, values: Array) -> None:
        """Add a whole array."""
        self.column(name, values.dtype).append(values)

    def put_strings(self, name: str, values: Iterable[bytes]) -> None:
        """Add byte strings: end to end, and beside them where each begins."""
        held = list(values)
        at = np.zeros(len(held) + 1, "<u8")
        np.cumsum([len(each) for each in held], out=at[1:])
        blob = np.frombuffer(b"".join(held), "u1")
        self.put(name, blob)
        self.put(f"{name}.at", at.astype("<u4" if at[-1] < 1 << 32 else "<u8"))

    def close(self, facts: Mapping[str, Any]) -> int:
        """Write the file, not synced to disk; return its length in bytes.

        :param facts: what JSON can hold; the reader gets it back.
        """
        try:
            with self.path.open("xb") as file:
                file.write(bytes(ALIGNMENT))
                directory: dict[str, Any] = {"facts": dict(facts), "arrays": {}}
                for name, column in self._columns.items():
                    _pad(file)
                    place = file.tell()
                    crc = column.write_to(file)
                    directory["arrays"][name] = [
                        column.dtype.str,
                        column.count,
                        place,
                        crc,
                    ]
                _pad(file)
                place = file.tell()
                text = json.dumps(directory, separators=(",", ":")).encode()
                file.write(text)
                length = file.tell()
                file.seek(0)
                file.write(
                    HEADER.pack(
                        MAGIC, VERSION, zlib.crc32(text), place, len(text), length
                    )
                )
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        finally:
            self.abandon()
        return length

    def abandon(self) -> None:
        """Let go of everything that was appended."""
        for column in self._columns.values():
            column.close()
        self._columns = {}


def _pad(file: IO[bytes]) -> None:
    file.write(bytes(-file.tell() % ALIGNMENT))


class ArraysFile:
    """A file of arrays, opened: every array is a view of one memory map.

    :ivar length: in bytes.
    :raises IndexDamaged: its header or directory is not what was written.
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
        magic, version, crc, place, size, whole = HEADER.unpack_from(self._map)
        if magic != MAGIC or version != VERSION or whole != length:
            raise IndexDamaged(f"{path.name} is cut off, or no segment of Nutgraf")
        text = self._view[place : place + size]
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
        """Return an array; it cannot be written to."""
        dtype, count, place, _ = self._arrays[name]
        return np.frombuffer(self._map, dtype, count, place)

    def get(self, name: str, dtype: str) -> Array:
        """Return an array, an empty one if the file has none of this name."""
        return self[name] if name in self._arrays else np.empty(0, dtype)

    def strings(self, name: str) -> Strings:
        """Return the byte strings of a name."""
        return Strings(self._bytes(name), self[f"{name}.at"])

    def damaged(
        self, kind: str = "", rest: Callable[[int], None] = lambda count: None
    ) -> Iterator[str]:
        """Yield the name of every array that is not what was written; reads all.

        From the file, not the map: where a disk fails to read, that is an error here
        and the end of the process there.

        :param kind: how names end of the arrays that are read; all by default.
        :param rest: called with the bytes of each block that was read.
        """
        for name, (dtype, count, place, crc) in self._arrays.items():
            if name.endswith(kind):
                length = np.dtype(dtype).itemsize * count
                if self._checksum(place, length, rest) != crc:
                    yield name

    def _checksum(
        self, place: int, length: int, rest: Callable[[int], None]
    ) -> int | None:
        found = 0
        for at in range(place, place + length, _COPIED):
            size = min(_COPIED, place + length - at)
            try:
                found = zlib.crc32(os.pread(self._file, size, at), found)
            except OSError as error:
                if error.errno != EIO:
                    raise  # this process ends, or has too much to do: no damage
                return None
            rest(size)
        return found

    def _bytes(self, name: str) -> memoryview:
        dtype, count, place, _ = self._arrays[name]
        return self._view[place : place + np.dtype(dtype).itemsize * count]


class Strings(Sequence[bytes]):
    """Byte strings, end to end in one buffer.

    Where they are in order, :meth:`find` and :meth:`bisect` look one up.
    """

    __slots__ = ("_at", "_blob", "_every", "at", "blob")

    def __init__(self, blob: memoryview, at: Array) -> None:
        self.blob, self.at = blob, at
        self._blob = blob
        self._at = memoryview(at)  # type: ignore[arg-type]  # numpy's stubs
        self._every: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self.at) - 1

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        return bytes(self._blob[self._at[number] : self._at[number + 1]])

    def text(self, number: int) -> str:
        """Return one of them, decoded."""
        return str(self._blob[self._at[number] : self._at[number + 1]], "utf-8")

    def texts_of(self, numbers: Sequence[int]) -> list[str]:
        """Return some of them, decoded."""
        blob, at = self._blob, self._at
        return [str(blob[at[each] : at[each + 1]], "utf-8") for each in numbers]

    def all(self) -> list[bytes]:
        """Return all of them."""
        blob, at = bytes(self._blob), self.at.tolist()
        return [blob[low:high] for low, high in pairwise(at)]

    def texts(self, first: int = 0, end: int | None = None) -> list[str]:
        """Return a run of them, decoded."""
        end = len(self) if end is None else end
        blob, at = self._blob, self.at[first : end + 1].tolist()
        start = at[0] if at else 0
        whole = bytes(blob[start : at[-1]]) if at else b""
        if whole.isascii():
            text = whole.decode("ascii")
            return [text[low - start : high - start] for low, high in pairwise(at)]
        return [
            whole[low - start : high - start].decode() for low, high in pairwise(at)
        ]

    def bisect(self, wanted: bytes) -> int:
        """Return the number of the first that is not before a string."""
        step = bisect.bisect_left(self._landmarks, wanted)
        low, high = max(0, (step - 1) * _STEP), min(len(self), step * _STEP)
        blob, at = self._blob, self._at
        while low < high:
            middle = (low + high) // 2
            if bytes(blob[at[middle] : at[middle + 1]]) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    @property
    def _landmarks(self) -> list[bytes]:
        """Every so many of them: a search among these runs in C."""
        found = self._every
        if found is None:
            found = self._every = [self[at] for at in range(0, len(self), _STEP)]
        return found

    def find(self, wanted: bytes) -> int:
        """Return the number of a string, -1 if it is not among them."""
        place = self.bisect(wanted)
        if place < len(self) and self[place] == wanted:
            return place
        return -1
