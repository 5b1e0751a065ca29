"""Posting lists of a query's leaves, over all segments of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from index.engines import ranking
from index.engines.whoosh.files import (
    MAIN_FIELD,
    SIDE_FIELDS,
    Array,
    ArticlePostings,
    Ints,
    Mask,
    cached,
    expand_ranges,
)
from index.engines.whoosh.searching.collection import Collection
from index.engines.whoosh.searching.norms import Norms
from index.engines.whoosh.searching.row_set import places_of_common, union_of
from index.engines.whoosh.searching.segment_postings import SegmentPostings
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.unions import Postings
from index.query import LeafStatistics, Places

_PARAGRAPH_MASK = "_paragraph_mask"
_WEIGHTS = "_weights"
_SHED = (_PARAGRAPH_MASK, _WEIGHTS, "ends", "rows")
_OBJECT_BYTES = 2_000  # of posting lists without their arrays
# If a list is this many times as long as the articles to look up, a binary search for
# each article costs less than a bitmap of the list.
_SPARSE = 8
# In more than one of so many articles, upper bounds are added to those of all.
_DENSE = 4


@dataclass(slots=True)
class LeafWeights:
    """Weights of a leaf by the statistics of one collection.

    :ivar collection: the identity of the collection.
    :ivar upper_bounds: once they are computed; see
        :meth:`LeafPostings.upper_bounds_by`.
    :ivar by_number: the same by number of the article, once they are computed.
    """

    collection: object
    statistics: LeafStatistics
    article_idf: float
    document_idf: float
    upper_bounds: Array | None = None
    by_number: Array | None = None


class LeafPostings:
    """The posting list of one leaf of a query.

    Articles and rows are numbers of the snapshot; rows are documents. What is derived
    from the segments' lists is computed when it is first needed.

    :ivar places: fields in which the leaf is searched.
    :ivar lines: for each article field with a match: the articles, ascending, and the
        leaf's frequency in each.
    :ivar expands_in: identity of the collection with whose words a prefix, wildcard or
        fuzzy term is not too broad; ``None`` if it is so with those of all articles.
    """

    def __init__(
        self,
        snapshot: IndexSnapshot,
        places: Places,
        by_segment: Sequence[SegmentPostings],
    ) -> None:
        self._snapshot, self.places = snapshot, places
        self.expands_in: object | None = None
        self._parts = [segment.paragraphs for segment in by_segment]
        self.lines: dict[str, Postings] = {}
        # In one order, whatever the segments: sums of floats depend on it.
        for name in places.lines:
            parts = [
                (segment.lines[name], base)
                for segment, base in zip(
                    by_segment, snapshot.article_bases, strict=False
                )
                if name in segment.lines
            ]
            if parts:
                self.lines[name] = Postings(
                    np.concatenate([line.rows + base for line, base in parts]),
                    np.concatenate([line.frequencies for line, _ in parts]),
                )

    # By article.

    @cached
    def _by_article(self) -> list[ArticlePostings]:
        return [part.articles for part in self._parts]

    def _concatenated(self, column: Callable[[ArticlePostings], Array]) -> Array:
        parts = [column(part) for part in self._by_article]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    @cached
    def articles(self) -> Array:
        """Articles with a matching paragraph, ascending."""
        if len(self._parts) == 1:
            return self._by_article[0].articles
        bases = self._snapshot.article_bases
        parts = [
            part.articles + np.int32(base)
            for part, base in zip(self._by_article, bases, strict=False)
            if len(part.articles)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    @cached
    def paragraph_counts(self) -> Array:
        """Number of matching paragraphs in each of :attr:`articles`."""
        return self._concatenated(lambda part: part.paragraph_counts)

    @cached
    def ends(self) -> Array:
        """End, among :attr:`rows`, of the documents of each of :attr:`articles`."""
        if len(self._parts) == 1:
            return self._parts[0].ends
        return self.paragraph_counts.cumsum(dtype=np.int32)

    @cached
    def totals(self) -> Array:
        """Frequency in all paragraphs of each of :attr:`articles`."""
        return self._concatenated(lambda part: part.frequencies)

    @cached
    def impacts(self) -> Array:
        """Bound of the best paragraph of each of :attr:`articles`.

        Its highest frequency and shortest length; see ``ArticlePostings.impacts``.
        """
        return self._concatenated(lambda part: part.impacts)

    @cached
    def side(self) -> dict[str, tuple[Array, Array]]:
        """The share of :attr:`totals` in each passage field but the main one.

        By field: the articles that have the leaf there, and its frequency in each.
        """
        side = {}
        for name in SIDE_FIELDS:
            parts = [
                (part.side_fields[name][0] + np.int32(base), part.side_fields[name][1])
                for part, base in zip(
                    self._by_article, self._snapshot.article_bases, strict=False
                )
                if name in part.side_fields
            ]
            if len(parts) == 1:
                side[name] = parts[0]
            elif parts:
                articles, frequencies = zip(*parts, strict=True)
                side[name] = np.concatenate(articles), np.concatenate(frequencies)
        return side

    @cached
    def all_articles(self) -> Array:
        """Articles that match in any searched field, ascending."""
        if not self.lines:
            return self.articles
        return np.flatnonzero(self.mask)

    def __len__(self) -> int:
        return len(self.all_articles)

    # Memory, for the cache.

    @property
    def computed(self) -> int:
        """Number of attributes computed so far; while it is the same, bytes are too."""
        attributes = sum(len(part.__dict__) for part in self._parts)
        return len(self.__dict__) + attributes + len(self._kept_bounds)

    @property
    def bytes(self) -> int:
        """Approximate memory in use, without what is mapped from files."""
        # Another thread may add an attribute meanwhile.
        attributes = list(self.__dict__.values())
        arrays = [value for value in attributes if isinstance(value, np.ndarray)]
        arrays += self._kept_bounds
        for part in self._parts:
            arrays += part.arrays
        for line in self.lines.values():
            arrays += (line.rows, line.frequencies)
        # Several attributes may share an array.
        own = {id(array): array.nbytes for array in arrays if array.flags.owndata}
        return _OBJECT_BYTES + sum(own.values())

    @property
    def _kept_bounds(self) -> list[Array]:
        weights: LeafWeights | None = self.__dict__.get(_WEIGHTS)
        if weights is None:
            return []
        kept = weights.upper_bounds, weights.by_number
        return [bounds for bounds in kept if bounds is not None]

    def shed(self) -> None:
        """Drop what takes much memory and little time to compute again."""
        for name in _SHED:
            self.__dict__.pop(name, None)
        for part in self._parts:
            part.shed()

    # Membership.

    def contains(self, articles: Array) -> Mask:
        """Which of some articles match in any searched field.

        :param articles: ascending.
        """
        all_articles = self.all_articles
        if len(articles) * _SPARSE > len(all_articles) or not len(all_articles):
            return np.asarray(self.mask.take(articles))
        at = all_articles.searchsorted(articles.astype(all_articles.dtype, copy=False))
        at[at == len(all_articles)] = 0
        return np.asarray(all_articles.take(at) == articles)

    @property
    def paragraph_mask(self) -> Mask:
        """Bitmap of the articles with a matching paragraph; read-only."""
        mask: Mask | None = self.__dict__.get(_PARAGRAPH_MASK)
        if mask is None:
            mask = np.zeros(self._snapshot.articles, bool)
            mask[self.articles] = True
            # With few articles it is quick to make and costly to keep.
            if len(self.articles) * _SPARSE > len(mask):
                self.__dict__[_PARAGRAPH_MASK] = mask
        return mask

    @property
    def mask(self) -> Mask:
        """Bitmap of the articles that match in any searched field; read-only."""
        mask = self.paragraph_mask
        if not self.lines:
            return mask
        mask = mask.copy()
        for line in self.lines.values():
            mask[line.rows] = True
        return mask

    # Statistics.

    def weights(self, collection: Collection) -> LeafWeights:
        """Weights of the leaf by the statistics of a collection.

        Those of the latest collection are kept.
        """
        weights: LeafWeights | None = self.__dict__.get(_WEIGHTS)
        if weights is None or weights.collection is not collection.identity:
            statistics = self._statistics_in(collection)
            count, _ = collection.document_statistics(self.places.passages)
            weights = self.__dict__[_WEIGHTS] = LeafWeights(
                collection=collection.identity,
                statistics=statistics,
                article_idf=float(
                    ranking.idf(collection.articles, statistics.articles)
                ),
                document_idf=float(ranking.idf(count, statistics.paragraphs)),
            )
        return weights

    def _statistics_in(self, collection: Collection) -> LeafStatistics:
        """Document frequencies among the articles of a collection."""
        articles, uncounted = self.articles, collection.uncounted
        if len(uncounted) * _SPARSE <= len(articles):
            few = self.statistics_of(uncounted)
            return LeafStatistics(
                len(self.all_articles) - few.articles,
                self.document_count - few.paragraphs,
            )
        inside = collection.counted.take(articles)
        counted = int(np.count_nonzero(inside))
        if self.lines:
            counted = int(np.count_nonzero(collection.counted.take(self.all_articles)))
        paragraphs = int(self.paragraph_counts.compress(inside).sum(dtype=np.int64))
        return LeafStatistics(counted, paragraphs)

    def statistics_of(self, articles: Array) -> LeafStatistics:
        """Document frequencies among some articles.

        :param articles: ascending.
        """
        if not len(articles):
            return LeafStatistics(0, 0)
        at = places_of_common(self.articles, articles)
        paragraphs = int(self.paragraph_counts.take(at).sum(dtype=np.int64))
        if self.lines:
            at = places_of_common(self.all_articles, articles)
        return LeafStatistics(len(at), paragraphs)

    def upper_bounds(self, collection: Collection) -> Array:
        """:meth:`upper_bounds_by` the statistics of a collection."""
        weights = self.weights(collection)
        if weights.upper_bounds is None:
            weights.upper_bounds = self._bounds_in(collection, weights)
        return weights.upper_bounds

    def _bounds_in(self, collection: Collection, weights: LeafWeights) -> Array:
        return self.upper_bounds_by(
            Norms(collection),
            article_idf=weights.article_idf,
            document_idf=weights.document_idf,
        )

    def upper_bounds_by_number(self, collection: Collection) -> Array | None:
        """:meth:`upper_bounds` by number of the article, 0 where the leaf is not.

        ``None`` if the leaf is in few articles: theirs are added one by one.
        """
        articles = self._snapshot.articles
        if len(self.articles) * _DENSE <= articles:
            return None
        weights = self.weights(collection)
        if weights.by_number is None:
            bounds = weights.upper_bounds
            if bounds is None:  # it is not kept: one of the two is enough
                bounds = self._bounds_in(collection, weights)
            by_number = np.zeros(articles, np.float32)
            by_number[self.articles] = bounds
            weights.by_number = by_number  # complete: other threads read it
        return weights.by_number

    def upper_bounds_by(
        self, norms: Norms, *, article_idf: float, document_idf: float
    ) -> Array:
        """Upper bounds of the leaf's part of the score, by :attr:`articles`.

        For a boost of 1, and without matches in article fields.
        """
        weighted = norms.of_main_field(self.articles)
        weighted *= self.totals
        for name, (articles, frequencies) in self.side.items():
            difference = norms.of_field(name, articles)
            difference -= norms.of_field(MAIN_FIELD, articles)
            weighted[self.articles.searchsorted(articles)] += frequencies * difference
        bounds: Array = ranking.article_saturation(weighted)
        bounds *= np.float32(ranking.article_weight(article_idf, 1.0))
        best = norms.paragraph_upper_bounds(self.places.passages).take(self.impacts)
        best *= np.float32(ranking.PARAGRAPH_SHARE * document_idf)
        bounds += best
        return bounds

    # By document.

    @cached
    def document_count(self) -> int:
        """Number of documents that match, of live articles and of others."""
        return sum(map(len, self._parts))

    @cached
    def rows(self) -> Array:
        """Documents that match, ascending."""
        if len(self._parts) == 1:
            return self._parts[0].rows
        bases = self._snapshot.document_bases
        parts = [
            part.rows + np.int32(base)
            for part, base in zip(self._parts, bases, strict=False)
            if len(part)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    @cached
    def frequencies(self) -> Array:
        """Frequency in each of :attr:`rows`."""
        parts = [part.frequencies for part in self._parts if len(part)]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, np.uint8)

    @cached
    def all_documents(self) -> Array:
        """Documents that match, or whose article does as a whole; ascending.

        In an article's own field, or with :attr:`.Places.whole`, a match counts for all
        of the article's documents.
        """
        if self.places.whole:
            return self._snapshot.documents_of(self.all_articles)
        if not self.lines:
            return self.rows
        parts = [self._snapshot.documents_of(line.rows) for line in self.lines.values()]
        parts.append(self.rows)
        return union_of(parts, sum(map(len, parts)), self._snapshot.documents)

    @property
    def highest_frequency(self) -> int:
        """Highest frequency in a document or in a field of an article."""
        columns = [part.frequencies for part in self._parts]
        columns += [line.frequencies for line in self.lines.values()]
        return max((int(column.max(initial=0)) for column in columns), default=0)

    def set_bits(self, mask: Mask) -> None:
        """Set the bits of matching documents in a bitmap of all documents."""
        bases = self._snapshot.document_bases
        for part, low, high in zip(self._parts, bases, bases[1:], strict=False):
            if len(part):
                part.set_bits(mask[low:high])

    def documents_at(self, places: Ints) -> Array:
        """All matching documents of the :attr:`articles` at some places."""
        if len(self._parts) == 1:
            return self._parts[0].documents_at(places)
        counts = self.paragraph_counts.take(places)
        return self.rows.take(expand_ranges(self.ends.take(places) - counts, counts))

    def documents_of(self, articles: Ints, first: Array) -> tuple[Ints, Array, Array]:
        """Matching documents of some articles.

        :param articles: ascending.
        :param first: the first document of each article.
        :return: number of documents by article, the documents, and the frequency in
            each.
        """
        numbers = articles.astype(np.int32)
        if len(self._parts) == 1:
            return self._parts[0].documents_of(numbers, first)
        snapshot = self._snapshot
        counts = np.zeros(len(articles), np.int64)
        rows, frequencies = [np.empty(0, np.int32)], [np.empty(0, np.uint8)]
        slots = np.searchsorted(articles, snapshot.article_bases).tolist()
        for at, part in enumerate(self._parts):
            low, high = slots[at], slots[at + 1]
            if low < high and len(part):
                base = np.int32(snapshot.document_bases[at])
                counts[low:high], part_rows, part_frequencies = part.documents_of(
                    numbers[low:high] - np.int32(snapshot.article_bases[at]),
                    first[low:high] - base,
                )
                rows.append(part_rows + base)
                frequencies.append(part_frequencies)
        return counts, np.concatenate(rows), np.concatenate(frequencies)
