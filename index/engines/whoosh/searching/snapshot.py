"""A snapshot of the index: the segments of one generation, read as one.

Articles and documents are numbered through all segments, in order. With one segment
its own arrays serve, unread until they are needed. With several, the columns of
articles are concatenated, and posting lists stay where they are.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.access import NO_EMBARGO, NO_EXPIRY, shown
from index.article import FIELD_BY_NAME, PASSAGE_FIELDS
from index.deadline import Check
from index.engines import ranking
from index.engines.whoosh.files import (
    MAIN_FIELD_NUMBER,
    NO_VALUE,
    VALUE_FIELDS,
    Array,
    Ints,
    Mask,
    Segment,
    cached,
)
from index.engines.whoosh.searching.keyword_column import FoldedValues, KeywordColumn
from index.query import FieldStatistics, paragraph_statistics

Floats = NDArray[np.float64]
T = TypeVar("T")

# Memo key of the cache of posting lists.
POSTING_CACHE = "posting cache"
_MANY = 2_000  # ids to rank at a time, above which all of a snapshot are ranked once


@runtime_checkable
class Closable(Protocol):
    """A cache whose entries refer to the snapshot, in a reference cycle."""

    @property
    def bytes(self) -> int:
        """Memory in use."""

    def close(self) -> None:
        """Drop all entries, and with them the references to the snapshot."""


class IndexSnapshot:
    """One generation of the index, its segments joined; it never changes.

    :ivar live: which articles are live: the others were replaced or deleted.
    :ivar article_bases: first article of each segment, then the number of all articles;
        ``document_bases`` likewise.
    """

    def __init__(self, segments: Sequence[tuple[Segment, Mask]], seq: int) -> None:
        """Join segments.

        :param segments: each with the bitmap of its live documents.
        """
        self.seq = seq
        self.segments = [segment for segment, _ in segments]
        self.article_bases = _bases([segment.articles for segment in self.segments])
        self.document_bases = _bases([segment.documents for segment in self.segments])
        self.articles, self.documents = self.article_bases[-1], self.document_bases[-1]
        self.live: Mask = _concatenated(
            [live[segment.first[:-1]] for segment, live in segments], np.dtype(bool)
        )
        self.all_live = bool(self.live.all())
        self._memo: dict[object, Any] = {}
        self._shown: dict[bool, tuple[int, Mask, bool]] = {}
        self._lock = threading.Lock()

    def memoized(self, key: object, compute: Callable[[], T]) -> T:
        """Value stored under a key, computed at first use."""
        value: T | None = self._memo.get(key)
        if value is not None:
            return value
        computed = compute()
        with self._lock:
            stored: T = self._memo.setdefault(key, computed)
        return stored

    def close(self) -> None:
        """Drop the posting lists cached for later searches: there is a newer snapshot.

        Searches in progress go on; what they compute is used by them alone.
        """
        cache = self._memo.get(POSTING_CACHE)
        if isinstance(cache, Closable):
            cache.close()

    def cache_bytes(self) -> int:
        """Memory that cached posting lists take."""
        cache = self._memo.get(POSTING_CACHE)
        return cache.bytes if isinstance(cache, Closable) else 0

    def segments_with_bases(self) -> Iterator[tuple[Segment, int, int]]:
        """Each segment, with the numbers of its first article and first document."""
        yield from zip(
            self.segments, self.article_bases, self.document_bases, strict=False
        )

    # Columns of articles.

    def column(self, name: str) -> Array:
        """Numeric column of a field: one value per article, as it is stored."""
        return self.memoized(
            name,
            lambda: _concatenated(
                [segment.column(name) for segment in self.segments], np.dtype(np.int64)
            ),
        )

    @cached
    def first(self) -> Array:
        """First document of each article, then the number of all documents."""
        parts = [
            segment.first[:-1] + np.int32(base) if base else segment.first[:-1]
            for segment, _, base in self.segments_with_bases()
        ]
        if len(parts) == 1:
            return self.segments[0].first
        return np.append(
            _concatenated(parts, np.dtype(np.int32)), np.int32(self.documents)
        )

    @cached
    def document_ranges(self) -> Array:
        """First document of each article (row 0), end of its documents (row 1)."""
        return np.stack([self.first[:-1], self.first[1:]])

    @cached
    def sizes(self) -> Array:
        """Number of documents of each article."""
        return np.diff(self.first)

    @cached
    def first_n(self) -> Array:
        """Number of each article's first paragraph: 0, or 1 without a headline."""
        return self.column("first_n")

    def paragraph_numbers(self, articles: Array, documents: Array) -> Ints:
        """Numbers of documents as paragraphs of their articles."""
        numbers: Ints = documents - self.first[articles] + self.first_n[articles]
        return numbers

    def date_keys(self, name: str, *, oldest: bool) -> Ints:
        """Ascending sort keys of a date, by article; unknown dates sort last.

        :param oldest: oldest first; else newest first.
        """

        def compute() -> Ints:
            dates = self.column(name)
            known = dates if oldest else -dates
            return np.where(dates == NO_VALUE, np.iinfo(np.int64).max, known)

        return self.memoized(("date keys", name, oldest), compute)

    def keyword_column(self, name: str) -> KeywordColumn:
        """Values of a keyword or integer field."""
        assert name in VALUE_FIELDS, name
        return self.memoized(
            ("keyword column", name),
            lambda: KeywordColumn(
                name,
                [segment.values(name) for segment in self.segments],
                self.article_bases,
                self.articles,
            ),
        )

    def folded_values(self, name: str, check: Check) -> FoldedValues:
        """Values of a keyword or integer field without accents and case."""
        return self.memoized(
            ("folded values", name),
            lambda: FoldedValues(self.keyword_column(name), check),
        )

    # Columns of documents: only some searches need them for all segments at once.

    @cached
    def owner(self) -> Array:
        """Article of each document."""
        parts = [
            segment.owner + np.int32(base) if base else segment.owner
            for segment, base, _ in self.segments_with_bases()
        ]
        return _concatenated(parts, np.dtype(np.int32))

    @cached
    def passage(self) -> Array:
        """Passage field of each document, as a position in ``PASSAGE_FIELDS``."""
        return _concatenated(
            [segment.passage for segment in self.segments], np.dtype("u1")
        )

    @cached
    def lengths(self) -> Array:
        """Length of each document, in words."""
        return _concatenated(
            [segment.lengths for segment in self.segments], np.dtype("u1")
        )

    def passages_of(self, documents: Ints) -> Array:
        """:attr:`passage` of some documents."""
        return self._taken(documents, lambda segment: segment.passage)

    def lengths_of(self, documents: Ints) -> Array:
        """Lengths of some documents, in words."""
        return self._taken(documents, lambda segment: segment.lengths)

    def _taken(self, documents: Ints, column: Callable[[Segment], Array]) -> Array:
        """Values of a document column at some documents, without joining segments."""
        if len(self.segments) == 1:
            return column(self.segments[0]).take(documents)
        values = np.zeros(len(documents), np.int64)
        for segment, _, base in self.segments_with_bases():
            inside = (documents >= base) & (documents < base + segment.documents)
            if inside.any():
                values[inside] = column(segment)[documents[inside] - base]
        return values

    # Articles by id, and ids by article.

    def find(self, article_id: str) -> int:
        """Number of the live article with an id; -1 if there is none."""
        for segment, base, _ in self.segments_with_bases():
            number = segment.find(article_id)
            if number >= 0 and self.live[base + number]:
                return base + number
        return -1

    def located(self, article: int) -> tuple[Segment, int]:
        """Segment of an article, and its number there."""
        at = bisect.bisect_right(self.article_bases, article) - 1
        return self.segments[at], article - self.article_bases[at]

    def article_id(self, article: int) -> str:
        """Id of an article."""
        segment, number = self.located(article)
        return segment.article_id(number)

    def article_ids(self, articles: Array) -> list[str]:
        """Ids of articles."""
        if len(self.segments) == 1:
            return self.segments[0].article_ids(articles)
        return [self.article_id(article) for article in articles.tolist()]

    def versions(self, articles: Array) -> list[str]:
        """Versions of articles."""
        if len(self.segments) == 1:
            return self.segments[0].versions(articles)
        versions = []
        for article in articles.tolist():
            segment, number = self.located(article)
            versions.append(segment.version(number))
        return versions

    def id_ranks(self, articles: Array) -> Ints:
        """Ranks of articles in the order of their ids: sort keys."""
        if len(self.segments) == 1:
            return self.segments[0].id_ranks[articles].astype(np.int64)
        if len(articles) > _MANY:
            return self._all_id_ranks.take(articles)
        ids = [self.article_id(article) for article in articles.tolist()]
        ranks = {article_id: at for at, article_id in enumerate(sorted(set(ids)))}
        return np.array([ranks[article_id] for article_id in ids], np.int64)

    @cached
    def _all_id_ranks(self) -> Ints:
        """Rank of every article in the order of ids."""
        ids = [
            article_id
            for segment in self.segments
            for article_id in segment.article_ids(np.arange(segment.articles))
        ]
        ranks = {article_id: at for at, article_id in enumerate(sorted(set(ids)))}
        return np.array([ranks[article_id] for article_id in ids], np.int64)

    def compare_ids(self, articles: Array, article_id: str) -> tuple[Mask, Mask]:
        """Which articles have an id greater than this one, and which have this id."""
        greater, equal = np.zeros(len(articles), bool), np.zeros(len(articles), bool)
        for segment, base, _ in self.segments_with_bases():
            inside = (articles >= base) & (articles < base + segment.articles)
            places = segment.id_ranks[articles[inside] - base]
            place = segment.id_rank(article_id)
            has = segment.find(article_id) >= 0
            equal[inside] = (places == place) & has
            greater[inside] = places > place if has else places >= place
        return greater, equal

    # Visibility.

    def shown_at(self, now: int, *, held: bool = False) -> tuple[Mask, bool]:
        """Bitmap of articles that are live and shown at an instant; whether it is full.

        The bitmap is read-only. It changes only when an embargo ends or an article
        expires, and is computed again only then.

        :param now: microseconds since 1970 UTC.
        :param held: for a reader who also sees withheld and embargoed articles.
        """
        turn = bisect.bisect_right(self._turns, now)
        entry = self._shown.get(held)
        if entry is None or entry[0] != turn:
            mask: Mask = self.live & shown(
                self.column("status"),
                self.column("embargoed_until"),
                self.column("expires"),
                now,
                held=held,
            )
            entry = self._shown[held] = (turn, mask, bool(mask.all()))
        return entry[1:]

    @cached
    def _turns(self) -> list[int]:
        """Instants at which an embargo ends or an article expires, ascending."""
        embargoes, expiries = self.column("embargoed_until"), self.column("expires")
        turns: list[int] = np.unique(
            np.concatenate(
                [embargoes[embargoes != NO_EMBARGO], expiries[expiries != NO_EXPIRY]]
            )
        ).tolist()
        return turns

    # Collection statistics: of live articles, whatever the query and the reader.

    @cached
    def live_articles(self) -> int:
        """Number of live articles."""
        return int(np.count_nonzero(self.live))

    def field_norms(self, name: str) -> Floats:
        """BM25F norm of a field, by article: the weight of one occurrence there."""
        if name in PASSAGE_FIELDS:
            row: Floats = self.passage_norms[PASSAGE_FIELDS.index(name)]
            return row
        return self.memoized(("field norms", name), lambda: self._field_norms(name))

    def _field_norms(self, name: str) -> Floats:
        mean = self.field_statistics(name).mean_length
        weight = FIELD_BY_NAME[name].weight
        norms: Floats = ranking.field_frequency(
            1.0, self._field_lengths(name), mean, weight
        )
        return norms

    def field_statistics(self, name: str) -> FieldStatistics:
        """Statistics of a field."""

        def compute() -> FieldStatistics:
            lengths = self._field_lengths(name)
            present = lengths[self.live & (lengths > 0)]
            paragraphs = 0
            if name in PASSAGE_FIELDS:
                counts = self._passage_column(name, "counts")
                paragraphs = int(counts[self.live].sum())
            return FieldStatistics(
                articles=len(present), words=int(present.sum()), paragraphs=paragraphs
            )

        return self.memoized(("field statistics", name), compute)

    def statistics_of(self, names: tuple[str, ...]) -> Mapping[str, FieldStatistics]:
        """Statistics of several fields, by name."""
        return self.memoized(
            ("statistics", names),
            lambda: {name: self.field_statistics(name) for name in names},
        )

    def field_lengths(self, name: str) -> Array:
        """Length of a field, by article, in words."""
        return self.memoized(
            ("field lengths", name), lambda: self._field_lengths(name).astype(np.int32)
        )

    @cached
    def passage_norms(self) -> Floats:
        """:meth:`field_norms` of every passage field, one row per field."""
        norms = np.empty((len(PASSAGE_FIELDS), self.articles))
        for row, name in zip(norms, PASSAGE_FIELDS, strict=True):
            row[:] = self._field_norms(name)
        return norms

    def _field_lengths(self, name: str) -> Ints:
        if name in PASSAGE_FIELDS:
            return self._passage_column(name, "lengths")
        parts = [segment.line_lengths(name) for segment in self.segments]
        return _concatenated(parts, np.dtype(np.int64)).astype(np.int64)

    def _passage_column(self, name: str, what: str) -> Ints:
        parts = [segment.passage_column(name, what) for segment in self.segments]
        return _concatenated(parts, np.dtype(np.int64)).astype(np.int64)

    def document_norms(self, passages: Array, owners: Ints) -> Floats:
        """:meth:`field_norms` of some documents' fields in their articles.

        :param passages: the field of each, as a position in ``PASSAGE_FIELDS``.
        """
        # Rows are end to end: one index is looked up faster than two.
        at = passages.astype(np.int64)
        at *= self.articles
        at += owners
        norms: Floats = self.passage_norms.ravel().take(at)
        return norms

    def main_field_norms(self) -> Array:
        """:meth:`field_norms` of the main field, in the single precision of bounds."""
        return self.memoized(
            "main field norms",
            lambda: self.passage_norms[MAIN_FIELD_NUMBER].astype(np.float32),
        )

    def document_statistics(self, passages: tuple[str, ...]) -> tuple[int, float]:
        """Number of live documents in these passage fields, and their mean length."""

        return self.memoized(
            ("document statistics", passages),
            lambda: paragraph_statistics(map(self.field_statistics, passages)),
        )


def _concatenated(parts: Sequence[Array], empty: np.dtype[Any]) -> Array:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, empty)


def _bases(sizes: Sequence[int]) -> list[int]:
    bases = [0]
    for size in sizes:
        bases.append(bases[-1] + size)
    return bases
