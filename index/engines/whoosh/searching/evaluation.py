"""A search over one state of the index, by array operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from index.dates import micros, zone
from index.engines.result import Hit, Page, WordCount
from index.engines.whoosh.files import Mask, cached
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.dense import DenseRanker
from index.engines.whoosh.searching.facets import count_facets
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.sparse import SparseRanker
from index.query import (
    Filter,
    Scope,
    Search,
    Unit,
    WordLeaf,
    scoring_leaves,
    value_key,
)


class Ranker(Protocol):
    """Which paragraphs of the hits match, and which hits come first."""

    @property
    def total(self) -> int:
        """How many paragraphs match."""

    def page(self) -> tuple[Sequence[Hit], bool]:
        """Return the hits of the page, in order, and whether more follow."""


class Evaluation:
    """One search being answered; nothing of it outlives the answer."""

    def __init__(
        self, state: IndexSnapshot, search: Search, *, expansions: int
    ) -> None:
        self._state = state
        self._search = search
        self._tree = QueryTree(state, search, expansions=expansions)
        self.check = self._tree.check

    def page(self) -> Page:
        """Return the answer."""
        state, search = self._state, self._search
        base = self._narrowed(self._tree.matched)
        filters = {
            name: mask[base.numbers]
            for name in dict.fromkeys(each.field for each in search.filters)
            if (mask := self._included(name)) is not None
        }
        hits = _all_but("", filters, base)
        self.check()
        ranking: Ranker
        if search.scope is Scope.ARTICLE and search.unit is Unit.ARTICLE:
            ranking = SparseRanker(state, search, self._tree, hits)
        else:
            ranking = DenseRanker(state, search, self._tree, hits)
        facets = count_facets(
            state,
            [
                # A facet of values ignores the values of its field that are asked for.
                (each, _all_but(each.field, filters, base))
                if each.field in filters
                else (each, hits)
                for each in search.facets
            ],
            search,
            zone(search.tz),
            self.check,
        )
        self.check()
        found, more = ranking.page()
        return Page(
            hits=tuple(found),
            articles=len(hits),
            paragraphs=ranking.total,
            facets=facets,
            after=found[-1].key if more and found else None,
            seq=state.seq,
            terms=tuple(
                WordCount(text=leaf.text, articles=self.visible_count(leaf))
                for leaf in scoring_leaves(search.query)
            ),
        )

    @cached
    def visible(self) -> Mask:
        """Which articles live and show to who reads, whatever is asked.

        Not to be changed.
        """
        state, search = self._state, self._search
        mask, _ = state.shown_at(micros(search.now), held=search.reader.held)
        for each in search.reader.filters:
            having = self._with_values(each)
            mask = mask & (~having if each.exclude else having)
        hidden = [number for each in search.hidden if (number := state.find(each)) >= 0]
        if hidden:
            mask = mask.copy()
            mask[hidden] = False
        return mask

    @cached
    def _all_visible(self) -> bool:
        search = self._search
        shown, all_shown = self._state.shown_at(
            micros(search.now), held=search.reader.held
        )
        return all_shown and self.visible is shown

    def visible_count(self, leaf: WordLeaf) -> int:
        """Return how many visible articles have a leaf somewhere it is sought."""
        having = self._tree.found(leaf).having
        if self._all_visible:
            return len(having)
        return int(np.count_nonzero(self.visible[having]))

    # Filters. Included values are kept apart by field: a facet ignores its own.

    def _narrowed(self, hits: ArticleSet) -> ArticleSet:
        """Return the hits that show, of those that dates and ``exclude.`` leave."""
        search = self._search
        if not self._all_visible:
            hits = hits.only(self.visible[hits.numbers])
        if search.dates is not None:
            hits = hits.only(self._tree.within(search.dates, hits.numbers))
        for each in search.filters:
            if each.exclude:
                hits = hits.only(~self._with_values(each)[hits.numbers])
        return hits

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
            group = values.keys.get(value_key(value))
            if group is not None:
                mask[values.articles[values.groups == group]] = True
        if wanted.missing:
            having = np.zeros(self._state.articles, bool)
            having[values.articles] = True
            mask |= ~having
        return mask


def _all_but(name: str, filters: dict[str, Mask], base: ArticleSet) -> ArticleSet:
    masks = [mask for other, mask in filters.items() if other != name]
    return base.only(np.logical_and.reduce(masks)) if masks else base
