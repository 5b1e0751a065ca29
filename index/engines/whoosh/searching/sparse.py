"""Ranking of articles that looks closely only at those that can come first.

What a search asks of all hits (their number, their paragraphs, a bound of their score)
comes from the posting lists by article, which are shorter than those by document.
Scores are worked out exactly for the hits with the highest bounds, until no other can
be among the first: the answer is the same as if all had been (Turtle and Flood, 1995).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.engines.result import Hit, Passage
from index.engines.whoosh.files import Array, Ints, cached
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.scoring import ExactScorer, LeafScorer
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.engines.whoosh.searching.sorting import Candidates, top_k_threshold
from index.query import WORD_LEAVES, Or, Search, Sort, WordLeaf

# So many hits are all looked at closely: more of several leaves than of one, whose
# bounds are close. Of more hits, so many at first, and so many at a time.
_ALL_OF_ONE, _ALL_OF_SEVERAL = 300, 900
_FIRST, _NEXT = 64, 512
# Bounds are sums in single precision, and scores are rounded.
_SLACK = 1e-3
_NO_SCORE = -1.0  # below every score and every bound


class SparseRanker:
    """The ranking of one search; see :class:`.evaluation.Ranking`.

    :param hits: which articles are hits.
    """

    def __init__(
        self, state: IndexSnapshot, search: Search, tree: QueryTree, hits: ArticleSet
    ) -> None:
        self._state, self._search = state, search
        self._hits, self._numbers = hits, hits.numbers
        self._counted = [
            LeafScorer(each, state, hits) for each in tree.counting(lambda: hits.mask)
        ]
        self._scoring = [each for each in self._counted if each.leaf.scores]
        # Few hits are looked at closely at once, and then everything is known of them.
        most = _ALL_OF_ONE if len(self._counted) < 2 else _ALL_OF_SEVERAL
        self._close = (
            ExactScorer(state, self._counted, hits.numbers)
            if len(hits) <= most
            else None
        )
        self._looked = [] if self._close is None else [self._close]
        self.check = tree.check

    # How many paragraphs match.

    @cached
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
        for leaf in leaves:
            leaf.mark(mask)
        return int(np.count_nonzero(mask)) + self._wordless(leaves)

    def _wordless(self, leaves: Sequence[LeafScorer]) -> int:
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
        size = max(_FIRST, 2 * self._wanted)
        open_ = (bounds >= -top_k_threshold(-bounds, size)).nonzero()[0]
        looked = [open_]
        scores = [self._exact(numbers.take(open_))]
        slack = _SLACK + 1e-6 * float(bounds.max())
        while True:
            self.check()
            bounds[open_] = -np.inf  # not to be looked at again
            least = self._least(looked, scores)
            open_ = (bounds >= least - slack).nonzero()[0]
            if not len(open_):
                break
            if len(open_) > _NEXT:
                highest = bounds.take(open_)
                open_ = open_.compress(highest >= -top_k_threshold(-highest, _NEXT))
            looked.append(open_)
            scores.append(self._exact(numbers.take(open_)))
        if len(looked) == 1:
            return Candidates(articles=numbers.take(looked[0]), scores=scores[0])
        return Candidates(
            articles=numbers.take(np.concatenate(looked)), scores=np.concatenate(scores)
        )

    @property
    def _wanted(self) -> int:
        """How many of the first hits must be known."""
        search = self._search
        # After a cursor it must be seen whether more follow; else the number tells.
        return search.offset + search.limit + (search.after is not None)

    def _least(self, looked: Sequence[Ints], scores: Sequence[Floats]) -> float:
        """Return the score that the last hit wanted has at the least, as yet."""
        known = scores[0] if len(scores) == 1 else np.concatenate(scores)
        wanted = self._wanted
        if len(known) < wanted:
            return _NO_SCORE
        if self._search.after is None:
            less = -known
            less.partition(wanted - 1)
            return -float(less[wanted - 1])
        articles = self._numbers.take(np.concatenate(looked))
        rows = Candidates(articles=articles, scores=known)
        first, _ = rows.page(self._search, self._state, wanted=wanted)
        return float(known[first[-1]]) if len(first) == wanted else _NO_SCORE

    def _bounds(self) -> Array:
        """Return what each hit scores at the most."""
        bounds = np.zeros(len(self._numbers), np.float32)
        by_article: Array | None = None
        for each in self._scoring:
            self.check()
            if each.leaf.certain and len(each.having) == len(bounds):
                bounds += each.bounds
                continue
            # A leaf has an article only once.
            if by_article is None:
                by_article = np.zeros(self._state.articles, np.float32)
                by_article[each.having] = each.bounds
            else:
                by_article[each.having] += each.bounds
        if by_article is not None:
            bounds += by_article.take(self._numbers)
        return bounds

    def _exact(self, numbers: Ints) -> Floats:
        """Return the scores of some hits, in ascending order of their numbers."""
        close = ExactScorer(self._state, self._counted, numbers)
        self._looked.append(close)
        return close.scores

    # Hits.

    def _shown(self, rows: Candidates, chosen: Ints) -> list[Hit]:
        """Return the hits of the page."""
        if not len(chosen):
            return []
        state, search = self._state, self._search
        articles = rows.articles[chosen]
        close = self._close_of(articles)
        slots = close.articles.searchsorted(articles).tolist()
        leaves = self._leaves(articles)
        totals = close.totals.tolist()
        hits = []
        for slot, here, key, version in zip(
            slots,
            leaves,
            rows.keys(chosen, search, state),
            state.versions(articles),
            strict=True,
        ):
            passages: tuple[Passage, ...] = ()
            if search.passages:
                passages = tuple(
                    Passage(n=n, score=score, leaves=here)
                    for n, score in close.passages(slot, search.passages)
                )
            hits.append(
                Hit(
                    id=key.id,
                    version=version,
                    score=key.score,
                    key=key,
                    passages=passages,
                    passages_total=totals[slot],
                    leaves=here,
                    parts=close.explained(slot) if search.explain else None,
                )
            )
        return hits

    def _close_of(self, articles: Ints) -> ExactScorer:
        """Return a close look at some hits: one that was taken, if it has them all."""
        for close in self._looked[:1]:
            at = close.articles.searchsorted(articles)
            at[at == len(close.articles)] = 0
            if (close.articles[at] == articles).all():
                return close
        return ExactScorer(self._state, self._counted, np.sort(articles))

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
