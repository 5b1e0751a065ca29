"""The sources of a load: files, folders and streams, found and read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from index.errors import UnreadableInput

STDIN = "-"
_HEAD_BYTES = 64 * 1024  # of a file, for the detection of its format

# Called with a path that cannot be read, and why.
OnUnreadable = Callable[[str, OSError | ValueError], None]
# Called with a folder, what in it is not read, and what that is.
OnPassedOver = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A file or stream to read.

    :param path: as it is opened and reported.
    :param name: for readers: of a file in a folder, its path in that folder.
    :param size: bytes; ``None`` if only the end of the stream will tell.
    :param folder: that the caller named, and in which the file was found; ``None`` if
        the caller named the file itself.
    """

    path: str
    name: str
    size: int | None
    folder: str | None = None


def is_folder(path: str) -> bool:
    """Whether a path that a caller named is a folder."""
    try:
        return path != STDIN and stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False  # sources_at says why


def sources_at(
    path: str, on_unreadable: OnUnreadable, on_passed_over: OnPassedOver
) -> Iterator[Source]:
    """Yield the source that a path names, or the files of the folder.

    A folder is walked in the order of its names, without hidden files and without
    following links.
    """
    if path == STDIN:
        yield Source(path, "", None)
        return
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        on_unreadable(path, error)
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _sources_in(path, on_unreadable, on_passed_over)
    else:
        regular = stat.S_ISREG(status.st_mode)
        yield Source(path, path, status.st_size if regular else None)


def _sources_in(
    folder: str, on_unreadable: OnUnreadable, on_passed_over: OnPassedOver
) -> Iterator[Source]:
    for parent, folders, names in os.walk(
        folder, onerror=lambda error: on_unreadable(str(error.filename), error)
    ):
        entries = sorted(folders)
        folders[:] = []
        for name in entries:
            path = Path(parent, name)
            if name.startswith("."):
                on_passed_over(folder, _within(folder, path), "hidden")
            elif path.is_symlink():
                on_passed_over(folder, _within(folder, path), "a link")
            else:
                folders.append(name)
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith("."):
                on_passed_over(folder, _within(folder, path), "hidden")
                continue
            try:
                status = path.lstat()
            except OSError as error:
                on_unreadable(str(path), error)
                continue
            # A link may lead out of the folder, and a pipe may never end.
            if stat.S_ISREG(status.st_mode):
                yield Source(str(path), _within(folder, path), status.st_size, folder)
            else:
                kind = "a link" if stat.S_ISLNK(status.st_mode) else "no regular file"
                on_passed_over(folder, _within(folder, path), kind)


def _within(folder: str, path: Path) -> str:
    """A path relative to the folder that was loaded, with slashes."""
    return path.relative_to(folder).as_posix()


class MeteredStream:
    """A stream that counts the bytes read from it, and whose head can be peeked at."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._peeked = b""
        self.count = 0

    def peek(self) -> bytes:
        """First bytes of the stream, which stay unread."""
        self._peeked = self._next(_HEAD_BYTES)
        return self._peeked

    def read(self, size: int = -1) -> bytes:
        """Next bytes, at most ``size``."""
        if self._peeked:
            size = len(self._peeked) if size < 0 else size
            data, self._peeked = self._peeked[:size], self._peeked[size:]
        else:
            data = self._next(size)
        self.count += len(data)
        return data

    def _next(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise UnreadableInput(
                f"cannot be read to the end: {error.strerror}"
            ) from error
