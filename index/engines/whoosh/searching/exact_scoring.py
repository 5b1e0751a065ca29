"""Exact scores of some hits and of all their paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np

from index.engines import ranking
from index.engines.result import LeafScore
from index.engines.whoosh.files import Array, Ints, Mask, cached, expand_ranges
from index.engines.whoosh.searching.leaf_scoring import LeafScorer
from index.engines.whoosh.searching.norms import Norms
from index.engines.whoosh.searching.row_set import RowSet, is_among
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.engines.whoosh.searching.sorting import Candidates
from index.engines.whoosh.searching.unions import Postings
from index.query import Unit, WordLeaf

_FEW = 64  # paragraphs of a hit that sorted() orders faster than NumPy


class ExactScorer:
    """Exact scores of some hits and of all their paragraphs.

    A *slot* is a position among the hits, a *place* one among all their paragraphs. An
    *entry* is a leaf in a paragraph: entries of all leaves stand end to end, so that
    one array operation works on all of them.

    :param articles: numbers of the hits, ascending.
    :param matching: documents that match, ascending; ``None`` if those of the hits
        match in which a leaf counts.
    :ivar entries: number of entries.
    """

    def __init__(
        self,
        snapshot: IndexSnapshot,
        scorers: Sequence[LeafScorer],
        articles: Ints,
        norms: Norms,
        matching: RowSet | None,
    ) -> None:
        self._snapshot, self._scorers, self.articles = snapshot, scorers, articles
        self._norms, self._matching_rows = norms, matching
        self._size = size = len(articles)
        bounds = snapshot.document_ranges.take(articles, axis=1).ravel()
        self._bounds = bounds
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
        if scorer.has_context:
            slots = scorer.context.contains(self.articles)
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
        counting = self._counting
        return parts if counting is None else parts * counting

    def _in_line(self, scorer: LeafScorer, name: str, line: Postings) -> Floats:
        """Weighted frequency of a leaf in an article field, by slot."""
        articles = self.articles
        at = line.rows.searchsorted(articles)
        at[at == len(line.rows)] = 0
        has = line.rows[at] == articles
        if scorer.has_context:
            has &= scorer.context.contains(articles)
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
        if self._inside is not None:
            parts *= self._inside
        return parts

    @cached
    def _document_scores(self) -> Floats:
        """Scores of the paragraphs, by place."""
        scores: Floats = np.bincount(
            self._places, self._document_parts, self._count
        ).astype(np.float64, copy=False)
        return scores

    # Where leaves count, and what matches.

    @cached
    def _matching(self) -> Mask:
        """Which paragraphs match, by place: of a hit without any leaf, all."""
        if self._leaf_counts.all():
            return self._with_leaf
        lacking: Mask = (self._leaf_counts == 0).repeat(self._sizes)
        return self._with_leaf | lacking

    @cached
    def _leaf_counts(self) -> Ints:
        """Number of the paragraphs with a leaf, by slot."""
        if not self._size:
            return np.empty(0, np.int64)
        counts: Ints = np.add.reduceat(self._with_leaf, self._starts, dtype=np.int64)
        return counts

    @cached
    def _with_leaf(self) -> Mask:
        """Which paragraphs match since they have what is searched, by place."""
        if self._matching_rows is not None:
            return self._marked(self._matching_rows)
        mask = np.zeros(self._count, bool)
        places = self._places
        if any(scorer.clause.places.whole for scorer in self._scorers):
            inside = [not scorer.clause.places.whole for scorer in self._scorers]
            places = places[np.repeat(inside, self._entry_counts)]
        mask[places] = True
        return mask

    def _marked(self, documents: RowSet) -> Mask:
        """Which paragraphs are among some documents, by place."""
        rows, size = documents.numbers, self._size
        at = rows.searchsorted(self._bounds)
        counts = at[size:] - at[:size]
        shifts = (self._starts - self._bounds[:size]).repeat(counts)
        marked = np.zeros(self._count, bool)
        marked[rows.take(expand_ranges(at[:size], counts)) + shifts] = True
        return marked

    def _any_by_slot(self, mask: Mask) -> Mask:
        """Which hits, at least one, have a paragraph whose bit is set."""
        return np.asarray(np.logical_or.reduceat(mask, self._starts))

    @cached
    def _contexts(self) -> list[Mask]:
        """Where the context of each leaf is true, by place, if it is of documents."""
        return [
            self._matching
            if scorer.clause.context is None
            else self._marked(scorer.clause.context)
            for scorer in self._scorers
        ]

    @cached
    def _inside(self) -> Mask | None:
        """Which entries are where their leaf counts; ``None`` if all are."""
        if self._matching_rows is None or not self._scorers:
            return None
        ends = np.cumsum(self._entry_counts)[:-1]
        return np.concatenate(
            [
                context.take(places)
                for context, places in zip(
                    self._contexts, np.split(self._places, ends), strict=True
                )
            ]
        )

    @cached
    def _counting(self) -> Mask | None:
        """In which hits each leaf counts: a row per leaf; ``None`` if in all."""
        if self._inside is None or all(each.clause.required for each in self._scorers):
            return None
        inside = np.bincount(self._cells, self._inside, len(self._counts)) > 0
        counting: Mask = inside.reshape(len(self._scorers), self._size)
        for scorer, context, row in zip(
            self._scorers, self._contexts, counting, strict=True
        ):
            # A match anywhere counts for all paragraphs of the article.
            if scorer.clause.places.whole:
                having = scorer.postings.contains(self.articles)
                row |= having & self._any_by_slot(context)
            for line in scorer.postings.lines.values():
                having = is_among(self.articles, line.rows, self._snapshot.articles)
                row |= having & self._any_by_slot(context)
        return counting

    @cached
    def matching_counts(self) -> Ints:
        """Number of matching paragraphs of each article."""
        if len(self._scorers) == 1 and self._matching_rows is None:
            (scorer,) = self._scorers
            if (
                scorer.clause.required
                and not scorer.clause.places.whole
                and not scorer.postings.lines
            ):
                counts: Ints = self._counts
                return counts
        totals: Ints = np.where(self._leaf_counts, self._leaf_counts, self._sizes)
        return totals

    def _matching_in(self, slot: int) -> Ints:
        """Places of the matching paragraphs of an article."""
        start, size = int(self._starts[slot]), int(self._sizes[slot])
        return self._matching[start : start + size].nonzero()[0] + start

    # Hits.

    def candidates(self, unit: Unit) -> Candidates:
        """The hits with their scores, or their matching paragraphs with theirs."""
        if unit is Unit.ARTICLE:
            return Candidates(articles=self.articles, scores=self.scores)
        places = self._matching.nonzero()[0]
        counts = self.matching_counts
        return Candidates(
            articles=self.articles.repeat(counts),
            documents=places
            + (self._bounds[: self._size] - self._starts).repeat(counts),
            scores=self._rounded_scores.take(places),
        )

    def documents(self, slot: int) -> Ints:
        """Matching documents of an article, ascending."""
        return self._matching_in(slot) + self._first(slot)

    def numbers(self, slot: int) -> Ints:
        """Numbers of the matching paragraphs of an article, ascending."""
        first_n = int(self._snapshot.first_n[self.articles[slot]])
        return self._matching_in(slot) + (first_n - int(self._starts[slot]))

    def leaves(self, slot: int) -> tuple[WordLeaf, ...]:
        """The leaves that count in an article, in article scope."""
        counting = self._counting_leaves[:, slot].tolist()
        clauses = [scorer.clause for scorer in self._scorers]
        return tuple(clause.leaf for clause in compress(clauses, counting))

    @cached
    def _counting_leaves(self) -> Mask:
        """In which hits each leaf counts, in article scope: a row per leaf."""
        scorers = self._scorers
        counting: Mask = self._counts.reshape(len(scorers), self._size) > 0
        for scorer, row in zip(scorers, counting, strict=True):
            if scorer.postings.lines:
                has = scorer.postings.contains(self.articles)
                if scorer.has_context:
                    has &= scorer.context.contains(self.articles)
                row |= has
        return counting

    def _first(self, slot: int) -> int:
        """Difference between the number of a document of an article and its place."""
        return int(self._bounds[slot]) - int(self._starts[slot])

    def passage(self, slot: int, document: int) -> tuple[int, float]:
        """Number and score of one of an article's paragraphs."""
        number = document - int(self._bounds[slot])
        place = document - self._first(slot)
        first_n = int(self._snapshot.first_n[self.articles[slot]])
        return first_n + number, float(self._rounded_scores[place])

    def passages(self, slot: int, count: int) -> list[tuple[int, float]]:
        """Numbers and scores of an article's best paragraphs, in reading order."""
        places, numbers = self._matching_in(slot), self.numbers(slot)
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

    def explanation(
        self, slot: int, document: int | None = None
    ) -> tuple[LeafScore, ...]:
        """What each leaf adds to the scores of an article and of a paragraph of it.

        :param document: the paragraph; by default the best one.
        """
        if document is None:
            places = self._matching_in(slot)
            best = int(places[np.argmax(self._rounded_scores[places])])
        else:
            best = document - self._first(slot)
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
