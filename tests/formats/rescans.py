"""Rescans: what a search passes again and again, from one start after another.

A pattern that begins with a run, such as ``[ ]+x``, passes a run to its end from each
place in it, if no ``x`` follows. No result shows that, and no line of ours counts it.
So the parts of a pattern up to its runs are matched wherever a search starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from re import _compiler, _parser  # type: ignore[attr-defined]
from typing import Any

_RUNS = (
    _parser.MAX_REPEAT,
    _parser.MIN_REPEAT,
    _parser.POSSESSIVE_REPEAT,
)


def steps(pattern: re.Pattern[Any], text: Any, at: int, end: int) -> int:
    """Characters that the first runs of a pattern pass, from all starts of a search."""
    passed = 0
    heads = heads_of(pattern)
    while heads and at < end:
        match = pattern.match(text, at, end)
        if match is None:
            ends = (head.match(text, at, end) for head in heads)
            passed += max((each.end() - at for each in ends if each), default=0)
        at = max(at + 1, match.end() if match else 0)
    return passed


@cache
def heads_of(pattern: re.Pattern[Any]) -> list[re.Pattern[Any]]:
    """The parts of a pattern from its start, each to the end of a run without limit."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    return [
        _compiler.compile(_parser.SubPattern(tree.state, head), tree.state.flags)
        for head in _heads(tree, [])
    ]


def _heads(items: Any, before: list[Any]) -> Iterator[list[Any]]:
    for operation, value in items:
        if operation in _RUNS and value[1] is _parser.MAXREPEAT:
            yield [*before, (_parser.MAX_REPEAT, value)]
        elif operation is _parser.BRANCH:
            for alternative in value[1]:
                yield from _heads(alternative, before)
        elif operation is _parser.SUBPATTERN:
            yield from _heads(value[3], before)
        before = [*before, (operation, value)]
