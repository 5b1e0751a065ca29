"""Scoring: where each clause counts among the hits, and exact scores of some hits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.engines import ranking
from index.engines.result import LeafScore
from index.engines.whoosh.files import Array, Ints, Mask, cached
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.norms import Norms
from index.engines.whoosh.searching.query_tree import Clause
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.engines.whoosh.searching.unions import Postings
from index.engines.whoosh.searching.weighting import Weighting

# If a list is this many times as long as the hits, a binary search for each hit costs
# less than a pass over the list.
_SPARSE = 8
_FEW = 64  # paragraphs of a hit that Python sorts sooner than numpy


class LeafScorer:
    """Scores one clause: where it counts among the hits, and its upper bounds."""

    def __init__(self, clause: Clause, weighting: Weighting, hits: ArticleSet) -> None:
        self.clause, self.postings = clause, clause.postings
        self._weighting, self._hits = weighting, hits

    @property
    def context(self) -> Mask:
        """Bitmap of the hits in which the clause's context holds."""
        return self._hits.mask if self.clause.context is None else self.clause.context

    @cached
    def article_weight(self) -> float:
        """Weight of the leaf in an article's score, 0 if it does not score."""
        clause = self.clause
        if not clause.scores:
            return 0.0
        idf = self._weighting.article_idf(clause.leaf, self.postings)
        return float(ranking.article_weight(idf, clause.leaf.boost))

    @cached
    def document_weight(self) -> float:
        """Weight of the leaf in a paragraph's score, 0 if it does not score."""
        clause = self.clause
        if not clause.scores:
            return 0.0
        idf = self._weighting.document_idf(clause.leaf, self.postings)
        return idf * clause.leaf.boost

    @cached
    def _at(self) -> Ints:
        """Positions, in the posting list's articles, of hits where the leaf counts."""
        articles, numbers = self.postings.articles, self._hits.numbers
        if self.clause.context is None and len(numbers) * _SPARSE < len(articles):
            at = articles.searchsorted(numbers.astype(articles.dtype))
            at[at == len(articles)] = 0
            looked_up: Ints = at.compress(articles.take(at) == numbers)
            return looked_up
        counting: Ints = self.context.take(articles).nonzero()[0]
        return counting

    @cached
    def everywhere(self) -> bool:
        """Whether the leaf counts wherever it occurs in paragraphs."""
        articles = self.postings.articles
        if self.clause.required and len(self._hits) == len(articles):
            return not self.postings.lines
        return len(self._at) == len(articles)

    @cached
    def articles(self) -> Array:
        """Hits with a paragraph in which the leaf counts, ascending."""
        articles = self.postings.articles
        return articles if self.everywhere else articles.take(self._at)

    @cached
    def all_articles(self) -> Array:
        """Hits in which the leaf counts in any field, ascending."""
        if not self.postings.lines:
            return self.articles
        all_articles = self.postings.all_articles
        return all_articles[self.context[all_articles]]

    @cached
    def paragraph_count(self) -> int:
        """Number of paragraphs in which the leaf counts."""
        if self.everywhere:
            return self.postings.document_count
        return int(self.postings.paragraph_counts.take(self._at).sum(dtype=np.int64))

    def set_bits(self, mask: Mask) -> None:
        """Set the bits of documents where the leaf counts, in a bitmap of all."""
        postings = self.postings
        if self.everywhere:
            postings.set_bits(mask)
        else:
            mask[postings.documents_at(self._at)] = True

    def counts_in(self, articles: Ints) -> Mask:
        """In which of some hits the leaf counts."""
        order = articles.argsort()
        inside = np.empty(len(articles), bool)
        inside[order] = self.postings.contains(articles[order])
        if self.clause.context is not None:
            inside &= self.clause.context[articles]
        return inside

    @cached
    def upper_bounds(self) -> Array:
        """Upper bound of what the leaf adds to the score of :attr:`all_articles`."""
        bounds = self._weighting.upper_bounds(self.clause.leaf, self.postings)
        if not self.everywhere:
            bounds = bounds.take(self._at)
        if self.postings.lines:
            bounds = self._with_lines(bounds)
        boost = self.clause.leaf.boost
        return bounds if boost == 1.0 else bounds * np.float32(boost)

    def _with_lines(self, bounds: Array) -> Array:
        # Frequencies in article fields and in paragraphs saturate together: the sum of
        # the two saturated apart is an upper bound.
        total = np.zeros(len(self.all_articles), np.float32)
        total[np.searchsorted(self.all_articles, self.articles)] = bounds
        idf = self._weighting.article_idf(self.clause.leaf, self.postings)
        weight = ranking.article_weight(idf, 1.0)
        for name, line in self.postings.lines.items():
            inside = self.context[line.rows]
            rows = line.rows[inside]
            norms = self._weighting.norms.of_field(name, rows)
            weighted = line.frequencies[inside] * norms
            total[np.searchsorted(self.all_articles, rows)] += (
                weight * ranking.article_saturation(weighted)
            )
        return total


