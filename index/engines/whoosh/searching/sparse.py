"""Sparse evaluation: exact scores only for the articles that can be in the top k.

The number of hits, the number of their paragraphs and an upper bound of each score come
from the posting lists by article, which are shorter than those by document. The
candidates with the highest bounds are scored exactly, batch by batch, until no bound
left exceeds the score of the k-th hit. This is MaxScore (Turtle and Flood, 1995) with
an upper bound for each article instead of one for each posting list; like it, it gives
the same top k as scoring every hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np

from index.engines.result import Hit, Passage
from index.engines.whoosh.files import Array, Ints, cached
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.scoring import ExactScorer, LeafScorer
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.engines.whoosh.searching.sorting import Candidates, top_k_threshold
from index.engines.whoosh.searching.weighting import Weighting
from index.query import WORD_LEAVES, Or, Search, Sort, WordLeaf

# Up to so many hits are all scored exactly: fewer for a single leaf, since its bounds
# are tight. Of more hits, a first batch and then further ones.
_ALL_OF_ONE_LEAF, _ALL_OF_SEVERAL = 300, 900
_FIRST_BATCH, _NEXT_BATCH = 64, 512
# Pairs of a leaf and a paragraph that are scored exactly at a time, at the most, unless
# a single article has more: an exact scorer takes some 60 bytes for each.
EXACT_ENTRIES = 400_000
# Pairs in the batches that are kept: the hits of the page are among them.
KEPT_ENTRIES = 50_000
# Bounds are sums in single precision, and scores are rounded.
_SLACK = 1e-3
_NO_SCORE = -1.0  # below every score and every bound
# The scorer of a hit, the slot of the hit in it, number of its matching paragraphs.
_Located = tuple[ExactScorer, int, int]


class SparseRanker:
    """Ranks the hits of one search; see :class:`.evaluation.Ranker`.

    :param hits: articles that match and pass the filters.
    """

    def __init__(
        self,
        snapshot: IndexSnapshot,
        search: Search,
        tree: QueryTree,
        hits: ArticleSet,
        weighting: Weighting,
    ) -> None:
        self._snapshot, self._search = snapshot, search
        self._norms = weighting.norms
        self._hits, self._numbers = hits, hits.numbers
        self._scorers = [
            LeafScorer(clause, weighting, hits)
            for clause in tree.clauses(lambda: hits.mask)
        ]
        self._scoring = [scorer for scorer in self._scorers if scorer.clause.scores]
        # Few hits are all scored at once, which gives everything else about them too.
        most = _ALL_OF_ONE_LEAF if len(self._scorers) < 2 else _ALL_OF_SEVERAL
        self._all = (
            ExactScorer(snapshot, self._scorers, hits.numbers, self._norms)
            if len(hits) <= most and len(self._portions(hits.numbers)) <= 1
            else None
        )
        self._batches = [] if self._all is None else [self._all]
        self._kept_entries = 0
        self.check = tree.check

    # Number of matching paragraphs.

    @cached
    def total(self) -> int:
        """Number of matching paragraphs."""
        if self._all is not None:
            return int(self._all.matching_counts.sum())
        snapshot = self._snapshot
        scorers = [scorer for scorer in self._scorers if not scorer.clause.places.whole]
        self.check()
        if len(scorers) == 1:
            return scorers[0].paragraph_count + self._without_leaf(scorers)
        mask = np.zeros(snapshot.documents, bool)
        for scorer in scorers:
            scorer.set_bits(mask)
        return int(np.count_nonzero(mask)) + self._without_leaf(scorers)

    def _without_leaf(self, scorers: Sequence[LeafScorer]) -> int:
        """Number of paragraphs of the hits in which none of these leaves counts."""
        if any(
            scorer.clause.required and not scorer.postings.lines for scorer in scorers
        ):
            return 0
        if self._hits.complete and all(
            scorer.everywhere and not scorer.postings.lines for scorer in self._scorers
        ):
            only_these = len(self._scorers) == len(scorers)
            if only_these and not self._may_lack_words:
                return 0
        rest = self._hits.mask.copy()
        for scorer in scorers:
            having = scorer.postings.paragraph_mask
            context = scorer.clause.context
            rest &= ~having if context is None else ~(having & context)
        return int(self._snapshot.sizes[rest].sum()) if rest.any() else 0

    @property
    def _may_lack_words(self) -> bool:
        """Whether an article can be a hit without any leaf that counts."""
        query = self._search.query
        return not isinstance(query, Or) or not all(
            isinstance(child, WORD_LEAVES) for child in query.children
        )

    # The top k.

    def page(self) -> tuple[Sequence[Hit], bool]:
        """Hits of the page, sorted, and whether more follow."""
        search, snapshot = self._search, self._snapshot
        candidates = Candidates(articles=self._numbers)
        if search.sort is Sort.RELEVANCE and self._scoring:
            if search.limit == 0:
                return [], len(self._numbers) > search.offset
            candidates = self._top_candidates()
        chosen, more = candidates.page(search, snapshot)
        if search.after is None:
            more = len(self._numbers) > search.offset + search.limit
        return self._page_hits(candidates, chosen), more

    def _top_candidates(self) -> Candidates:
        """Hits that can be on the page, with their scores.

        After a cursor, those before it are included: only scores tell them apart.
        """
        numbers = self._numbers
        if self._all is not None:
            return Candidates(articles=numbers, scores=self._all.scores)
        bounds = self._upper_bounds()
        size = max(_FIRST_BATCH, 2 * self._k)
        batch = (bounds >= -top_k_threshold(-bounds, size)).nonzero()[0]
        scored = [batch]
        scores = [self._score(numbers.take(batch))]
        slack = _SLACK + 1e-6 * float(bounds.max())
        while True:
            self.check()
            bounds[batch] = -np.inf  # never in a batch again
            threshold = self._threshold(scored, scores)
            batch = (bounds >= threshold - slack).nonzero()[0]
            if not len(batch):
                break
            if len(batch) > _NEXT_BATCH:
                highest = bounds.take(batch)
                batch = batch.compress(
                    highest >= -top_k_threshold(-highest, _NEXT_BATCH)
                )
            scored.append(batch)
            scores.append(self._score(numbers.take(batch)))
        if len(scored) == 1:
            return Candidates(articles=numbers.take(scored[0]), scores=scores[0])
        return Candidates(
            articles=numbers.take(np.concatenate(scored)), scores=np.concatenate(scores)
        )

    @property
    def _k(self) -> int:
        """How many of the first hits must be known."""
        search = self._search
        # After a cursor, one more shows whether more follow; else their number does.
        return search.offset + search.limit + (search.after is not None)

    def _threshold(self, scored: Sequence[Ints], scores: Sequence[Floats]) -> float:
        """Score of the k-th hit so far: a lower bound of the final one."""
        known = scores[0] if len(scores) == 1 else np.concatenate(scores)
        k = self._k
        if len(known) < k:
            return _NO_SCORE
        if self._search.after is None:
            negated = -known
            negated.partition(k - 1)
            return -float(negated[k - 1])
        articles = self._numbers.take(np.concatenate(scored))
        candidates = Candidates(articles=articles, scores=known)
        first, _ = candidates.page(self._search, self._snapshot, top=k)
        return float(known[first[-1]]) if len(first) == k else _NO_SCORE

    def _upper_bounds(self) -> Array:
        """Upper bound of the score of each hit."""
        bounds = np.zeros(len(self._numbers), np.float32)
        by_article: Array | None = None
        for scorer in self._scoring:
            self.check()
            if scorer.clause.required and len(scorer.all_articles) == len(bounds):
                bounds += scorer.upper_bounds
                continue
            # Indexed addition is safe: no article occurs twice in a posting list.
            if by_article is None:
                by_article = np.zeros(self._snapshot.articles, np.float32)
                by_article[scorer.all_articles] = scorer.upper_bounds
            else:
                by_article[scorer.all_articles] += scorer.upper_bounds
        if by_article is not None:
            bounds += by_article.take(self._numbers)
        return bounds

    def _score(self, numbers: Ints) -> Floats:
        """Exact scores of some hits.

        :param numbers: of the hits, ascending.
        """
        portions = self._portions(numbers)
        if len(portions) > 1:
            return np.concatenate([self._exactly(portion) for portion in portions])
        batch = ExactScorer(self._snapshot, self._scorers, numbers, self._norms)
        self._kept_entries += batch.entries
        if self._kept_entries <= KEPT_ENTRIES:
            self._batches.append(batch)
        return batch.scores

    def _exactly(self, numbers: Ints) -> Floats:
        self.check()
        return ExactScorer(self._snapshot, self._scorers, numbers, self._norms).scores

    def _portions(self, numbers: Ints) -> list[Ints]:
        """Hits in portions that an exact scorer has the memory for, in their order."""
        by_article = self._snapshot.largest * len(self._scorers)
        if len(numbers) * by_article <= EXACT_ENTRIES:
            return [numbers]
        entries = self._snapshot.sizes.take(numbers) * len(self._scorers)
        if int(entries.sum(dtype=np.int64)) <= EXACT_ENTRIES:
            return [numbers]
        portion = entries.cumsum(dtype=np.int64) // EXACT_ENTRIES
        return np.split(numbers, np.flatnonzero(np.diff(portion)) + 1)

    # Hits.

    def _page_hits(self, candidates: Candidates, chosen: Ints) -> list[Hit]:
        """Hits of the page, with their passages."""
        if not len(chosen):
            return []
        snapshot, search = self._snapshot, self._search
        articles = candidates.articles[chosen]
        leaves_of = self._leaves(articles)
        hits = []
        for (scorer, slot, total), leaves, key, version in zip(
            self._located(articles),
            leaves_of,
            candidates.keys(chosen, search, snapshot),
            snapshot.versions(articles),
            strict=True,
        ):
            passages: tuple[Passage, ...] = ()
            if search.passages:
                passages = tuple(
                    [
                        Passage(n=n, score=score, leaves=leaves)
                        for n, score in scorer.passages(slot, search.passages)
                    ]
                )
            hits.append(
                Hit(
                    id=key.id,
                    version=version,
                    score=key.score,
                    key=key,
                    passages=passages,
                    passages_total=total,
                    leaves=leaves,
                    parts=scorer.explanation(slot) if search.explain else None,
                )
            )
        return hits

    def _located(self, articles: Ints) -> Iterable[_Located]:
        """Exact scorer of each hit of the page."""
        located: dict[int, _Located] = {}
        rest = articles
        for batch in self._batches:
            slots = batch.articles.searchsorted(rest)
            inside = batch.articles.take(slots, mode="clip") == rest
            if inside.all() and rest is articles:
                return _slots_of(batch, slots)
            slots = slots.compress(inside)
            located.update(
                zip(
                    rest.compress(inside).tolist(), _slots_of(batch, slots), strict=True
                )
            )
            rest = rest.compress(~inside)
        for portion in self._portions(np.sort(rest)) if len(rest) else ():
            self.check()
            scorer = ExactScorer(self._snapshot, self._scorers, portion, self._norms)
            slots = np.arange(len(portion))
            located.update(zip(portion.tolist(), _slots_of(scorer, slots), strict=True))
        return [located[article] for article in articles.tolist()]

    def _leaves(self, articles: Ints) -> list[tuple[WordLeaf, ...]]:
        """Leaves that count in each of some hits."""
        if all(scorer.clause.required for scorer in self._scorers):
            return [tuple([scorer.clause.leaf for scorer in self._scorers])] * len(
                articles
            )
        counting = [
            (scorer.clause.leaf, scorer.counts_in(articles).tolist())
            for scorer in self._scorers
        ]
        return [
            tuple([leaf for leaf, counts in counting if counts[at]])
            for at in range(len(articles))
        ]


def _slots_of(scorer: ExactScorer, slots: Ints) -> Iterable[_Located]:
    """Some slots of an exact scorer, with what it counts in them."""
    totals = scorer.matching_counts.take(slots)
    return zip(repeat(scorer), slots.tolist(), totals.tolist(), strict=False)
