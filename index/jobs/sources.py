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


@dataclass(frozen=True, slots=True)
class Source:
    """A file or stream to read.

    :param path: as it is opened and reported.
    :param name: for readers: of a file in a folder, its path in that folder.
    :param size: bytes; ``None`` if only the end of the stream will tell.
    :param in_folder: whether it was found in a folder rather than named by the caller.
    """

    path: str
    name: str
    size: int | None
    in_folder: bool = False


def sources_at(path: str, on_unreadable: OnUnreadable) -> Iterator[Source]:
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
        yield from _sources_in(path, on_unreadable)
    else:
        regular = stat.S_ISREG(status.st_mode)
        yield Source(path, path, status.st_size if regular else None)


def _sources_in(folder: str, on_unreadable: OnUnreadable) -> Iterator[Source]:
    for parent, folders, names in os.walk(
        folder, onerror=lambda error: on_unreadable(str(error.filename), error)
    ):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(parent, name)
            try:
                status = path.lstat()
            except OSError as error:
                on_unreadable(str(path), error)
                continue
            # A link may lead out of the folder, and a pipe may never end.
            if stat.S_ISREG(status.st_mode):
                relative = path.relative_to(folder).as_posix()
                yield Source(str(path), relative, status.st_size, in_folder=True)


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
