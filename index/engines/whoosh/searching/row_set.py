"""Sets of rows, articles or documents: their ascending numbers, and operations on them.

The time of an operation grows with the numbers in its sets, not with the number of all
rows. A bitmap over all rows is made only if both lists are long: then it takes less
time than binary searches.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from index.engines.whoosh.files import Array, Ints, Mask, cached, expand_ranges

# One binary search takes as long as setting or reading 32 bits of a bitmap, or as
# clearing 32 times as many.
_SEARCH = 32
# Above this share of all rows, a union takes less time as a bitmap than by sorting.
_UNION_SHARE = 1 / 4


class RowSet:
    """Rows that match: articles, the hits of a search, or documents.

    :param count: number of all rows, matching or not.
    :param numbers: of the matching rows, ascending.
    :param complete: the set holds every row that the query matches: no filter has
        removed one.
    """

    def __init__(self, count: int, numbers: Array, *, complete: bool = False) -> None:
        self.numbers = numbers
        self.complete = complete
        self._count = count

    def __len__(self) -> int:
        return len(self.numbers)

    @cached
    def mask(self) -> Mask:
        """Bitmap of the set over all rows; read-only."""
        mask = np.zeros(self._count, bool)
        mask[self.numbers] = True
        return mask

    def contains(self, rows: Array) -> Mask:
        """Which of some rows are in the set.

        :param rows: ascending; a row may occur several times.
        """
        if _bitmap_is_faster(len(rows), len(self.numbers), self._count):
            return np.asarray(self.mask.take(rows))
        return is_among(rows, self.numbers, self._count)

    def places_in(self, rows: Array) -> Ints:
        """Positions, among some rows, of those that are in the set.

        :param rows: ascending.
        """
        if len(self.numbers) * _SEARCH < len(rows):
            numbers = self.numbers.astype(rows.dtype, copy=False)
            at = rows.searchsorted(numbers)
            at[at == len(rows)] = 0
            places: Ints = at.compress(rows.take(at) == numbers)
            return places
        return self.contains(rows).nonzero()[0]

    def filtered(self, mask: Mask) -> RowSet:
        """Subset of the rows whose bit is set.

        :param mask: one bit per row of the set.
        """
        if mask.all():
            return self
        return RowSet(self._count, self.numbers.compress(mask))


def is_among(rows: Array, others: Array, count: int) -> Mask:
    """Which of some rows are among others.

    :param rows: ascending; a row may occur several times.
    :param others: ascending, each once.
    :param count: number of all rows.
    """
    few, many = (rows, others) if len(rows) <= len(others) else (others, rows)
    if _bitmap_is_faster(len(few), len(many), count):
        mask = np.zeros(count, bool)
        mask[others] = True
        return np.asarray(mask.take(rows))
    if not len(few):
        return np.zeros(len(rows), bool)
    few = few.astype(many.dtype, copy=False)
    starts = many.searchsorted(few)
    if many is others:
        starts[starts == len(many)] = 0
        return np.asarray(many.take(starts) == few)
    among = np.zeros(len(rows), bool)
    among[expand_ranges(starts, many.searchsorted(few, "right") - starts)] = True
    return among


def _bitmap_is_faster(one: int, other: int, count: int) -> bool:
    """Whether a bitmap takes less time than searching for one list in the other.

    :param one: length of one of the lists.
    :param other: length of the other.
    :param count: number of all rows.
    """
    return min(one, other) * _SEARCH >= max(one, other) + count // _SEARCH


def many_for_union(most: int, count: int) -> bool:
    """Whether a union of so many numbers takes less time as a bitmap than by sorting.

    :param count: number of all rows.
    """
    return most > count * _UNION_SHARE


def union_of(lists: Iterable[Array], most: int, count: int) -> Array:
    """Rows that are in some of several lists, ascending.

    :param most: upper bound of how many numbers the lists have together.
    :param count: number of all rows.
    """
    if many_for_union(most, count):
        mask = np.zeros(count, bool)
        for rows in lists:
            mask[rows] = True
        return mask.nonzero()[0].astype(np.int32)
    parts = [rows for rows in lists if len(rows)]
    if len(parts) < 2:
        return parts[0] if parts else np.empty(0, np.int32)
    rows = np.concatenate(parts)
    rows.sort()
    return distinct(rows)


def distinct(rows: Array) -> Array:
    """Each of some rows once.

    :param rows: ascending; a row may occur several times.
    """
    if len(rows) < 2:
        return rows
    first = np.empty(len(rows), bool)
    first[0] = True
    np.not_equal(rows[1:], rows[:-1], out=first[1:])
    return rows.compress(first)


def places_of_common(articles: Array, some: Array) -> Ints:
    """Places, in a list of articles, of those that are in another list.

    Both are ascending. The shorter one is looked up in the longer one.
    """
    if not len(articles):
        return np.empty(0, np.int64)
    some = some.astype(articles.dtype, copy=False)
    if len(some) <= len(articles):
        at = articles.searchsorted(some)
        at[at == len(articles)] = 0
        common: Ints = at.compress(articles.take(at) == some)
        return common
    at = some.searchsorted(articles)
    at[at == len(some)] = 0
    return np.asarray(some.take(at) == articles).nonzero()[0]
