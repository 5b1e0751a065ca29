"""Ranking of articles that looks closely only at those that can come first.

What a search asks of all hits (their number, their paragraphs, a bound of their score)
comes from the posting lists by article, which are shorter than those by document.
Scores are worked out exactly for the hits with the highest bounds, until no other can
be among the first: the answer is the same as if all had been (Turtle and Flood, 1995).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index import ranking
from index.engines.whoosh.arrays import Array
from index.engines.whoosh.found import Found
from index.engines.whoosh.hits import Hits
from index.engines.whoosh.kept import kept
from index.engines.whoosh.order import Candidates
from index.engines.whoosh.segment import Ints, Mask, ranges
from index.engines.whoosh.state import Floats, State
from index.engines.whoosh.tree import CountedLeaf, Tree
from index.query import WORD_LEAVES, Or, Search, Sort, WordLeaf
from index.result import Hit, LeafScore, Passage

# So many hits are all looked at closely; of more, so many at first and at a time.
_ALL, _FIRST, _NEXT = 768, 64, 512
# Of fewer articles than one in so many, documents are looked at by themselves.
_FEW = 4
# Bounds are sums in single precision, and scores are rounded.
_SLACK = 1e-3
_NO_SCORE = -1.0  # below every score and every bound


class Sparse:
    """The ranking of one search; see :class:`index.engines.whoosh.search.Ranking`.

    :param hits: which articles are hits.
    """

    def __init__(self, state: State, search: Search, tree: Tree, hits: Hits) -> None:
        self._state, self._search = state, search
        self._hits, self._numbers = hits, hits.numbers
        self._counted = [
            _Counted(each, state, hits) for each in tree.counting(lambda: hits.mask)
        ]
        self._scoring = [each for each in self._counted if each.leaf.scores]
        # Few hits are looked at closely at once, and then everything is known of them.
        self._close = (
            _Close(state, self._counted, hits.numbers) if len(hits) <= _ALL else None
        )
        self.check = tree.check

    # How many paragraphs match.

    @kept
    def total(self) -> int:
        """How many paragraphs match."""
        if self._close is not None:
            return int(self._close.totals.sum())
        state = self._state
        leaves = [each for each in self._counted if not each.leaf.places.whole]
        self.check()
        if len(leaves) == 1:
            return leaves[0].spread + self._wordless(leaves)
        mask = np.zeros(state.documents, bool)
        narrowed = False
        for leaf in leaves:
            if leaf.everywhere:
                leaf.found.mark(mask)
            elif leaf.leaf.context is not None:
                rows = leaf.found.rows
                mask[rows[leaf.context[state.owner[rows]]]] = True
            else:
                leaf.found.mark(mask)
                narrowed = True
        if narrowed:
            mask = self._of_hits(mask)
        return int(np.count_nonzero(mask)) + self._wordless(leaves)

    def _of_hits(self, mask: Mask) -> Mask:
        """Return of a mask over documents what is of the hits."""
        state, numbers = self._state, self._numbers
        if len(numbers) * _FEW < state.articles:
            mine: Mask = mask[ranges(state.first[numbers], state.sizes[numbers])]
            return mine
        mask &= self._hits.mask.repeat(state.sizes)
        return mask

    def _wordless(self, leaves: Sequence[_Counted]) -> int:
        """Return how many paragraphs hits have in which none of these leaves is."""
        if any(leaf.leaf.certain and not leaf.found.lines for leaf in leaves):
            return 0
        if self._hits.all_matches and all(
            leaf.everywhere and not leaf.found.lines for leaf in self._counted
        ):
            united = len(self._counted) == len(leaves)
            if united and not self._may_lack_words:
                return 0
        rest = self._hits.mask.copy()
        for leaf in leaves:
            having = leaf.found.paragraph_mask
            rest &= ~having if leaf.leaf.context is None else ~(having & leaf.context)
        return int(self._state.sizes[rest].sum()) if rest.any() else 0

    @property
    def _may_lack_words(self) -> bool:
        """Whether an article can be a hit without any leaf that counts."""
        query = self._search.query
        return not isinstance(query, Or) or not all(
            isinstance(each, WORD_LEAVES) for each in query.children
        )

    # Which hits come first.

    def page(self) -> tuple[Sequence[Hit], bool]:
        """Return the hits of the page, in order, and whether more follow."""
        search, state = self._search, self._state
        rows = Candidates(articles=self._numbers)
        if search.sort is Sort.RELEVANCE and self._scoring:
            if search.limit == 0:
                return [], len(self._numbers) > search.offset
            rows = self._best()
        chosen, more = rows.page(search, state)
        if search.after is None:
            more = len(self._numbers) > search.offset + search.limit
        return self._shown(rows, chosen), more

    def _best(self) -> Candidates:
        """Return the hits that can be on the page, with their scores.

        After a cursor, also those before it: they are told apart by their scores.
        """
        numbers = self._numbers
        if self._close is not None:
            return Candidates(articles=numbers, scores=self._close.scores)
        bounds = self._bounds()
        scores = np.full(len(numbers), np.nan)
        size = max(_FIRST, 2 * self._wanted)
        least = _NO_SCORE
        while True:
            self.check()
            open_ = bounds >= least - _SLACK
            count = int(np.count_nonzero(open_))
            if not count:
                break
            if count > size:
                inside = bounds if count == len(bounds) else bounds[open_]
                open_ &= bounds >= np.partition(inside, count - size)[count - size]
            looked = open_.nonzero()[0]
            scores[looked] = self._exact(numbers[looked])
            bounds[looked] = -np.inf  # not to be looked at again
            size = max(size, _NEXT)
            least = self._least(scores)
        done = (~np.isnan(scores)).nonzero()[0]
        return Candidates(articles=numbers[done], scores=scores[done])

    @property
    def _wanted(self) -> int:
        """How many of the first hits must be known."""
        search = self._search
        # After a cursor it must be seen whether more follow; else the number tells.
        return search.offset + search.limit + (search.after is not None)

    def _least(self, scores: Floats) -> float:
        """Return the score that the last hit wanted has at the least, as yet."""
        done = (~np.isnan(scores)).nonzero()[0]
        if self._search.after is None:
            here = scores[done]
            if len(here) < self._wanted:
                return _NO_SCORE
            place = len(here) - self._wanted
            return float(np.partition(here, place)[place])
        rows = Candidates(articles=self._numbers[done], scores=scores[done])
        first, _ = rows.page(self._search, self._state, wanted=self._wanted)
        return (
            float(scores[done][first[-1]]) if len(first) == self._wanted else _NO_SCORE
        )

    def _bounds(self) -> Array:
        """Return what each hit scores at the most."""
        bounds = np.zeros(self._state.articles, np.float32)
        for each in self._scoring:
            self.check()
            if each.found.lines:
                bounds[each.having] += each.bounds
            else:
                # A leaf has an article only once.
                bounds[each.articles] += each.bounds
        return bounds[self._numbers]

    def _exact(self, numbers: Ints) -> Floats:
        """Return the scores of some hits, in ascending order of their numbers."""
        return _Close(self._state, self._scoring, numbers).scores

    # Hits.

    def _shown(self, rows: Candidates, chosen: Ints) -> list[Hit]:
        """Return the hits of the page."""
        if not len(chosen):
            return []
        state, search = self._state, self._search
        articles = rows.articles[chosen]
        close = self._close or _Close(state, self._counted, np.sort(articles))
        slots = close.articles.searchsorted(articles).tolist()
        leaves = self._leaves(articles)
        totals = close.totals.tolist()
        hits = []
        for place, key in enumerate(rows.keys(chosen, search, state)):
            slot, here = slots[place], leaves[place]
            passages: tuple[Passage, ...] = ()
            if search.passages:
                passages = tuple(
                    Passage(n=n, score=score, leaves=here)
                    for n, score in close.passages(slot, search.passages)
                )
            segment, number = state.located(int(articles[place]))
            hits.append(
                Hit(
                    id=key.id,
                    version=segment.version(number),
                    score=key.score,
                    key=key,
                    passages=passages,
                    passages_total=totals[slot],
                    leaves=here,
                    parts=close.explained(slot) if search.explain else None,
                )
            )
        return hits

    def _leaves(self, articles: Ints) -> list[tuple[WordLeaf, ...]]:
        """Return the leaves that count in each of some hits."""
        if all(each.leaf.certain for each in self._counted):
            return [tuple([each.leaf.leaf for each in self._counted])] * len(articles)
        counting = [
            (each.leaf.leaf, each.is_in(articles).tolist()) for each in self._counted
        ]
        return [
            tuple([leaf for leaf, counts in counting if counts[place]])
            for place in range(len(articles))
        ]


class _Counted:
    """A leaf that counts, and where among the hits it does."""

    def __init__(self, leaf: CountedLeaf, state: State, hits: Hits) -> None:
        self.leaf, self.found = leaf, leaf.found
        self._state, self._hits = state, hits

    @property
    def context(self) -> Mask:
        """Where what it stands in holds, among the hits."""
        return self._hits.mask if self.leaf.context is None else self.leaf.context

    @kept
    def _inside(self) -> Mask:
        inside: Mask = self.context[self.found.articles]
        return inside

    @kept
    def everywhere(self) -> bool:
        """Whether it counts wherever it is."""
        if self.leaf.certain and len(self._hits) == len(self.found.articles):
            return not self.found.lines
        return bool(self._inside.all())

    @kept
    def articles(self) -> Array:
        """Hits with a paragraph in which it counts, ascending."""
        found = self.found.articles
        return found if self.everywhere else found[self._inside]

    @kept
    def having(self) -> Array:
        """Hits in which it counts anywhere, ascending."""
        if not self.found.lines:
            return self.articles
        having = self.found.having
        return having[self.context[having]]

    @kept
    def spread(self) -> int:
        """In how many paragraphs it counts."""
        if self.everywhere:
            return self.found.all_documents
        return int(self.found.spreads[self._inside].sum(dtype=np.int64))

    def is_in(self, articles: Ints) -> Mask:
        """Return in which of some hits it counts."""
        order = articles.argsort()
        inside = np.empty(len(articles), bool)
        inside[order] = self.found.has(articles[order])
        if self.leaf.context is not None:
            inside &= self.leaf.context[articles]
        return inside

    # Statistics, once for all that is scored.

    @kept
    def article_weight(self) -> float:
        """What a word so rare counts for in an article."""
        having = self.found.live_articles
        return float(ranking.idf(self._state.live_articles, having))

    @kept
    def document_weight(self) -> float:
        """What a word so rare counts for in a paragraph."""
        count, _ = self._state.document_statistics(self.leaf.places.passages)
        return float(ranking.idf(count, self.found.live_documents))

    @kept
    def bounds(self) -> Array:
        """What it adds to the score of each of ``having`` at the most."""
        state, found, boost = self._state, self.found, self.leaf.leaf.boost
        totals, bests = found.totals, found.bests
        if not self.everywhere:
            totals, bests = totals[self._inside], bests[self._inside]
        weighted = _weighted(state, found, self.articles, totals)
        best = state.best_scores(self.leaf.places.passages)[bests]
        if found.lines:
            weighted, best = self._with_lines(weighted, best)
        bounds: Array = ranking.article_part(
            weighted, np.float32(self.article_weight), boost
        )
        best *= np.float32(ranking.PARAGRAPH_SHARE * self.document_weight * boost)
        bounds += best
        return bounds

    def _with_lines(self, weighted: Array, best: Array) -> tuple[Array, Array]:
        at = np.searchsorted(self.having, self.articles)
        every = np.zeros(len(self.having), np.float32)
        every[at] = weighted
        for name, line in self.found.lines.items():
            inside = self.context[line.rows]
            rows = line.rows[inside]
            scale = self._state.scale(name)[rows]
            every[np.searchsorted(self.having, rows)] += (
                line.frequencies[inside] * scale
            )
        highest = np.zeros(len(self.having), np.float32)
        highest[at] = best
        return every, highest


def _weighted(state: State, found: Found, articles: Array, totals: Array) -> Array:
    """Return the weighted frequency of a leaf in articles' paragraphs (BM25F).

    :param articles: some that have it, ascending; ``totals`` of each.
    """
    main = state.main_scale()
    weighted: Array = main[articles]
    weighted *= totals
    for name, (having, frequencies) in found.side.items():
        at = articles.searchsorted(having)
        if len(articles) < len(found.articles):
            if not len(articles):
                break
            at[at == len(articles)] = 0
            inside = (articles[at] == having).nonzero()[0]
            at, having, frequencies = at[inside], having[inside], frequencies[inside]
        scale = state.scale(name)[having] - main[having]
        weighted[at] += frequencies * scale
    return weighted


class _Close:
    """Some hits, with all their paragraphs.

    :param articles: their numbers, ascending. A *slot* is a place among them.
    """

    def __init__(
        self, state: State, counted: Sequence[_Counted], articles: Ints
    ) -> None:
        self._state, self.articles = state, articles
        self._firsts, self._ends = state.first[articles], state.first[articles + 1]
        self._sizes = self._ends - self._firsts
        ends = self._sizes.cumsum(dtype=np.int64)
        self._starts = ends - self._sizes
        self._shifts = self._starts - self._firsts
        self._count = int(ends[-1]) if len(ends) else 0
        self._leaves = [(each, *self._inside(each)) for each in counted]

    def _inside(self, each: _Counted) -> tuple[Ints, Ints, Ints, Array]:
        """Return where a leaf counts: slots, rows, places among all paragraphs here."""
        slots, rows, frequencies = each.found.inside(
            self.articles, self._firsts, self._ends
        )
        if each.leaf.context is not None:
            inside = each.leaf.context[self.articles[slots]]
            slots, rows = slots[inside], rows[inside]
            frequencies = frequencies[inside]
        return slots, rows, rows + self._shifts[slots], frequencies

    @kept
    def scores(self) -> Floats:
        """The articles' scores."""
        if not len(self.articles):
            return np.zeros(0)
        parts = np.zeros(len(self.articles))
        for leaf in self._leaves:
            if leaf[0].leaf.scores:
                parts += self._article_part(*leaf)
        best = np.maximum.reduceat(self._document_scores, self._starts)
        scores: Floats = ranking.article_score(parts, best)
        return scores

    @kept
    def _document_scores(self) -> Floats:
        scores = np.zeros(self._count)
        for leaf in self._leaves:
            if leaf[0].leaf.scores:
                # No paragraph stands twice among a leaf's.
                scores[leaf[3]] += self._document_part(*leaf)
        return scores

    def _article_part(
        self, each: _Counted, slots: Ints, rows: Ints, places: Ints, frequencies: Array
    ) -> Floats:
        state, articles = self._state, self.articles
        passages = state.passages_of(rows)
        scales = state.passage_scales[passages, articles[slots]]
        weighted = np.bincount(slots, frequencies * scales, len(articles))
        for name, line in each.found.lines.items():
            at = line.rows.searchsorted(articles)
            at[at == len(line.rows)] = 0
            has = line.rows[at] == articles
            if each.leaf.context is not None:
                has &= each.leaf.context[articles]
            scale = state.scale(name)[articles]
            weighted += np.where(has, line.frequencies[at] * scale, 0.0)
        part: Floats = ranking.article_part(
            weighted, each.article_weight, each.leaf.leaf.boost
        )
        return part

    def _document_part(
        self, each: _Counted, slots: Ints, rows: Ints, places: Ints, frequencies: Array
    ) -> Floats:
        state = self._state
        _, mean = state.document_statistics(each.leaf.places.passages)
        part: Floats = ranking.paragraph_part(
            frequencies.astype(np.float64),
            state.lengths_of(rows),
            mean,
            each.document_weight,
            each.leaf.leaf.boost,
        )
        return part

    @kept
    def _matching(self) -> Mask:
        matching = np.zeros(self._count, bool)
        for each, _, _, places, _ in self._leaves:
            if not each.leaf.places.whole:
                matching[places] = True
        return matching

    @kept
    def totals(self) -> Ints:
        """How many paragraphs of each article match; all, where none has a leaf."""
        if not len(self.articles):
            return self._sizes.astype(np.int64)
        found: Ints = np.add.reduceat(self._matching, self._starts, dtype=np.int64)
        return np.where(found > 0, found, self._sizes)

    def _places(self, slot: int) -> Ints:
        """Return the matching paragraphs of an article, as places among all here."""
        start, size = int(self._starts[slot]), int(self._sizes[slot])
        found = np.flatnonzero(self._matching[start : start + size]) + start
        return found if len(found) else np.arange(start, start + size)

    def passages(self, slot: int, count: int) -> list[tuple[int, float]]:
        """Return the numbers and scores of an article's best paragraphs, in order."""
        here = self._places(slot)
        shift = int(self._state.first_n[self.articles[slot]]) - int(self._starts[slot])
        numbers = here + shift
        # The headline is shown with each hit, and is no passage of it.
        if numbers[0] == 0:
            numbers, here = numbers[1:], here[1:]
        scores = ranking.rounded(self._document_scores[here])
        if len(here) > count:
            best = np.sort(np.lexsort((numbers, -scores))[:count])
            numbers, scores = numbers[best], scores[best]
        return list(zip(numbers.tolist(), scores.tolist(), strict=True))

    def explained(self, slot: int) -> tuple[LeafScore, ...]:
        """Return what each leaf adds to an article and to its best paragraph."""
        here = self._places(slot)
        best = int(here[np.argmax(ranking.rounded(self._document_scores[here]))])
        parts = []
        for leaf in self._leaves:
            if leaf[0].leaf.scores:
                in_documents = np.zeros(self._count)
                in_documents[leaf[3]] = self._document_part(*leaf)
                in_article = self._article_part(*leaf)[slot]
                parts.append(
                    LeafScore(
                        text=leaf[0].leaf.leaf.text,
                        article=float(ranking.rounded(in_article)),
                        paragraph=float(ranking.rounded(in_documents[best])),
                    )
                )
        return tuple(parts)
