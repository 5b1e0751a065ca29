"""The contents of a segment, document by document, written by us or by Whoosh.

Our engine writes segments of articles: a document is a paragraph, and the own words,
values and dates of an article belong to each of its paragraphs. Whoosh's writers write
segments of documents through the codec: :mod:`.writing` has their format.
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
from index.engines.whoosh.stock.columns import MappedFile, NumberReader, StringReader
from index.engines.whoosh.stock.stored_values import stored_values
from index.errors import IndexDamaged

DOCUMENTS = "documents"  # the kind of segment that Whoosh's writers write
STORED = "stored"


class PositionLists:
    """Positions of a term: those of each document are a run of one array."""

    def __init__(self, starts: Array, ends: Array, positions: Array) -> None:
        self._starts, self._ends, self._positions = starts, ends, positions

    def __getitem__(self, at: int) -> list[int]:
        run = self._positions[self._starts[at] : self._ends[at]]
        return run.tolist()  # type: ignore[no-any-return]  # NumPy does not say


class Postings:
    """The posting list of a term.

    :param documents: ascending; ``weights`` and ``frequencies`` of each.
    :param read_positions: reads the positions; ``None`` if none are stored.
    """

    def __init__(
        self,
        documents: Array,
        weights: Array,
        frequencies: Array,
        read_positions: Callable[[], PositionLists] | None = None,
    ) -> None:
        self.documents, self.weights = documents, weights
        self.frequencies = frequencies
        self._read_positions = read_positions

    @cached_property
    def positions(self) -> PositionLists | None:
        """Positions in each document."""
        return None if self._read_positions is None else self._read_positions()


class FieldTerms(ABC):
    """The term dictionary of a field.

    :ivar terms: in the order of their bytes.
    """

    terms: Strings

    @abstractmethod
    def postings(self, number: int) -> Postings:
        """Posting list of a term."""


class Contents(ABC):
    """The contents of a segment.

    :ivar documents: number of documents, deleted ones included.
    :ivar fields: names of the fields that have terms, in order.
    """

    documents: int
    fields: Sequence[str]

    def __init__(self) -> None:
        self._terms: dict[str, FieldTerms] = {}

    def terms(self, field: str) -> FieldTerms | None:
        """Term dictionary of a field, ``None`` if it has no terms."""
        if field not in self._terms and field in self.fields:
            self._terms[field] = self._read_terms(field)
        return self._terms.get(field)

    @abstractmethod
    def _read_terms(self, field: str) -> FieldTerms:
        pass

    @abstractmethod
    def lengths(self, field: str) -> Array | None:
        """Length of a field in each document, ``None`` if it is not stored."""

    @abstractmethod
    def stored(self, document: int) -> dict[str, Any]:
        """Stored fields of a document."""

    @abstractmethod
    def has_column(self, field: str) -> bool:
        """Whether a field has a column."""

    @abstractmethod
    def column(self, field: str, column: Column) -> ColumnReader:
        """New reader of a field's column, as its column type reads it."""


def contents_of(path: Path, name: str) -> Contents:
    """Contents of the file of a segment.

    :raises IndexDamaged: the file is damaged.
    """
    file = ArraysFile(path)
    if "languages" in file.metadata:
        return ArticleContents(Segment(path, name))
    if file.metadata.get("kind") == DOCUMENTS:
        return DocumentContents(file)
    raise IndexDamaged(f"{path.name} is a file of an unknown kind")


# Segments of articles.


class ArticleContents(Contents):
    """A segment of our engine; see :class:`index.engines.whoosh.files.Segment`."""

    def __init__(self, segment: Segment) -> None:
        super().__init__()
        self._segment = segment
        self.documents = segment.documents
        names = (PARAGRAPH_WORDS, *LINE_FIELDS)
        indexed = [name for name in names if segment.field(name) is not None]
        self.fields = sorted([ID, *indexed]) if segment.articles else []

    def _read_terms(self, field: str) -> FieldTerms:
        segment = self._segment
        if field == ID:
            return _Ids(segment)
        index = segment.field(field)
        assert index is not None, field
        if isinstance(index, ParagraphIndex):
            return _SurfaceForms(index, None)
        return _SurfaceForms(index, segment.first)

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
            filled = np.where(dates == NO_VALUE, default, dates)
            return NumberReader(filled[segment.owner])
        values, articles, codes = segment.values(field)
        assert values is not None, field
        first = np.full(segment.articles, -1, np.int32)
        # The first of several values wins, since it is assigned last.
        first[articles[::-1]] = codes[::-1]
        return StringReader(values, first[segment.owner], default)


