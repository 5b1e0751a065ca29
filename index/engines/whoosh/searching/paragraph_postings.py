"""Posting lists of the paragraphs of one segment, decoded where a search needs them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from index.engines.whoosh.files import (
    Array,
    ArticlePostings,
    Ints,
    Mask,
    ParagraphIndex,
    Segment,
    article_postings,
    cached,
    expand_ranges,
)

# If a list is at most this many times as long as what is wanted of it, all is decoded:
# that takes less time than to score what is wanted, and is kept.
_MANY = 256


class ParagraphPostings:
    """Documents of a segment that match, ascending, and the frequency in each."""

    def __init__(self, segment: Segment, rows: Array, frequencies: Array) -> None:
        self.segment = segment
        self._rows, self.frequencies = rows, frequencies

    def __len__(self) -> int:
        return len(self.frequencies)

    @cached
    def rows(self) -> Array:
        """Documents that match, ascending."""
        return self._rows

    @cached
    def articles(self) -> ArticlePostings:
        """The same postings by article."""
        segment = self.segment
        return article_postings(
            self.rows,
            self.frequencies,
            owner=segment.owner,
            passage=segment.passage,
            lengths=segment.lengths,
        )

    @cached
    def ends(self) -> Array:
        """End, among :attr:`rows`, of the documents of each article."""
        return self.articles.paragraph_counts.cumsum(dtype=np.int32)

    def documents_of(self, articles: Array, first: Array) -> tuple[Array, Array, Array]:
        """Matching documents of some articles of the segment.

        :param articles: ascending, as 32-bit integers: ``searchsorted`` converts a
            whole array if the two types differ.
        :param first: first document of each of them.
        :return: number of documents by article, the documents, and the frequency in
            each.
        """
        by_article = self.articles
        listed = by_article.articles
        if not len(listed):
            return np.zeros(len(articles), np.int64), self.rows, self.frequencies
        if len(articles) == len(listed) and (articles == listed).all():
            return by_article.paragraph_counts, self.rows, self.frequencies
        places = listed.searchsorted(articles)
        counts = by_article.paragraph_counts.take(places, mode="clip")
        counts = counts * (listed.take(places, mode="clip") == articles)
        at = expand_ranges(self.ends.take(places, mode="clip") - counts, counts)
        rows = self._documents(at, counts, lambda: first)
        return counts, rows, self.frequencies.take(at)

    def documents_at(self, places: Ints) -> Array:
        """Matching documents of the articles at some places."""
        by_article = self.articles
        if len(places) == len(by_article.articles):
            return self.rows
        counts = by_article.paragraph_counts.take(places)
        at = expand_ranges(self.ends.take(places) - counts, counts)
        first = self.segment.first
        return self._documents(
            at, counts, lambda: first.take(by_article.articles.take(places))
        )

    def _documents(self, at: Ints, counts: Array, first: Callable[[], Array]) -> Array:
        """Documents at some places among :attr:`rows`.

        :param counts: number of them in each of their articles.
        :param first: computes the first document of each of these articles.
        """
        return self.rows.take(at)

    @property
    def arrays(self) -> list[Array]:
        """All arrays in use."""
        # Another thread may add an attribute meanwhile.
        attributes = list(self.__dict__.values())
        arrays = [value for value in attributes if isinstance(value, np.ndarray)]
        if "articles" in self.__dict__:
            articles = self.articles
            arrays += [
                articles.articles,
                articles.paragraph_counts,
                articles.frequencies,
                articles.impacts,
            ]
        return arrays

    def shed(self) -> None:
        """Drop what takes much memory and little time to compute again."""
        self.__dict__.pop("ends", None)

    def set_bits(self, mask: Mask) -> None:
        """Set the bits of matching documents in a bitmap of the segment's documents."""
        mask[self.rows] = True


class StoredPostings(ParagraphPostings):
    """One whole posting list of the segment, with what the file stores beside it.

    Most searches for articles need the documents of few articles: only these are then
    decoded. Once many are needed, all are, and kept for the next search.
    """

    def __init__(self, segment: Segment, field: ParagraphIndex, number: int) -> None:
        self.segment = segment
        self.frequencies = field.frequencies(number)
        self._field, self._number = field, number

    @cached
    def rows(self) -> Array:
        """Documents that match, ascending."""
        return self._field.rows(self._number)

    @cached
    def articles(self) -> ArticlePostings:
        """The same postings by article, as stored."""
        return self._field.article_postings(self._number)

    def _documents(self, at: Ints, counts: Array, first: Callable[[], Array]) -> Array:
        if "rows" in self.__dict__ or len(at) * _MANY > len(self.frequencies):
            return self.rows.take(at)
        documents = first().repeat(counts)
        documents += self._field.paragraphs(self._number, at)
        return documents

    def shed(self) -> None:
        """Drop what takes much memory and little time to compute again."""
        super().shed()
        self.__dict__.pop("rows", None)

    def set_bits(self, mask: Mask) -> None:
        """Set the bits of matching documents in a bitmap of the segment's documents."""
        bitmap = self._field.bitmap(self._number)
        if bitmap is None:
            mask[self.rows] = True
        else:
            mask |= bitmap
