"""The write buffer: articles on their way into a segment.

Texts are split at white space into *chunks*. Each different chunk is analysed once and
numbered; a text is the run of its chunks' numbers. Terms, positions and everything else
follow from those by array operations when the segment is written, so adding an article
costs little more than splitting its text.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from index.engines.whoosh.files import LINE_FIELDS, VALUE_FIELDS, VALUE_GAP, term_of
from index.engines.whoosh.writing.indexed_article import IndexedArticle
from index.text import (
    Convention,
    analysis_of,
    depends_on_convention,
    may_be_time,
    plain_form,
    split,
    surfaces,
    with_times_marked,
)

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

# Memory that a buffer takes while its segment is made, in bytes: for each different
# chunk besides its characters, for each token of one, for each term, and for each term
# that the segment has; for each token of a text, each document, article and value.
_CHUNK, _CHUNK_TOKEN, _TERM, _USED_TERM = 220, 60, 120, 440
_OCCURRENCE, _DOCUMENT, _ARTICLE, _VALUE = 72, 60, 900, 200
# Share of a limit above which a buffer is full: its terms are then not counted again
# for each of the last articles that it has room for.
_FULL = 0.9
_TOKENS_OF_POSITION = 2  # at the most, in names: the word, and a loose form of it
# Share of the limit that a chunk dictionary may take to be used further.
_DICTIONARY_SHARE = 0.4
# Punctuation that may surround a word of letters and digits without being part of it.
_PUNCTUATION = ".,;:!?\"'()[]“”‘’…–—"


class ChunkDictionary(dict[str, int]):
    """Numbers of chunks, with the tokens of each; a missing chunk is analysed.

    No word contains white space that :func:`index.text.split` splits at, so the words
    of a text are those of its chunks. Splitting takes a tenth of the time of finding
    words.

    :ivar terms: number of each indexed term.
    :ivar starts: where the tokens of each chunk begin.
    :ivar lengths: length of each chunk, in positions.
    :ivar entries: term of each token; ``offsets`` its position within the chunk.
    :ivar most_tokens: number of tokens of the chunk that has most of them.
    :ivar times_met: how often a chunk was looked up that is a time or a number, which
        only the words around it tell. It is numbered as a number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.terms: dict[str, int] = {}
        self.starts = array("q", [0])
        self.lengths = array("i")
        self.entries = array("i")
        self.offsets = array("i")
        self.most_tokens = 1
        self.times_met = 0
        self._may_be_times: dict[str, int] = {}
        self._characters = 0
        self._by_convention: dict[Convention, _ConventionChunks] = {}

    @property
    def bytes(self) -> int:
        """Approximate memory in use."""
        chunks = len(self) + len(self._may_be_times)
        chunks += sum(map(len, self._by_convention.values()))
        return (
            _CHUNK * chunks
            + _CHUNK_TOKEN * len(self.entries)
            + _TERM * len(self.terms)
            + self._characters
        )

    def by_convention(self, convention: Convention) -> dict[str, int]:
        """Numbers of chunks in the articles of a convention."""
        if convention == Convention():
            return self
        chunks = self._by_convention.get(convention)
        if chunks is None:
            chunks = self._by_convention[convention] = _ConventionChunks(
                self, convention
            )
        return chunks

    def __missing__(self, chunk: str) -> int:
        form = plain_form(chunk)
        if form is not None:
            number = self._add_plain(form)
        else:
            bare = chunk.strip(_PUNCTUATION)
            form = plain_form(bare)
            # A word in punctuation has the number of the word; .5 is a number itself.
            if form is not None and not (bare[0].isdigit() and f".{bare}" in chunk):
                known = self.get(bare)
                if known is None:
                    known = self[bare] = self._add_plain(form)
                    self._characters += len(bare)
                number = known
            elif may_be_time(chunk):
                return self.number_of_time(chunk, Convention())
            else:
                number = self.add(chunk, Convention())
        self[chunk] = number
        self._characters += len(chunk)
        return number

    def number_of_time(self, chunk: str, convention: Convention) -> int:
        """Number of a chunk that may be a time; each look-up of it is counted."""
        self.times_met += 1
        number = self._may_be_times.get(chunk)
        if number is None:
            number = self._may_be_times[chunk] = self.add(chunk, convention)
            self._characters += len(chunk)
        return number

    def _add_plain(self, form: str) -> int:
        """Add a chunk that is one word of one form; return its number."""
        terms = self.terms
        self.entries.append(terms.setdefault(form, len(terms)))
        self.offsets.append(0)
        self.lengths.append(1)
        self.starts.append(len(self.entries))
        return len(self.lengths) - 1

    def add(self, chunk: str, convention: Convention) -> int:
        """Add a chunk of any words; return its number."""
        terms, entries, offsets = self.terms, self.entries, self.offsets
        length = 0
        for surface in surfaces(chunk):
            analysis = analysis_of(surface, convention)
            if isinstance(analysis, str):
                entries.append(terms.setdefault(analysis, len(terms)))
                offsets.append(length)
                length += 1
                continue
            for form, position, width in zip(
                analysis.forms, analysis.positions, analysis.widths, strict=True
            ):
                term = form if width == 1 else term_of(form, width)
                entries.append(terms.setdefault(term, len(terms)))
                offsets.append(length + position)
            length += analysis.length
        self.lengths.append(length)
        self.most_tokens = max(self.most_tokens, len(self.entries) - self.starts[-1])
        self.starts.append(len(self.entries))
        return len(self.lengths) - 1