class _SurfaceForms(FieldTerms):
    """Surface forms: each is in the posting list of its stem, one for each language.

    :param first: first document of each article, if rows are articles.
    """

    def __init__(self, field: FieldIndex, first: Array | None) -> None:
        self.terms = field.terms
        self._field, self._first = field, first

    def postings(self, number: int) -> Postings:
        entries = self._field.entries(number)
        parts = [self._postings(number, tag) for number, tag in entries]
        rows, frequencies = (np.concatenate(each) for each in zip(*parts, strict=True))
        if len(entries) > 1:
            order = np.argsort(rows, kind="stable")
            rows, frequencies = rows[order], frequencies[order]
        documents, row_of = rows, np.arange(len(rows))
        if self._first is not None:
            counts = self._first[rows + 1] - self._first[rows]
            documents = expand_ranges(self._first[rows], counts)
            row_of = np.repeat(row_of, counts)

        def read_positions() -> PositionLists:
            ends = np.cumsum(frequencies, dtype=np.int64)
            starts = ends - frequencies
            return PositionLists(starts[row_of], ends[row_of], self._positions(entries))

        repeated = frequencies[row_of]
        return Postings(documents, repeated, repeated, read_positions)

    def _postings(self, number: int, tag: int) -> tuple[Array, Array]:
        """Rows and frequencies of one term of a posting list."""
        rows, frequencies = self._field.postings(number)
        tags = self._field.tags(number)
        if tags is None:
            return rows, frequencies
        owners = np.repeat(rows, frequencies)[tags == tag]
        starts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
        return owners[starts], np.diff(np.append(starts, len(owners)))

    def _positions(self, entries: list[tuple[int, int]]) -> Array:
        """Positions of a term, by row."""
        rows, positions = [], []
        for number, tag in entries:
            owners = np.repeat(*self._field.postings(number))
            at, tags = self._field.positions(number), self._field.tags(number)
            if tags is not None:
                matches = tags == tag
                owners, at = owners[matches], at[matches]
            rows.append(owners)
            positions.append(at)
        joined = np.concatenate(positions)
        if len(entries) > 1:
            joined = joined[np.argsort(np.concatenate(rows), kind="stable")]
        return joined


class _Ids(FieldTerms):
    """Ids of articles: each is in all documents of its article."""

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
    """A segment that one of Whoosh's writers wrote."""

    def __init__(self, file: ArraysFile) -> None:
        super().__init__()
        self._file = file
        self.documents = int(file.metadata[DOCUMENTS])
        end = "/terms"
        self.fields = sorted(name[: -len(end)] for name in file if name.endswith(end))
        self._stored = file.strings(STORED)

    def _read_terms(self, field: str) -> FieldTerms:
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


class _Terms(FieldTerms):
    """Terms of any kind: each has a posting list of its own."""

    def __init__(self, file: ArraysFile, field: str) -> None:
        self.terms = file.strings(f"{field}/terms")
        self._at = file[f"{field}/rows.at"]
        self._rows = file[f"{field}/rows"]
        self._weights = file[f"{field}/weights"]
        self._frequencies = file.get(f"{field}/frequencies", "<u4")
        self._positions_at = file.get(f"{field}/positions.at", "<u4")
        self._positions = file.get(f"{field}/positions", "<u4")
        self._has_positions = f"{field}/positions" in file
        self._has_frequencies = f"{field}/frequencies" in file

    def postings(self, number: int) -> Postings:
        low, high = self._at[number : number + 2].tolist()
        rows, weights = self._rows[low:high], self._weights[low:high]
        if self._has_positions:
            starts = self._positions_at[low:high]
            ends = self._positions_at[low + 1 : high + 1]
            positions = PositionLists(starts, ends, self._positions)
            return Postings(rows, weights, ends - starts, lambda: positions)
        if self._has_frequencies:
            return Postings(rows, weights, self._frequencies[low:high])
        return Postings(rows, weights, weights)
