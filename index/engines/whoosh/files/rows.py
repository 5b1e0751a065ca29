"""Rows of posting lists as they are stored: what is an article, what a document?

Posting lists are read in *runs*: of articles, and of the rows in these articles. An
article counts once for each list that it is in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from index.engines.whoosh.files.arrays import Array, ArraysFile, Ints
from index.engines.whoosh.files.packed import PackedArray


@dataclass(frozen=True, slots=True)
class DecodedRows:
    """Some rows of a posting list, ascending.

    :param frequencies: frequency in each.
    :param starts: offset of the positions of each, within the list; ``None`` if these
        are all rows of the list.
    """

    rows: Array
    frequencies: Array
    starts: Ints | None


class ArticleRows:
    """Rows of a field whose rows are the articles.

    :ivar articles_at: offset of each posting list in the articles, then their number.
    :ivar totals: occurrences in each article.
    """

    def __init__(self, file: ArraysFile, name: str) -> None:
        self._rows = file[f"{name}/rows"]
        self.articles_at = file[f"{name}/rows.at"]
        self.totals = PackedArray(file, f"{name}/frequencies")

    def count(self, low: int, end: int) -> int:
        """Number of rows in a run of articles."""
        return end - low

    def run(self, low: int, end: int, rows: slice) -> Array:
        """Rows in a run of articles.

        :param rows: the run of these rows.
        """
        return self._rows[rows]

    def take(self, articles: Ints, rows: Ints) -> Array:
        """Rows of several runs.

        :param articles: places of their articles; ``rows`` those of their rows.
        """
        return self._rows.take(rows)


class DocumentRows:
    """Rows of the field of paragraphs: documents, stored as numbers in their article.

    :ivar articles_at: as of :class:`ArticleRows`, like ``totals``.
    :ivar articles: the articles of each posting list, ascending.
    :ivar spreads: documents of each article that have the word.
    :ivar paragraphs: number of each of these documents within its article.
    """

    def __init__(self, file: ArraysFile, name: str) -> None:
        self._first = file["first"]
        self.articles_at = file[f"{name}/articles.at"]
        self.articles = file[f"{name}/articles"]
        self.spreads = PackedArray(file, f"{name}/spreads")
        self.totals = PackedArray(file, f"{name}/totals")
        self.paragraphs = PackedArray(file, f"{name}/paragraphs")

    def count(self, low: int, end: int) -> int:
        """Number of documents in a run of articles."""
        return int(self.spreads.run(low, end).sum(dtype=np.int64))

    def run(self, low: int, end: int, rows: slice) -> Array:
        """Documents in a run of articles; see :meth:`ArticleRows.run`."""
        return self._documents(
            self.articles[low:end],
            self.spreads.run(low, end),
            self.paragraphs.run(rows.start, rows.stop),
        )

    def take(self, articles: Ints, rows: Ints) -> Array:
        """Documents of several runs; see :meth:`ArticleRows.take`."""
        return self._documents(
            self.articles.take(articles),
            self.spreads.take(articles),
            self.paragraphs.take(rows),
        )

    def _documents(self, articles: Array, counts: Array, paragraphs: Array) -> Array:
        # Damaged counts could ask for all memory.
        if int(counts.sum(dtype=np.int64)) != len(paragraphs):
            raise ValueError("the documents of a posting list are not those counted")
        documents = self._first.take(articles).repeat(counts)
        documents += paragraphs
        return documents


def places_among(ascending: Array, wanted: Array) -> Ints:
    """Places of those of some values that an ascending array has."""
    if not len(ascending):
        return np.empty(0, np.int64)
    places = ascending.searchsorted(wanted)
    places[places == len(ascending)] = 0
    return places.compress(ascending.take(places) == wanted)
