"""The files of the index: durable, locked, and with the sequence number they hold.

A commit, in order: segments are written under names with a leading dot, and synced;
they get their names, and the record of the generation is put beside them; the folder is
synced; the table of contents is put in place, which is the moment that counts; the
folder is synced again. Only then is removed what no table names any more. So whenever a
process dies or the power fails, there is the old index or the new one.
"""

from __future__ import annotations

import errno
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from whoosh.filedb.filestore import RamStorage
from whoosh.index import TOC
from whoosh.util.filelock import FileLock

from index.engines.whoosh.codec import EXTENSION, ColumnarSegment
from index.engines.whoosh.files import whoosh_schema
from index.errors import IndexDamaged, IndexerRunning, IndexUnavailable, NutgrafError
from index.folders import open_to_others

NAME = "MAIN"
_PROGRESS = "rebuild.json"
_NUMBERED = re.compile(rf"_{NAME}_(\d+)\.")
_TABLE = re.compile(rf"_{NAME}_(\d+)\.toc$")
# What is being written; a column that did not fit in memory has no name for long.
_ASIDE = re.compile(rf"\.(_?{NAME}_|column-|{re.escape(_PROGRESS)}$)")
_OURS = re.compile(rf"_{NAME}_\d+\.|{NAME}_[0-9a-z]+\.|{re.escape(_PROGRESS)}$")

