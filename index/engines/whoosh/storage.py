"""The files of the index: durable, locked, and with the sequence number they hold."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, LockError, clean_files

from index.engines.whoosh.codec import EXTENSION, ColumnarSegment
from index.engines.whoosh.schema import whoosh_schema
from index.errors import IndexDamaged, NutgrafError

NAME = "MAIN"
_PROGRESS = "rebuild.json"

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What a generation of the index holds, and what made it.

    :param seq: the newest change of the store that was applied.
    :param token: random; no two generations have the same, even where their numbers
        start again because the folder was deleted.
    """

    seq: int
    token: str
    schema: int
    analyzer: int
    language: str


class DurableStorage(FileStorage):  # type: ignore[misc]  # Whoosh has no types
    """Whoosh's folder of files, but what a table of contents names is on disk first.

    Whoosh never calls fsync: after a power cut its table of contents may name files
    that are empty. Here every file it wrote is synced before the table is renamed into
    place, and the folder after it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), supports_mmap=True)
        self.path = folder
        self._unsynced: set[str] = set()

    def create_file(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Open a new file for writing, and remember that it is not synced yet."""
        self._unsynced.add(name)
        return super().create_file(name, *args, **kwargs)

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Put a file in place, once all that was written before is on disk."""
        for name in self._unsynced:
            path = self.path / name
            if path.exists():
                _sync(path)
        self._unsynced.clear()
        _sync(self.path)
        super().rename_file(oldname, newname, safe=safe)
        _sync(self.path)

    def toc(self, generation: int | None = None) -> TOC:
        """Return the table of contents of a generation, by default the newest.

        The schema is ours, always: the pickled one is never read.

        :raises IndexDamaged: it cannot be read, or has segments that are not ours.
        """
        with damage_told(f"table of contents {generation or ''}".strip()):
            toc = TOC.read(self, NAME, gen=generation, schema=whoosh_schema())
        for each in toc.segments:
            if not isinstance(each, ColumnarSegment):
                raise IndexDamaged(f"{each} was written by another program")
        return toc

    def commit(self, generation: int, segments: Any, meta: Meta) -> None:
        """Put a table of contents in place, and remove what no table needs now."""
        self.write_meta(generation, meta)
        TOC(whoosh_schema(), list(segments), generation).write(self, NAME)
        clean_files(self, NAME, generation, segments)

    def data_path(self, segment: ColumnarSegment) -> Path:
        """Return the file of a segment."""
        path: Path = self.path / segment.make_filename(EXTENSION)
        return path

    @contextmanager
    def new_file(self, segment: ColumnarSegment) -> Iterator[Path]:
        """Yield where to write the file of a new segment, put in place at the end.

        Until then its name has a leading dot: nothing cleans it away. It has to be on
        disk before the block ends.
        """
        path = self.data_path(segment)
        aside = path.with_name(f".{path.name}")
        try:
            yield aside
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def generation(self) -> int:
        """Return the newest generation, -1 if there is none."""
        if not self.path.is_dir():
            return -1
        return int(TOC._latest_generation(self, NAME))

    def meta(self, generation: int) -> Meta | None:
        """Return what a generation says of itself, ``None`` if that cannot be read."""
        try:
            return Meta(**json.loads(self._meta_path(generation).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write_meta(self, generation: int, meta: Meta) -> None:
        """Put down what a generation will hold, before it is committed."""
        self._write(self._meta_path(generation), asdict(meta))
        for path in self.path.glob(f".{NAME}_*"):
            path.unlink(missing_ok=True)  # of a writer that was killed
        for path in self.path.glob(f"_{NAME}_*"):
            # Also a table of contents that a killed process was about to put in place.
            numbered = re.fullmatch(rf"_{NAME}_(\d+)\.(json|toc\.[\d.]+)", path.name)
            if numbered and int(numbered[1]) < generation - 1:
                path.unlink(missing_ok=True)

    def clean(self, generation: int, segments: Any) -> None:
        """Remove what a failed commit left behind: it may be what fills the disk."""
        clean_files(self, NAME, generation, segments)
        for path in self.path.glob(f"_{NAME}_*"):
            numbered = re.match(rf"_{NAME}_(\d+)\.", path.name)
            if numbered and int(numbered[1]) > generation:
                path.unlink(missing_ok=True)

    def progress(self) -> float | None:
        """Return how much of a rebuild is done, ``None`` if none is under way."""
        try:
            return float(json.loads((self.path / _PROGRESS).read_text("utf-8"))["done"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write_progress(self, done: float | None) -> None:
        """Say how much of a rebuild is done, from 0 to 1, or that it is over."""
        path = self.path / _PROGRESS
        if done is None:
            path.unlink(missing_ok=True)
        else:
            self._write(path, {"done": round(done, 4)})

    def start_over(self) -> None:
        """Remove every file of the index, and write a table of contents without any.

        Its generation goes on from the highest before: a reader that knows generation 7
        must not take another one for it. Without a meta file it is no index yet.
        """
        highest = -1
        for path in self.path.iterdir():
            if path.is_file() and NAME in path.name:
                numbered = re.match(rf"_{NAME}_(\d+)\.", path.name)
                if numbered:
                    highest = max(highest, int(numbered[1]))
                path.unlink(missing_ok=True)
        TOC(whoosh_schema(), [], highest + 1).write(self, NAME)

    def size(self) -> int:
        """Return the bytes that the index takes on disk."""
        if not self.path.is_dir():
            return 0
        return sum(path.stat().st_size for path in self._files())

    def changed_at(self) -> int:
        """Return the folder's modification time in nanoseconds, -1 if there is none."""
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return -1

    def _files(self) -> Iterator[Path]:
        return (path for path in self.path.iterdir() if path.is_file())

    def _meta_path(self, generation: int) -> Path:
        return self.path / f"_{NAME}_{generation}.json"

    def _write(self, path: Path, value: object) -> None:
        aside = path.with_name(f".{path.name}")
        with aside.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)


@contextmanager
def damage_told(what: str) -> Iterator[None]:
    """Turn whatever Whoosh raises over damaged files into :class:`IndexDamaged`.

    It has no checksums and unpickles what it finds, so damage can raise anything; only
    Whoosh's own code may run inside. A full disk and a held lock are no damage.
    """
    try:
        yield
    except (NutgrafError, LockError):
        raise
    except Exception as error:  # see above
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise
        raise IndexDamaged(f"{what}: {type(error).__name__}: {error}") from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
