"""Posting lists of several segments, merged in parts of bounded memory.

A part is a run of short lists, or a block of a long one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from index.engines.whoosh.files import (
    Array,
    FieldIndex,
    Ints,
    Mask,
    PostingLists,
    expand_ranges,
)

# Bytes of each occurrence of a part while it is merged.
OCCURRENCE = 60


@dataclass(frozen=True, slots=True)
class SourceField:
    """A field of one of the segments, with the new numbers of its lists.

    :param rows: new number of each of its rows, -1 for a deleted one.
    :param whole: none of its rows is deleted.
    :param lists: new number of each of its lists, ascending.
    :param tags: new tag of each member of its lists.
    """

    field: FieldIndex
    rows: Array
    whole: bool
    lists: Ints
    tags: Ints


def parts(
    fields: Sequence[SourceField], several: Mask, limit: int
) -> Iterator[tuple[Callable[[], PostingLists], bool]]:
    """Yield what merges a part of the lists, and whether it continues the last list.

    A part is a run of lists with up to ``limit`` occurrences; a list with more is
    divided into blocks.

    :param several: which of the lists have several terms, and so tags.
    """
    count = len(several)
    sizes = np.zeros(count, np.int64)
    for source in fields:
        sizes[source.lists] += source.field.list_occurrences()
    ends = np.cumsum(sizes)
    low = 0
    while low < count:
        done = int(ends[low] - sizes[low])
        high = int(ends.searchsorted(done + limit, "right"))
        if high > low:
            yield partial(_merged_run, fields, low, high, several[low:high]), False
            low = high
        else:
            blocks = _blocks(fields, low, limit)
            for number, (source, at, block) in enumerate(blocks):
                has_tags = several[low : low + 1]
                yield partial(_merged_block, source, at, block, has_tags), number > 0
            low += 1


def _blocks(
    fields: Sequence[SourceField], number: int, limit: int
) -> Iterator[tuple[SourceField, int, PostingLists]]:
    """Yield the blocks of a new list: the source of each, its list there, the block."""
    for source in fields:
        at = int(source.lists.searchsorted(number))
        if at < len(source.lists) and source.lists[at] == number:
            for block in source.field.blocks(at, limit):
                yield source, at, block


def _merged_block(
    source: SourceField, at: int, block: PostingLists, several: Mask
) -> PostingLists:
    """A block of a list, renumbered."""
    part = _renumbered_part(source, at, at + 1, block, np.zeros(1, np.int64), 1)
    return PostingLists(
        rows_at=_starts(part.counts),
        rows=part.rows,
        frequencies=part.frequencies,
        positions=part.positions,
        tags_at=_starts(part.places * several),
        tags=part.tags if several[0] else part.tags[:0],
    )


@dataclass(frozen=True, slots=True)
class _RunPart:
    """A run of lists of one source, renumbered.

    :param counts: number of postings that it adds to each of the new lists.
    :param places: number of occurrences that it adds to each.
    """

    counts: Ints
    places: Ints
    rows: Array
    frequencies: Array
    positions: Array
    tags: Array


def _merged_run(
    fields: Sequence[SourceField], low: int, high: int, several: Mask
) -> PostingLists:
    """New lists of a run, those of the sources end to end.

    :param several: which of the lists have several terms, and so tags.
    """
    parts = [
        part for source in fields if (part := _run_part(source, low, high)) is not None
    ]
    count = high - low
    rows_at = _starts(sum((part.counts for part in parts), np.zeros(count, np.int64)))
    places_at = _starts(sum((part.places for part in parts), np.zeros(count, np.int64)))
    rows = np.empty(rows_at[-1], np.int32)
    frequencies = np.empty(rows_at[-1], np.int64)
    positions = np.empty(places_at[-1], np.int64)
    tags = np.zeros(places_at[-1], np.int64)
    row, place = rows_at[:-1].copy(), places_at[:-1].copy()
    for part in parts:
        at = expand_ranges(row, part.counts)
        rows[at], frequencies[at] = part.rows, part.frequencies
        at = expand_ranges(place, part.places)
        positions[at], tags[at] = part.positions, part.tags
        row += part.counts
        place += part.places
    sizes = np.diff(places_at)
    return PostingLists(
        rows_at=rows_at,
        rows=rows,
        frequencies=frequencies,
        positions=positions,
        tags_at=_starts(sizes * several),
        tags=tags[np.repeat(several, sizes)],
    )


def _run_part(source: SourceField, low: int, high: int) -> _RunPart | None:
    field = source.field
    first, end = source.lists.searchsorted([low, high]).tolist()
    if first == end:
        return None
    lists = source.lists[first:end] - low
    run = field.slice(first, end)
    return _renumbered_part(source, first, end, run, lists, high - low)


def _renumbered_part(
    source: SourceField,
    first: int,
    end: int,
    run: PostingLists,
    lists: Ints,
    count: int,
) -> _RunPart:
    """Lists of one source, or a block of one, without what is deleted.

    :param run: of its lists ``first`` to ``end``.
    :param lists: number of each of them in the part.
    :param count: number of lists of the part.
    """
    rows = source.rows[run.rows]
    frequencies = run.frequencies.astype(np.int64)
    positions = run.positions
    list_of_row = np.repeat(lists, np.diff(run.rows_at))
    list_of_place = np.repeat(list_of_row, frequencies)
    tags = _new_tags(source, first, end, run)
    if not source.whole:
        live = rows >= 0
        inside = np.repeat(live, frequencies)
        rows, frequencies, list_of_row = (
            rows[live],
            frequencies[live],
            list_of_row[live],
        )
        positions, tags = positions[inside], tags[inside]
        list_of_place = list_of_place[inside]
    return _RunPart(
        counts=np.bincount(list_of_row, minlength=count),
        places=np.bincount(list_of_place, minlength=count),
        rows=rows,
        frequencies=frequencies,
        positions=positions,
        tags=tags,
    )


def _new_tags(source: SourceField, first: int, end: int, run: PostingLists) -> Ints:
    """New tag of each occurrence of a run."""
    members_at = source.field.members_at.astype(np.int64)
    ends = np.append(0, np.cumsum(run.frequencies, dtype=np.int64))
    places = np.diff(ends[run.rows_at])
    old = np.zeros(int(ends[-1]), np.int64)
    tagged = np.diff(run.tags_at) > 0
    old[np.repeat(tagged, places)] = run.tags
    tags: Ints = source.tags[np.repeat(members_at[first:end], places) + old]
    return tags


def _starts(counts: Ints) -> Ints:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