class ExactScorer:
    """Exact scores of some hits and of all their paragraphs.

    A *slot* is a position among the hits, a *place* one among all their paragraphs. An
    *entry* is a leaf in a paragraph: entries of all leaves stand end to end, so that
    one array operation works on all of them.

    :param articles: numbers of the hits, ascending.
    :ivar entries: number of entries.
    """

    def __init__(
        self,
        snapshot: IndexSnapshot,
        scorers: Sequence[LeafScorer],
        articles: Ints,
        norms: Norms,
    ) -> None:
        self._snapshot, self._scorers, self.articles = snapshot, scorers, articles
        self._norms = norms
        self._size = size = len(articles)
        bounds = snapshot.document_ranges.take(articles, axis=1).ravel()
        self._sizes = bounds[size:] - bounds[:size]
        ends = self._sizes.cumsum(dtype=np.int64)
        self._starts = ends - self._sizes
        self._count = int(ends[-1]) if size else 0
        entries = [self._entries(scorer, bounds[:size]) for scorer in scorers]
        shifts = self._starts - bounds[:size]
        if len(entries) == 1:
            ((self._counts, self._rows, self._frequencies),) = entries
        else:
            none = np.empty(0, np.int64)
            counts, rows, frequencies = zip(*(entries or [(none,) * 3]), strict=True)
            self._counts = np.concatenate(counts)
            self._rows = np.concatenate(rows)
            self._frequencies = np.concatenate(frequencies)
            shifts = np.concatenate([shifts] * len(scorers) or [none])
        self._entry_counts = [len(rows) for _, rows, _ in entries]  # of each leaf
        self.entries = len(self._rows)
        # The leaf and the hit of each entry, as leaf * size + slot.
        self._cells = np.arange(len(self._counts)).repeat(self._counts)
        self._places = self._rows + shifts.take(self._cells)

    def _entries(self, scorer: LeafScorer, first: Array) -> tuple[Ints, Array, Array]:
        """Entries of a leaf where it counts: number by slot, rows, frequencies."""
        counts, rows, frequencies = scorer.postings.documents_of(self.articles, first)
        context = scorer.clause.context
        if context is not None:
            slots = context[self.articles]
            inside = slots.repeat(counts)
            counts, rows = np.where(slots, counts, 0), rows[inside]
            frequencies = frequencies[inside]
        return counts, rows, frequencies

    @cached
    def scores(self) -> Floats:
        """Scores of the articles."""
        if not len(self.articles):
            return np.zeros(0)
        best = np.maximum.reduceat(self._document_scores, self._starts)
        parts = self._article_parts
        if len(parts) == 1:
            summed = parts[0]
        else:
            # Leaf by leaf: sum() adds in another order if there is only one article.
            summed = np.zeros(self._size)
            for part in parts:
                summed += part
        scores: Floats = ranking.article_score(summed, best)
        return scores

    @cached
    def _article_parts(self) -> Floats:
        """What each leaf adds to each article's score: one row per leaf."""
        scorers = self._scorers
        shape = len(scorers), self._size
        articles = self.articles
        if len(scorers) > 1:
            articles = np.concatenate([articles] * len(scorers))
        owners = articles.take(self._cells)
        passages = self._snapshot.passages_of(self._rows)
        scaled = self._norms.of_documents(passages, owners)
        scaled *= self._frequencies
        summed = np.bincount(self._cells, scaled, len(self._counts))
        # Without entries, bincount gives integers whatever the type of the weights.
        weighted = summed.astype(np.float64, copy=False).reshape(shape)
        for scorer, row in zip(scorers, weighted, strict=True):
            for name, line in scorer.postings.lines.items():
                row += self._in_line(scorer, name, line)
        weights = np.array([scorer.article_weight for scorer in scorers])
        parts: Floats = weights[:, np.newaxis] * ranking.article_saturation(weighted)
        return parts

    def _in_line(self, scorer: LeafScorer, name: str, line: Postings) -> Floats:
        """Weighted frequency of a leaf in an article field, by slot."""
        articles = self.articles
        at = line.rows.searchsorted(articles)
        at[at == len(line.rows)] = 0
        has = line.rows[at] == articles
        if scorer.clause.context is not None:
            has &= scorer.clause.context[articles]
        norms = self._norms.of_field(name, articles)
        return np.where(has, line.frequencies[at] * norms, 0.0)

    @cached
    def _document_parts(self) -> Floats:
        """What each entry adds to its paragraph's score."""
        snapshot, scorers = self._snapshot, self._scorers
        if not scorers:
            return np.empty(0)
        lengths = snapshot.lengths_of(self._rows)
        passages = scorers[0].clause.places.passages
        if len({scorer.clause.places.passages for scorer in scorers}) == 1:
            norms = self._norms.of_lengths(passages).take(lengths)
        else:
            bounds = np.cumsum(self._entry_counts)[:-1]
            norms = np.concatenate(
                [
                    self._norms.of_lengths(scorer.clause.places.passages)[leaf_lengths]
                    for scorer, leaf_lengths in zip(
                        scorers, np.split(lengths, bounds), strict=True
                    )
                ]
            )
        parts: Floats = ranking.paragraph_saturation(self._frequencies, norms)
        weights = [scorer.document_weight for scorer in scorers]
        parts *= (
            weights[0] if len(weights) == 1 else np.repeat(weights, self._entry_counts)
        )
        return parts

    @cached
    def _document_scores(self) -> Floats:
        """Scores of the paragraphs, by place."""
        scores: Floats = np.bincount(
            self._places, self._document_parts, self._count
        ).astype(np.float64, copy=False)
        return scores

    @cached
    def _matching(self) -> Mask:
        """Which paragraphs have a leaf that counts, by place."""
        matching = np.zeros(self._count, bool)
        places = self._places
        if any(scorer.clause.places.whole for scorer in self._scorers):
            inside = [not scorer.clause.places.whole for scorer in self._scorers]
            places = places[np.repeat(inside, self._entry_counts)]
        matching[places] = True
        return matching

    @cached
    def matching_counts(self) -> Ints:
        """Number of matching paragraphs of each article; all if none has a leaf."""
        if len(self._scorers) == 1 and self._scorers[0].clause.required:
            (scorer,) = self._scorers
            if not scorer.clause.places.whole and not scorer.postings.lines:
                counts: Ints = self._counts
                return counts
        if not len(self.articles):
            return np.empty(0, np.int64)
        with_leaf = np.add.reduceat(self._matching, self._starts, dtype=np.int64)
        totals: Ints = np.where(with_leaf > 0, with_leaf, self._sizes)
        return totals

    def _matching_in(self, slot: int) -> Ints:
        """Places of the matching paragraphs of an article."""
        start, size = int(self._starts[slot]), int(self._sizes[slot])
        places = self._matching[start : start + size].nonzero()[0] + start
        return places if len(places) else np.arange(start, start + size)

    def passages(self, slot: int, count: int) -> list[tuple[int, float]]:
        """Numbers and scores of an article's best paragraphs, in reading order."""
        places = self._matching_in(slot)
        first_n = int(self._snapshot.first_n[self.articles[slot]])
        numbers = places + (first_n - int(self._starts[slot]))
        # The headline is shown with each hit anyway, so it is not a passage.
        if numbers[0] == 0:
            numbers, places = numbers[1:], places[1:]
        scores = self._rounded_scores.take(places)
        if len(places) > _FEW:
            best = np.sort(np.lexsort((numbers, -scores))[:count])
            numbers, scores = numbers[best], scores[best]
        best_pairs = list(zip(numbers.tolist(), scores.tolist(), strict=True))
        if len(best_pairs) > count:
            best_pairs.sort(key=_by_score)
            best_pairs = sorted(best_pairs[:count])
        return best_pairs

    @cached
    def _rounded_scores(self) -> Floats:
        scores: Floats = ranking.rounded(self._document_scores)
        return scores

    def explanation(self, slot: int) -> tuple[LeafScore, ...]:
        """What each leaf adds to an article's score and to its best paragraph's."""
        places = self._matching_in(slot)
        best = int(places[np.argmax(ranking.rounded(self._document_scores[places]))])
        parts = []
        high = 0
        for at, (scorer, count) in enumerate(
            zip(self._scorers, self._entry_counts, strict=False)
        ):
            low, high = high, high + count
            if scorer.clause.scores:
                inside = self._places[low:high] == best
                in_document = float(self._document_parts[low:high][inside].sum())
                parts.append(
                    LeafScore(
                        text=scorer.clause.leaf.text,
                        article=float(ranking.rounded(self._article_parts[at, slot])),
                        paragraph=float(ranking.rounded(in_document)),
                    )
                )
        return tuple(parts)


def _by_score(pair: tuple[int, float]) -> tuple[float, int]:
    number, score = pair
    return -score, number
