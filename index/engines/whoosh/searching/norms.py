"""Length norms: what an occurrence counts in a field or paragraph of some length."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from index.article import FIELD_BY_NAME, PASSAGE_FIELDS
from index.engines import ranking
from index.engines.whoosh.files import IMPACT_CAP, MAIN_FIELD, Array, Ints
from index.engines.whoosh.searching.collection import Collection
from index.engines.whoosh.searching.snapshot import Floats
from index.query import FieldStatistics, paragraph_statistics

# A capped frequency or length stands for any higher one.
_BOUNDLESS = 1e9


class Norms:
    """Norms by the statistics of a collection, which all of its searches share."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def of_field(self, name: str, articles: Array) -> Floats:
        """BM25F norm of a field, in some articles: the weight of one occurrence."""
        norms: Floats = self._collection.field_norms(name)[articles]
        return norms

    def of_main_field(self, articles: Array) -> Array:
        """:meth:`of_field` of the main field, in the single precision of bounds."""
        return self._collection.main_field_norms.take(articles)

    def of_documents(self, passages: Array, owners: Ints) -> Floats:
        """:meth:`of_field` for some documents.

        :param passages: the field of each, as a position in ``PASSAGE_FIELDS``.
        :param owners: the article of each.
        """
        return self._collection.document_norms(passages, owners)

    def mean_paragraph(self, passages: tuple[str, ...]) -> float:
        """Mean length of the paragraphs in these passage fields, in words."""
        return self._collection.document_statistics(passages)[1]

    def of_lengths(self, passages: tuple[str, ...]) -> Floats:
        """BM25 norm of a paragraph, by its length in words."""
        return self._collection.memoized(
            ("length norms", passages), lambda: self._of_lengths(passages)
        )

    def _of_lengths(self, passages: tuple[str, ...]) -> Floats:
        longest = max(
            [
                int(segment.lengths.max(initial=0))
                for segment in self._collection.snapshot.segments
            ],
            default=0,
        )
        norms: Floats = ranking.paragraph_norm(
            np.arange(longest + 1.0), self.mean_paragraph(passages)
        )
        return norms

    def paragraph_upper_bounds(self, passages: tuple[str, ...]) -> Array:
        """Upper bounds of the paragraph score, for a term of weight 1.

        By ``frequency << 8 | length``: see :attr:`.files.ArticlePostings.impacts`.
        """
        return self._collection.memoized(
            ("paragraph upper bounds", passages),
            lambda: self._paragraph_upper_bounds(passages),
        )

    def _paragraph_upper_bounds(self, passages: tuple[str, ...]) -> Array:
        frequencies = np.arange(IMPACT_CAP + 1, dtype=np.float64)
        frequencies[IMPACT_CAP] = _BOUNDLESS
        lengths = np.arange(IMPACT_CAP + 1, dtype=np.float64)
        mean = self.mean_paragraph(passages)
        table: Floats = ranking.paragraph_part(
            frequencies[:, np.newaxis], lengths, mean, 1.0, 1.0
        )
        return table.ravel().astype(np.float32)


class GivenNorms(Norms):
    """Norms by given statistics, computed only for what they are asked for.

    :param fields: of the fields that add to scores. Those of other fields are the
        collection's: the leaves that are searched there have no weight.
    """

    def __init__(
        self, collection: Collection, fields: Mapping[str, FieldStatistics]
    ) -> None:
        super().__init__(collection)
        self._fields = fields
        self._bounds: dict[tuple[str, ...], Array] = {}

    def _statistics(self, name: str) -> FieldStatistics:
        return self._fields.get(name) or self._collection.field_statistics(name)

    def of_field(self, name: str, articles: Array) -> Floats:
        """BM25F norm of a field, in some articles: the weight of one occurrence."""
        norms: Floats = ranking.field_frequency(
            1.0,
            self._collection.snapshot.field_lengths(name).take(articles),
            self._statistics(name).mean_length,
            FIELD_BY_NAME[name].weight,
        )
        return norms

    def of_main_field(self, articles: Array) -> Array:
        """:meth:`of_field` of the main field, in the single precision of bounds."""
        return self.of_field(MAIN_FIELD, articles).astype(np.float32)

    def of_documents(self, passages: Array, owners: Ints) -> Floats:
        """:meth:`of_field` for some documents."""
        norms = np.empty(len(owners))
        for number, name in enumerate(PASSAGE_FIELDS):
            inside = (passages == number).nonzero()[0]
            if len(inside):
                norms[inside] = self.of_field(name, owners.take(inside))
        return norms

    def mean_paragraph(self, passages: tuple[str, ...]) -> float:
        """Mean length of the paragraphs in these passage fields, in words."""
        return paragraph_statistics(map(self._statistics, passages))[1]

    def of_lengths(self, passages: tuple[str, ...]) -> Floats:
        """BM25 norm of a paragraph, by its length in words."""
        return self._of_lengths(passages)

    def paragraph_upper_bounds(self, passages: tuple[str, ...]) -> Array:
        """Upper bounds of the paragraph score, for a term of weight 1."""
        bounds = self._bounds.get(passages)
        if bounds is None:
            bounds = self._bounds[passages] = self._paragraph_upper_bounds(passages)
        return bounds
