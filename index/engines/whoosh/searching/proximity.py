"""Proximity of words in one field of a segment: phrases and NEAR, from positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from index.deadline import Check
from index.engines.whoosh.files import Array, DecodedRows, FieldIndex, Ints, Mask
from index.engines.whoosh.searching.unions import NO_POSTINGS, Postings, narrowed
from index.query import near_spans

# Occurrences that are looked at together. A row is not divided: with its occurrences
# there may be more.
ONE_PASS = 50_000
OCCURRENCE = 150  # bytes of each meanwhile
_LISTED = 4_096  # occurrences that are Python's integers at a time
_POSITION_BITS = 32  # a place in a segment is row << 32 | position


@dataclass(frozen=True, slots=True)
class WordLists:
    """The posting lists in which one word of a leaf is found.

    :param lists: numbers of the lists whose postings all count.
    :param parted: lists where only the terms with these tags count.
    :param count: how many times a NEAR asks for the word.
    """

    lists: tuple[int, ...]
    parted: tuple[tuple[int, Array], ...] = ()
    count: int = 1

    def __bool__(self) -> bool:
        return bool(self.lists or self.parted)

    @property
    def is_one_list(self) -> bool:
        """Whether the postings of one whole list are all of the word's."""
        return len(self.lists) == 1 and not self.parted


class Proximity:
    """Words that occur together in rows of a field.

    :param words: each with its lists.
    :param postings: of each word, at least in the rows in which all words occur.
    :param decoded: some posting lists, likewise.
    """

    def __init__(
        self,
        field: FieldIndex,
        words: Sequence[WordLists],
        postings: Sequence[Postings],
        decoded: Mapping[int, DecodedRows],
        check: Check,
    ) -> None:
        self._field, self._words = field, words
        self._postings, self._decoded, self._check = postings, decoded, check

    def phrase(self) -> Postings:
        """Postings of the words where each starts at the end of the one before it."""
        starts = [self._phrases_in(rows) for rows in self._passes()]
        return _counted(np.concatenate(starts)) if starts else NO_POSTINGS

    def near(self, distances: Sequence[int]) -> list[Postings]:
        """Postings of the words within each of these distances of each other."""
        counts = [word.count for word in self._words]
        starts: list[list[Ints]] = [[] for _ in distances]
        for rows in self._passes():
            # Rows are so far apart that no window has words of two of them.
            spans = np.fromiter(
                chain.from_iterable(
                    near_spans(self._hits(rows), counts, max(distances), self._check)
                ),
                np.int64,
            ).reshape(-1, 3)
            for distance, of_distance in zip(distances, starts, strict=True):
                self._check()
                of_distance.append(_window_starts(spans, distance))
        return [
            _counted(np.concatenate(of_distance)) if of_distance else NO_POSTINGS
            for of_distance in starts
        ]

    def _passes(self) -> Iterator[Array]:
        """Yield the rows in which every word occurs, those of one pass at a time."""
        rows = self._common_rows()
        if not len(rows):
            return
        if sum(map(self._occurrences, self._words)) <= ONE_PASS:
            yield rows
            return
        sizes = np.zeros(len(rows), np.int64)
        for postings in self._postings:
            sizes += postings.frequencies[postings.rows.searchsorted(rows)]
        passes = sizes.cumsum() // ONE_PASS
        for part in np.split(rows, np.flatnonzero(np.diff(passes)) + 1):
            self._check()
            yield part

    def _common_rows(self) -> Array:
        """Conjunction: rows in which every word occurs."""
        by_length = sorted((postings.rows for postings in self._postings), key=len)
        common = by_length[0]
        for rows in by_length[1:]:
            common = common[_is_among(common, rows)]
        return common

    def _occurrences(self, word: WordLists) -> int:
        """Upper bound of the occurrences of a word."""
        numbers = [*word.lists, *(part[0] for part in word.parted)]
        return self._field.occurrences_of_lists(numbers)

    def _phrases_in(self, rows: Array) -> Ints:
        """Place of each phrase in some rows.

        Works from right to left: an occurrence of a word stays if it ends where an
        occurrence of the next word that stayed starts. The occurrences of the first
        word that stay are the phrases.
        """
        following: Ints | None = None
        for word in reversed(self._words):
            starts, ends = self._spans(word, rows)
            if following is not None:
                starts = starts[_is_among(ends, following)]
            following = _distinct(starts)
            if not len(following):
                break
        assert following is not None
        return following

    def _hits(self, rows: Array) -> Iterator[tuple[int, int, int]]:
        """Yield place, word and width of the occurrences in some rows, ascending."""
        spans = [_widest(*self._spans(word, rows)) for word in self._words]
        places = np.concatenate([starts for starts, _ in spans])
        widths = np.concatenate([ends - starts for starts, ends in spans])
        sizes = [len(starts) for starts, _ in spans]
        del spans
        order = places.argsort(kind="stable")
        words = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        for first in range(0, len(order), _LISTED):
            some = order[first : first + _LISTED]
            yield from zip(
                places[some].tolist(),
                words[some].tolist(),
                widths[some].tolist(),
                strict=True,
            )

    def _spans(self, word: WordLists, rows: Array) -> tuple[Ints, Ints]:
        """Start and end of each occurrence of a word in these rows, as places."""
        starts, ends = [], []
        whole: list[tuple[int, Array | None]] = [
            (number, None) for number in word.lists
        ]
        for number, tags in whole + list(word.parted):
            self._check()
            at, positions, widths = self._field.occurrences_in(
                number, rows, tags, self._decoded.get(number)
            )
            places = (at.astype(np.int64) << _POSITION_BITS) | positions
            starts.append(places)
            ends.append(places + widths)
        if len(starts) == 1:
            return starts[0], ends[0]
        return np.concatenate(starts), np.concatenate(ends)


def _counted(places: Ints) -> Postings:
    """Postings of places, which are ascending: their number in each row."""
    rows, counts = np.unique(places >> _POSITION_BITS, return_counts=True)
    return Postings(rows.astype(np.int32), narrowed(counts))


def _window_starts(spans: Ints, distance: int) -> Ints:
    """Starts of the windows of a NEAR.

    :param spans: rows of start, end and number of other words, starts ascending; see
        :func:`index.query.near_spans`.
    """
    near = spans[spans[:, 2] <= distance]
    following = near[:, 0].searchsorted(near[:, 1]).tolist()
    chosen, at = [], 0
    while at < len(following):
        chosen.append(at)
        at = following[at]  # windows share no word
    starts: Ints = near[chosen, 0] if chosen else np.empty(0, np.int64)
    return starts


def _widest(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Occurrences ascending, at each place the widest one."""
    if not (starts[1:] > starts[:-1]).all():
        order = np.lexsort((-ends, starts))
        order = order[np.append(True, np.diff(starts[order]) > 0)]
        starts, ends = starts[order], ends[order]
    return starts, ends


def _is_among(values: Array, ascending: Array) -> Mask:
    """Which values occur in an ascending array."""
    if not len(ascending):
        return np.zeros(len(values), bool)
    at = np.searchsorted(ascending, values)
    at[at == len(ascending)] = 0
    among: Mask = ascending[at] == values
    return among


def _distinct(values: Ints) -> Ints:
    """Each value once, ascending; cheap if they are already."""
    if len(values) > 1 and not (values[1:] > values[:-1]).all():
        return np.unique(values)
    return values
