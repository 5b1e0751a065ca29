"""What a load holds back to its end: articles that may turn out to be repetitions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from index.article import Article
from index.document import article_of
from index.errors import StoreUnavailable
from index.formats.jsonl import write

MEMORY_BYTES = 8 * 1024 * 1024  # of held articles; more of them go to disk


@dataclass(frozen=True, slots=True)
class Pending:
    """An article on its way to the store, and where it came from.

    :param line: where its record starts, from 1, in formats that have lines.
    :param digest: of its content, if it has no version.
    :param again: another of its id came before it in this load, both without a version.
    """

    article: Article
    file: str
    line: int | None
    digest: str = ""
    again: bool = False


class Held:
    """Articles that wait for the end of their load; on disk where they are many."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115
        self._places: dict[str, tuple[int, str, int | None, bool]] = {}

    def add(self, pending: Pending) -> None:
        """Hold an article, of whose id none is held."""
        try:
            at = self._file.seek(0, os.SEEK_END)
            self._file.write(write(pending.article))
        except OSError as error:
            raise StoreUnavailable(
                f"no temporary file can be written: {error.strerror}"
            ) from error
        place = at, pending.file, pending.line, pending.again
        self._places[pending.article.id] = place

    def drop(self, article_id: str) -> bool:
        """Forget an article; return whether it was held."""
        return self._places.pop(article_id, None) is not None

    def __iter__(self) -> Iterator[Pending]:
        for at, file, line, again in self._places.values():
            self._file.seek(at)
            article = article_of(json.loads(self._file.readline()))
            yield Pending(article, file, line, again=again)

    def close(self) -> None:
        """Remove the file, if there is one."""
        self._file.close()
