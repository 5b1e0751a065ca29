"""The truth of a query's tree, as masks over articles or over paragraphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from index.deadline import until
from index.engines.whoosh.files import (
    NO_VALUE,
    PARAGRAPH_WORDS,
    Array,
    FieldIndex,
    Ints,
    Mask,
    cached,
)
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.postings import LeafPostings, PostingCache
from index.engines.whoosh.searching.segment_postings import expanded_terms, postings_of
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.errors import InvalidQuery
from index.query import (
    WORD_LEAVES,
    All,
    And,
    Fuzzy,
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
    places_of,
)


@dataclass(frozen=True, slots=True)
class ContributingLeaf:
    """A word leaf's matches, and where among the hits it counts.

    :param context: where what it stands in holds: no NOT, and no AND that fails. Over
        articles or paragraphs, as the scope has it; ``None`` for wherever the query as
        a whole does. Where the leaf is true as well, it counts.
    :param certain: it is true wherever the query is.
    """

    leaf: WordLeaf
    found: LeafPostings
    context: Mask | None
    certain: bool

    @property
    def places(self) -> Places:
        """Where the leaf is sought."""
        return self.found.places

    @property
    def scores(self) -> bool:
        """Whether it adds to scores.

        Conditions on an article's own fields say which, not how well.
        """
        return bool(self.places.passages) and not self.places.whole


class QueryTree:
    """A query over one state of the index.

    In article scope masks are over articles, else over paragraphs. What was found out
    about a leaf is kept: it is asked for several times. No mask that is returned may be
    changed.
    """

    def __init__(
        self, state: IndexSnapshot, search: Search, *, expansions: int
    ) -> None:
        self._state, self._search = state, search
        self._expansions = expansions
        self.check = until(search.deadline)
        self._found: dict[WordLeaf, LeafPostings] = {}

    @cached
    def matched(self) -> ArticleSet:
        """Which articles the query is true for."""
        state, query = self._state, self._search.query
        if self._search.scope is Scope.PARAGRAPH:
            mask = np.zeros(state.articles, bool)
            mask[state.owner[self.truth(query)]] = True
            numbers = mask.nonzero()[0]
        elif isinstance(query, WORD_LEAVES):
            numbers = self.found(query).having
        elif isinstance(query, And):
            numbers = self._in_all(query)
        else:
            numbers = self.truth(query).nonzero()[0]
        return ArticleSet(state.articles, numbers, all_matches=True)

    def _in_all(self, query: And) -> Array:
        """Return the articles for which each child is true."""
        words = [each for each in query.children if isinstance(each, WORD_LEAVES)]
        if not words:
            return self.truth(query).nonzero()[0]
        by_length = sorted(
            [self.found(each) for each in words], key=LeafPostings.__len__
        )
        numbers = by_length[0].having
        for found in by_length[1:]:
            self.check()
            numbers = numbers.compress(found.has(numbers))
        for child in query.children:
            if not isinstance(child, WORD_LEAVES):
                numbers = numbers.compress(self.truth(child).take(numbers))
        return numbers

    @property
    def _universe(self) -> int:
        state = self._state
        if self._search.scope is Scope.ARTICLE:
            return state.articles
        return state.documents

    def truth(self, query: Query) -> Mask:
        """Return where a query is true."""
        self.check()
        if isinstance(query, And):
            return self._all([self.truth(child) for child in query.children])
        if isinstance(query, Or):
            return self._any([self.truth(child) for child in query.children])
        if isinstance(query, Not):
            return ~self.truth(query.child)
        if isinstance(query, All):
            return np.ones(self._universe, bool)
        if isinstance(query, Range):
            return self._spread(self.within(query))
        return self.leaf_truth(query)

    def _all(self, masks: list[Mask]) -> Mask:
        if not masks:
            return np.ones(self._universe, bool)
        if len(masks) == 1:
            return masks[0]
        truth = masks[0] & masks[1]
        for mask in masks[2:]:
            truth &= mask
        return truth

    def _any(self, masks: list[Mask]) -> Mask:
        if not masks:
            return np.zeros(self._universe, bool)
        if len(masks) == 1:
            return masks[0]
        truth = masks[0] | masks[1]
        for mask in masks[2:]:
            truth |= mask
        return truth

    def leaf_truth(self, leaf: WordLeaf) -> Mask:
        """Return where a word leaf is true."""
        found = self.found(leaf)
        if self._search.scope is Scope.ARTICLE:
            return found.mask
        state = self._state
        if places_of(leaf, self._search.places).whole:
            return self._spread(found.mask)
        truth = np.zeros(state.documents, bool)
        found.mark(truth)
        if found.lines:
            lines = np.zeros(state.articles, bool)
            for each in found.lines.values():
                lines[each.rows] = True
            truth |= lines[state.owner]
        return truth

    def _spread(self, articles: Mask) -> Mask:
        # An article's condition holds for each of its paragraphs.
        if self._search.scope is Scope.ARTICLE:
            return articles
        spread: Mask = articles[self._state.owner]
        return spread

    def found(self, leaf: WordLeaf) -> LeafPostings:
        """Return where a word leaf matches."""
        found = self._found.get(leaf)
        if found is None:
            state, default = self._state, self._search.places
            leaves = state.keep("leaves", PostingCache)
            found = leaves.get(leaf, default)
            if found is None:
                places = places_of(leaf, default)
                if isinstance(leaf, Prefix | Wildcard | Fuzzy):
                    self._limit_expansions(leaf, places)
                found = LeafPostings(
                    state,
                    places,
                    [
                        postings_of(each, leaf, places, self.check)
                        for each in state.segments
                    ],
                )
                leaves.put(leaf, default, found)
            self._found[leaf] = found
        return found

    def _limit_expansions(self, leaf: WordLeaf, places: Places) -> None:
        names = ((PARAGRAPH_WORDS,) if places.passages else ()) + places.lines
        found: list[tuple[Array, FieldIndex]] = []
        for segment in self._state.segments:
            for name in names:
                self.check()
                field = segment.field(name)
                terms = None if field is None else expanded_terms(field, leaf)
                if field is not None and terms is not None and len(terms):
                    found.append((terms, field))
        if sum(len(terms) for terms, _ in found) <= self._expansions:
            return
        forms: set[str] = set()
        for terms, field in found:
            self.check()
            forms.update(field.form(term)[0] for term in terms.tolist())
        if len(forms) > self._expansions:
            raise InvalidQuery(
                f"{leaf.text} matches more than {self._expansions:,} words;"
                " write more letters",
                code="wildcard_too_broad",
                limit=self._expansions,
            )

    def within(self, bounds: Range, articles: Ints | None = None) -> Mask:
        """Return which articles, of all or of some, have a value between two bounds."""
        column = self._state.column(bounds.field)
        if articles is not None:
            column = column[articles]
        mask: Mask = column != NO_VALUE
        if bounds.low is not None:
            mask &= column >= bounds.low
        if bounds.high is not None:
            mask &= column <= bounds.high
        return mask

    def counting(self, root: Callable[[], Mask]) -> list[ContributingLeaf]:
        """Return the leaves that can score and mark, with where each may count.

        :param root: returns where the query as a whole is taken for true.
        """
        return list(self._counting(self._search.query, None, True, root))

    def _counting(
        self, query: Query, mask: Mask | None, certain: bool, root: Callable[[], Mask]
    ) -> Iterator[ContributingLeaf]:
        if isinstance(query, And):
            # Where the whole query is true, its outermost AND is.
            if query is not self._search.query:
                mask = (root() if mask is None else mask) & self.truth(query)
            for child in query.children:
                yield from self._counting(child, mask, certain, root)
        elif isinstance(query, Or):
            for child in query.children:
                yield from self._counting(child, mask, False, root)
        elif not isinstance(query, Not | All | Range):
            yield ContributingLeaf(
                leaf=query, found=self.found(query), context=mask, certain=certain
            )
