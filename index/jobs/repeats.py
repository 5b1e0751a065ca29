"""What a load holds back to its end: articles that may turn out to be repetitions."""

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

MEMORY_BYTES = 8 * 1024 * 1024  # of held articles; more of them go to disk


@dataclass(frozen=True, slots=True)
class Pending:
    """An article on its way to the store, and where it came from.

    :param line: where its record starts, from 1, in formats that have lines.
    :param again: another of its id came before it in this load, both without a version.
    """

    draft: Draft
    file: str
    line: int | None
    again: bool = False

    @property
    def id(self) -> str:
        """The article's id."""
        return self.draft.article.id

    @property
    def content(self) -> tuple[str, str] | None:
        """Id and digest, if the article has no version to tell which is newer."""
        versionless = self.draft.article.version is None
        return (self.id, self.draft.digest) if versionless else None


class _Place(NamedTuple):
    """Where an article lies in the file, and what it is without that."""

    at: int
    file: str
    line: int | None
    again: bool
    format: str  # of the original, whose bytes follow the article; blank: none
    size: int


class Held:
    """Articles that wait for the end of their load; on disk where they are many."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115
        self._places: dict[str, _Place] = {}

    def add(self, pending: Pending) -> None:
        """Hold an article, of whose id none is held."""
        original = pending.draft.original or Original(format="", data=b"")
        try:
            at = self._file.seek(0, os.SEEK_END)
            self._file.write(write("jsonl", pending.draft.article) + original.data)
        except OSError as error:
            raise StoreUnavailable(
                f"cannot write a temporary file: {error.strerror}"
            ) from error
        self._places[pending.id] = _Place(
            at,
            pending.file,
            pending.line,
            pending.again,
            original.format,
            len(original.data),
        )

    def drop(self, article_id: str) -> bool:
        """Forget an article; return whether it was held."""
        return self._places.pop(article_id, None) is not None

    def __iter__(self) -> Iterator[Pending]:
        for place in self._places.values():
            self._file.seek(place.at)
            article = article_of(json.loads(self._file.readline()))
            original = None
            if place.format:
                data = self._file.read(place.size)
                original = Original(format=place.format, data=data)
            yield Pending(
                draft_of(article, original), place.file, place.line, again=place.again
            )

    def close(self) -> None:
        """Remove the file, if there is one."""
        self._file.close()
