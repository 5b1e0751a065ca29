"""Boolean evaluation of a query tree: the articles or documents it is true of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from index.dates import micros
from index.deadline import until
from index.engines.whoosh.files import NO_VALUE, Array, Mask, cached
from index.engines.whoosh.searching.collection import Collection, collection_at
from index.engines.whoosh.searching.expansions import (
    Expansion,
    expansions_of,
    limit_expansions,
)
from index.engines.whoosh.searching.posting_cache import PostingCache
from index.engines.whoosh.searching.postings import LeafPostings
from index.engines.whoosh.searching.row_set import (
    RowSet,
    distinct,
    is_among,
    many_for_union,
    union_of,
)
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


class Clause(NamedTuple):
    """A word leaf outside any NOT: it adds to scores and is marked in excerpts.

    :param context: articles, or documents if the query is evaluated by them, in which
        the ANDs around the leaf are true; ``None`` for wherever the whole query is. The
        leaf counts where it matches inside this context.
    :param required: the leaf matches wherever the query does.
    :param sufficient: the query is true wherever the leaf matches.
    """

    leaf: WordLeaf
    postings: LeafPostings
    context: RowSet | None
    required: bool
    sufficient: bool

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

    It is true of articles in article scope, else of documents. The posting list of a
    leaf is computed once, and used several times.

    :ivar limit: how many words a prefix, wildcard or fuzzy term may stand for.
    """

    def __init__(
        self, snapshot: IndexSnapshot, search: Search, *, expansions: int
    ) -> None:
        self._snapshot, self._search = snapshot, search
        self.limit = expansions
        self.check = until(search.deadline)
        self._postings: dict[WordLeaf, LeafPostings] = {}
        # By identity too, as hashing a leaf costs more than the look-up. They are kept
        # beside, so that no other leaf gets the id of one.
        self._of_leaf: dict[int, tuple[WordLeaf, LeafPostings]] = {}
        self._expanded: dict[WordLeaf, list[Expansion]] = {}

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
    def by_document(self) -> bool:
        """Whether the query must be evaluated document by document.

        In paragraph scope it must, unless the posting lists by article tell as much: if
        it is a question about articles only, or about a single word apart from that.
        """
        search = self._search
        return search.scope is Scope.PARAGRAPH and not (
            self._is_about_articles(search.query) or self._is_any_word(search.query)
        )

    def _is_about_articles(self, query: Query) -> bool:
        """Whether a query is true of all documents of an article, or of none."""
        if isinstance(query, And | Or):
            return all(map(self._is_about_articles, query.children))
        if isinstance(query, Not):
            return self._is_about_articles(query.child)
        if isinstance(query, All | Range):
            return True
        places = places_of(query, self._search.places)
        return places.whole or not places.passages

    def _is_any_word(self, query: Query) -> bool:
        """Whether a document matches if it has one of some words.

        Also if its article must fulfil conditions besides.
        """
        if isinstance(query, Or):
            return all(map(self._is_any_word, query.children))
        if isinstance(query, And):
            words = [
                child for child in query.children if not self._is_about_articles(child)
            ]
            return len(words) == 1 and self._is_any_word(words[0])
        if isinstance(query, Not | All | Range):
            return False
        places = places_of(query, self._search.places)
        return not places.whole and not places.lines

    @cached
    def _rows(self) -> Array:
        """Articles, or documents if they are needed, that match; ascending."""
        return self._rows_of(self._search.query)

    @cached
    def _owners(self) -> Array:
        """Article of each matching document."""
        return self._snapshot.owners_of(self._rows)

    @cached
    def matching_articles(self) -> RowSet:
        """Articles that match the query."""
        numbers = distinct(self._owners) if self.by_document else self._rows
        return RowSet(
            self._snapshot.articles, numbers.astype(np.int64, copy=False), complete=True
        )

    def matching_rows(self, hits: RowSet) -> RowSet:
        """Articles, or documents if they are needed, of the articles that are hits."""
        if not self.by_document:
            return hits
        rows = self._rows
        if not hits.complete:
            rows = rows.compress(hits.contains(self._owners))
        return RowSet(self._size, rows)

    # Evaluation. Rows are articles or documents, and always ascending.

    @property
    def _size(self) -> int:
        snapshot = self._snapshot
        return snapshot.documents if self.by_document else snapshot.articles

    def _rows_of(self, query: Query) -> Array:
        """Rows in which a query is true.

        An AND cuts down the rows of its shortest part, so that NOTs and ranges inside
        one are tested where the rest is true, and nowhere else.
        """
        self.check()
        if isinstance(query, WORD_LEAVES):
            return self._leaf_rows(self.postings(query))
        if isinstance(query, And) and query.children:
            first, *others = sorted(query.children, key=self._most)
            rows = self._rows_of(first)
            for child in others:
                rows = rows.compress(self._is_true(child, rows))
            return rows
        if isinstance(query, Or):
            return self._union_of(query)
        rows = np.arange(self._size, dtype=np.int32)
        return rows.compress(self._is_true(query, rows))

    def _union_of(self, query: Or) -> Array:
        """Rows in which some child is true."""
        most, size = sum(map(self._most, query.children)), self._size
        if self.by_document or not many_for_union(most, size):
            return union_of(map(self._rows_of, query.children), most, size)
        mask = np.zeros(size, bool)
        for child in query.children:
            if isinstance(child, WORD_LEAVES):
                mask |= self.postings(child).mask  # kept from search to search
            else:
                mask[self._rows_of(child)] = True
        return mask.nonzero()[0]

    def _most(self, query: Query) -> int:
        """Upper bound of the number of rows in which a query is true."""
        if isinstance(query, WORD_LEAVES):
            return len(self._leaf_rows(self.postings(query)))
        if isinstance(query, And):
            return min(map(self._most, query.children), default=self._size)
        if isinstance(query, Or):
            return min(self._size, sum(map(self._most, query.children)))
        return self._size

    def _is_true(self, query: Query, rows: Array) -> Mask:
        """In which of some rows a query is true."""
        self.check()
        if isinstance(query, WORD_LEAVES):
            return self._has_leaf(self.postings(query), rows)
        if isinstance(query, Not):
            return ~self._is_true(query.child, rows)
        if isinstance(query, Range):
            owners = self._snapshot.owners_of(rows) if self.by_document else rows
            return self.in_range(query, owners)
        if isinstance(query, Or):
            mask = np.zeros(len(rows), bool)
            for child in query.children:
                mask |= self._is_true(child, rows)
            return mask
        mask = np.ones(len(rows), bool)
        for child in query.children if isinstance(query, And) else ():
            mask &= self._is_true(child, rows)
        return mask

    def _leaf_rows(self, postings: LeafPostings) -> Array:
        return postings.all_documents if self.by_document else postings.all_articles

    def _has_leaf(self, postings: LeafPostings, rows: Array) -> Mask:
        if self.by_document:
            return is_among(rows, postings.all_documents, self._size)
        return postings.contains(rows)

    def postings(self, leaf: WordLeaf) -> LeafPostings:
        """Posting list of a word leaf."""
        known = self._of_leaf.get(id(leaf))
        if known is None:
            known = self._of_leaf[id(leaf)] = leaf, self._found(leaf)
        return known[1]

    def _found(self, leaf: WordLeaf) -> LeafPostings:
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
                expansions = self.expansions_of(leaf, places)
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

    def known_postings(self, leaf: WordLeaf) -> LeafPostings | None:
        """Posting list of a leaf if this search, or one before it, has computed it."""
        cache = self._snapshot.memoized(POSTING_CACHE, PostingCache)
        return self._postings.get(leaf) or cache.get(leaf, self._search.places)

    def expansions_of(
        self, leaf: Prefix | Wildcard | Fuzzy, places: Places
    ) -> list[Expansion]:
        """Terms to which a leaf expands; they may be too many."""
        expansions = self._expanded.get(leaf)
        if expansions is None:
            expansions = expansions_of(self._snapshot, leaf, places, self.check)
            self._expanded[leaf] = expansions
        return expansions

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
            limit=self.limit,
            counted=counted,
            check=self.check,
        )
        if always:
            return None
        # Counted without what is withdrawn from this search: the next one looks again.
        return object() if len(self.withdrawn) else collection.identity

    def in_range(self, bounds: Range, articles: Array) -> Mask:
        """Which of some articles have a value between two bounds."""
        column = self._snapshot.column(bounds.field).take(articles)
        mask: Mask = column != NO_VALUE
        if bounds.low is not None:
            mask &= column >= bounds.low
        if bounds.high is not None:
            mask &= column <= bounds.high
        return mask

    # Clauses.

    def clauses(self, rows: RowSet) -> list[Clause]:
        """Clauses of the query: word leaves that score and are marked, left to right.

        :param rows: where the whole query is true; see :meth:`matching_rows`.
        """
        return list(self._clauses(self._search.query, None, True, True, rows))

    def _clauses(
        self,
        query: Query,
        context: RowSet | None,
        required: bool,
        sufficient: bool,
        rows: RowSet,
    ) -> Iterator[Clause]:
        if isinstance(query, And):
            # The outermost AND holds wherever the query as a whole does.
            if query is not self._search.query:
                within = rows.numbers if context is None else context.numbers
                within = within.compress(self._is_true(query, within))
                context = RowSet(self._size, within)
            for child in query.children:
                yield from self._clauses(child, context, required, False, rows)
        elif isinstance(query, Or):
            for child in query.children:
                yield from self._clauses(child, context, False, sufficient, rows)
        elif not isinstance(query, Not | All | Range):
            yield Clause(
                leaf=query,
                postings=self.postings(query),
                context=context,
                required=required,
                sufficient=sufficient,
            )

    def counts_in(self, clause: Clause, documents: Array) -> Mask:
        """In which of some matching documents a clause counts, in paragraph scope.

        :param documents: ascending.
        """
        snapshot = self._snapshot
        counts = is_among(documents, clause.postings.all_documents, snapshot.documents)
        if clause.context is not None:
            owners = snapshot.owners_of(documents)
            counts &= clause.context.contains(documents if self.by_document else owners)
        return counts
