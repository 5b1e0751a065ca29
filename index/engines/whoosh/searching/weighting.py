"""Weighting: what turns the frequencies of a search's leaves into scores."""

from __future__ import annotations

from dataclasses import replace

from index.engines import ranking
from index.engines.whoosh.files import Array
from index.engines.whoosh.searching.collection import without
from index.engines.whoosh.searching.norms import GivenNorms, Norms
from index.engines.whoosh.searching.postings import LeafPostings
from index.engines.whoosh.searching.query_tree import QueryTree
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
    collection. If the two are equal, those of the collection are used: its norms and
    bounds are computed once for all searches.
    """

    def __init__(self, search: Search, tree: QueryTree) -> None:
        self._search, self._tree = search, tree
        self._collection = collection = tree.collection
        self._withdrawn = self._without_withdrawn()
        given = search.statistics or self._withdrawn
        if given is not None and _equal(given, self._own_statistics()):
            given = None
        self._given = given
        self.norms = (
            Norms(collection) if given is None else GivenNorms(collection, given.fields)
        )

    @property
    def statistics(self) -> Statistics:
        """The statistics that the hits are scored with."""
        return self._search.statistics or self._withdrawn or self._own_statistics()

    def _own_statistics(self) -> Statistics:
        collection, default = self._collection, self._search.places
        leaves = weighted_leaves(self._search.query, default)
        return Statistics(
            seq=collection.snapshot.seq,
            articles=collection.articles,
            fields=collection.statistics_of(weighted_fields(leaves, default)),
            leaves={
                leaf: self._tree.postings(leaf).weights(collection).statistics
                for leaf in leaves
            },
        )

    def _without_withdrawn(self) -> Statistics | None:
        """Statistics without articles that were hidden since the index was written.

        ``None`` if it counts none of them.
        """
        withdrawn = self._tree.withdrawn
        if len(withdrawn):
            withdrawn = withdrawn.compress(self._collection.counted.take(withdrawn))
        if not len(withdrawn):
            return None
        own, snapshot = self._own_statistics(), self._collection.snapshot
        return replace(
            own,
            articles=own.articles - len(withdrawn),
            fields={
                name: without(field, snapshot.field_statistics_of(name, withdrawn))
                for name, field in own.fields.items()
            },
            leaves={
                leaf: self._leaf_without(leaf, frequencies, withdrawn)
                for leaf, frequencies in own.leaves.items()
            },
        )

    def _leaf_without(
        self, leaf: WordLeaf, frequencies: LeafStatistics, withdrawn: Array
    ) -> LeafStatistics:
        few = self._tree.postings(leaf).statistics_of(withdrawn)
        return LeafStatistics(
            frequencies.articles - few.articles,
            frequencies.paragraphs - few.paragraphs,
        )

    def article_idf(self, leaf: WordLeaf, postings: LeafPostings) -> float:
        """Inverse document frequency of a leaf by article."""
        given = self._given
        if given is None:
            return postings.weights(self._collection).article_idf
        return float(ranking.idf(given.articles, given.leaves[leaf].articles))

    def document_idf(self, leaf: WordLeaf, postings: LeafPostings) -> float:
        """Inverse document frequency of a leaf, among documents of its fields."""
        given = self._given
        if given is None:
            return postings.weights(self._collection).document_idf
        count, _ = given.paragraphs(postings.places.passages)
        return float(ranking.idf(count, given.leaves[leaf].paragraphs))

    def upper_bounds(self, leaf: WordLeaf, postings: LeafPostings) -> Array:
        """Upper bounds of a leaf's part of the score; see :class:`.LeafPostings`."""
        if self._given is None:
            return postings.upper_bounds(self._collection)
        return postings.upper_bounds_by(
            self.norms,
            article_idf=self.article_idf(leaf, postings),
            document_idf=self.document_idf(leaf, postings),
        )

    def upper_bounds_by_number(self, postings: LeafPostings) -> Array | None:
        """Upper bounds by number of the article; see :class:`.LeafPostings`.

        ``None`` with given statistics: then they serve one search only.
        """
        if self._given is not None:
            return None
        return postings.upper_bounds_by_number(self._collection)


def _equal(one: Statistics, other: Statistics) -> bool:
    """Whether two statistics give the same scores, whenever they were taken."""
    return (one.articles, one.fields, one.leaves) == (
        other.articles,
        other.fields,
        other.leaves,
    )
