"""Alignment of two sequences: their common items, in an order that both share.

The longest common subsequence takes as many steps as the product of both lengths.
Sequences that are too long for it are first cut at anchors, as patience diff does: runs
of items that occur once in each.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rapidfuzz.distance import LCSseq

from index.text import Span

_MOST_STEPS = 64_000_000  # of one exact comparison, which takes 8 MB and some 5 ms
_ANCHOR_LENGTHS = (1, 8)  # items in a row, tried in this order


class Block(NamedTuple):
    """A run of items that is in both sequences."""

    old: int  # where it starts in the old sequence
    new: int  # and in the new one
    size: int

    @property
    def old_end(self) -> int:
        return self.old + self.size

    @property
    def new_end(self) -> int:
        return self.new + self.size


def matching_blocks(
    old: Sequence[Any], new: Sequence[Any], old_start: int = 0, new_start: int = 0
) -> Iterator[Block]:
    """Yield the blocks from these places on, in order; the last ends both sequences.

    Blocks never touch each other on both sides. Only the last one can be empty.
    """
    numbers: defaultdict[Any, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    sides = [numbers[item] for item in old], [numbers[item] for item in new]
    start, size = (old_start, new_start), 0
    for i, j in _matches(*sides, (old_start, len(old)), (new_start, len(new)), 0):
        if (i, j) == (start[0] + size, start[1] + size):
            size += 1
            continue
        if size:
            yield Block(*start, size)
        start, size = (i, j), 1
    if start[0] + size == len(old) and start[1] + size == len(new):
        yield Block(*start, size)
    else:
        if size:
            yield Block(*start, size)
        yield Block(len(old), len(new), 0)


def _matches(
    old: list[int], new: list[int], old_span: Span, new_span: Span, depth: int
) -> Iterator[tuple[int, int]]:
    """Yield the places of equal items, ascending on both sides.

    :param depth: index into the anchor lengths, for sides that are too long.
    """
    (i, i_end), (j, j_end) = old_span, new_span
    while i < i_end and j < j_end and old[i] == new[j]:
        yield i, j
        i, j = i + 1, j + 1
    tail = 0
    while i < i_end and j < j_end and old[i_end - 1] == new[j_end - 1]:
        i_end, j_end, tail = i_end - 1, j_end - 1, tail + 1
    if i < i_end and j < j_end:
        if (i_end - i) * (j_end - j) <= _MOST_STEPS:
            for opcode in LCSseq.opcodes(old[i:i_end], new[j:j_end]):
                if opcode.tag == "equal":
                    for k in range(opcode.src_end - opcode.src_start):
                        yield i + opcode.src_start + k, j + opcode.dest_start + k
        elif depth < len(_ANCHOR_LENGTHS):
            length = _ANCHOR_LENGTHS[depth]
            for anchor in (
                *_anchors(old, new, (i, i_end), (j, j_end), length),
                (i_end, j_end),
            ):
                yield from _matches(old, new, (i, anchor[0]), (j, anchor[1]), depth + 1)
                i, j = anchor
    for k in range(tail):
        yield i_end + k, j_end + k


def _anchors(
    old: list[int], new: list[int], old_span: Span, new_span: Span, length: int
) -> list[tuple[int, int]]:
    """Places of the runs that occur once in each side, ascending in both."""
    runs = [
        list(zip(*(items[start + k : end] for k in range(length)), strict=False))
        for items, (start, end) in ((old, old_span), (new, new_span))
    ]
    counts = [Counter(side) for side in runs]
    new_places = {run: new_span[0] + k for k, run in enumerate(runs[1])}
    pairs = [
        (old_span[0] + k, new_places[run])
        for k, run in enumerate(runs[0])
        if counts[0][run] == 1 == counts[1][run]
    ]
    return _longest_ascending(pairs)


def _longest_ascending(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Longest subsequence of pairs whose second numbers ascend.

    :param pairs: ascending by their first numbers.
    """
    # By length of a subsequence: the lowest number that it can end with, and the place
    # of the pair that it ends with then.
    lowest_end: list[int] = []
    last_place: list[int] = []
    previous: list[int] = []  # by place, the place of the pair before it
    for place, (_, j) in enumerate(pairs):
        length = bisect_left(lowest_end, j)
        previous.append(last_place[length - 1] if length else -1)
        lowest_end[length : length + 1] = [j]
        last_place[length : length + 1] = [place]
    longest: list[tuple[int, int]] = []
    place = last_place[-1] if last_place else -1
    while place >= 0:
        longest.append(pairs[place])
        place = previous[place]
    return longest[::-1]
