"""The inverted index of the paragraphs: posting lists by document and by article."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.engines.whoosh.files.arrays import (
    Array,
    ArraysFile,
    Ints,
    Mask,
    expand_ranges,
)
from index.engines.whoosh.files.field_index import FieldIndex
from index.engines.whoosh.files.posting_lists import SIDE_FIELDS, ArticlePostings
from index.engines.whoosh.files.rows import DecodedRows, DocumentRows, places_among

# If a list is this many times as long as what is wanted of it, only that is decoded.
_FEW = 4


class ParagraphIndex(FieldIndex):
    """The inverted index of the paragraphs, with its posting lists by article."""

    def __init__(self, file: ArraysFile, name: str, documents: int) -> None:
        self._by_article = rows = DocumentRows(file, name)
        super().__init__(file, name, rows)
        self._documents, self._owner = documents, file["owner"]
        self._impacts = file[f"{name}/bests"]
        self._side_fields = {
            side: (
                file[f"{name}/{side}.at"],
                file[f"{name}/{side}"],
                file[f"{name}/{side}.frequencies"],
            )
            for side in SIDE_FIELDS
            if f"{name}/{side}" in file
        }
        self._bitmap_of = {
            number: at for at, number in enumerate(file[f"{name}/dense"].tolist())
        }
        self._bitmaps = file[f"{name}/bits"].reshape(
            len(self._bitmap_of), (documents + 7) // 8
        )

    def article_postings(self, number: int) -> ArticlePostings:
        """One posting list, by article."""
        stored = self._by_article
        low, high = self._articles_at[number : number + 2].tolist()
        side_fields = {}
        for name, (at, articles, frequencies) in self._side_fields.items():
            start, end = at[number : number + 2].tolist()
            if end > start:
                side_fields[name] = articles[start:end], frequencies[start:end]
        return ArticlePostings(
            articles=stored.articles[low:high],
            paragraph_counts=stored.spreads.run(low, high),
            frequencies=stored.totals.run(low, high),
            impacts=self._impacts[low:high],
            side_fields=side_fields,
        )

    def paragraphs(self, number: int, at: Ints) -> Array:
        """Numbers, within their articles, of documents of a posting list.

        :param at: places of these documents in the list.
        """
        return self._by_article.paragraphs.take(at + int(self.rows_at[number]))

    def postings_together(self, numbers: Sequence[int]) -> list[DecodedRows]:
        """Some posting lists, at least in the articles that all of them have."""
        listed = [self._listed(number) for number in numbers]
        common, *others = sorted(listed, key=len)
        for articles in others:
            common = articles.take(places_among(articles, common))
        return [
            DecodedRows(*self.postings(number), None)
            if len(common) * _FEW > len(articles) or number in self._decoded
            else self._rows_in(number, places_among(articles, common))
            for number, articles in zip(numbers, listed, strict=True)
        ]

    def _listed(self, number: int) -> Array:
        """Articles of a posting list, ascending."""
        low, high = self._articles_at[number : number + 2].tolist()
        return self._by_article.articles[low:high]

    def _rows_in(self, number: int, places: Ints) -> DecodedRows:
        """Rows of a posting list in its articles at some places."""
        low, high = self._articles_at[number : number + 2].tolist()
        spreads = self._by_article.spreads.run(low, high)
        totals = self._by_article.totals.run(low, high)
        counts = spreads.take(places)
        at = expand_ranges(spreads.cumsum(dtype=np.int64).take(places) - counts, counts)
        first = int(self.rows_at[number])
        rows = self._by_article.take(places + low, at + first)
        frequencies = self.frequencies(number).take(at)
        # Occurrences before each row: in all articles before its own, and within that.
        before = totals.cumsum(dtype=np.int64).take(places) - totals.take(places)
        starts = frequencies.cumsum(dtype=np.int64) - frequencies
        ends = counts.cumsum(dtype=np.int64)
        starts += (before - starts.take(ends - counts)).repeat(counts)
        return DecodedRows(rows, frequencies, starts)

    def bitmap(self, number: int) -> Mask | None:
        """Documents of a posting list as a mask; ``None`` if it has no bitmap."""
        at = self._bitmap_of.get(number)
        if at is None:
            return None
        bits = np.unpackbits(
            self._bitmaps[at], count=self._documents, bitorder="little"
        )
        return bits.view(np.bool_)
