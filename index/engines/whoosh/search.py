"""A search over one state of the index, by array operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from index import fields, ranking
from index.dates import micros, zone
from index.engines.whoosh.counts import count_facet
from index.engines.whoosh.leaves import LeafMatches, expand, match
from index.engines.whoosh.schema import PARAGRAPH_WORDS
from index.engines.whoosh.segment import UNKNOWN, Ints
from index.engines.whoosh.state import Floats, Mask, State
from index.errors import InvalidQuery, SearchTimeout
from index.facets import same_value
from index.query import (
    All,
    And,
    Filter,
    Not,
    Or,
    Places,
    Query,
    Range,
    Scope,
    Search,
    Sort,
    SortKey,
    Unit,
    WordLeaf,
    leaves,
    places_of,
    scoring_leaves,
)
from index.result import Hit, LeafScore, Page, Passage, WordCount
from index.visibility import shown

_LAST = np.iinfo(np.int64).max


@dataclass(slots=True)
class _Leaf:
    """A word leaf's matches, and where among the hits it counts.

    :ivar truth: per article or paragraph, as the scope has it.
    :ivar counts: where it counts: not under a NOT, in no AND that fails there.
    """

    leaf: WordLeaf
    places: Places
    found: LeafMatches
    counts: Mask
    scores: bool = field(init=False)

    def __post_init__(self) -> None:
        # Conditions on an article's own fields say which, not how well.
        self.scores = bool(self.places.passages) and not self.places.whole


class Evaluation:
    """One search being answered; nothing of it outlives the answer."""

    def __init__(self, state: State, search: Search, *, expansions: int) -> None:
        self._state = state
        self._search = search
        self._expansions = expansions
        self._started = time.monotonic()
        self._found: dict[WordLeaf, LeafMatches] = {}

    def check(self) -> None:
        """Stop if the deadline has passed.

        :raises SearchTimeout: it has.
        """
        deadline = self._search.deadline
        if deadline is not None and time.monotonic() > deadline:
            raise SearchTimeout(round(deadline - self._started, 3))

    def page(self) -> Page:
        """Return the answer."""
        state, search = self._state, self._search
        filters = {
            name: mask
            for name in dict.fromkeys(each.field for each in search.filters)
            if (mask := self._included(name)) is not None
        }
        base = self.matched & self.visible & self._narrowed
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
        return int((self._having(leaf) & self.visible).sum())

    # The tree. In article scope truth is a mask over articles, else over paragraphs.

    @cached_property
    def matched(self) -> Mask:
        """Which articles the query is true for."""
        truth = self._truth(self._search.query)
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

    def _truth(self, query: Query) -> Mask:
        self.check()
        if isinstance(query, And):
            truth = np.ones(self._universe, bool)
            for child in query.children:
                truth &= self._truth(child)
            return truth
        if isinstance(query, Or):
            truth = np.zeros(self._universe, bool)
            for child in query.children:
                truth |= self._truth(child)
            return truth
        if isinstance(query, Not):
            return ~self._truth(query.child)
        if isinstance(query, All):
            return np.ones(self._universe, bool)
        if isinstance(query, Range):
            return self._spread(self._within(query))
        return self._leaf_truth(query)

    def _leaf_truth(self, leaf: WordLeaf) -> Mask:
        if self._search.scope is Scope.ARTICLE:
            return self._having(leaf)
        state, found = self._state, self._matches(leaf)
        if places_of(leaf, self._search.places).whole:
            return self._spread(self._having(leaf))
        truth = np.zeros(state.paragraphs, bool)
        truth[found.paragraphs.rows] = True
        if found.lines:
            lines = np.zeros(state.articles, bool)
            for each in found.lines.values():
                lines[each.rows] = True
            truth |= lines[state.owner]
        return truth

    def _spread(self, articles: Mask) -> Mask:
        """An article's condition holds for each of its paragraphs."""
        if self._search.scope is Scope.ARTICLE:
            return articles
        spread: Mask = articles[self._state.owner]
        return spread

    def _having(self, leaf: WordLeaf) -> Mask:
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
                f"{leaf.text} stands for {len(words):,} words, more than"
                f" {self._expansions:,}: write more letters",
                code="wildcard_too_broad",
                limit=self._expansions,
                got=len(words),
            )

    def _within(self, bounds: Range) -> Mask:
        column: Ints = getattr(self._state, bounds.field)
        mask: Mask = column != UNKNOWN
        if bounds.low is not None:
            mask &= column >= bounds.low
        if bounds.high is not None:
            mask &= column <= bounds.high
        return mask

    # Filters. Included values are kept apart by field: a facet ignores its own.

    @cached_property
    def _narrowed(self) -> Mask:
        """What ``exclude.`` conditions and the range of dates leave."""
        search = self._search
        mask = np.ones(self._state.articles, bool)
        if search.dates is not None:
            mask &= self._within(search.dates)
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
            matching: Mask = self._truth(self._search.query) & hits[state.owner]
            self._counted = self._counting(matching)
            return matching
        self._counted = self._counting(hits)
        matching = np.zeros(state.paragraphs, bool)
        for each in self._counted:
            if not each.places.whole:
                rows = each.found.paragraphs.rows
                matching[rows[each.counts[state.owner[rows]]]] = True
        having = np.zeros(state.articles, bool)
        having[state.owner[matching]] = True
        matching |= (hits & ~having)[state.owner]
        return matching

    def _counting(self, root: Mask) -> list[_Leaf]:
        counted: list[_Leaf] = []

        def walk(query: Query, mask: Mask) -> None:
            if isinstance(query, And):
                mask = mask & self._truth(query)
                for child in query.children:
                    walk(child, mask)
            elif isinstance(query, Or):
                for child in query.children:
                    walk(child, mask)
            elif not isinstance(query, Not | All | Range):
                counted.append(
                    _Leaf(
                        leaf=query,
                        places=places_of(query, self._search.places),
                        found=self._matches(query),
                        counts=mask & self._leaf_truth(query),
                    )
                )

        walk(self._search.query, root)
        return counted

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
    def _parts(self) -> list[tuple[_Leaf, Floats, Floats]]:
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

    def _article_part(self, each: _Leaf) -> Floats:
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
        having = int((self._having(each.leaf) & state.live).sum())
        part = ranking.article_part(
            weighted, ranking.idf(state.live_articles, having), each.leaf.boost
        )
        counts = each.counts
        if self._search.scope is Scope.PARAGRAPH:
            counts = np.zeros(state.articles, bool)
            counts[state.owner[each.counts]] = True
        scores: Floats = np.where(counts, part, 0.0)
        return scores

    def _paragraph_part(self, each: _Leaf) -> Floats:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What matches, not in order yet: articles, or paragraphs with their articles."""

    articles: Ints
    scores: Floats
    dates: Ints
    paragraphs: Ints | None = None

    def page(self, search: Search, state: State) -> tuple[list[int], bool]:
        """Return which rows the page holds, in order, and whether more follow."""
        _, places = state.id_order
        keys = (places[self.articles], self._by_date(search.sort), -self.scores)
        if self.paragraphs is not None:
            order = np.lexsort((state.n[self.paragraphs], *keys))
        else:
            order = np.lexsort(keys)
        if search.after is not None:
            order = order[self._after(search.after, search.sort, state)[order]]
        end = search.offset + search.limit
        return order[search.offset : end].tolist(), len(order) > end

    def key(self, at: int, state: State) -> SortKey:
        """Return where a row stands in the order."""
        date = int(self.dates[at])
        return SortKey(
            score=float(self.scores[at]),
            date=None if date == UNKNOWN else date,
            id=state.ids[int(self.articles[at])],
            n=None if self.paragraphs is None else int(state.n[self.paragraphs[at]]),
        )

    def _by_date(self, sort: Sort) -> Ints:
        # Ascending numbers for the order wanted, with unknown dates last.
        known = self.dates if sort is Sort.OLDEST else -self.dates
        return np.where(self.dates == UNKNOWN, _LAST, known)

    def _after(self, key: SortKey, sort: Sort, state: State) -> Mask:
        ids, places = state.id_order
        here = places[self.articles]
        left = int(np.searchsorted(np.array(ids, object), key.id, "left")) if ids else 0
        same_id = left < len(ids) and ids[left] == key.id
        later_id = here > left if same_id else here >= left
        if self.paragraphs is not None and same_id and key.n is not None:
            later_id |= (here == left) & (state.n[self.paragraphs] > key.n)
        if key.date is None:
            wanted = _LAST
        else:
            wanted = key.date if sort is Sort.OLDEST else -key.date
        dates = self._by_date(sort)
        later: Mask = (self.scores < key.score) | (
            (self.scores == key.score)
            & ((dates > wanted) | ((dates == wanted) & later_id))
        )
        return later


def _all_but(name: str, filters: dict[str, Mask], base: Mask) -> Mask:
    mask = base.copy()
    for other, included in filters.items():
        if other != name:
            mask &= included
    return mask


def word_leaves(query: Query) -> tuple[WordLeaf, ...]:
    """Return every word leaf, left to right."""
    return tuple(leaf for leaf, _ in leaves(query) if not isinstance(leaf, Range))
