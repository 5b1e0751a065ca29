"""A search over one state of the index, by array operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from index.dates import micros, zone
from index.engines.whoosh.counts import count_facet
from index.engines.whoosh.dense import Dense
from index.engines.whoosh.kept import kept
from index.engines.whoosh.segment import Mask
from index.engines.whoosh.sparse import Sparse
from index.engines.whoosh.state import State
from index.engines.whoosh.tree import Tree
from index.facets import same_value
from index.query import Filter, Scope, Search, Unit, WordLeaf, scoring_leaves
from index.result import Hit, Page, WordCount


class Ranking(Protocol):
    """Which paragraphs of the hits match, and which hits come first."""

    @property
    def total(self) -> int:
        """How many paragraphs match."""

    def page(self) -> tuple[Sequence[Hit], bool]:
        """Return the hits of the page, in order, and whether more follow."""


class Evaluation:
    """One search being answered; nothing of it outlives the answer."""

    def __init__(self, state: State, search: Search, *, expansions: int) -> None:
        self._state = state
        self._search = search
        self._tree = Tree(state, search, expansions=expansions)
        self.check = self._tree.check

    def page(self) -> Page:
        """Return the answer."""
        state, search = self._state, self._search
        filters = {
            name: mask
            for name in dict.fromkeys(each.field for each in search.filters)
            if (mask := self._included(name)) is not None
        }
        base = self._tree.matched & self.visible
        self._narrow(base)
        hits = _all_but("", filters, base)
        numbers = np.flatnonzero(hits)
        self.check()
        ranking: Ranking
        if search.scope is Scope.ARTICLE and search.unit is Unit.ARTICLE:
            ranking = Sparse(state, search, self._tree, hits, numbers)
        else:
            ranking = Dense(state, search, self._tree, hits, numbers)
        facets = []
        for request in search.facets:
            # A facet of values ignores the values of its field that are asked for.
            mask, inside = hits, numbers
            if request.field in filters:
                mask = _all_but(request.field, filters, base)
                inside = np.flatnonzero(mask)
            facets.append(
                count_facet(
                    state, request, search, mask, inside, zone(search.tz), self.check
                )
            )
        self.check()
        found, more = ranking.page()
        return Page(
            hits=tuple(found),
            articles=len(numbers),
            paragraphs=ranking.total,
            facets=tuple(facets),
            after=found[-1].key if more and found else None,
            seq=state.seq,
            terms=tuple(
                WordCount(text=leaf.text, articles=self.visible_count(leaf))
                for leaf in scoring_leaves(search.query)
            ),
        )

    @kept
    def visible(self) -> Mask:
        """Which articles live and show, whatever is asked; not to be changed."""
        state, search = self._state, self._search
        mask = state.shown_at(micros(search.now))
        hidden = [number for each in search.hidden if (number := state.find(each)) >= 0]
        if hidden:
            mask = mask.copy()
            mask[hidden] = False
        return mask

    @kept
    def _all_visible(self) -> bool:
        return bool(self.visible.all())

    def visible_count(self, leaf: WordLeaf) -> int:
        """Return how many visible articles have a leaf somewhere it is sought."""
        found = self._tree.found(leaf)
        if self._all_visible:
            return len(found.having)
        return int(np.count_nonzero(self.visible & found.mask))

    # Filters. Included values are kept apart by field: a facet ignores its own.

    def _narrow(self, mask: Mask) -> None:
        """Leave of a mask what ``exclude.`` conditions and the range of dates do."""
        search = self._search
        if search.dates is not None:
            mask &= self._tree.within(search.dates)
        for each in search.filters:
            if each.exclude:
                mask &= ~self._with_values(each)

    def _included(self, name: str) -> Mask | None:
        chosen = [
            each
            for each in self._search.filters
            if each.field == name and not each.exclude
        ]
        if not chosen:
            return None
        mask = np.zeros(self._state.articles, bool)
        for each in chosen:
            mask |= self._with_values(each)
        return mask

    def _with_values(self, wanted: Filter) -> Mask:
        values = self._state.values(wanted.field)
        mask = np.zeros(self._state.articles, bool)
        for value in wanted.values:
            group = values.keys.get(same_value(value))
            if group is not None:
                mask[values.articles[values.groups == group]] = True
        if wanted.missing:
            having = np.zeros(self._state.articles, bool)
            having[values.articles] = True
            mask |= ~having
        return mask


def _all_but(name: str, filters: dict[str, Mask], base: Mask) -> Mask:
    mask = base
    for other, included in filters.items():
        if other != name:
            mask = mask & included
    return mask
