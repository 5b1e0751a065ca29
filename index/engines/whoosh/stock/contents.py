"""What the file of a segment holds, document by document, whoever wrote it.

Segments of ours are of articles: a document is a paragraph, and an article's own words,
values and dates hold for each of its paragraphs. A segment that a writer of Whoosh's
made through the codec has no articles: see :mod:`.codec_writing` for how it is kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from whoosh.columns import Column, ColumnReader

from index.article import DATE_FIELD_NAMES
from index.engines.whoosh.files import (
    ID,
    LINE_FIELDS,
    NO_VALUE,
    PARAGRAPH_WORDS,
    VERSION,
    Array,
    ArraysFile,
    FieldIndex,
    ParagraphIndex,
    Segment,
    Strings,
    expand_ranges,
)
from index.engines.whoosh.stock.columns import MappedFile, NumberReader, SpellingReader
from index.engines.whoosh.stock.stored_values import stored_values
from index.errors import IndexDamaged

DOCUMENTS = "documents"  # the kind of file that writers of Whoosh's make
STORED = "stored"


class Placed:
    """Positions in documents: those of each are a run of one array."""

    def __init__(self, starts: Array, ends: Array, positions: Array) -> None:
        self._starts, self._ends, self._positions = starts, ends, positions

    def __getitem__(self, at: int) -> list[int]:
        run = self._positions[self._starts[at] : self._ends[at]]
        return run.tolist()  # type: ignore[no-any-return]  # NumPy does not say


class Postings:
    """Where a term is.

    :ivar documents: ascending; ``weights`` and ``frequencies`` of each.
    :ivar placed: finds the positions; ``None`` where there are none.
    """

    def __init__(
        self,
        documents: Array,
        weights: Array,
        frequencies: Array,
        placed: Callable[[], Placed] | None = None,
    ) -> None:
        self.documents, self.weights = documents, weights
        self.frequencies = frequencies
        self._placed = placed

    @cached_property
    def positions(self) -> Placed | None:
        """The positions in each document."""
        return None if self._placed is None else self._placed()


class Words(ABC):
    """The terms of a field.

    :ivar terms: in the order of their bytes.
    """

    terms: Strings

    @abstractmethod
    def postings(self, number: int) -> Postings:
        """Return where a term is."""


class Contents(ABC):
    """What a segment holds.

    :ivar documents: how many, deleted or not.
    :ivar fields: the names of the fields that have terms, in order.
    """

    documents: int
    fields: Sequence[str]

    def __init__(self) -> None:
        self._words: dict[str, Words] = {}

    def words(self, field: str) -> Words | None:
        """Return the terms of a field, ``None`` if it has none."""
        if field not in self._words and field in self.fields:
            self._words[field] = self._read_words(field)
        return self._words.get(field)

    @abstractmethod
    def _read_words(self, field: str) -> Words:
        pass

    @abstractmethod
    def lengths(self, field: str) -> Array | None:
        """Return how long a field is in each document, ``None`` if that is not kept."""

    @abstractmethod
    def stored(self, document: int) -> dict[str, Any]:
        """Return the stored fields of a document."""

    @abstractmethod
    def has_column(self, field: str) -> bool:
        """Return whether a field has a value of each document."""

    @abstractmethod
    def column(self, field: str, column: Column) -> ColumnReader:
        """Return a new reader of a field's values, as a column type says they are."""


def contents_of(path: Path, name: str) -> Contents:
    """Return what the file of a segment holds.

    :raises IndexDamaged: it is not what was written.
    """
    file = ArraysFile(path)
    if "languages" in file.metadata:
        return ArticleContents(Segment(path, name))
    if file.metadata.get("kind") == DOCUMENTS:
        return DocumentContents(file)
    raise IndexDamaged(f"{path.name} is a file of an unknown kind")


# Segments of articles.


class ArticleContents(Contents):
    """A segment of ours: see :mod:`.segment`."""

    def __init__(self, segment: Segment) -> None:
        super().__init__()
        self._segment = segment
        self.documents = segment.documents
        names = (PARAGRAPH_WORDS, *LINE_FIELDS)
        found = [name for name in names if segment.field(name) is not None]
        self.fields = sorted([ID, *found]) if segment.articles else []

    def _read_words(self, field: str) -> Words:
        segment = self._segment
        if field == ID:
            return _Ids(segment)
        found = segment.field(field)
        assert found is not None, field
        if isinstance(found, ParagraphIndex):
            return _Forms(found, None)
        return _Forms(found, segment.first)

    def lengths(self, field: str) -> Array | None:
        segment = self._segment
        if field == PARAGRAPH_WORDS:
            return segment.lengths
        if field in LINE_FIELDS and field in self.fields:
            lengths: Array = segment.line_lengths(field)[segment.owner]
            return lengths
        return None

    def stored(self, document: int) -> dict[str, Any]:
        segment = self._segment
        article = int(segment.owner[document])
        return {
            ID: segment.article_id(article),
            VERSION: segment.version(article),
            "n": segment.paragraph_number(document),
        }

    def has_column(self, field: str) -> bool:
        return field in DATE_FIELD_NAMES or self._segment.values(field)[0] is not None

    def column(self, field: str, column: Column) -> ColumnReader:
        segment = self._segment
        default = column.default_value()
        if field in DATE_FIELD_NAMES:
            dates = segment.column(field)
            known = np.where(dates == NO_VALUE, default, dates)
            return NumberReader(known[segment.owner])
        spellings, articles, codes = segment.values(field)
        assert spellings is not None, field
        first = np.full(segment.articles, -1, np.int32)
        # Of several values the first: written last.
        first[articles[::-1]] = codes[::-1]
        return SpellingReader(spellings, first[segment.owner], default)


