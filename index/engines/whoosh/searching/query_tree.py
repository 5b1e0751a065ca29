"""Boolean evaluation of a query tree, as bitmaps over articles or over documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.dates import micros
from index.deadline import until
from index.engines.whoosh.files import (
    NO_VALUE,
    Array,
    Ints,
    Mask,
    cached,
)
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.collection import Collection, collection_at
from index.engines.whoosh.searching.expansions import (
    Expansion,
    expansions_of,
    limit_expansions,
)
from index.engines.whoosh.searching.posting_cache import PostingCache
from index.engines.whoosh.searching.postings import LeafPostings
from index.engines.whoosh.searching.segment_postings import (
    near_postings_of,
    postings_of,
)
from index.engines.whoosh.searching.snapshot import POSTING_CACHE, IndexSnapshot
from index.query import (
    WORD_LEAVES,
    All,
    And,
    Fuzzy,
    Near,
    Not,
    Or,
    Places,
    Prefix,
    Query,
    Range,
    Scope,
    Search,
    Wildcard,
    WordLeaf,
    leaves,
    places_of,
)

_NO_ARTICLES = np.empty(0, np.int32)
_NO_TERMS: Mapping[str, Array] = {}


@dataclass(frozen=True, slots=True)
class Clause:
    """A word leaf outside any NOT: it adds to scores and is marked in excerpts.

    :param context: bitmap of where the ANDs around the leaf are true, over articles or
        documents, by scope; ``None`` for wherever the whole query is true. The leaf
        counts where it matches inside this context.
    :param required: the leaf matches wherever the query does.
    """

    leaf: WordLeaf
    postings: LeafPostings
    context: Mask | None
    required: bool

    @property
    def places(self) -> Places:
        """Fields in which the leaf is searched."""
        return self.postings.places

    @property
    def scores(self) -> bool:
        """Whether the leaf adds to scores."""
        return self.places.scores


class QueryTree:
    """A query tree over one snapshot of the index.

    In article scope bitmaps are over articles, else over documents. They are
    read-only. The posting list of a leaf is computed once, and used several times.
    """

    def __init__(
        self, snapshot: IndexSnapshot, search: Search, *, expansions: int
    ) -> None:
        self._snapshot, self._search = snapshot, search
        self._expansions = expansions
        self.check = until(search.deadline)
        self._postings: dict[WordLeaf, LeafPostings] = {}

    @cached
    def now(self) -> int:
        """Instant of the search, in microseconds since 1970 UTC."""
        return micros(self._search.now)

    @cached
    def collection(self) -> Collection:
        """The articles that statistics count."""
        return collection_at(self._snapshot, self.now)

    @cached
    def withdrawn(self) -> Array:
        """Articles that the store has hidden since the index was written, ascending."""
        hidden = self._search.hidden
        return self._snapshot.numbers_of(hidden) if hidden else _NO_ARTICLES

    @cached
    def matching_articles(self) -> ArticleSet:
        """Articles that match the query."""
        snapshot, query = self._snapshot, self._search.query
        if self._search.scope is Scope.PARAGRAPH:
            mask = np.zeros(snapshot.articles, bool)
            mask[snapshot.owner[self.truth(query)]] = True
            numbers = mask.nonzero()[0]
        elif isinstance(query, WORD_LEAVES):
            numbers = self.postings(query).all_articles
        elif isinstance(query, And):
            numbers = self._conjunction(query)
        else:
            numbers = self.truth(query).nonzero()[0]
        return ArticleSet(snapshot.articles, numbers, complete=True)

    def _conjunction(self, query: And) -> Array:
        """Articles that match every child of an AND: the shortest list is cut down."""
        words = [child for child in query.children if isinstance(child, WORD_LEAVES)]
        if not words:
            return self.truth(query).nonzero()[0]
        by_length = sorted(
            [self.postings(leaf) for leaf in words], key=LeafPostings.__len__
        )
        numbers = by_length[0].all_articles
        for postings in by_length[1:]:
            self.check()
            numbers = numbers.compress(postings.contains(numbers))
        for child in query.children:
            if not isinstance(child, WORD_LEAVES):
                numbers = numbers.compress(self.truth(child).take(numbers))
        return numbers

    @property
    def _size(self) -> int:
        snapshot = self._snapshot
        if self._search.scope is Scope.ARTICLE:
            return snapshot.articles
        return snapshot.documents

    def truth(self, query: Query) -> Mask:
        """Bitmap of where a query matches."""
        self.check()
        if isinstance(query, And):
            return self._all([self.truth(child) for child in query.children])
        if isinstance(query, Or):
            return self._any([self.truth(child) for child in query.children])
        if isinstance(query, Not):
            return ~self.truth(query.child)
        if isinstance(query, All):
            return np.ones(self._size, bool)
        if isinstance(query, Range):
            return self._in_scope(self.in_range(query))
        return self.leaf_truth(query)

    def _all(self, masks: list[Mask]) -> Mask:
        if not masks:
            return np.ones(self._size, bool)
        if len(masks) == 1:
            return masks[0]
        truth = masks[0] & masks[1]
        for mask in masks[2:]:
            truth &= mask
        return truth

    def _any(self, masks: list[Mask]) -> Mask:
        if not masks:
            return np.zeros(self._size, bool)
        if len(masks) == 1:
            return masks[0]
        truth = masks[0] | masks[1]
        for mask in masks[2:]:
            truth |= mask
        return truth

    def leaf_truth(self, leaf: WordLeaf) -> Mask:
        """Bitmap of where a word leaf matches."""
        postings = self.postings(leaf)
        if self._search.scope is Scope.ARTICLE:
            return postings.mask
        snapshot = self._snapshot
        if places_of(leaf, self._search.places).whole:
            return self._in_scope(postings.mask)
        truth = np.zeros(snapshot.documents, bool)
        postings.set_bits(truth)
        if postings.lines:
            articles = np.zeros(snapshot.articles, bool)
            for line in postings.lines.values():
                articles[line.rows] = True
            truth |= articles[snapshot.owner]
        return truth

    def _in_scope(self, articles: Mask) -> Mask:
        # What holds for an article holds for each of its paragraphs.
        if self._search.scope is Scope.ARTICLE:
            return articles
        documents: Mask = articles[self._snapshot.owner]
        return documents

    def postings(self, leaf: WordLeaf) -> LeafPostings:
        """Posting list of a word leaf."""
        postings = self._postings.get(leaf)
        if postings is None:
            snapshot, default = self._snapshot, self._search.places
            cache = snapshot.memoized(POSTING_CACHE, PostingCache)
            postings = cache.get(leaf, default)
            places = places_of(leaf, default)
            expands_in = None if postings is None else postings.expands_in
            terms_of: dict[str, dict[str, Array]] = {}  # by segment and field
            if isinstance(leaf, Prefix | Wildcard | Fuzzy) and (
                postings is None or expands_in not in (None, self.collection.identity)
            ):
                expansions = expansions_of(snapshot, leaf, places, self.check)
                expands_in = self._checked_expansions(leaf, expansions)
                for terms, field, segment, _ in expansions:
                    terms_of.setdefault(segment.id, {})[field.name] = terms
            if postings is None and isinstance(leaf, Near):
                postings = self._near_postings(leaf, places, cache)
            elif postings is None:
                postings = LeafPostings(
                    snapshot,
                    places,
                    [
                        postings_of(
                            segment,
                            leaf,
                            places,
                            self.check,
                            terms_of.get(segment.id, _NO_TERMS),
                        )
                        for segment in snapshot.segments
                    ],
                )
                cache.put(leaf, default, postings)
            postings.expands_in = expands_in
            self._postings[leaf] = postings
        return postings

    def _near_postings(
        self, near: Near, places: Places, cache: PostingCache
    ) -> LeafPostings:
        """Posting list of a NEAR.

        Those of all NEARs of the query with the same words are computed at once.
        """
        snapshot, search, words = self._snapshot, self._search, sorted(near.forms)
        alike = {near.distance: near}
        for leaf, _ in leaves(search.query):
            if (
                isinstance(leaf, Near)
                and leaf.field == near.field
                and sorted(leaf.forms) == words
                and cache.get(leaf, search.places) is None
            ):
                alike.setdefault(leaf.distance, leaf)
        by_segment = [
            near_postings_of(segment, near, list(alike), places, self.check)
            for segment in snapshot.segments
        ]
        by_distance = [
            LeafPostings(
                snapshot, places, [of_segment[at] for of_segment in by_segment]
            )
            for at in range(len(alike))
        ]
        for leaf, postings in zip(alike.values(), by_distance, strict=True):
            cache.put(leaf, search.places, postings)
            self._postings[leaf] = postings
        return by_distance[0]

    def _checked_expansions(
        self, leaf: Prefix | Wildcard | Fuzzy, expansions: Sequence[Expansion]
    ) -> object | None:
        """Refuse a leaf that expands to too many words.

        :return: the identity of the collection for which it does not, ``None`` if it
            does in none.
        :raises InvalidQuery: code ``wildcard_too_broad``.
        """
        collection = self.collection

        def counted() -> Mask | None:
            if not len(collection.uncounted) and not len(self.withdrawn):
                return None
            bitmap = collection.counted.copy()
            bitmap[self.withdrawn] = False
            return bitmap

        always = limit_expansions(
            leaf,
            expansions,
            limit=self._expansions,
            counted=counted,
            check=self.check,
        )
        if always:
            return None
        # Counted without what is withdrawn from this search: the next one looks again.
        return object() if len(self.withdrawn) else collection.identity

    def in_range(self, bounds: Range, articles: Ints | None = None) -> Mask:
        """Which articles, of all or of some, have a value between two bounds."""
        column = self._snapshot.column(bounds.field)
        if articles is not None:
            column = column[articles]
        mask: Mask = column != NO_VALUE
        if bounds.low is not None:
            mask &= column >= bounds.low
        if bounds.high is not None:
            mask &= column <= bounds.high
        return mask

    def clauses(self, root: Callable[[], Mask]) -> list[Clause]:
        """Clauses of the query: word leaves that score and are marked, left to right.

        :param root: computes the bitmap of where the whole query is true.
        """
        return list(self._clauses(self._search.query, None, True, root))

    def _clauses(
        self, query: Query, mask: Mask | None, required: bool, root: Callable[[], Mask]
    ) -> Iterator[Clause]:
        if isinstance(query, And):
            # The outermost AND holds wherever the query as a whole does.
            if query is not self._search.query:
                mask = (root() if mask is None else mask) & self.truth(query)
            for child in query.children:
                yield from self._clauses(child, mask, required, root)
        elif isinstance(query, Or):
            for child in query.children:
                yield from self._clauses(child, mask, False, root)
        elif not isinstance(query, Not | All | Range):
            yield Clause(
                leaf=query,
                postings=self.postings(query),
                context=mask,
                required=required,
            )
