"""The truth of a query's tree, as masks over articles or over paragraphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from index.deadline import until
from index.engines.whoosh.leaves import LeafMatches, expand, match
from index.engines.whoosh.schema import PARAGRAPH_WORDS
from index.engines.whoosh.segment import UNKNOWN, Ints
from index.engines.whoosh.state import Mask, State
from index.errors import InvalidQuery
from index.query import (
    All,
    And,
    Not,
    Or,
    Places,
    Query,
    Range,
    Scope,
    Search,
    WordLeaf,
    places_of,
)


@dataclass(slots=True)
class CountedLeaf:
    """A word leaf's matches, and where among the hits it counts.

    :ivar counts: where it counts, over articles or paragraphs as the scope has it: it
        is true there, not under a NOT, and in no AND that fails there.
    :ivar scores: whether it adds to scores.
    """

    leaf: WordLeaf
    places: Places
    found: LeafMatches
    counts: Mask
    scores: bool = field(init=False)

    def __post_init__(self) -> None:
        # Conditions on an article's own fields say which, not how well.
        self.scores = bool(self.places.passages) and not self.places.whole


class Tree:
    """A query over one state of the index.

    In article scope masks are over articles, else over paragraphs. What was found out
    about a leaf is kept: it is asked for several times.
    """

    def __init__(self, state: State, search: Search, *, expansions: int) -> None:
        self._state, self._search = state, search
        self._expansions = expansions
        self.check = until(search.deadline)
        self._found: dict[WordLeaf, LeafMatches] = {}

    @cached_property
    def matched(self) -> Mask:
        """Which articles the query is true for."""
        truth = self.truth(self._search.query)
        if self._search.scope is Scope.ARTICLE:
            return truth
        mask = np.zeros(self._state.articles, bool)
        mask[self._state.owner[truth]] = True
        return mask

    @property
    def _universe(self) -> int:
        state = self._state
        if self._search.scope is Scope.ARTICLE:
            return state.articles
        return state.paragraphs

    def truth(self, query: Query) -> Mask:
        """Return where a query is true."""
        self.check()
        if isinstance(query, And):
            truth = np.ones(self._universe, bool)
            for child in query.children:
                truth &= self.truth(child)
            return truth
        if isinstance(query, Or):
            truth = np.zeros(self._universe, bool)
            for child in query.children:
                truth |= self.truth(child)
            return truth
        if isinstance(query, Not):
            return ~self.truth(query.child)
        if isinstance(query, All):
            return np.ones(self._universe, bool)
        if isinstance(query, Range):
            return self._spread(self.within(query))
        return self._leaf_truth(query)

    def _leaf_truth(self, leaf: WordLeaf) -> Mask:
        if self._search.scope is Scope.ARTICLE:
            return self.having(leaf)
        state, found = self._state, self._matches(leaf)
        if places_of(leaf, self._search.places).whole:
            return self._spread(self.having(leaf))
        truth = np.zeros(state.paragraphs, bool)
        truth[found.paragraphs.rows] = True
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

    def having(self, leaf: WordLeaf) -> Mask:
        """Return which articles have a leaf somewhere it is sought."""
        state, found = self._state, self._matches(leaf)
        mask = np.zeros(state.articles, bool)
        mask[state.owner[found.paragraphs.rows]] = True
        for each in found.lines.values():
            mask[each.rows] = True
        return mask

    def _matches(self, leaf: WordLeaf) -> LeafMatches:
        found = self._found.get(leaf)
        if found is None:
            places = places_of(leaf, self._search.places)
            self._limit_expansions(leaf, places)
            found = self._state.joined(
                [
                    match(segment, leaf, places, self.check)
                    for segment in self._state.segments
                ]
            )
            self._found[leaf] = found
        return found

    def _limit_expansions(self, leaf: WordLeaf, places: Places) -> None:
        names = ((PARAGRAPH_WORDS,) if places.passages else ()) + places.lines
        words: set[str] = set()
        for segment in self._state.segments:
            for name in names:
                numbers = expand(segment, name, leaf)
                if numbers is None:
                    return
                forms = segment.words(name).forms
                words.update(forms[number] for number in numbers)
                self.check()
        if len(words) > self._expansions:
            raise InvalidQuery(
                f"{leaf.text} stands for more than {self._expansions:,} words:"
                " write more letters",
                code="wildcard_too_broad",
                limit=self._expansions,
            )

    def within(self, bounds: Range) -> Mask:
        """Return which articles have a value between two bounds."""
        column: Ints = getattr(self._state, bounds.field)
        mask: Mask = column != UNKNOWN
        if bounds.low is not None:
            mask &= column >= bounds.low
        if bounds.high is not None:
            mask &= column <= bounds.high
        return mask

    def counting(self, root: Mask) -> list[CountedLeaf]:
        """Return the leaves that can score and mark, with where each counts.

        :param root: where the query as a whole is taken for true.
        """
        counted: list[CountedLeaf] = []

        def walk(query: Query, mask: Mask) -> None:
            if isinstance(query, And):
                mask = mask & self.truth(query)
                for child in query.children:
                    walk(child, mask)
            elif isinstance(query, Or):
                for child in query.children:
                    walk(child, mask)
            elif not isinstance(query, Not | All | Range):
                counted.append(
                    CountedLeaf(
                        leaf=query,
                        places=places_of(query, self._search.places),
                        found=self._matches(query),
                        counts=mask & self._leaf_truth(query),
                    )
                )

        walk(self._search.query, root)
        return counted
