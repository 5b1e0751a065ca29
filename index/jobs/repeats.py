"""Articles that a load defers to its end, as they may be repetitions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from index.article import Draft, Original, article_of, draft_of
from index.errors import StoreUnavailable
from index.formats import write

MEMORY_BYTES = 8 * 1024 * 1024  # of deferred articles; beyond that they go to disk


@dataclass(frozen=True, slots=True)
class Pending:
    """An article on its way to the store, and where it came from.

    :param line: where its record starts, from 1, in formats that have lines.
    :param repeated: whether its id came before in this load, both without a version.
    """

    draft: Draft
    file: str
    line: int | None
    repeated: bool = False

    @property
    def id(self) -> str:
        """The article's id."""
        return self.draft.article.id

    @property
    def content(self) -> tuple[str, str] | None:
        """Id and digest; ``None`` if the article has a version: that is compared."""
        versionless = self.draft.article.version is None
        return (self.id, self.draft.digest) if versionless else None


class _Place(NamedTuple):
    """Place of an article in the temporary file, and the facts that the file lacks.

    :param offset: of the article's line of JSON; its original follows.
    :param format: of the original; blank if there is none.
    :param size: bytes of the original.
    """

    offset: int
    file: str
    line: int | None
    repeated: bool
    format: str
    size: int


class DeferredArticles:
    """Articles that wait for the end of their load; on disk if they are many."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115
        self._places: dict[str, _Place] = {}

    def add(self, pending: Pending) -> None:
        """Defer an article; none of its id is deferred yet."""
        original = pending.draft.original or Original(format="", data=b"")
        try:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(write("jsonl", pending.draft.article) + original.data)
        except OSError as error:
            raise StoreUnavailable(
                f"cannot write a temporary file: {error.strerror}"
            ) from error
        self._places[pending.id] = _Place(
            offset,
            pending.file,
            pending.line,
            pending.repeated,
            original.format,
            len(original.data),
        )

    def drop(self, article_id: str) -> bool:
        """Remove an article; return whether it was deferred."""
        return self._places.pop(article_id, None) is not None

    def __iter__(self) -> Iterator[Pending]:
        for place in self._places.values():
            self._file.seek(place.offset)
            article = article_of(json.loads(self._file.readline()))
            original = None
            if place.format:
                data = self._file.read(place.size)
                original = Original(format=place.format, data=data)
            yield Pending(
                draft_of(article, original),
                place.file,
                place.line,
                repeated=place.repeated,
            )

    def close(self) -> None:
        """Remove the temporary file, if there is one."""
        self._file.close()
