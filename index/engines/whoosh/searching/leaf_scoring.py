"""Scoring of one leaf: where it counts among the hits, and its upper bounds."""

from __future__ import annotations

import numpy as np

from index.engines import ranking
from index.engines.whoosh.files import Array, Ints, Mask, cached
from index.engines.whoosh.searching.query_tree import Clause
from index.engines.whoosh.searching.row_set import RowSet
from index.engines.whoosh.searching.weighting import Weighting


class LeafScorer:
    """Scores one clause: where it counts among the hits, and its upper bounds.

    :param by_document: contexts are of documents, and :attr:`context` is wider: the
        hits that may have a document in it.
    :ivar has_context: the leaf counts in some of the hits only.
    """

    def __init__(
        self, clause: Clause, weighting: Weighting, hits: RowSet, *, by_document: bool
    ) -> None:
        self.clause, self.postings = clause, clause.postings
        self._weighting, self._hits = weighting, hits
        self.context = hits
        if clause.context is not None and not by_document:
            self.context = clause.context
        self.has_context = self.context is not hits

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
        return self.context.places_in(self.postings.articles)

    @cached
    def everywhere(self) -> bool:
        """Whether the leaf counts wherever it occurs in paragraphs."""
        if self.clause.sufficient and self._hits.complete:
            return True
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
        return all_articles.compress(self.context.contains(all_articles))

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

    def add_upper_bounds(self, bounds: Array) -> None:
        """Add :attr:`upper_bounds` to those of all articles, by their numbers.

        Those of articles that are no hits may be added too.
        """
        by_number = None
        if not self.has_context and not self.postings.lines:
            by_number = self._weighting.upper_bounds_by_number(self.postings)
        if by_number is None:
            bounds[self.all_articles] += self.upper_bounds
            return
        boost = self.clause.leaf.boost
        bounds += by_number if boost == 1.0 else by_number * np.float32(boost)

    @cached
    def paragraph_bounds(self) -> Array:
        """Upper bound of the scores of the paragraphs of each of :attr:`articles`."""
        impacts = self.postings.impacts
        if not self.everywhere:
            impacts = impacts.take(self._at)
        norms, passages = self._weighting.norms, self.clause.places.passages
        bounds: Array = norms.paragraph_upper_bounds(passages).take(impacts)
        bounds *= np.float32(self.document_weight)
        return bounds

    def _with_lines(self, bounds: Array) -> Array:
        # Frequencies in article fields and in paragraphs saturate together: the sum of
        # the two saturated apart is an upper bound.
        total = np.zeros(len(self.all_articles), np.float32)
        total[np.searchsorted(self.all_articles, self.articles)] = bounds
        idf = self._weighting.article_idf(self.clause.leaf, self.postings)
        weight = ranking.article_weight(idf, 1.0)
        for name, line in self.postings.lines.items():
            inside = self.context.contains(line.rows)
            rows = line.rows[inside]
            norms = self._weighting.norms.of_field(name, rows)
            weighted = line.frequencies[inside] * norms
            total[np.searchsorted(self.all_articles, rows)] += (
                weight * ranking.article_saturation(weighted)
            )
        return total
