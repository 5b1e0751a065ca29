"""Sequences: the phrases of a query, found in the tokens of a text all at once.

The tokens are read once from left to right and once from right to left, whatever the
number of phrases: the places in all phrases are the bits of one integer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from index.deadline import Check, never
from index.text import Span, Tokens

_NEXT_CHECK = 256  # tokens between two looks at the deadline


class Sequences:
    """Finder of words that follow each other.

    :param sequences: each with its words; the same word has the same number in all.
    """

    def __init__(self, sequences: Sequence[Sequence[int]]) -> None:
        self._firsts = self._lasts = 0
        self._places: defaultdict[int, int] = defaultdict(int)  # by word
        size = 0
        for words in sequences:
            self._firsts |= 1 << size
            for word in words:
                self._places[word] |= 1 << size
                size += 1
            self._lasts |= 1 << (size - 1)

    @property
    def words(self) -> frozenset[int]:
        """The words of all sequences."""
        return frozenset(self._places)

    def spans(
        self,
        tokens: Tokens,
        tokens_of: Mapping[int, Sequence[int]],
        check: Check = never,
    ) -> Iterator[Span]:
        """Yield spans that make up the occurrences of the sequences in a text.

        An occurrence is the union of spans that touch or overlap, and so are several
        that overlap. A token follows another if its position is the other's position
        plus width.

        :param tokens_of: by word, the tokens that match it, ascending.
        :param check: called every some tokens.
        """
        places: defaultdict[int, int] = defaultdict(int)
        for word, in_sequences in self._places.items():
            check()
            for token in tokens_of.get(word, ()):
                places[token] |= in_sequences
        order = sorted(places)
        # By position: the places that a word there may have, by the words before it.
        begun: defaultdict[int, int] = defaultdict(int)
        for number, token in enumerate(order):
            if number % _NEXT_CHECK == 0:
                check()
            position = tokens.positions[token]
            here = places[token] & (begun[position] | self._firsts)
            places[token] = here
            begun[position + tokens.widths[token]] |= (here & ~self._lasts) << 1
        # By position: the places of words there from which a sequence is complete.
        complete: defaultdict[int, int] = defaultdict(int)
        starts: dict[int, int] = {}
        for number, token in enumerate(reversed(order)):
            if number % _NEXT_CHECK == 0:
                check()
            position = tokens.positions[token]
            after = position + tokens.widths[token]
            last = places[token] & self._lasts
            inner = places[token] & (complete.get(after, 0) & ~self._firsts) >> 1
            if last or inner:
                complete[position] |= last | inner
                starts[position] = tokens.starts[token]
                # Up to the next word, if another one follows.
                end = max(tokens.ends[token], starts[after] if inner else 0)
                yield tokens.starts[token], end
