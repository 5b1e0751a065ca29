"""A search over one state of the index, by array operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from index import fields, ranking
from index.dates import micros, zone
from index.engines.whoosh.counts import count_facet
from index.engines.whoosh.order import Rows
from index.engines.whoosh.segment import Ints
from index.engines.whoosh.state import Floats, Mask, State
from index.engines.whoosh.tree import CountedLeaf, Tree
from index.facets import same_value
from index.query import Filter, Scope, Search, Sort, Unit, WordLeaf, scoring_leaves
from index.result import Hit, LeafScore, Page, Passage, WordCount
from index.visibility import shown


class Evaluation:
    """One search being answered; nothing of it outlives the answer."""

    def __init__(self, state: State, search: Search, *, expansions: int) -> None:
        self._state = state
        self._search = search
        self._tree = Tree(state, search, expansions=expansions)
        self.check = self._tree.check
        self._counted: list[CountedLeaf] = []

    def page(self) -> Page:
        """Return the answer."""
        state, search = self._state, self._search
        filters = {
            name: mask
            for name in dict.fromkeys(each.field for each in search.filters)
            if (mask := self._included(name)) is not None
        }
        base = self._tree.matched & self.visible & self._narrowed
        hits = base.copy()
        for mask in filters.values():
            hits &= mask
        self.check()
        matching = self._matching(hits)
        facets = tuple(
            count_facet(
                state,
                request,
                search,
                _all_but(request.field, filters, base),
                zone(search.tz),
                self.check,
            )
            for request in search.facets
        )
        self.check()
        rows = self._articles(hits, matching)
        if search.unit is Unit.PARAGRAPH:
            rows = self._paragraphs(rows, matching)
        chosen, more = rows.page(search, state)
        leaves_ = self._counting_leaves(hits)
        found = tuple(self._hit(rows, at, matching, leaves_) for at in chosen)
        return Page(
            hits=found,
            articles=int(hits.sum()),
            paragraphs=int(matching.sum()),
            facets=facets,
            after=found[-1].key if more and found else None,
            seq=state.seq,
            terms=tuple(
                WordCount(text=leaf.text, articles=self.visible_count(leaf))
                for leaf in scoring_leaves(search.query)
            ),
        )

    @cached_property
    def visible(self) -> Mask:
        """Which articles live and show, whatever is asked."""
        state = self._state
        mask: Mask = state.live & shown(
            state.status,
            state.embargoed_until,
            state.expires,
            micros(self._search.now),
        )
        for article_id in self._search.hidden:
            number = state.number_of.get(article_id)
            if number is not None:
                mask[number] = False
        return mask

    def visible_count(self, leaf: WordLeaf) -> int:
        """Return how many visible articles have a leaf somewhere it is sought."""
        return int((self._tree.having(leaf) & self.visible).sum())

    # Filters. Included values are kept apart by field: a facet ignores its own.

    @cached_property
    def _narrowed(self) -> Mask:
        """What ``exclude.`` conditions and the range of dates leave."""
        search = self._search
        mask = np.ones(self._state.articles, bool)
        if search.dates is not None:
            mask &= self._tree.within(search.dates)
        for each in search.filters:
            if each.exclude:
                mask &= ~self._with_values(each)
        return mask

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

    # Which paragraphs match, and which leaves count where.

    def _matching(self, hits: Mask) -> Mask:
        state = self._state
        if self._search.scope is Scope.PARAGRAPH:
            matching: Mask = self._tree.truth(self._search.query) & hits[state.owner]
            self._counted = self._tree.counting(matching)
            return matching
        self._counted = self._tree.counting(hits)
        matching = np.zeros(state.paragraphs, bool)
        for each in self._counted:
            if not each.places.whole:
                rows = each.found.paragraphs.rows
                matching[rows[each.counts[state.owner[rows]]]] = True
        having = np.zeros(state.articles, bool)
        having[state.owner[matching]] = True
        matching |= (hits & ~having)[state.owner]
        return matching

    def _counting_leaves(self, hits: Mask) -> Callable[[int], tuple[WordLeaf, ...]]:
        """Return which leaves count in an article, by its number."""
        state = self._state
        masks = []
        for each in self._counted:
            mask = each.counts
            if self._search.scope is Scope.PARAGRAPH:
                mask = np.zeros(state.articles, bool)
                mask[state.owner[each.counts]] = True
            masks.append((each.leaf, mask))
        return lambda article: tuple(leaf for leaf, mask in masks if mask[article])

    # Scores.

    @cached_property
    def _parts(self) -> list[tuple[CountedLeaf, Floats, Floats]]:
        """Each scoring leaf with its parts of every article's and paragraph's score."""
        return [
            (each, self._article_part(each), self._paragraph_part(each))
            for each in self._counted
            if each.scores
        ]

    @cached_property
    def _paragraph_scores(self) -> Floats:
        scores = np.zeros(self._state.paragraphs)
        for _, _, part in self._parts:
            scores += part
        return scores

    def _article_part(self, each: CountedLeaf) -> Floats:
        self.check()
        state, found = self._state, each.found
        weighted = np.zeros(state.articles)
        owners = state.owner[found.paragraphs.rows]
        for name in (*each.places.passages, *each.places.lines):
            if name in fields.PASSAGE_FIELDS:
                inside = state.passage[found.paragraphs.rows] == (
                    fields.PASSAGE_FIELDS.index(name)
                )
                frequencies: Floats = np.bincount(
                    owners[inside],
                    weights=found.paragraphs.frequencies[inside],
                    minlength=state.articles,
                ).astype(np.float64)
            elif name in found.lines:
                line = found.lines[name]
                frequencies = np.zeros(state.articles)
                frequencies[line.rows] = line.frequencies
            else:
                continue
            lengths, mean = state.field_lengths(name)
            weighted += ranking.field_frequency(
                frequencies, lengths, mean, fields.BY_NAME[name].weight
            )
        having = int((self._tree.having(each.leaf) & state.live).sum())
        part = ranking.article_part(
            weighted, ranking.idf(state.live_articles, having), each.leaf.boost
        )
        counts = each.counts
        if self._search.scope is Scope.PARAGRAPH:
            counts = np.zeros(state.articles, bool)
            counts[state.owner[each.counts]] = True
        scores: Floats = np.where(counts, part, 0.0)
        return scores

    def _paragraph_part(self, each: CountedLeaf) -> Floats:
        state = self._state
        rows = each.found.paragraphs.rows
        scores = np.zeros(state.paragraphs)
        if not len(rows):
            return scores
        count, mean = state.paragraph_statistics(each.places.passages)
        having = int(state.live_paragraphs[rows].sum())
        part = ranking.paragraph_part(
            each.found.paragraphs.frequencies,
            state.lengths[rows],
            mean,
            ranking.idf(count, having),
            each.leaf.boost,
        )
        if self._search.scope is Scope.PARAGRAPH:
            counts = each.counts[rows]
        else:
            counts = each.counts[state.owner[rows]]
        scores[rows] = np.where(counts, part, 0.0)
        return scores

    # Order.

    def _articles(self, hits: Mask, matching: Mask) -> Rows:
        state, search = self._state, self._search
        numbers = np.flatnonzero(hits)
        scores = np.zeros(len(numbers))
        if search.sort is Sort.RELEVANCE and search.unit is Unit.ARTICLE:
            scores = self._article_scores(matching)[numbers]
        column = state.updated if search.sort is Sort.UPDATED else state.published
        return Rows(articles=numbers, scores=scores, dates=column[numbers])

    def _article_scores(self, matching: Mask) -> Floats:
        state = self._state
        if not state.articles:
            return np.zeros(0)
        parts = np.zeros(state.articles)
        for _, article, _ in self._parts:
            parts += article
        best = np.maximum.reduceat(
            np.where(matching, self._paragraph_scores, 0.0), state.first
        )
        scores: Floats = ranking.article_score(parts, best)
        return scores

    def _paragraphs(self, rows: Rows, matching: Mask) -> Rows:
        state, search = self._state, self._search
        numbers = np.flatnonzero(matching)
        scores = np.zeros(len(numbers))
        if search.sort is Sort.RELEVANCE:
            scores = ranking.rounded(self._paragraph_scores[numbers])
        column = state.updated if search.sort is Sort.UPDATED else state.published
        owners = state.owner[numbers]
        return Rows(
            articles=owners, scores=scores, dates=column[owners], paragraphs=numbers
        )

    # Hits.

    def _hit(
        self,
        rows: Rows,
        at: int,
        matching: Mask,
        counting: Callable[[int], tuple[WordLeaf, ...]],
    ) -> Hit:
        state, search = self._state, self._search
        article = int(rows.articles[at])
        first = int(state.first[article])
        last = (
            int(state.first[article + 1])
            if article + 1 < state.articles
            else state.paragraphs
        )
        here = np.flatnonzero(matching[first:last]) + first
        if rows.paragraphs is not None:
            chosen = [int(rows.paragraphs[at])]
        else:
            # The headline is shown with each hit, and is no passage of it.
            below = here[state.n[here] > 0]
            scores = ranking.rounded(self._paragraph_scores[below])
            best = np.lexsort((below, -scores))[: search.passages]
            chosen = sorted(below[best].tolist())
        score = float(rows.scores[at])
        if rows.paragraphs is not None and search.sort is not Sort.RELEVANCE:
            score = float(ranking.rounded(self._paragraph_scores[chosen[0]]))
        return Hit(
            id=state.ids[article],
            version=state.versions[article],
            score=score,
            key=rows.key(at, state),
            passages=tuple(self._passage(paragraph) for paragraph in chosen),
            passages_total=len(here),
            leaves=counting(article),
            parts=self._explained(article, here, chosen) if search.explain else None,
        )

    def _passage(self, paragraph: int) -> Passage:
        state = self._state
        article = int(state.owner[paragraph])
        at = paragraph if self._search.scope is Scope.PARAGRAPH else article
        return Passage(
            n=int(state.n[paragraph]),
            score=float(ranking.rounded(self._paragraph_scores[paragraph])),
            leaves=tuple(each.leaf for each in self._counted if each.counts[at]),
        )

    def _explained(
        self, article: int, here: Ints, chosen: list[int]
    ) -> tuple[LeafScore, ...]:
        if self._search.unit is Unit.PARAGRAPH:
            best = chosen[0]
        else:
            scores = ranking.rounded(self._paragraph_scores[here])
            best = int(here[np.argmax(scores)])
        return tuple(
            LeafScore(
                text=each.leaf.text,
                article=float(ranking.rounded(in_article[article])),
                paragraph=float(ranking.rounded(in_paragraph[best])),
            )
            for each, in_article, in_paragraph in self._parts
        )


def _all_but(name: str, filters: dict[str, Mask], base: Mask) -> Mask:
    mask = base.copy()
    for other, included in filters.items():
        if other != name:
            mask &= included
    return mask
