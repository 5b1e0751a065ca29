"""Hits looked at closely: where each leaf counts, and what it adds to their scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.engines import ranking
from index.engines.result import LeafScore
from index.engines.whoosh.files import Array, Ints, Mask, cached, expand_ranges
from index.engines.whoosh.searching.article_set import ArticleSet
from index.engines.whoosh.searching.query_tree import ContributingLeaf
from index.engines.whoosh.searching.segment_postings import Postings
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot

# Hits are looked up one by one in a list that is so many times as long.
_SPARSE = 8


class LeafScorer:
    """A leaf that counts, and where among the hits it does."""

    def __init__(
        self, leaf: ContributingLeaf, state: IndexSnapshot, hits: ArticleSet
    ) -> None:
        self.leaf, self.found = leaf, leaf.found
        self._state, self._hits = state, hits

    @property
    def context(self) -> Mask:
        """Where what it stands in holds, among the hits."""
        return self._hits.mask if self.leaf.context is None else self.leaf.context

    @cached
    def article_weight(self) -> float:
        """What it counts for in an article."""
        leaf = self.leaf
        if not leaf.scores:
            return 0.0
        return float(ranking.article_weight(self.found.article_idf, leaf.leaf.boost))

    @cached
    def document_weight(self) -> float:
        """What it counts for in a paragraph."""
        leaf = self.leaf
        return self.found.document_idf * leaf.leaf.boost if leaf.scores else 0.0

    @cached
    def _at(self) -> Ints:
        """Where the hits in which it counts are among the articles that have it."""
        articles, numbers = self.found.articles, self._hits.numbers
        if self.leaf.context is None and len(numbers) * _SPARSE < len(articles):
            at = articles.searchsorted(numbers.astype(articles.dtype))
            at[at == len(articles)] = 0
            looked_up: Ints = at.compress(articles.take(at) == numbers)
            return looked_up
        found: Ints = self.context.take(articles).nonzero()[0]
        return found

    @cached
    def everywhere(self) -> bool:
        """Whether it counts wherever it is."""
        articles = self.found.articles
        if self.leaf.certain and len(self._hits) == len(articles):
            return not self.found.lines
        return len(self._at) == len(articles)

    @cached
    def articles(self) -> Array:
        """Hits with a paragraph in which it counts, ascending."""
        found = self.found.articles
        return found if self.everywhere else found.take(self._at)

    @cached
    def having(self) -> Array:
        """Hits in which it counts anywhere, ascending."""
        if not self.found.lines:
            return self.articles
        having = self.found.having
        return having[self.context[having]]

    @cached
    def spread(self) -> int:
        """In how many paragraphs it counts."""
        if self.everywhere:
            return self.found.all_documents
        return int(self.found.spreads.take(self._at).sum(dtype=np.int64))

    def mark(self, mask: Mask) -> None:
        """Set a mask over all documents where it counts."""
        found = self.found
        if self.everywhere:
            found.mark(mask)
        else:
            counts = found.spreads.take(self._at)
            at = expand_ranges(found.ends.take(self._at) - counts, counts)
            mask[found.rows.take(at)] = True

    def is_in(self, articles: Ints) -> Mask:
        """Return in which of some hits it counts."""
        order = articles.argsort()
        inside = np.empty(len(articles), bool)
        inside[order] = self.found.has(articles[order])
        if self.leaf.context is not None:
            inside &= self.leaf.context[articles]
        return inside

    @cached
    def bounds(self) -> Array:
        """What it adds to the score of each of ``having`` at the most."""
        bounds = self.found.bounds
        if not self.everywhere:
            bounds = bounds.take(self._at)
        if self.found.lines:
            bounds = self._with_lines(bounds)
        boost = self.leaf.leaf.boost
        return bounds if boost == 1.0 else bounds * np.float32(boost)

    def _with_lines(self, bounds: Array) -> Array:
        # The frequency in lines saturates together with that in paragraphs: the two
        # apart are no less.
        every = np.zeros(len(self.having), np.float32)
        every[np.searchsorted(self.having, self.articles)] = bounds
        weight = ranking.article_weight(self.found.article_idf, 1.0)
        for name, line in self.found.lines.items():
            inside = self.context[line.rows]
            rows = line.rows[inside]
            weighted = line.frequencies[inside] * self._state.scale(name)[rows]
            every[np.searchsorted(self.having, rows)] += (
                weight * ranking.article_saturation(weighted)
            )
        return every


class ExactScorer:
    """Some hits, with all their paragraphs.

    A *slot* is a place among the hits, a *place* one among all their paragraphs. An
    entry is a leaf in a paragraph: entries of all leaves stand end to end, so that one
    operation works on all of them.

    :param articles: the numbers of the hits, ascending.
    """

    def __init__(
        self, state: IndexSnapshot, counted: Sequence[LeafScorer], articles: Ints
    ) -> None:
        self._state, self._counted, self.articles = state, counted, articles
        self._size = size = len(articles)
        bounds = state.spans.take(articles, axis=1).ravel()
        self._sizes = bounds[size:] - bounds[:size]
        ends = self._sizes.cumsum(dtype=np.int64)
        self._starts = ends - self._sizes
        self._count = int(ends[-1]) if size else 0
        found = [self._inside(each, bounds) for each in counted]
        shifts = self._starts - bounds[:size]
        if len(found) == 1:
            ((self._counts, self._rows, self._frequencies),) = found
        else:
            none = np.empty(0, np.int64)
            counts, rows, frequencies = zip(*(found or [(none,) * 3]), strict=True)
            self._counts = np.concatenate(counts)
            self._rows = np.concatenate(rows)
            self._frequencies = np.concatenate(frequencies)
            shifts = np.concatenate([shifts] * len(counted) or [none])
        self._entries = [len(rows) for _, rows, _ in found]  # of each leaf
        # Which leaf and which hit an entry is of, as leaf * size + slot.
        self._cells = np.arange(len(self._counts)).repeat(self._counts)
        self._places = self._rows + shifts[self._cells]

    def _inside(self, each: LeafScorer, bounds: Array) -> tuple[Ints, Array, Array]:
        """Return where a leaf counts: how often in each slot, rows, frequencies."""
        counts, rows, frequencies = each.found.inside(self.articles, bounds)
        context = each.leaf.context
        if context is not None:
            slots = context[self.articles]
            inside = slots.repeat(counts)
            counts, rows = np.where(slots, counts, 0), rows[inside]
            frequencies = frequencies[inside]
        return counts, rows, frequencies

    @cached
    def scores(self) -> Floats:
        """The articles' scores."""
        if not len(self.articles):
            return np.zeros(0)
        best = np.maximum.reduceat(self._document_scores, self._starts)
        parts = self._article_parts
        added = parts[0] if len(parts) == 1 else parts.sum(axis=0)
        scores: Floats = ranking.article_score(added, best)
        return scores

    @cached
    def _article_parts(self) -> Floats:
        """What each leaf adds to each article: a row a leaf."""
        counted = self._counted
        shape = len(counted), self._size
        owners = np.concatenate([self.articles] * len(counted)).take(self._cells)
        scaled = self._state.document_scales(self._rows, owners)
        scaled *= self._frequencies
        summed = np.bincount(self._cells, scaled, len(self._counts))
        # Of nothing, numbers are counted, whatever they would weigh.
        weighted = summed.astype(np.float64, copy=False).reshape(shape)
        for each, row in zip(counted, weighted, strict=True):
            for name, line in each.found.lines.items():
                row += self._in_line(each, name, line)
        weights = np.array([each.article_weight for each in counted])
        parts: Floats = weights[:, np.newaxis] * ranking.article_saturation(weighted)
        return parts

    def _in_line(self, each: LeafScorer, name: str, line: Postings) -> Floats:
        articles = self.articles
        at = line.rows.searchsorted(articles)
        at[at == len(line.rows)] = 0
        has = line.rows[at] == articles
        if each.leaf.context is not None:
            has &= each.leaf.context[articles]
        scale = self._state.scale(name)[articles]
        return np.where(has, line.frequencies[at] * scale, 0.0)

    @cached
    def _document_parts(self) -> Floats:
        """What each entry adds to its paragraph."""
        state, counted = self._state, self._counted
        if not counted:
            return np.empty(0)
        lengths = state.lengths_of(self._rows)
        passages = counted[0].leaf.places.passages
        if len({each.leaf.places.passages for each in counted}) == 1:
            norms = state.norms(passages)[lengths]
        else:
            bounds = np.cumsum(self._entries)[:-1]
            norms = np.concatenate(
                [
                    state.norms(each.leaf.places.passages)[some]
                    for each, some in zip(
                        counted, np.split(lengths, bounds), strict=True
                    )
                ]
            )
        parts: Floats = ranking.paragraph_saturation(self._frequencies, norms)
        weights = [each.document_weight for each in counted]
        parts *= weights[0] if len(weights) == 1 else np.repeat(weights, self._entries)
        return parts

    @cached
    def _document_scores(self) -> Floats:
        scores: Floats = np.bincount(
            self._places, self._document_parts, self._count
        ).astype(np.float64, copy=False)
        return scores

    @cached
    def _matching(self) -> Mask:
        matching = np.zeros(self._count, bool)
        places = self._places
        if any(each.leaf.places.whole for each in self._counted):
            inside = [not each.leaf.places.whole for each in self._counted]
            places = places[np.repeat(inside, self._entries)]
        matching[places] = True
        return matching

    @cached
    def totals(self) -> Ints:
        """How many paragraphs of each article match; all, where none has a leaf."""
        if len(self._counted) == 1 and self._counted[0].leaf.certain:
            (each,) = self._counted
            if not each.leaf.places.whole and not each.found.lines:
                counts: Ints = self._counts
                return counts
        if not len(self.articles):
            return np.empty(0, np.int64)
        found = np.add.reduceat(self._matching, self._starts, dtype=np.int64)
        totals: Ints = np.where(found > 0, found, self._sizes)
        return totals

    def _matching_in(self, slot: int) -> Ints:
        """Return the places of the matching paragraphs of an article."""
        start, size = int(self._starts[slot]), int(self._sizes[slot])
        found = self._matching[start : start + size].nonzero()[0] + start
        return found if len(found) else np.arange(start, start + size)

    def passages(self, slot: int, count: int) -> list[tuple[int, float]]:
        """Return the numbers and scores of an article's best paragraphs, in order."""
        here = self._matching_in(slot)
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
        here = self._matching_in(slot)
        best = int(here[np.argmax(ranking.rounded(self._document_scores[here]))])
        parts = []
        high = 0
        for at, (each, count) in enumerate(
            zip(self._counted, self._entries, strict=False)
        ):
            low, high = high, high + count
            if each.leaf.scores:
                inside = self._places[low:high] == best
                in_document = float(self._document_parts[low:high][inside].sum())
                parts.append(
                    LeafScore(
                        text=each.leaf.leaf.text,
                        article=float(ranking.rounded(self._article_parts[at, slot])),
                        paragraph=float(ranking.rounded(in_document)),
                    )
                )
        return tuple(parts)
