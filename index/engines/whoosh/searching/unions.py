"""Unions of posting lists: frequencies in a common row add up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from index.engines.whoosh.files import Array, Ints, narrowest_type

# Postings that are joined by sorting them, each of some 40 bytes meanwhile. Of more, a
# run is joined at a time, and added to what the runs before it came to.
ONE_RUN = 250_000


@dataclass(frozen=True, slots=True)
class Postings:
    """Rows that match, ascending, and the frequency in each."""

    rows: Array
    frequencies: Array


NO_POSTINGS = Postings(np.empty(0, np.int32), np.empty(0, np.int32))


class RunningUnion:
    """Union of any number of posting lists, with one number a row.

    :param rows: number of rows there are.
    """

    def __init__(self, rows: int) -> None:
        self._frequencies = np.zeros(rows, np.int64)

    def add(self, postings: Postings) -> None:
        """Add a posting list, in which no row occurs twice."""
        self._frequencies[postings.rows] += postings.frequencies

    def postings(self) -> Postings:
        """Posting list of all that were added."""
        rows = self._frequencies.nonzero()[0]
        return Postings(rows.astype(np.int32), narrowed(self._frequencies[rows]))


def disjoint_union(postings: Iterable[Postings]) -> Postings:
    """Union of posting lists that have no row in common."""
    parts = [part for part in postings if len(part.rows)]
    if len(parts) < 2:
        return parts[0] if parts else NO_POSTINGS
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows)
    frequencies = np.concatenate([part.frequencies for part in parts])
    return Postings(rows[order], frequencies[order])


def union(postings: Iterable[Postings]) -> Postings:
    """Union of posting lists, in which a row may also occur twice."""
    parts = [part for part in postings if len(part.rows)]
    if not parts:
        return NO_POSTINGS
    rows = np.concatenate([part.rows for part in parts])
    frequencies = np.concatenate([part.frequencies for part in parts])
    # Sorting pairs costs less than an argsort followed by two gathers.
    pairs = rows.astype(np.int64) << 32 | frequencies
    pairs.sort()
    rows = (pairs >> 32).astype(np.int32)
    starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
    summed = np.add.reduceat(pairs & 0xFFFFFFFF, starts)
    return Postings(rows[starts], narrowed(summed))


def narrowed(frequencies: Ints) -> Array:
    """Frequencies in the narrowest type that fits: they may be cached for a while."""
    return frequencies.astype(narrowest_type(int(frequencies.max(initial=0))))
