"""Forms at most some edits away: compared by their bags of letters first.

One edit adds at most one letter to a bag and removes at most one, and swapping two
letters changes none. So the distance of two bags is a lower bound of the edit distance
(Bartolini, Ciaccia and Patella, *String Matching with Metric Trees Using an Approximate
Distance*, 2002). A bag is 64 bits here; letters that share a bit only lower the bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from index.deadline import Check
from index.engines.whoosh.files.arrays import Array, Ints, Strings

AT_ONCE = 16_384  # forms that are read between two looks at the deadline
_LENGTHS = 1 << 32  # above every length
_BITS = 64
_HALF = 32  # from the bit of a letter to that of its second occurrence
_ALL = (1 << _BITS) - 1

Bags = NDArray[np.uint64]


class LetterBags:
    """The bags of all forms of a dictionary, computed at the first use.

    They are sorted by the number of their bits, then by the length of the form: all
    that may be near enough are a few runs.

    :param forms: none is blank.
    :ivar bytes: memory of the sorted bags, 12 bytes a form.
    """

    def __init__(self, forms: Strings) -> None:
        self._forms = forms
        # Of each block of forms the bags and lengths, until the bags of all are sorted.
        self._blocks: dict[int, tuple[Bags, Ints]] = {}
        self.bytes = 0
        self._sorted: tuple[NDArray[np.uint32], Bags, Ints, Ints] | None = None

    def near(self, form: str, distance: int, check: Check) -> Ints:
        """Numbers of the forms at most ``distance`` edits away (OSA), ascending.

        :param check: called every some forms; it may raise to stop. What was computed
            until then stays for the next call.
        """
        candidates = self._candidates(form, distance, check)
        near = [candidates[:0]]
        for start in range(0, len(candidates), AT_ONCE):
            check()
            some = candidates[start : start + AT_ONCE]
            near.append(some[self._distances(form, some, distance) <= distance])
        return np.concatenate(near)

    def _candidates(self, form: str, distance: int, check: Check) -> Ints:
        """Forms whose length and bag are near enough, ascending."""
        numbers, bags, keys, starts = self._sorted_bags(check)
        wanted = _bag(form)
        size = wanted.bit_count()
        runs: list[Array] = [np.empty(0, np.int64)]
        for bits in range(max(1, size - distance), min(_BITS, size + distance) + 1):
            lengths = len(form) + np.array([-distance, distance + 1])
            low, high = starts[keys.searchsorted(bits * _LENGTHS + lengths)].tolist()
            if low < high:
                common = np.bitwise_count(bags[low:high] & np.uint64(wanted))
                near = (common >= max(size, bits) - distance).nonzero()[0]
                runs.append(numbers[low + near])
        candidates = np.concatenate(runs)
        candidates.sort()
        return candidates

    def _distances(self, form: str, numbers: Ints, distance: int) -> Array:
        """Distances of a form from others; above ``distance`` they are not exact."""
        distances = cdist(
            [form],
            self._forms.texts_of(numbers.tolist()),
            scorer=OSA.distance,
            score_cutoff=distance,
            dtype=np.uint32,
        )
        row: Array = distances[0]
        return row

    def _sorted_bags(self, check: Check) -> tuple[NDArray[np.uint32], Bags, Ints, Ints]:
        """Numbers of the forms and their bags, sorted.

        And the keys by which they are: of each different one the start of its run, and
        at the end their number.
        """
        if self._sorted is not None:
            return self._sorted
        blocks, forms = self._blocks, self._forms
        for start in range(0, max(1, len(forms)), AT_ONCE):
            if start not in blocks:
                check()
                texts = forms.texts(start, min(start + AT_ONCE, len(forms)))
                blocks[start] = _bags(texts)
        check()
        bags = np.concatenate([blocks[start][0] for start in sorted(blocks)])
        lengths = np.concatenate([blocks[start][1] for start in sorted(blocks)])
        keys = np.bitwise_count(bags) * np.int64(_LENGTHS) + lengths
        order = keys.argsort(kind="stable")
        runs, starts = np.unique(keys[order], return_index=True)
        self._sorted = (
            order.astype(np.uint32),
            bags[order],
            runs,
            np.append(starts, len(order)),
        )
        self.bytes = sum(array.nbytes for array in self._sorted)
        self._blocks = {}
        return self._sorted


def _bags(forms: list[str]) -> tuple[Bags, Ints]:
    """Bags of some forms, and their lengths."""
    lengths = np.array([len(form) for form in forms], np.int64)
    points = np.frombuffer("".join(forms).encode("utf-32-le"), np.uint32)
    bits = np.uint64(1) << (points % _BITS).astype(np.uint64)
    order = np.argsort(-lengths, kind="stable")
    starts = (np.cumsum(lengths) - lengths)[order]
    once, twice = np.zeros((2, len(forms)), np.uint64)
    # How many forms are longer than 0, 1, 2 … letters: those come first.
    counts = np.cumsum(np.bincount(lengths)[::-1])[::-1][1:]
    for place, count in enumerate(counts.tolist()):
        letters = bits[starts[:count] + place]
        twice[:count] |= once[:count] & letters
        once[:count] |= letters
    bags = np.empty(len(forms), np.uint64)
    half = np.uint64(_HALF)
    bags[order] = once | twice << half | twice >> half
    return bags, lengths


def _bag(form: str) -> int:
    """Bag of one form."""
    once = twice = 0
    for letter in form:
        bit = 1 << ord(letter) % _BITS
        twice |= once & bit
        once |= bit
    return (once | twice << _HALF | twice >> _HALF) & _ALL