class _ConventionChunks(dict[str, int]):
    """Numbers of chunks under one convention; most are those of every other one."""

    def __init__(self, shared: ChunkDictionary, convention: Convention) -> None:
        super().__init__()
        self._shared, self._convention = shared, convention

    def __missing__(self, chunk: str) -> int:
        if plain_form(chunk) is None and depends_on_convention(chunk):
            if not self._convention.decimal_comma and may_be_time(chunk):
                return self._shared.number_of_time(chunk, self._convention)
            number = self._shared.add(chunk, self._convention)
        else:
            number = self._shared[chunk]
        self[chunk] = number
        return number


@dataclass(slots=True)
class ChunkRuns:
    """The text of a field: runs of chunks, each in one row.

    :ivar numbers: chunks of all runs, end to end.
    :ivar ends: end of each run in ``numbers``.
    :ivar rows: row of each run: a document, or an article.
    :ivar starts: position of each run's first word in its row.
    """

    numbers: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("i"))
    starts: array[int] = field(default_factory=lambda: array("q"))


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
        # Tokens of all texts but those of paragraphs whose chunks are yet to be looked
        # up; the terms among the first of the tokens, which were counted.
        self._tokens = self._tokens_counted = self._used = 0
        self._chunks_counted = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bytes(self) -> int:
        """Upper bound of the memory that it takes to make a segment of the buffer."""
        self._count_tokens()
        return self._bytes_with(self._tokens)

    def is_full(self, limit: float) -> bool:
        """Whether making a segment of the buffer takes nearly ``limit`` bytes."""
        # Most articles leave much room, so their tokens need not be counted one by one.
        uncounted = len(self.text.numbers) - self._chunks_counted
        most = self._tokens + uncounted * self.chunks.most_tokens
        if self._bytes_with(most) <= limit * _FULL or self.bytes <= limit * _FULL:
            return False
        # The bound takes each token for a term of its own; here they are counted.
        self._used, self._tokens_counted = self._used_terms(), self._tokens
        return self.bytes > limit * _FULL

    def next(self, limit: float) -> WriteBuffer:
        """Empty buffer that follows a full one; it keeps a small chunk dictionary."""
        small = self.chunks.bytes < limit * _DICTIONARY_SHARE
        return WriteBuffer(self.chunks if small else None)

    def _bytes_with(self, tokens: int) -> int:
        chunks = self.chunks
        terms = min(self._used + tokens - self._tokens_counted, len(chunks.terms))
        return self._bytes + _OCCURRENCE * tokens + _USED_TERM * terms + chunks.bytes

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

    def _count_tokens(self) -> None:
        """Count the tokens of the paragraphs that were added since the last time."""
        numbers = self.text.numbers
        starts = np.frombuffer(self.chunks.starts, np.int64)
        added = np.frombuffer(numbers, np.int32)[self._chunks_counted :]
        self._tokens += int((starts[added + 1] - starts[added]).sum())
        self._chunks_counted = len(numbers)

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
        number_of = self.chunks.by_convention(article.convention).__getitem__
        self._add_paragraphs(article, number_of)
        for name, values in article.values:
            if name in self.values:
                for value in dict.fromkeys(values):
                    self.values[name].add(number, value)
            if name in self.lines:
                self._add_line(self.lines[name], number, values, number_of)

    def _add_paragraphs(
        self, article: IndexedArticle, number_of: Callable[[str], int]
    ) -> None:
        runs = self.text
        self._add_texts(runs, article.texts, number_of)
        row = len(self.passages)
        self.passages.frombytes(article.passages)
        runs.rows.extend(range(row, len(self.passages)))
        runs.starts.extend(bytes(len(article.texts)))

    def _add_line(
        self,
        runs: ChunkRuns,
        article: int,
        values: Sequence[str],
        number_of: Callable[[str], int],
    ) -> None:
        lengths = self.chunks.lengths
        start = 0
        for value in values:
            before = len(runs.numbers)
            self._add_texts(runs, (value,), number_of)
            runs.rows.append(article)
            runs.starts.append(start)
            self._bytes += _VALUE
            length = sum(lengths[chunk] for chunk in runs.numbers[before:])
            start += VALUE_GAP + length
            self._tokens += _TOKENS_OF_POSITION * length

    def _add_texts(
        self, runs: ChunkRuns, texts: Sequence[str], number_of: Callable[[str], int]
    ) -> None:
        """Add a run for each text."""
        numbers, ends, met = runs.numbers, runs.ends, self.chunks.times_met
        chunks: list[str] = []
        before, run = len(numbers), len(ends)
        for text in texts:
            chunks += split(text)
            ends.append(before + len(chunks))
        numbers.extend(map(number_of, chunks))
        if self.chunks.times_met > met:  # in few articles, so most are not searched
            for end, text in zip(ends[run:], texts, strict=True):
                marked = with_times_marked(text)
                if marked != text:
                    numbers[before:end] = array("i", map(number_of, split(marked)))
                before = end
