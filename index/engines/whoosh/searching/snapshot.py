"""All segments of one generation as one set of numbers, with what lives in them.

Articles and documents are numbered through all segments, in order. With one segment
its own arrays serve, unread until they are needed; with several, what is of articles is
put end to end, and posting lists stay where they are.
"""

from __future__ import annotations

import bisect
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.access import NO_EMBARGO, NO_EXPIRY, shown
from index.article import FIELD_BY_NAME, PASSAGE_FIELDS
from index.engines import ranking
from index.engines.whoosh.files import (
    IMPACT_CAP,
    MAIN_FIELD_NUMBER,
    NO_VALUE,
    VALUE_FIELDS,
    Array,
    Ints,
    Mask,
    Segment,
    cached,
)
from index.engines.whoosh.searching.keyword_column import KeywordColumn

Floats = NDArray[np.float64]
T = TypeVar("T")

# Any length that is capped may be longer, and any frequency higher.
_BOUNDLESS = 1e9
_MANY = 2_000  # ids, beyond which all of a state are put in order once


@runtime_checkable
class Closing(Protocol):
    """Something kept that knows the state, so that the two would keep each other."""

    @property
    def bytes(self) -> int:
        """How much memory it takes."""

    def close(self) -> None:
        """Let go of the state."""


class IndexSnapshot:
    """One generation of the index, joined.

    :ivar live: which articles live: the others were replaced or deleted.
    """

    def __init__(self, segments: Sequence[tuple[Segment, Mask]], seq: int) -> None:
        """Join segments.

        :param segments: each with which of its documents live.
        """
        self.seq = seq
        self.segments = [segment for segment, _ in segments]
        self.article_bases = _bases([each.articles for each in self.segments])
        self.document_bases = _bases([each.documents for each in self.segments])
        self.articles, self.documents = self.article_bases[-1], self.document_bases[-1]
        self.live: Mask = _end_to_end(
            [live[segment.first[:-1]] for segment, live in segments], np.dtype(bool)
        )
        self.all_live = bool(self.live.all())
        self._kept: dict[object, object] = {}
        self._shown: dict[bool, tuple[int, Mask, bool]] = {}
        self._lock = threading.Lock()

    def keep(self, name: object, make: Callable[[], T]) -> T:
        """Return what is kept under a name, made first if it is not there."""
        found = self._kept.get(name)
        if found is None:
            made = make()
            with self._lock:
                found = self._kept.setdefault(name, made)
        return found  # type: ignore[return-value]

    def close(self) -> None:
        """Let go of what was kept for later searches: there is a newer state.

        Searches under way go on; what they find is theirs alone.
        """
        leaves = self._kept.get("leaves")
        if isinstance(leaves, Closing):
            leaves.close()

    def cache_bytes(self) -> int:
        """Return how much of that is what was found of leaves."""
        leaves = self._kept.get("leaves")
        return leaves.bytes if isinstance(leaves, Closing) else 0

    def each(self) -> Iterator[tuple[Segment, int, int]]:
        """Yield each segment, and the numbers of its first article and document."""
        yield from zip(
            self.segments, self.article_bases, self.document_bases, strict=False
        )

    # Columns of articles.

    def column(self, name: str) -> Array:
        """Return one number of each article, as the segments have it."""
        return self.keep(
            name,
            lambda: _end_to_end(
                [each.column(name) for each in self.segments], np.dtype(np.int64)
            ),
        )

    @cached
    def first(self) -> Array:
        """Each article's first document, and behind the last, where they end."""
        parts = [
            each.first[:-1] + np.int32(base) if base else each.first[:-1]
            for each, _, base in self.each()
        ]
        if len(parts) == 1:
            return self.segments[0].first
        return np.append(
            _end_to_end(parts, np.dtype(np.int32)), np.int32(self.documents)
        )

    @cached
    def spans(self) -> Array:
        """Each article's first document, and where its documents end: a row each."""
        return np.stack([self.first[:-1], self.first[1:]])

    @cached
    def sizes(self) -> Array:
        """How many documents each article has."""
        return np.diff(self.first)

    @cached
    def first_n(self) -> Array:
        """The number of each article's first paragraph: 0, or 1 without a headline."""
        return self.column("first_n")

    def numbers(self, articles: Array, documents: Array) -> Ints:
        """Return the numbers that documents have as paragraphs of their articles."""
        found: Ints = documents - self.first[articles] + self.first_n[articles]
        return found

    def by_date(self, name: str, *, oldest: bool) -> Ints:
        """Return what sorts articles by a date, unknown ones last."""

        def make() -> Ints:
            dates = self.column(name)
            known = dates if oldest else -dates
            return np.where(dates == NO_VALUE, np.iinfo(np.int64).max, known)

        return self.keep(("by date", name, oldest), make)

    def values(self, name: str) -> KeywordColumn:
        """Return the values of a keyword or integer field."""
        assert name in VALUE_FIELDS, name
        return self.keep(
            ("values", name),
            lambda: KeywordColumn(
                [each.values(name) for each in self.segments],
                self.article_bases,
                self.articles,
            ),
        )

    # Columns of documents: only some searches need them for all segments at once.

    @cached
    def owner(self) -> Array:
        """The article of each document."""
        parts = [
            each.owner + np.int32(base) if base else each.owner
            for each, base, _ in self.each()
        ]
        return _end_to_end(parts, np.dtype(np.int32))

    @cached
    def passage(self) -> Array:
        """The passage field of each document, as a position in ``PASSAGE_FIELDS``."""
        return _end_to_end([each.passage for each in self.segments], np.dtype("u1"))

    @cached
    def lengths(self) -> Array:
        """The length of each document, in words."""
        return _end_to_end([each.lengths for each in self.segments], np.dtype("u1"))

    def lengths_of(self, documents: Ints) -> Array:
        """Return the lengths of some documents, in words."""
        return self._some(documents, lambda segment: segment.lengths)

    def _some(self, documents: Ints, column: Callable[[Segment], Array]) -> Array:
        if len(self.segments) == 1:
            return column(self.segments[0]).take(documents)
        found = np.zeros(len(documents), np.int64)
        for segment, _, base in self.each():
            inside = (documents >= base) & (documents < base + segment.documents)
            if inside.any():
                found[inside] = column(segment)[documents[inside] - base]
        return found

    # Articles by id, and the other way round.

    def find(self, article_id: str) -> int:
        """Return the number of the living article of an id, -1 if there is none."""
        for segment, base, _ in self.each():
            found = segment.find(article_id)
            if found >= 0 and self.live[base + found]:
                return base + found
        return -1

    def located(self, article: int) -> tuple[Segment, int]:
        """Return the segment of an article, and its number there."""
        at = bisect.bisect_right(self.article_bases, article) - 1
        return self.segments[at], article - self.article_bases[at]

    def article_id(self, article: int) -> str:
        """Return the id of an article."""
        segment, number = self.located(article)
        return segment.article_id(number)

    def article_ids(self, articles: Array) -> list[str]:
        """Return the ids of articles."""
        if len(self.segments) == 1:
            return self.segments[0].article_ids(articles)
        return [self.article_id(each) for each in articles.tolist()]

    def versions(self, articles: Array) -> list[str]:
        """Return the versions of articles."""
        if len(self.segments) == 1:
            return self.segments[0].versions(articles)
        found = []
        for article in articles.tolist():
            segment, number = self.located(article)
            found.append(segment.version(number))
        return found

    def places(self, articles: Array) -> Ints:
        """Return numbers that sort these articles by their ids."""
        if len(self.segments) == 1:
            return self.segments[0].id_ranks[articles].astype(np.int64)
        if len(articles) > _MANY:
            return self._id_places.take(articles)
        ids = [self.article_id(each) for each in articles.tolist()]
        rank = {each: at for at, each in enumerate(sorted(set(ids)))}
        return np.array([rank[each] for each in ids], np.int64)

    @cached
    def _id_places(self) -> Ints:
        """What :meth:`places` says of every article."""
        ids = [
            article_id
            for segment in self.segments
            for article_id in segment.article_ids(np.arange(segment.articles))
        ]
        rank = {each: at for at, each in enumerate(sorted(set(ids)))}
        return np.array([rank[each] for each in ids], np.int64)

    def behind(self, articles: Array, article_id: str) -> tuple[Mask, Mask]:
        """Return which articles have a greater id than this one, and which have it."""
        greater, same = np.zeros(len(articles), bool), np.zeros(len(articles), bool)
        for segment, base, _ in self.each():
            inside = (articles >= base) & (articles < base + segment.articles)
            places = segment.id_ranks[articles[inside] - base]
            place = segment.id_rank(article_id)
            has = segment.find(article_id) >= 0
            same[inside] = (places == place) & has
            greater[inside] = places > place if has else places >= place
        return greater, same

    # What shows.

    def shown_at(self, now: int, *, held: bool = False) -> tuple[Mask, bool]:
        """Return which articles live and show at an instant, and whether all do.

        The mask is not to be changed. Which show changes only when an embargo ends or
        an article expires.

        :param held: to somebody who also sees what is withheld or under embargo.
        """
        turn = bisect.bisect_right(self._turns, now)
        found = self._shown.get(held)
        if found is None or found[0] != turn:
            mask: Mask = self.live & shown(
                self.column("status"),
                self.column("embargoed_until"),
                self.column("expires"),
                now,
                held=held,
            )
            found = self._shown[held] = (turn, mask, bool(mask.all()))
        return found[1:]

    @cached
    def _turns(self) -> list[int]:
        embargoes, expiries = self.column("embargoed_until"), self.column("expires")
        turns: list[int] = np.unique(
            np.concatenate(
                [embargoes[embargoes != NO_EMBARGO], expiries[expiries != NO_EXPIRY]]
            )
        ).tolist()
        return turns

    # Statistics: of living articles, whatever is asked and whoever asks.

    @cached
    def live_articles(self) -> int:
        """How many articles live."""
        return int(np.count_nonzero(self.live))

    def scale(self, name: str) -> Floats:
        """Return what an occurrence in a field counts for, in each article."""
        if name in PASSAGE_FIELDS:
            row: Floats = self.passage_scales[PASSAGE_FIELDS.index(name)]
            return row
        return self.keep(("scale", name), lambda: self._scale(name))

    def _scale(self, name: str) -> Floats:
        lengths = self._field_lengths(name)
        having = lengths[self.live & (lengths > 0)]
        mean = float(having.sum()) / len(having) if len(having) else 1.0
        weight = FIELD_BY_NAME[name].weight
        found: Floats = ranking.field_frequency(1.0, lengths, mean, weight)
        return found

    @cached
    def passage_scales(self) -> Floats:
        """Return :meth:`scale` of every passage field, a row each."""
        scales = np.empty((len(PASSAGE_FIELDS), self.articles))
        for row, name in zip(scales, PASSAGE_FIELDS, strict=True):
            row[:] = self._scale(name)
        return scales

    def _field_lengths(self, name: str) -> Ints:
        if name in PASSAGE_FIELDS:
            return self._passages(name, "lengths")
        parts = [each.line_lengths(name) for each in self.segments]
        return _end_to_end(parts, np.dtype(np.int64)).astype(np.int64)

    def _passages(self, name: str, what: str) -> Ints:
        parts = [each.passage_column(name, what) for each in self.segments]
        return _end_to_end(parts, np.dtype(np.int64)).astype(np.int64)

    def document_scales(self, documents: Ints, owners: Ints) -> Floats:
        """Return what an occurrence in some documents counts for in their articles."""
        # One row behind the other: one number is looked up faster than two.
        at = self._some(documents, lambda segment: segment.passage).astype(np.int64)
        at *= self.articles
        at += owners
        scales: Floats = self.passage_scales.ravel().take(at)
        return scales

    def main_scale(self) -> Array:
        """Return :meth:`scale` of the main field, in single precision, for bounds."""
        return self.keep(
            "main scale",
            lambda: self.passage_scales[MAIN_FIELD_NUMBER].astype(np.float32),
        )

    def document_statistics(self, passages: tuple[str, ...]) -> tuple[int, float]:
        """Return how many living documents fields have, and their mean length."""

        def make() -> tuple[int, float]:
            count = length = 0
            for name in passages:
                count += int(self._passages(name, "counts")[self.live].sum())
                length += int(self._passages(name, "lengths")[self.live].sum())
            return count, max(length / count if count else 1.0, math.ulp(1.0))

        return self.keep(("documents", passages), make)

    def norms(self, passages: tuple[str, ...]) -> Floats:
        """Return what each length of a document sets against a frequency, by length."""

        def make() -> Floats:
            longest = max([int(each.lengths.max(initial=0)) for each in self.segments])
            _, mean = self.document_statistics(passages)
            norms: Floats = ranking.paragraph_norm(np.arange(longest + 1.0), mean)
            return norms

        return self.keep(("norms", passages), make)

    def best_scores(self, passages: tuple[str, ...]) -> Array:
        """Return what a best scores at the most, for a word of weight 1.

        By ``frequency << 8 | length``: see ``ArticlePostings``.
        """

        def make() -> Array:
            frequencies = np.arange(IMPACT_CAP + 1, dtype=np.float64)
            frequencies[IMPACT_CAP] = _BOUNDLESS
            _, mean = self.document_statistics(passages)
            lengths = np.arange(IMPACT_CAP + 1, dtype=np.float64)
            table: Floats = ranking.paragraph_part(
                frequencies[:, np.newaxis], lengths, mean, 1.0, 1.0
            )
            return table.ravel().astype(np.float32)

        return self.keep(("bests", passages), make)


def _end_to_end(parts: Sequence[Array], empty: np.dtype[Any]) -> Array:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, empty)


def _bases(sizes: Sequence[int]) -> list[int]:
    bases = [0]
    for size in sizes:
        bases.append(bases[-1] + size)
    return bases
