"""The index folder: durable commits, one writer at a time, damage.

A commit, in this order:

1. segments are written under names with a leading dot, synced, and renamed;
2. the metadata of the generation is written beside them;
3. the folder is synced;
4. the table of contents is renamed into place: from here on the commit counts;
5. the folder is synced again;
6. files that no table of contents names any more are removed.

So after a crash or a power cut the folder holds either the old index or the new one.
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
_TOC = re.compile(rf"_{NAME}_(\d+)\.toc$")
# Files being written. A large column has a name only until it is unlinked, at once.
_TEMPORARY = re.compile(rf"\.(_?{NAME}_|column-|{re.escape(_PROGRESS)}$)")
_OURS = re.compile(rf"_{NAME}_\d+\.|{NAME}_[0-9a-z]+\.|{re.escape(_PROGRESS)}$")

# Such an error of a file that was synced means that it is lost or damaged. Any other
# error, such as too many open files, passes.
_DAMAGE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO, errno.EILSEQ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """Metadata of a generation of the index.

    :param seq: the newest change of the store that was applied.
    :param token: random and different for each generation, since their numbers start
        again when the folder was deleted.
    :param schema: version of the schema and of the segment format.
    :param analyzer: version of the text analysis.
    :param language: of articles without a language.
    :param epoch: the history of the store that ``seq`` belongs to, if it is known.
    :param toc: checksum of the table of contents, known once that is written. It keeps
        us from unpickling one that is damaged, or that another program wrote.
    """

    seq: int
    token: str
    schema: int
    analyzer: int
    language: str
    epoch: int | None = None
    toc: int = 0


class DurableStorage:
    """The folder of a Whoosh index, with durable commits.

    Whoosh itself never calls fsync: after a power cut its table of contents may name
    files that are empty.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder

    # Reading.

    def generation(self) -> int:
        """Newest generation, -1 if there is none."""
        return self._highest(_TOC)

    def meta(self, generation: int) -> Meta | None:
        """Metadata of a generation, ``None`` if it has none.

        :raises IndexDamaged: the file is damaged.
        :raises IndexUnavailable: another version of this program wrote it.
        """
        path = self._meta_path(generation)
        with map_damage(path.name):
            try:
                values = json.loads(path.read_bytes())
            except FileNotFoundError:
                return None
            if zlib.crc32(_canonical(values)) != values.pop("crc"):
                raise IndexDamaged(path.name)
        try:
            return Meta(**values)
        except TypeError as error:
            raise IndexUnavailable(
                "the index is of another version; the indexer rebuilds it"
            ) from error

    def segments(self, generation: int, meta: Meta) -> list[ColumnarSegment]:
        """Segments of a generation.

        The pickled schema is not read: the schema is always ours.

        :raises IndexDamaged: the table of contents is damaged.
        """
        path = self._toc_path(generation)
        with map_damage(path.name):
            data = path.read_bytes()
            if zlib.crc32(data) != meta.toc:
                raise IndexDamaged(path.name)
            storage = RamStorage()
            storage.files[path.name] = data
            toc = TOC.read(storage, NAME, gen=generation, schema=whoosh_schema())
        for segment in toc.segments:
            if not isinstance(segment, ColumnarSegment):
                raise IndexDamaged(f"{segment} was written by another program")
        return list(toc.segments)

    def data_path(self, segment: ColumnarSegment) -> Path:
        """File of a committed segment."""
        path: Path = self.path / segment.make_filename(EXTENSION)
        return path

    def progress(self) -> float | None:
        """Share of a rebuild that is done, ``None`` if none is running."""
        try:
            return float(json.loads((self.path / _PROGRESS).read_text("utf-8"))["done"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def size(self) -> int:
        """Size of the index on disk, in bytes."""
        total = 0
        for name in self._names():
            with suppress(FileNotFoundError):  # a commit just removed it
                total += (self.path / name).stat().st_size
        return total

    def changed_at(self) -> int:
        """Modification time of the folder in nanoseconds, -1 if there is none."""
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return -1

    # Writing.

    def create(self) -> None:
        """Create the folder if it is missing; only its owner may use it."""
        missing = [
            folder for folder in (self.path, *self.path.parents) if not folder.exists()
        ]
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in missing:
            _sync(folder.parent)
        self.check_rights()

    def check_rights(self) -> None:
        """Refuse an index that other users may write to.

        :raises IndexUnavailable: they may.
        """
        reason = open_to_others(self.path)
        if reason is not None:
            raise IndexUnavailable(f"the index is not used: {reason}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold Whoosh's write lock, which also keeps out Whoosh's own writers.

        Files that are not committed are removed: at the start those of a writer that
        was killed, since they may fill the disk, and on an error our own.

        :raises IndexerRunning: another writer holds the lock.
        :raises IndexUnavailable: there is no folder.
        """
        self.check_rights()
        # The indexer already holds the lock of the store; this is a second safeguard.
        lock = FileLock(str(self.path / f"{NAME}_WRITELOCK"))
        try:
            acquired = lock.acquire()
        except FileNotFoundError as error:
            raise IndexUnavailable(
                "there is no index yet; the indexer builds it"
            ) from error
        if not acquired:
            raise IndexerRunning(str(self.path))
        try:
            self._remove(name for name in self._names() if _TEMPORARY.match(name))
            yield
        except BaseException:
            self._remove(name for name in self._names() if _TEMPORARY.match(name))
            raise
        finally:
            lock.release()

    @contextmanager
    def new_file(self, segment: ColumnarSegment) -> Iterator[Path]:
        """Yield the path for the file of a new segment.

        Its name has a leading dot until it is committed. The commit syncs it to disk.
        """
        temporary = self._temporary_path(segment)
        try:
            yield temporary
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def written_path(self, segment: ColumnarSegment) -> Path:
        """File of a segment, committed or not."""
        temporary = self._temporary_path(segment)
        return temporary if temporary.exists() else self.data_path(segment)

    def discard(self, segment: ColumnarSegment) -> None:
        """Remove the file of a segment that will not be committed."""
        self._remove([self._temporary_path(segment).name])

    def commit(self, segments: Sequence[ColumnarSegment], meta: Meta) -> None:
        """Make these segments the next generation of the index, durable on return.

        If this fails, the generation before stays the newest.
        """
        # Above every number in use: a reader that has opened generation 7 must not
        # mistake a new one for it.
        generation = self._highest(_NUMBERED) + 1
        toc = _toc_of(segments, generation)
        new = [
            segment for segment in segments if self._temporary_path(segment).exists()
        ]
        try:
            for segment in new:
                self._temporary_path(segment).chmod(0o600)
                _sync(self._temporary_path(segment))
                self._temporary_path(segment).replace(self.data_path(segment))
            values = asdict(replace(meta, toc=zlib.crc32(toc)))
            values["crc"] = zlib.crc32(_canonical(values))
            self._put(self._meta_path(generation), json.dumps(values).encode())
            _sync(self.path)
            self._put(self._toc_path(generation), toc)
            _sync(self.path)
        except BaseException:
            self._roll_back(generation, new)
            raise
        current = {self.data_path(segment).name for segment in segments}
        current |= {self._meta_path(generation).name, self._toc_path(generation).name}
        self._remove(
            name
            for name in self._names()
            if _TEMPORARY.match(name) or (_OURS.match(name) and name not in current)
        )

    def write_progress(self, done: float | None) -> None:
        """Record which share of a rebuild is done, or with ``None`` that it is over.

        Nothing depends on this, so errors are ignored.
        """
        path = self.path / _PROGRESS
        with suppress(OSError):
            if done is None:
                path.unlink(missing_ok=True)
            else:
                temporary = path.with_name(f".{path.name}")
                temporary.write_text(json.dumps({"done": round(done, 4)}), "utf-8")
                temporary.replace(path)

    def _roll_back(self, generation: int, new: Sequence[ColumnarSegment]) -> None:
        """Remove the files of a failed commit, the table of contents first.

        If the removal of that table cannot be made durable, all files must stay: the
        table may still be there after a power cut.
        """
        toc = self._toc_path(generation)
        with suppress(OSError):
            if toc.exists():
                toc.unlink()
                _sync(self.path)
            names = [self.data_path(segment).name for segment in new]
            self._remove([*names, self._meta_path(generation).name])

    def _put(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f".{path.name}")
        with temporary.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            # A file that cannot be removed now is removed by the next commit.
            with suppress(OSError):
                (self.path / name).unlink(missing_ok=True)

    # Names.

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.path)  # noqa: PTH208 - only names are needed
        except FileNotFoundError:
            return []

    def _highest(self, numbered: re.Pattern[str]) -> int:
        matches = map(numbered.match, self._names())
        return max((int(match[1]) for match in matches if match), default=-1)

    def _temporary_path(self, segment: ColumnarSegment) -> Path:
        path = self.data_path(segment)
        return path.with_name(f".{path.name}")

    def _meta_path(self, generation: int) -> Path:
        return self.path / f"_{NAME}_{generation}.json"

    def _toc_path(self, generation: int) -> Path:
        return self.path / f"_{NAME}_{generation}.toc"


@contextmanager
def map_damage(what: str) -> Iterator[None]:
    """Raise :class:`IndexDamaged` for any error of the body.

    Whoosh unpickles a table of contents, so a damaged one can raise anything. Only
    Whoosh's reading, and our reading of one small file, may run inside.

    :param what: the file, for the error.
    """
    try:
        yield
    except NutgrafError:
        raise
    except Exception as error:  # see above
        if isinstance(error, OSError) and error.errno not in _DAMAGE:
            raise
        raise IndexDamaged(f"{what}: {type(error).__name__}: {error}") from error


def _canonical(values: dict[str, object]) -> bytes:
    """The bytes that the checksum of metadata covers: all values but itself."""
    covered = {name: value for name, value in values.items() if name != "crc"}
    return json.dumps(covered, sort_keys=True).encode()


def _toc_of(segments: Sequence[ColumnarSegment], generation: int) -> bytes:
    """Table of contents, as Whoosh writes it."""
    storage = RamStorage()
    TOC(whoosh_schema(), list(segments), generation).write(storage, NAME)
    (data,) = storage.files.values()
    return bytes(data)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
