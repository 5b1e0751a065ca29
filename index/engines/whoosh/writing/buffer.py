"""The write buffer: articles on their way into a segment.

Texts are split at white space into *chunks*, which are numbered; a text is the run of
its chunks' numbers. Terms, positions and everything else follow from those by array
operations when the segment is written, so adding an article costs little more than
looking its chunks up.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from index.engines.whoosh.files import (
    LINE_FIELDS,
    VALUE_FIELDS,
    Array,
    Ints,
    expand_ranges,
)
from index.engines.whoosh.writing.chunks import ChunkDictionary
from index.engines.whoosh.writing.indexed_article import IndexedArticle
from index.text import Convention

# Numeric columns of articles, each with its type in the segment's file.
COLUMNS = {
    "status": "<u1",
    "first_n": "<u1",
    "embargoed_until": "<i8",
    "expires": "<i8",
    "published": "<i8",
    "updated": "<i8",
    "urgency": "<i8",
}

# Memory that a buffer takes while its segment is made, in bytes: for each token of a
# text, each term that the segment has, each document, article and value; and for each
# character of texts whose chunks are yet to be numbered, at the most.
_OCCURRENCE, _USED_TERM = 72, 440
_DOCUMENT, _ARTICLE, _VALUE = 60, 900, 200
_CHARACTER = 1_000
# Share of a limit above which a buffer is full: its terms are then not counted again
# for each of the last articles that it has room for.
_FULL = 0.9
# Characters of texts whose chunks are numbered together.
_TOGETHER = 1 << 16
# Share of the limit that a chunk dictionary may take to be used further.
_DICTIONARY_SHARE = 0.4


class ChunkRuns:
    """The text of a field: runs of chunks, each in one row.

    :ivar numbers: chunks of all runs, end to end.
    :ivar ends: end of each run in ``numbers``.
    :ivar rows: row of each run, ascending: a document, or an article.
    """

    def __init__(self) -> None:
        self.numbers = array("i")
        self.ends = array("q")
        self.rows = array("i")
        self._texts: list[str] = []
        self._conventions: list[Convention] = []

    def add(self, rows: Iterable[int], texts: Sequence[str], of: Convention) -> None:
        """Add texts; :meth:`number` makes runs of them.

        :param rows: row of each.
        """
        self.rows.extend(rows)
        self._texts += texts
        self._conventions += [of] * len(texts)

    def number(self, chunks: ChunkDictionary) -> Array:
        """Number the chunks of the texts that were added since the last time."""
        texts, conventions = self._texts, self._conventions
        if not texts:
            return np.empty(0, np.int32)
        self._texts, self._conventions = [], []
        if len(set(conventions)) == 1:
            numbers, counts = chunks.numbers_of(texts, conventions[0])
        else:
            numbers, counts = _numbers_by_convention(texts, conventions, chunks)
        self.ends.frombytes((counts.cumsum() + len(self.numbers)).tobytes())
        self.numbers.frombytes(numbers.tobytes())
        return numbers


def _numbers_by_convention(
    texts: Sequence[str], conventions: Sequence[Convention], chunks: ChunkDictionary
) -> tuple[Array, Ints]:
    """Numbers of the chunks of texts, end to end, and how many each text has."""
    places: dict[Convention, list[int]] = {}
    for place, convention in enumerate(conventions):
        places.setdefault(convention, []).append(place)
    numbered = {
        convention: chunks.numbers_of([texts[place] for place in of], convention)
        for convention, of in places.items()
    }
    counts = np.empty(len(texts), np.int64)
    for convention, of in places.items():
        counts[of] = numbered[convention][1]
    starts = counts.cumsum() - counts
    numbers = np.empty(counts.sum(), np.int32)
    for convention, of in places.items():
        numbers[expand_ranges(starts[of], counts[of])] = numbered[convention][0]
    return numbers, counts


@dataclass(slots=True)
class KeywordValues:
    """The values of a keyword field, as pairs of an article and a spelling."""

    spellings: dict[str, int] = field(default_factory=dict)
    articles: array[int] = field(default_factory=lambda: array("i"))
    numbers: array[int] = field(default_factory=lambda: array("i"))

    def add(self, article: int, value: str) -> None:
        """Add a value of an article."""
        spellings = self.spellings
        self.articles.append(article)
        self.numbers.append(spellings.setdefault(value, len(spellings)))


class WriteBuffer:
    """Articles that will be one segment, in the order in which they were added.

    :param chunks: dictionary of the buffer before, to be used further.
    """

    def __init__(self, chunks: ChunkDictionary | None = None) -> None:
        self.chunks = ChunkDictionary() if chunks is None else chunks
        self.text = ChunkRuns()
        self.lines: dict[str, ChunkRuns] = {name: ChunkRuns() for name in LINE_FIELDS}
        self.ids: list[str] = []
        self.versions: list[str] = []
        self.languages: dict[str, int] = {}
        self.language = array("i")
        self.columns: dict[str, array[int]] = {name: array("q") for name in COLUMNS}
        self.sizes = array("q")
        self.passages = array("B")
        self.values: dict[str, KeywordValues] = {
            name: KeywordValues() for name in VALUE_FIELDS
        }
        self._bytes = 0
        self._waiting = 0  # characters of texts whose chunks are yet to be numbered
        # Tokens of all texts; the terms among the first of them, which were counted.
        self._tokens = self._tokens_counted = self._used = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bytes(self) -> int:
        """Upper bound of the memory that it takes to make a segment of the buffer."""
        self.number()
        return self._bytes_of_numbered()

    def _bytes_of_numbered(self) -> int:
        """The same, without texts whose chunks are yet to be numbered."""
        chunks = self.chunks
        terms = min(self._used + self._tokens - self._tokens_counted, len(chunks.terms))
        return (
            self._bytes + _OCCURRENCE * self._tokens + _USED_TERM * terms + chunks.bytes
        )

    def number(self) -> None:
        """Number the chunks of all texts."""
        if not self._waiting:
            return
        self._waiting = 0
        for runs in (self.text, *self.lines.values()):
            self._tokens += self.chunks.tokens_in(runs.number(self.chunks))

    def is_full(self, limit: float) -> bool:
        """Whether making a segment of the buffer takes nearly ``limit`` bytes."""
        # Most articles leave much room, so their chunks can wait for those of others.
        full, waiting = limit * _FULL, _CHARACTER * self._waiting
        if self._bytes_of_numbered() + waiting <= full or self.bytes <= full:
            return False
        # The bound takes each token for a term of its own; here they are counted.
        self._used, self._tokens_counted = self._used_terms(), self._tokens
        return self.bytes > full

    def next(self, limit: float) -> WriteBuffer:
        """Empty buffer that follows a full one; it keeps a small chunk dictionary."""
        small = self.chunks.bytes < limit * _DICTIONARY_SHARE
        return WriteBuffer(self.chunks if small else None)

    def _used_terms(self) -> int:
        """Number of terms that the texts of the buffer have."""
        chunks = self.chunks
        used_chunks = np.zeros(len(chunks.lengths), bool)
        for runs in (self.text, *self.lines.values()):
            used_chunks[np.frombuffer(runs.numbers, np.int32)] = True
        starts = np.frombuffer(chunks.starts, np.int64)
        of_used_chunks = np.repeat(used_chunks, np.diff(starts))
        used = np.zeros(len(chunks.terms), bool)
        used[np.frombuffer(chunks.entries, np.int32)[of_used_chunks]] = True
        return int(np.count_nonzero(used))

    def add(self, article: IndexedArticle) -> None:
        """Add an article; no other in the buffer has its id."""
        number = len(self.ids)
        self.ids.append(article.id)
        self.versions.append(article.version)
        languages = self.languages
        self.language.append(languages.setdefault(article.language, len(languages)))
        for name, column in self.columns.items():
            column.append(getattr(article, name))
        self.sizes.append(len(article.texts))
        self._bytes += _ARTICLE + _DOCUMENT * len(article.texts)
        row, end = len(self.passages), len(self.passages) + len(article.texts)
        self.passages.frombytes(article.passages)
        self._add_texts(self.text, range(row, end), article.texts, article.convention)
        for name, values in article.values:
            if name in self.values:
                for value in dict.fromkeys(values):
                    self.values[name].add(number, value)
            if name in self.lines:
                self._bytes += _VALUE * len(values)
                rows = repeat(number, len(values))
                self._add_texts(self.lines[name], rows, values, article.convention)
        if self._waiting > _TOGETHER:
            self.number()

    def _add_texts(
        self,
        runs: ChunkRuns,
        rows: Iterable[int],
        texts: Sequence[str],
        convention: Convention,
    ) -> None:
        runs.add(rows, texts, convention)
        self._waiting += sum(map(len, texts)) + len(texts)
