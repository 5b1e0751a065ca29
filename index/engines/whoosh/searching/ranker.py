"""Ranking: exact scores only for the articles that can be in the top k.

The number of hits, the number of their paragraphs and an upper bound of each score come
from the posting lists by article, which are shorter than those by document. The
candidates with the highest bounds are scored exactly, batch by batch, until no bound
left exceeds the score of the k-th hit. This is MaxScore (Turtle and Flood, 1995) with
an upper bound for each article instead of one for each posting list; like it, it gives
the same top k as scoring every hit. Where hits are paragraphs, the bound of an article
is that of its best paragraph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from index.engines.result import Hit, Passage
from index.engines.whoosh.files import Array, Ints, Mask, cached
from index.engines.whoosh.searching.exact_scoring import ExactScorer
from index.engines.whoosh.searching.leaf_scoring import LeafScorer
from index.engines.whoosh.searching.query_tree import Clause, QueryTree
from index.engines.whoosh.searching.row_set import RowSet, distinct
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.sorting import (
    Candidates,
    joined,
    top_k_threshold,
)
from index.engines.whoosh.searching.weighting import Weighting
from index.query import WORD_LEAVES, Or, Scope, Search, Sort, Unit, WordLeaf

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
_NO_PASSAGES: tuple[Passage, ...] = ()
_NO_SCORE = -1.0  # below every score and every bound
# The scorer of a hit, the slot of the hit in it, number of its matching paragraphs.
_Located = tuple[ExactScorer, int, int]


class Ranker:
    """Counts the matching paragraphs of the hits, and sorts the hits.

    :param hits: articles that match and pass the filters.
    """

    def __init__(
        self,
        snapshot: IndexSnapshot,
        search: Search,
        tree: QueryTree,
        hits: RowSet,
        weighting: Weighting,
    ) -> None:
        self._snapshot, self._search, self._tree = snapshot, search, tree
        self._norms = weighting.norms
        self._hits, self._numbers = hits, hits.numbers
        rows = tree.matching_rows(hits)
        self._documents = rows if tree.by_document else None
        self._scorers = [
            LeafScorer(clause, weighting, hits, by_document=tree.by_document)
            for clause in tree.clauses(rows)
        ]
        self._scoring = [scorer for scorer in self._scorers if scorer.clause.scores]
        # Few hits are all scored at once, which gives everything else about them too.
        most = _ALL_OF_ONE_LEAF if len(self._scorers) < 2 else _ALL_OF_SEVERAL
        self._all = (
            self._exactly(hits.numbers)
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
        if self._documents is not None:
            return len(self._documents)
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
            rest[scorer.articles] = False
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
        end = search.offset + search.limit
        if search.limit == 0:
            return [], False
        by_paragraph = search.unit is Unit.PARAGRAPH
        if search.sort is Sort.RELEVANCE and self._scoring:
            candidates = self._top_candidates()
        elif by_paragraph:
            candidates = self._first_paragraphs(end)
        else:
            candidates = Candidates(articles=self._numbers)
        chosen, more = candidates.page(search, snapshot)
        if search.after is None:
            more = (self.total if by_paragraph else len(self._numbers)) > end
        return self._page_hits(candidates, chosen), more

    def _first_paragraphs(self, count: int) -> Candidates:
        """Paragraphs of the first articles by date: at least so many, and one more."""
        articles = Candidates(articles=self._numbers)
        # Each has a paragraph that matches; after a cursor, all but the first do.
        first, _ = articles.page(self._search, self._snapshot, top=count + 2)
        return self._score(np.sort(self._numbers.take(first))).unscored()

    def _top_candidates(self) -> Candidates:
        """Hits that can be on the page, with their scores.

        After a cursor, those before it are included: only scores tell them apart.
        """
        numbers = self._numbers
        if self._all is not None:
            return self._all.candidates(self._search.unit)
        bounds = self._upper_bounds()
        size = max(_FIRST_BATCH, 2 * self._k)
        batch = (bounds >= -top_k_threshold(-bounds, size)).nonzero()[0]
        best = self._score(numbers.take(batch))
        slack = _SLACK + 1e-6 * float(bounds.max())
        most = _NEXT_BATCH
        while True:
            self.check()
            bounds[batch] = -np.inf  # never in a batch again
            threshold = self._threshold(best)
            best = best.of_score(threshold)
            batch = (bounds >= threshold - slack).nonzero()[0]
            if not len(batch):
                return best
            if len(batch) > most:
                highest = bounds.take(batch)
                batch = batch.compress(highest >= -top_k_threshold(-highest, most))
                most *= 2
            best = joined([best, self._score(numbers.take(batch))])

    @property
    def _k(self) -> int:
        """How many of the first hits must be known."""
        search = self._search
        # After a cursor, one more shows whether more follow; else their number does.
        return search.offset + search.limit + (search.after is not None)

    def _threshold(self, candidates: Candidates) -> float:
        """Score of the k-th hit so far: a lower bound of the final one."""
        known, k = candidates.scores, self._k
        assert known is not None
        if len(known) < k:
            return _NO_SCORE
        if self._search.after is None:
            negated = -known
            negated.partition(k - 1)
            return -float(negated[k - 1])
        first, _ = candidates.page(self._search, self._snapshot, top=k)
        return float(known[first[-1]]) if len(first) == k else _NO_SCORE

    def _upper_bounds(self) -> Array:
        """Upper bound of the score of each hit."""
        bounds = np.zeros(len(self._numbers), np.float32)
        by_article: Array | None = None
        by_paragraph = self._search.unit is Unit.PARAGRAPH
        for scorer in self._scoring:
            self.check()
            if scorer.clause.required:
                articles, own = (
                    (scorer.articles, scorer.paragraph_bounds)
                    if by_paragraph
                    else (scorer.all_articles, scorer.upper_bounds)
                )
                if len(articles) == len(bounds):
                    bounds += own
                    continue
            if by_article is None:
                by_article = np.zeros(self._snapshot.articles, np.float32)
            # Indexed addition is safe: no article occurs twice in a posting list.
            if by_paragraph:
                by_article[scorer.articles] += scorer.paragraph_bounds
            else:
                scorer.add_upper_bounds(by_article)
        if by_article is not None:
            bounds += by_article.take(self._numbers)
        return bounds

    def _score(self, numbers: Ints) -> Candidates:
        """Some hits, or their matching paragraphs, with exact scores.

        :param numbers: of the hits, ascending.
        """
        unit, portions = self._search.unit, self._portions(numbers)
        if len(portions) > 1:
            scored = []
            for portion in portions:
                self.check()
                scored.append(self._exactly(portion).candidates(unit))
            return joined(scored)
        batch = self._exactly(numbers)
        self._kept_entries += batch.entries
        if self._kept_entries <= KEPT_ENTRIES:
            self._batches.append(batch)
        return batch.candidates(unit)

    def _exactly(self, numbers: Ints) -> ExactScorer:
        return ExactScorer(
            self._snapshot, self._scorers, numbers, self._norms, self._documents
        )

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
        articles = candidates.articles.take(chosen)
        batch = self._batches[0] if self._batches else None
        # Usually all candidates are those of one batch.
        located = list(
            _slots_of(batch, chosen)
            if batch is not None and candidates.articles is batch.articles
            else self._located(articles)
        )
        documents: list[int | None] = [None] * len(chosen)
        if candidates.documents is not None:
            documents = candidates.documents[chosen].tolist()
        marks = self._marks(located)
        hits = []
        for (scorer, slot, total), document, own, key, version in zip(
            located,
            documents,
            marks,
            candidates.keys(chosen, search, snapshot),
            snapshot.versions(articles),
            strict=True,
        ):
            score, passages = key.score, _NO_PASSAGES
            if document is not None:
                n, score = scorer.passage(slot, document)
                passages = (Passage(n=n, score=score, leaves=own.in_paragraph(n)),)
            elif search.passages:
                passages = tuple(
                    [
                        Passage(n=n, score=best, leaves=own.in_paragraph(n))
                        for n, best in scorer.passages(slot, search.passages)
                    ]
                )
            hits.append(
                Hit(
                    id=key.id,
                    version=version,
                    score=score,
                    key=key,
                    passages=passages,
                    passages_total=total,
                    leaves=own.leaves,
                    parts=scorer.explanation(slot, document)
                    if search.explain
                    else None,
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
        for portion in self._portions(distinct(np.sort(rest))) if len(rest) else ():
            self.check()
            scorer = self._exactly(portion)
            slots = np.arange(len(portion))
            located.update(zip(portion.tolist(), _slots_of(scorer, slots), strict=True))
        return [located[article] for article in articles.tolist()]

    def _marks(self, located: Sequence[_Located]) -> list[Marks]:
        """Leaves that count in each of some hits, and in their paragraphs."""
        clauses = [scorer.clause for scorer in self._scorers]
        if all(clause.required for clause in clauses):
            return [Marks(tuple([clause.leaf for clause in clauses]))] * len(located)
        if self._search.scope is Scope.PARAGRAPH:
            return self._marks_by_document(clauses, located)
        return [Marks(scorer.leaves(slot)) for scorer, slot, _ in located]

    def _marks_by_document(
        self, clauses: Sequence[Clause], located: Sequence[_Located]
    ) -> list[Marks]:
        of_hits = [scorer.documents(slot) for scorer, slot, _ in located]
        documents = np.unique(np.concatenate(of_hits))
        counting = [
            (clause.leaf, self._tree.counts_in(clause, documents)) for clause in clauses
        ]
        marks = []
        for (scorer, slot, _), matching in zip(located, of_hits, strict=True):
            at = documents.searchsorted(matching)
            marks.append(
                Marks(
                    tuple([leaf for leaf, mask in counting if mask.take(at).any()]),
                    scorer.numbers(slot),
                    [(leaf, mask.take(at)) for leaf, mask in counting],
                )
            )
        return marks


@dataclass(frozen=True, slots=True)
class Marks:
    """The leaves that count in a hit.

    :param leaves: in the article.
    :param numbers: of its matching paragraphs, ascending, if words are tested on each
        by itself; ``None`` if the leaves of the article count in all of them.
    :param counting: each leaf, and in which of these paragraphs it counts.
    """

    leaves: tuple[WordLeaf, ...]
    numbers: Ints | None = None
    counting: Sequence[tuple[WordLeaf, Mask]] = ()

    def in_paragraph(self, number: int) -> tuple[WordLeaf, ...]:
        """The leaves that count in a matching paragraph."""
        if self.numbers is None:
            return self.leaves
        at = int(self.numbers.searchsorted(number))
        return tuple([leaf for leaf, counts in self.counting if counts[at]])


def _slots_of(scorer: ExactScorer, slots: Ints) -> Iterable[_Located]:
    """Some slots of an exact scorer, with what it counts in them."""
    totals = scorer.matching_counts.take(slots)
    return zip(repeat(scorer), slots.tolist(), totals.tolist(), strict=False)
