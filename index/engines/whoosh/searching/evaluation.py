"""Evaluation of a search over one snapshot of the index, by array operations."""

from __future__ import annotations

import numpy as np

from index.dates import zone
from index.engines.budget import SearchBudget
from index.engines.result import Page, WordCount
from index.engines.whoosh.files import Mask, cached
from index.engines.whoosh.searching.facets import count_facets
from index.engines.whoosh.searching.memory import memory_of
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.ranker import Ranker
from index.engines.whoosh.searching.row_set import RowSet
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.weighting import Weighting
from index.query import (
    Filter,
    Search,
    Sort,
    WordLeaf,
    scoring_leaves,
)


class Evaluation:
    """One search being answered; it is discarded with the answer."""

    def __init__(
        self, snapshot: IndexSnapshot, search: Search, *, expansions: int
    ) -> None:
        self._snapshot = snapshot
        self._search = search
        self._tree = QueryTree(snapshot, search, expansions=expansions)
        self.check = self._tree.check
        # Bitmap of the articles that are shown now, filters aside; whether it is full.
        self._shown, self._all_shown = snapshot.shown_at(
            self._tree.now, held=search.reader.held
        )

    @cached
    def _all_visible(self) -> bool:
        return self._all_shown and self.visible is self._shown

    def page(self, budget: SearchBudget) -> Page:
        """The answer.

        :raises SearchMemoryUsed: the budget has no room for the search.
        """
        size = memory_of(self._snapshot, self._search, self._tree)
        if size > budget.large:
            # Then it pays to know it better: large searches wait for each other.
            closer = memory_of(self._snapshot, self._search, self._tree, closely=True)
            size = min(size, closer)
        deadline = self._search.deadline
        budget.reserve(size, None if deadline is None else deadline.at)
        try:
            return self._page()
        finally:
            budget.release(size)

    def _page(self) -> Page:
        snapshot, search = self._snapshot, self._search
        base = self._filtered(self._tree.matching_articles)
        filters = {
            name: mask[base.numbers]
            for name in dict.fromkeys(condition.field for condition in search.filters)
            if (mask := self._included(name)) is not None
        }
        hits = _passing(base, filters)
        self.check()
        weighting = Weighting(search, self._tree)
        ranker = Ranker(snapshot, search, self._tree, hits, weighting)
        facets = count_facets(
            snapshot,
            [
                # A facet ignores the included values of its own field.
                (facet, _passing(base, filters, but=facet.field))
                if facet.field in filters
                else (facet, hits)
                for facet in search.facets
            ],
            search,
            zone(search.tz),
            self.check,
        )
        self.check()
        page_hits, more = ranker.page()
        more = more and bool(page_hits)
        return Page(
            hits=tuple(page_hits),
            articles=len(hits),
            paragraphs=ranker.total,
            facets=facets,
            after=page_hits[-1].key if more else None,
            statistics=weighting.statistics
            if more and search.sort is Sort.RELEVANCE
            else None,
            seq=snapshot.seq,
            terms=tuple(
                WordCount(text=leaf.text, articles=self.visible_count(leaf))
                for leaf in scoring_leaves(search.query)
            ),
        )

    @cached
    def visible(self) -> Mask:
        """Bitmap of the articles that the reader may see; the query plays no part.

        Read-only.
        """
        mask = self._shown
        for condition in self._search.reader.filters:
            having = self._with_values(condition)
            mask = mask & (~having if condition.exclude else having)
        withdrawn = self._tree.withdrawn
        if len(withdrawn):
            mask = mask.copy()
            mask[withdrawn] = False
        return mask

    def visible_count(self, leaf: WordLeaf) -> int:
        """Number of visible articles that match a leaf in any searched field."""
        articles = self._tree.postings(leaf).all_articles
        if self._all_visible:
            return len(articles)
        return int(np.count_nonzero(self.visible[articles]))

    # Filters. Included values are kept apart by field: a facet ignores its own.

    def _filtered(self, hits: RowSet) -> RowSet:
        """Visible hits that pass the date range and the ``exclude.`` filters."""
        search = self._search
        if not self._all_visible:
            hits = hits.filtered(self.visible[hits.numbers])
        if search.dates is not None:
            hits = hits.filtered(self._tree.in_range(search.dates, hits.numbers))
        for condition in search.filters:
            if condition.exclude:
                hits = hits.filtered(~self._with_values(condition)[hits.numbers])
        return hits

    def _included(self, name: str) -> Mask | None:
        """Articles that pass a field's filters; ``None`` if it has none."""
        filters = [
            condition
            for condition in self._search.filters
            if condition.field == name and not condition.exclude
        ]
        if not filters:
            return None
        mask = np.zeros(self._snapshot.articles, bool)
        for condition in filters:
            mask |= self._with_values(condition)
        return mask

    def _with_values(self, condition: Filter) -> Mask:
        """Articles that have one of a filter's values, or none if it asks for none."""
        column = self._snapshot.keyword_column(condition.field)
        mask = np.zeros(self._snapshot.articles, bool)
        for value in condition.values:
            group = column.group_of(value)
            if group is not None:
                mask[column.articles[column.groups == group]] = True
        if condition.missing:
            having = np.zeros(self._snapshot.articles, bool)
            having[column.articles] = True
            mask |= ~having
        return mask


def _passing(articles: RowSet, filters: dict[str, Mask], *, but: str = "") -> RowSet:
    """Articles that pass the filters of every field but one.

    :param filters: by field, one bit per article of the set.
    """
    masks = [mask for name, mask in filters.items() if name != but]
    return articles.filtered(np.logical_and.reduce(masks)) if masks else articles
