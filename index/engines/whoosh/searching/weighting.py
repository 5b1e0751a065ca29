"""Weighting: what turns the frequencies of a search's leaves into scores."""

from __future__ import annotations

from index.engines import ranking
from index.engines.whoosh.files import Array
from index.engines.whoosh.searching.norms import GivenNorms, Norms
from index.engines.whoosh.searching.postings import LeafPostings
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.query import (
    LeafStatistics,
    Search,
    Statistics,
    WordLeaf,
    weighted_fields,
    weighted_leaves,
)


class Weighting:
    """Weights of the leaves of one search, and length norms.

    They follow from the statistics that the search was given, or else from those of the
    snapshot. If the two are equal, those of the snapshot are used: its norms and bounds
    are computed once for all searches.
    """

    def __init__(
        self, snapshot: IndexSnapshot, search: Search, tree: QueryTree
    ) -> None:
        self._snapshot, self._search, self._tree = snapshot, search, tree
        given = search.statistics
        if given is not None and _equal(given, self._own_statistics()):
            given = None
        self._given = given
        self.norms = (
            Norms(snapshot) if given is None else GivenNorms(snapshot, given.fields)
        )

    @property
    def statistics(self) -> Statistics:
        """The statistics that the hits are scored with."""
        return self._search.statistics or self._own_statistics()

    def _own_statistics(self) -> Statistics:
        snapshot, default = self._snapshot, self._search.places
        leaves = weighted_leaves(self._search.query, default)
        postings = {leaf: self._tree.postings(leaf) for leaf in leaves}
        return Statistics(
            seq=snapshot.seq,
            articles=snapshot.live_articles,
            fields=snapshot.statistics_of(weighted_fields(leaves, default)),
            leaves={
                leaf: LeafStatistics(postings.article_df, postings.document_df)
                for leaf, postings in postings.items()
            },
        )

    def article_idf(self, leaf: WordLeaf, postings: LeafPostings) -> float:
        """Inverse document frequency of a leaf by article."""
        given = self._given
        if given is None:
            return postings.article_idf
        return float(ranking.idf(given.articles, given.leaves[leaf].articles))

    def document_idf(self, leaf: WordLeaf, postings: LeafPostings) -> float:
        """Inverse document frequency of a leaf, among documents of its fields."""
        given = self._given
        if given is None:
            return postings.document_idf
        count, _ = given.paragraphs(postings.places.passages)
        return float(ranking.idf(count, given.leaves[leaf].paragraphs))

    def upper_bounds(self, leaf: WordLeaf, postings: LeafPostings) -> Array:
        """Upper bounds of a leaf's part of the score; see :class:`.LeafPostings`."""
        if self._given is None:
            return postings.upper_bounds
        return postings.upper_bounds_by(
            self.norms,
            article_idf=self.article_idf(leaf, postings),
            document_idf=self.document_idf(leaf, postings),
        )


def _equal(one: Statistics, other: Statistics) -> bool:
    """Whether two statistics give the same scores, whenever they were taken."""
    return (one.articles, one.fields, one.leaves) == (
        other.articles,
        other.fields,
        other.leaves,
    )