# What a file that was written and synced cannot answer, unless it is lost or spoilt.
# Whatever else the system says, such as too many open files, passes.
_SPOILT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO, errno.EILSEQ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What a generation of the index holds, and what made it.

    :param seq: the newest change of the store that was applied, ``epoch`` which of the
        store's histories it is of, where that was told.
    :param token: random; no two generations have the same, even where their numbers
        start again because the folder was deleted.
    :param toc: the checksum of its table of contents, known once there is one. So no
        other program's table is taken for it, and none that is damaged is unpickled.
    """

    seq: int
    token: str
    schema: int
    analyzer: int
    language: str
    epoch: int | None = None
    toc: int = 0


class DurableStorage:
    """A folder that Whoosh can open, but what a table of contents names is on disk.

    Whoosh never calls fsync: after a power cut its table of contents may name files
    that are empty.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder

    # Reading.

    def generation(self) -> int:
        """Return the newest generation, -1 if there is none."""
        return self._highest(_TABLE)

    def meta(self, generation: int) -> Meta | None:
        """Return what a generation says of itself, ``None`` if it says nothing.

        :raises IndexDamaged: that is not what was written.
        :raises IndexUnavailable: another version of this program wrote it.
        """
        path = self._record(generation)
        with map_damage(path.name):
            try:
                said = json.loads(path.read_bytes())
            except FileNotFoundError:
                return None
            if zlib.crc32(_canonical(said)) != said.pop("crc"):
                raise IndexDamaged(path.name)
        try:
            return Meta(**said)
        except TypeError as error:
            raise IndexUnavailable(
                "the index is of another version; the indexer rebuilds it"
            ) from error

    def segments(self, generation: int, meta: Meta) -> list[ColumnarSegment]:
        """Return the segments of a generation.

        The schema is ours, always: the pickled one is never read.

        :raises IndexDamaged: the table of contents is not what was written.
        """
        path = self._table(generation)
        with map_damage(path.name):
            data = path.read_bytes()
            if zlib.crc32(data) != meta.toc:
                raise IndexDamaged(path.name)
            held = RamStorage()
            held.files[path.name] = data
            toc = TOC.read(held, NAME, gen=generation, schema=whoosh_schema())
        for each in toc.segments:
            if not isinstance(each, ColumnarSegment):
                raise IndexDamaged(f"{each} was written by another program")
        return list(toc.segments)

    def data_path(self, segment: ColumnarSegment) -> Path:
        """Return the file of a segment that was committed."""
        path: Path = self.path / segment.make_filename(EXTENSION)
        return path

    def progress(self) -> float | None:
        """Return how much of a rebuild is done, ``None`` if none is under way."""
        try:
            return float(json.loads((self.path / _PROGRESS).read_text("utf-8"))["done"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def size(self) -> int:
        """Return the bytes that the index takes on disk."""
        total = 0
        for name in self._names():
            with suppress(FileNotFoundError):  # a commit has just removed it
                total += (self.path / name).stat().st_size
        return total

    def changed_at(self) -> int:
        """Return the folder's modification time in nanoseconds, -1 if there is none."""
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return -1

    # Writing.

    def create(self) -> None:
        """Make the folder, for its owner only, if it is not there."""
        missing = [
            each for each in (self.path, *self.path.parents) if not each.exists()
        ]
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in missing:
            _sync(each.parent)
        self.check_rights()

    def check_rights(self) -> None:
        """Refuse an index that others may write to.

        :raises IndexUnavailable: they may.
        """
        reason = open_to_others(self.path)
        if reason is not None:
            raise IndexUnavailable(f"the index is not used: {reason}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold Whoosh's lock, so that no other writer, of its or ours, is at work.

        What is not committed at the end is removed, and so is what a writer that was
        killed had not committed: it may be what fills the disk.

        :raises IndexerRunning: another writer holds it.
        :raises IndexUnavailable: there is no folder.
        """
        self.check_rights()
        # A second line: the indexer's own lock is the store's.
        lock = FileLock(str(self.path / f"{NAME}_WRITELOCK"))
        try:
            held = lock.acquire()
        except FileNotFoundError as error:
            raise IndexUnavailable(
                "there is no index yet; the indexer builds it"
            ) from error
        if not held:
            raise IndexerRunning(str(self.path))
        try:
            self._remove(name for name in self._names() if _ASIDE.match(name))
            yield
        except BaseException:
            self._remove(name for name in self._names() if _ASIDE.match(name))
            raise
        finally:
            lock.release()

    @contextmanager
    def new_file(self, segment: ColumnarSegment) -> Iterator[Path]:
        """Yield where to write the file of a new segment.

        Until it is committed its name has a leading dot. Nobody need sync it to disk:
        a commit does.
        """
        aside = self._aside(segment)
        try:
            yield aside
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def written_path(self, segment: ColumnarSegment) -> Path:
        """Return the file of a segment, committed or not."""
        aside = self._aside(segment)
        return aside if aside.exists() else self.data_path(segment)

    def discard(self, segment: ColumnarSegment) -> None:
        """Remove the file of a segment that will not be committed."""
        self._remove([self._aside(segment).name])

    def commit(self, segments: Sequence[ColumnarSegment], meta: Meta) -> None:
        """Make these segments the index: the next generation, durable on return.

        Where it fails, the generation before stands.
        """
        # From the highest number that any file has: a reader that knows generation 7
        # must not take another one for it.
        generation = self._highest(_NUMBERED) + 1
        table = _table_of(segments, generation)
        new = [each for each in segments if self._aside(each).exists()]
        try:
            for each in new:
                self._aside(each).chmod(0o600)
                _sync(self._aside(each))
                self._aside(each).replace(self.data_path(each))
            said = asdict(replace(meta, toc=zlib.crc32(table)))
            said["crc"] = zlib.crc32(_canonical(said))
            self._put(self._record(generation), json.dumps(said).encode())
            _sync(self.path)
            self._put(self._table(generation), table)
            _sync(self.path)
        except BaseException:
            self._withdraw(generation, new)
            raise
        kept = {self.data_path(each).name for each in segments}
        kept |= {self._record(generation).name, self._table(generation).name}
        self._remove(
            name
            for name in self._names()
            if _ASIDE.match(name) or (_OURS.match(name) and name not in kept)
        )

    def write_progress(self, done: float | None) -> None:
        """Say how much of a rebuild is done, from 0 to 1, or that it is over.

        Nothing depends on it, so a failure is no failure of the rebuild.
        """
        path = self.path / _PROGRESS
        with suppress(OSError):
            if done is None:
                path.unlink(missing_ok=True)
            else:
                aside = path.with_name(f".{path.name}")
                aside.write_text(json.dumps({"done": round(done, 4)}), "utf-8")
                aside.replace(path)

    def _withdraw(self, generation: int, new: Sequence[ColumnarSegment]) -> None:
        """Take back a commit that failed, the table of contents first and for good.

        If that cannot be done it may be there to stay, and its files have to as well.
        """
        table = self._table(generation)
        with suppress(OSError):
            if table.exists():
                table.unlink()
                _sync(self.path)
            names = [self.data_path(each).name for each in new]
            self._remove([*names, self._record(generation).name])

    def _put(self, path: Path, data: bytes) -> None:
        aside = path.with_name(f".{path.name}")
        with aside.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            # What cannot be removed now the next commit removes.
            with suppress(OSError):
                (self.path / name).unlink(missing_ok=True)

    # Names.

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.path)  # noqa: PTH208 - only names are needed
        except FileNotFoundError:
            return []

    def _highest(self, numbered: re.Pattern[str]) -> int:
        found = map(numbered.match, self._names())
        return max((int(each[1]) for each in found if each), default=-1)

    def _aside(self, segment: ColumnarSegment) -> Path:
        path = self.data_path(segment)
        return path.with_name(f".{path.name}")

    def _record(self, generation: int) -> Path:
        return self.path / f"_{NAME}_{generation}.json"

    def _table(self, generation: int) -> Path:
        return self.path / f"_{NAME}_{generation}.toc"


@contextmanager
def map_damage(what: str) -> Iterator[None]:
    """Turn whatever is raised over damaged files into :class:`IndexDamaged`.

    Whoosh unpickles what it finds, so that can be anything; only its code, and ours
    that reads one small file, may run inside.
    """
    try:
        yield
    except NutgrafError:
        raise
    except Exception as error:  # see above
        if isinstance(error, OSError) and error.errno not in _SPOILT:
            raise
        raise IndexDamaged(f"{what}: {type(error).__name__}: {error}") from error


def _canonical(said: dict[str, object]) -> bytes:
    """Return what the checksum of a record is of: all else that it says."""
    rest = {name: value for name, value in said.items() if name != "crc"}
    return json.dumps(rest, sort_keys=True).encode()


def _table_of(segments: Sequence[ColumnarSegment], generation: int) -> bytes:
    made = RamStorage()
    TOC(whoosh_schema(), list(segments), generation).write(made, NAME)
    (data,) = made.files.values()
    return bytes(data)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
