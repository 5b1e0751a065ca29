"""Automaton: the prefixes, wildcards and similar words of a query, tested all at once.

A form is read once, letter by letter, whatever the number of patterns. The states of
all patterns are the bits of one integer (Baeza-Yates and Gonnet, *A New Approach to
Text Searching*, 1992), one integer for each number of edits (Wu and Manber, *Fast Text
Searching Allowing Errors*, 1992).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from index.query.matching import run_ends
from index.query.nodes import Fuzzy, Prefix, Wildcard

Pattern = Prefix | Wildcard | Fuzzy


class Automaton:
    """Test of folded forms for matches of some patterns.

    Each pattern has a bit for each of its places. A bit is set when the letters before
    it are read; the last one is that of the pattern itself. It agrees with
    :func:`index.query.form_tests`.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._size = 0
        self._starts = 0
        self._loops = 0  # states in which any letter may be read and left out
        self._anything = 0  # states before a ?
        self._letters: defaultdict[str, int] = defaultdict(int)
        self._accepting = 0  # ends that anything may follow
        self._ends = 0  # ends that only the end of a run of parts may follow
        self._edits: list[_Edits] = []  # of one edit, and of two
        self._bits: dict[Pattern, int] = {}
        for pattern in patterns:
            self._add(pattern)
        self._steps = {
            letter: states | self._anything for letter, states in self._letters.items()
        }

    def __bool__(self) -> bool:
        return self._size > 0

    def bit(self, pattern: Pattern) -> int:
        """The bit of a pattern in what is accepted."""
        return self._bits[pattern]

    def _add(self, pattern: Pattern) -> None:
        first = self._size
        self._starts |= 1 << first
        if isinstance(pattern, Fuzzy):
            self._read(pattern.form)
            while len(self._edits) < pattern.distance:
                self._edits.append(_Edits())
            for edits in self._edits[: pattern.distance]:
                edits.inner |= (1 << self._size) - (1 << first)
                edits.ends |= 1 << self._size
        else:
            text = pattern.prefix if isinstance(pattern, Prefix) else pattern.pattern
            wild = isinstance(pattern, Wildcard)
            for letter in text:
                if wild and letter == "*":
                    self._loops |= 1 << self._size
                elif wild and letter == "?":
                    self._anything |= 1 << self._size
                    self._size += 1
                else:
                    self._read(letter)
            if isinstance(pattern, Prefix) or text.endswith("*"):
                self._accepting |= 1 << self._size
            else:
                self._ends |= 1 << self._size
        self._bits[pattern] = 1 << self._size
        self._size += 1

    def _read(self, letters: str) -> None:
        for letter in letters:
            self._letters[letter] |= 1 << self._size
            self._size += 1

    def accepted(self, form: str) -> int:
        """The bits of the patterns that a folded form matches."""
        if self._edits:
            return self._accepted_with_edits(form)
        states, accepting, accepted = self._starts, self._accepting, 0
        loops, steps, anything = self._loops, self._steps, self._anything
        ends = run_ends(form) if self._ends else ()
        for place, letter in enumerate(form, 1):
            states = (states & steps.get(letter, anything)) << 1 | states & loops
            if not states:
                break
            accepted |= states & accepting
            if place in ends:
                accepted |= states & self._ends
        return accepted

    def _accepted_with_edits(self, form: str) -> int:
        """:meth:`accepted`, if there are similar words.

        The first row are the states without edits, the next those with one.
        """
        loops, steps, anything = self._loops, self._steps, self._anything
        ends = run_ends(form) if self._ends else ()
        edits, accepted = self._edits, 0
        rows = [self._starts]
        for edit in edits:
            rows.append((rows[-1] & edit.inner) << 1)
        earlier = [0] * len(rows)  # rows before the letter before
        step = 0
        for place, letter in enumerate(form, 1):
            step_before, step = step, steps.get(letter, anything)
            row = (rows[0] & step) << 1 | rows[0] & loops
            accepted |= row & self._accepting
            if place in ends:
                accepted |= row & self._ends
            after = [row]
            for number, edit in enumerate(edits):
                inner, before = edit.inner, rows[number]
                swapped = (earlier[number] & inner & step) << 1 & inner & step_before
                row = (
                    (rows[number + 1] & step) << 1
                    | before & (inner | edit.ends)  # the letter is inserted
                    | (before & inner) << 1  # or replaces another
                    | (row & inner) << 1  # or one after it is left out
                    | swapped << 1
                )
                after.append(row)
            if not any(after):
                return accepted
            earlier, rows = rows, after
        accepted |= rows[0] & edits[0].ends
        for row, edit in zip(rows[1:], edits, strict=True):
            accepted |= row & edit.ends
        return accepted


class _Edits:
    """The words that may differ by at least some number of edits.

    :ivar inner: their states before a letter.
    :ivar ends: their states after the last one.
    """

    def __init__(self) -> None:
        self.inner = self.ends = 0
