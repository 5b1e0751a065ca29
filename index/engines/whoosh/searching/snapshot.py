"""A snapshot of the index: the segments of one generation, read as one.

Articles and documents are numbered through all segments, in order. With one segment
its own arrays serve, unread until they are needed. With several, the columns of
articles are concatenated, and posting lists stay where they are.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.access import NO_EMBARGO, NO_EXPIRY, shown
from index.article import PASSAGE_FIELDS
from index.deadline import Check
from index.engines.whoosh.files import (
    NO_VALUE,
    VALUE_FIELDS,
    Array,
    Ints,
    Mask,
    Segment,
    cached,
    expand_ranges,
)
from index.engines.whoosh.searching.keyword_column import FoldedValues, KeywordColumn
from index.query import FieldStatistics

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
    :ivar latest_collection: kept by :func:`.collection.collection_at`.
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
        self.latest_collection: object | None = None
        self._closed = False
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
        """Drop what is cached for later searches: there is a newer snapshot.

        Searches in progress go on; what they compute is used by them alone.
        """
        with self._lock:
            self._closed, self.latest_collection = True, None
        cache = self._memo.get(POSTING_CACHE)
        if isinstance(cache, Closable):
            cache.close()

    def keep_collection(self, collection: object) -> None:
        """Keep the collection of the latest searches, which refers to the snapshot."""
        with self._lock:
            if not self._closed:
                self.latest_collection = collection

    def cache_bytes(self) -> int:
        """Memory that cached posting lists and what is read of dictionaries take."""
        cache = self._memo.get(POSTING_CACHE)
        lists = cache.bytes if isinstance(cache, Closable) else 0
        return lists + sum(segment.cache_bytes() for segment in self.segments)

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
    def largest(self) -> int:
        """Number of documents of the largest article."""
        return int(self.sizes.max(initial=0))

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

    # Columns of documents. Segments are not joined: few searches need many documents.

    def owners_of(self, documents: Array) -> Array:
        """Article of each of some documents.

        :param documents: ascending.
        """
        if len(self.segments) == 1:
            return self.segments[0].owner.take(documents)
        cuts = documents.searchsorted(np.array(self.document_bases, documents.dtype))
        parts = [
            segment.owner.take(documents[low:high] - np.int32(first)) + np.int32(base)
            for (segment, base, first), low, high in zip(
                self.segments_with_bases(), cuts, cuts[1:], strict=False
            )
        ]
        return _concatenated(parts, np.dtype(np.int32))

    def documents_of(self, articles: Array) -> Array:
        """Documents of some articles.

        :param articles: ascending.
        """
        counts = self.sizes.take(articles)
        documents = expand_ranges(self.first.take(articles), counts)
        return documents.astype(np.int32)

    def passages_of(self, documents: Ints) -> Array:
        """Passage field of some documents, as positions in ``PASSAGE_FIELDS``."""
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

    def numbers_of(self, ids: Iterable[str]) -> Array:
        """Numbers of the live articles among these ids, ascending."""
        numbers = [number for id_ in ids if (number := self.find(id_)) >= 0]
        return np.array(sorted(numbers), np.int32)

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

    # Lengths of fields, and what statistics follow from: of all articles, live or not.

    @cached
    def live_articles(self) -> int:
        """Number of live articles."""
        return int(np.count_nonzero(self.live))

    def field_totals(self, name: str) -> FieldStatistics:
        """Statistics of a field over all articles, the deleted ones included."""

        def compute() -> FieldStatistics:
            lengths = self.all_field_lengths(name)
            paragraphs = 0
            if name in PASSAGE_FIELDS:
                paragraphs = int(self._passage_column(name, "counts").sum())
            return FieldStatistics(
                articles=int(np.count_nonzero(lengths)),
                words=int(lengths.sum()),
                paragraphs=paragraphs,
            )

        return self.memoized(("field totals", name), compute)

    def field_statistics_of(self, name: str, articles: Array) -> FieldStatistics:
        """Statistics of a field over some articles.

        :param articles: ascending.
        """
        of_articles = of_words = paragraphs = 0
        cuts = articles.searchsorted(np.asarray(self.article_bases, articles.dtype))
        for segment, low, high, base in zip(
            self.segments, cuts, cuts[1:], self.article_bases, strict=False
        ):
            if low == high:
                continue
            inside = articles[low:high] - base
            if name in PASSAGE_FIELDS:
                lengths = segment.passage_column(name, "lengths").take(inside)
                counts = segment.passage_column(name, "counts").take(inside)
                paragraphs += int(counts.sum(dtype=np.int64))
            else:
                lengths = segment.line_lengths(name).take(inside)
            of_articles += int(np.count_nonzero(lengths))
            of_words += int(lengths.sum(dtype=np.int64))
        return FieldStatistics(
            articles=of_articles, words=of_words, paragraphs=paragraphs
        )

    def field_lengths(self, name: str) -> Array:
        """Length of a field, by article, in words."""
        return self.memoized(
            ("field lengths", name),
            lambda: self.all_field_lengths(name).astype(np.int32),
        )

    def all_field_lengths(self, name: str) -> Ints:
        """:meth:`field_lengths` as 64-bit integers, computed anew each time."""
        if name in PASSAGE_FIELDS:
            return self._passage_column(name, "lengths")
        parts = [segment.line_lengths(name) for segment in self.segments]
        return _concatenated(parts, np.dtype(np.int64)).astype(np.int64)

    def _passage_column(self, name: str, what: str) -> Ints:
        parts = [segment.passage_column(name, what) for segment in self.segments]
        return _concatenated(parts, np.dtype(np.int64)).astype(np.int64)


def _concatenated(parts: Sequence[Array], empty: np.dtype[Any]) -> Array:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, empty)


def _bases(sizes: Sequence[int]) -> list[int]:
    bases = [0]
    for size in sizes:
        bases.append(bases[-1] + size)
    return bases
