"""The write buffer: articles on their way into a segment.

Texts are split at white space into *chunks*, which are numbered; a text is the run of
its chunks' numbers. Terms, positions and everything else follow from those by array
operations when the segment is written, so adding an article costs little more than
looking its chunks up.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from index.engines.whoosh.files import (
    LINE_FIELDS,
    VALUE_FIELDS,
    Array,
    Ints,
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

_FIELD_NUMBERS = {name: at for at, name in enumerate(LINE_FIELDS, 1)}

# Memory that a buffer takes while its segment is made, in bytes: for each token of a
# text, each term that the segment has, each document, article and value; and for each
# character of texts whose chunks are yet to be numbered, at the most.
_OCCURRENCE, _USED_TERM = 72, 280
_DOCUMENT, _ARTICLE, _VALUE = 60, 900, 200
_CHARACTER = 1_000
# Share of a limit above which a buffer is full: its terms are then not counted again
# for each of the last articles that it has room for.
_FULL = 0.9
# Characters of texts whose chunks are numbered together.
_TOGETHER = 1 << 15
# Share of the limit that a chunk dictionary may take to be used further.
_DICTIONARY_SHARE = 0.5


@dataclass(slots=True)
class ChunkRuns:
    """The text of a field: runs of chunks, each in one row.

    :ivar numbers: chunks of all runs, end to end.
    :ivar ends: end of each run in ``numbers``.
    :ivar rows: row of each run, ascending: a document, or an article.
    """

    numbers: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("i"))

    def append(self, numbers: Array, counts: Ints) -> None:
        """Append runs: chunks end to end, and how many each run has."""
        ends = counts.cumsum()
        ends += len(self.numbers)
        self.ends.frombytes(ends.tobytes())
        self.numbers.frombytes(numbers.astype(np.int32).tobytes())


@dataclass(slots=True)
class _Waiting:
    """Texts whose chunks are yet to be numbered, in the order of their runs.

    :ivar conventions: convention of each.
    :ivar fields: field of each, as an index into :attr:`WriteBuffer.runs`.
    """

    texts: list[str] = field(default_factory=list)
    conventions: list[Convention] = field(default_factory=list)
    fields: bytearray = field(default_factory=bytearray)
    characters: int = 0

    def add(self, texts: Sequence[str], convention: Convention, of: int) -> None:
        self.texts += texts
        self.conventions += [convention] * len(texts)
        self.fields += bytes([of]) * len(texts)
        self.characters += sum(map(len, texts))


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
        self.runs = (self.text, *self.lines.values())
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
        self._waiting = _Waiting()
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
        terms = min(
            self._used + self._tokens - self._tokens_counted, len(chunks.vocabulary)
        )
        return (
            self._bytes + _OCCURRENCE * self._tokens + _USED_TERM * terms + chunks.bytes
        )

    def number(self) -> None:
        """Number the chunks of all texts."""
        waiting, self._waiting = self._waiting, _Waiting()
        if not waiting.texts:
            return
        numbers, counts = self.chunks.numbers_of(waiting.texts, waiting.conventions)
        self._tokens += self.chunks.tokens_in(numbers)
        fields = np.frombuffer(waiting.fields, np.uint8)
        for at, runs in enumerate(self.runs):
            inside = fields == at
            if inside.any():
                runs.append(numbers[inside.repeat(counts)], counts[inside])

    def is_full(self, limit: float) -> bool:
        """Whether making a segment of the buffer takes nearly ``limit`` bytes."""
        # Most articles leave much room, so their chunks can wait for those of others.
        full, waiting = limit * _FULL, _CHARACTER * self._waiting.characters
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
        for runs in self.runs:
            used_chunks[np.frombuffer(runs.numbers, np.int32)] = True
        starts = np.frombuffer(chunks.starts, np.int64)
        of_used_chunks = np.repeat(used_chunks, np.diff(starts))
        used = np.zeros(len(chunks.vocabulary), bool)
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
        waiting, convention = self._waiting, article.convention
        row = len(self.passages)
        self.passages.frombytes(article.passages)
        self.text.rows.extend(range(row, len(self.passages)))
        waiting.add(article.texts, convention, 0)
        for name, values in article.values:
            if name in self.values:
                for value in dict.fromkeys(values):
                    self.values[name].add(number, value)
            if name in self.lines:
                self._bytes += _VALUE * len(values)
                self.lines[name].rows.extend(repeat(number, len(values)))
                waiting.add(values, convention, _FIELD_NUMBERS[name])
        if waiting.characters > _TOGETHER:
            self.number()
