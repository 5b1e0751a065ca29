"""Where an export goes: a file with an article a line, or a folder with a file each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import quote

from index.cli.terminal import is_stdout, output
from index.errors import InvalidValue
from index.rendering import Representation

_LONGEST_NAME = 200  # bytes of a file's name, which file systems limit to 255


class Target(Protocol):
    """Place that articles are exported to."""

    def put(self, article_id: str, data: bytes) -> None:
        """Write one article."""

    def flush(self) -> None:
        """Pass on what was written so far."""


@contextmanager
def export_target(name: str | None, chosen: Representation) -> Iterator[Target]:
    """Open the file or folder that an export goes to.

    :param name: of a file, or ``None`` for stdout, if the format has an article a line;
        else of a folder, which is created, or is empty.
    :raises InvalidValue: it cannot be written, or the format needs a folder.
    """
    if chosen.lines:
        with output(name) as out:
            yield _Lines(out)
        return
    if name is None or is_stdout(name):
        raise InvalidValue(
            "output",
            f"{chosen.name} has one article a file; name a new folder for them with"
            " --output",
        )
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidValue(
                "output",
                f"{name} is not empty: files of articles that do not show any more"
                " would stay in it; name a new folder",
            )
        yield _Folder(folder, chosen.extension)
    except OSError as error:
        raise InvalidValue("output", f"{name} cannot be written: {error}") from error


class _Lines:
    """A stream of articles, one a line."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def put(self, article_id: str, data: bytes) -> None:
        self._out.write(data)

    def flush(self) -> None:
        self._out.flush()


class _Folder:
    """A folder with one file for each article, named by its id."""

    def __init__(self, folder: Path, extension: str) -> None:
        self._folder, self._extension = folder, extension

    def put(self, article_id: str, data: bytes) -> None:
        (self._folder / file_name(article_id, self._extension)).write_bytes(data)

    def flush(self) -> None:
        """Do nothing: each file was written whole."""


def file_name(article_id: str, extension: str) -> str:
    """Name of the file of an article: its id, percent-encoded.

    The end of a long one is replaced by a hash. A dot at the beginning is encoded too,
    so that no file is hidden.
    """
    name = quote(article_id, safe="")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(article_id.encode()).hexdigest()[:16]
        name = f"{name[: _LONGEST_NAME - 17]}-{digest}"
    return f"{name}{extension}"