class _Forms(Words):
    """Surface forms: each is in the list of its stem, or in one for each language.

    :param first: each article's first document, where rows are articles.
    """

    def __init__(self, field: FieldIndex, first: Array | None) -> None:
        self.terms = field.terms
        self._field, self._first = field, first

    def postings(self, number: int) -> Postings:
        entries = self._field.entries(number)
        found = [self._rows(at, tag) for at, tag in entries]
        rows, frequencies = (np.concatenate(each) for each in zip(*found, strict=True))
        if len(entries) > 1:
            order = np.argsort(rows, kind="stable")
            rows, frequencies = rows[order], frequencies[order]
        documents, of_row = rows, np.arange(len(rows))
        if self._first is not None:
            counts = self._first[rows + 1] - self._first[rows]
            documents = expand_ranges(self._first[rows], counts)
            of_row = np.repeat(of_row, counts)

        def placed() -> Placed:
            ends = np.cumsum(frequencies, dtype=np.int64)
            starts = ends - frequencies
            return Placed(starts[of_row], ends[of_row], self._positions(entries))

        repeated = frequencies[of_row]
        return Postings(documents, repeated, repeated, placed)

    def _rows(self, number: int, tag: int) -> tuple[Array, Array]:
        """Return where one term of a list is: rows and frequencies."""
        rows, frequencies = self._field.postings(number)
        tags = self._field.tags(number)
        if tags is None:
            return rows, frequencies
        owners = np.repeat(rows, frequencies)[tags == tag]
        starts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
        return owners[starts], np.diff(np.append(starts, len(owners)))

    def _positions(self, entries: list[tuple[int, int]]) -> Array:
        """Return the positions of a term, by row."""
        rows, positions = [], []
        for number, tag in entries:
            owners = np.repeat(*self._field.postings(number))
            placed, tags = self._field.positions(number), self._field.tags(number)
            if tags is not None:
                inside = tags == tag
                owners, placed = owners[inside], placed[inside]
            rows.append(owners)
            positions.append(placed)
        found = np.concatenate(positions)
        if len(entries) > 1:
            found = found[np.argsort(np.concatenate(rows), kind="stable")]
        return found


class _Ids(Words):
    """The ids of articles: each is in all documents of one."""

    def __init__(self, segment: Segment) -> None:
        self.terms = segment.file.strings(f"{ID}/terms")
        self._articles = segment.file[f"{ID}/rows"]
        self._first = segment.first

    def postings(self, number: int) -> Postings:
        article = int(self._articles[number])
        low, high = self._first[article : article + 2].tolist()
        once = np.ones(high - low, np.uint8)
        return Postings(np.arange(low, high), once, once)


# Segments of documents.


class DocumentContents(Contents):
    """What a writer of Whoosh's wrote."""

    def __init__(self, file: ArraysFile) -> None:
        super().__init__()
        self._file = file
        self.documents = int(file.metadata[DOCUMENTS])
        end = "/terms"
        self.fields = sorted(name[: -len(end)] for name in file if name.endswith(end))
        self._stored = file.strings(STORED)

    def _read_words(self, field: str) -> Words:
        return _Terms(self._file, field)

    def lengths(self, field: str) -> Array | None:
        if f"{field}/lengths" not in self._file:
            return None
        return self._file[f"{field}/lengths"]

    def stored(self, document: int) -> dict[str, Any]:
        return stored_values(self._stored[document])

    def has_column(self, field: str) -> bool:
        return f"{field}/column" in self._file

    def column(self, field: str, column: Column) -> ColumnReader:
        view = self._file[f"{field}/column"].data
        mapped = MappedFile(view, field)
        return column.reader(mapped, 0, len(view), self.documents)


class _Terms(Words):
    """The terms of a field, whatever they are: each has its own postings."""

    def __init__(self, file: ArraysFile, field: str) -> None:
        self.terms = file.strings(f"{field}/terms")
        self._at = file[f"{field}/rows.at"]
        self._rows = file[f"{field}/rows"]
        self._weights = file[f"{field}/weights"]
        self._frequencies = file.get(f"{field}/frequencies", "<u4")
        self._positions_at = file.get(f"{field}/positions.at", "<u4")
        self._positions = file.get(f"{field}/positions", "<u4")
        self._placed = f"{field}/positions" in file
        self._counted = f"{field}/frequencies" in file

    def postings(self, number: int) -> Postings:
        low, high = self._at[number : number + 2].tolist()
        rows, weights = self._rows[low:high], self._weights[low:high]
        if self._placed:
            starts = self._positions_at[low:high]
            ends = self._positions_at[low + 1 : high + 1]
            placed = Placed(starts, ends, self._positions)
            return Postings(rows, weights, ends - starts, lambda: placed)
        if self._counted:
            return Postings(rows, weights, self._frequencies[low:high])
        return Postings(rows, weights, weights)
