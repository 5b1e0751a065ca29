"""Paths in JSON: the parts of a value that they lead to, and the texts of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from index.parsing.strict_json import LENIENT, space_end

EACH = None  # the step to every item of a list
Step = str | int | None  # to a member of an object, to one item of a list, or EACH


def json_values(value: Any, path: Sequence[Step]) -> Iterator[Any]:
    """Yield the parts of a JSON value that a path leads to, in order.

    The name of a member leads through a list into each of its items, and
    :data:`EACH` takes what is no list for a list of one.
    """
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        if isinstance(step, int):
            items = value[step : step + 1]
        else:
            items, rest = value, rest if step is EACH else path
        for item in items:
            yield from json_values(item, rest)
    elif step is EACH:
        yield from json_values(value, rest)
    elif isinstance(value, dict) and step in value:
        yield from json_values(value[step], rest)


def json_texts(text: str, path: Sequence[Step]) -> Iterator[str]:
    """Yield the texts of the parts that :func:`json_values` yields, as they stand.

    :param text: known to be JSON.
    """
    for start, end in _spans(text, space_end(text, 0), tuple(path)):
        yield text[start:end]


def _spans(text: str, at: int, path: tuple[Step, ...]) -> Iterator[tuple[int, int]]:
    if not path:
        yield at, _end(text, at)
        return
    step, rest = path[0], path[1:]
    if text[at] == "[":
        if step is not EACH and not isinstance(step, int):
            rest = path
        for number, start in enumerate(_items(text, at)):
            if not isinstance(step, int) or number == step:
                yield from _spans(text, start, rest)
    elif step is EACH:
        yield from _spans(text, at, rest)
    elif text[at] == "{":
        for name, start in _members(text, at):
            if name == step:
                yield from _spans(text, start, rest)


def _items(text: str, at: int) -> Iterator[int]:
    """Yield where the items of a list start."""
    at = space_end(text, at + 1)
    while text[at] != "]":
        yield at
        at = space_end(text, _end(text, at))
        at = space_end(text, at + (text[at] == ","))


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Yield the names of an object's members, and where their values start."""
    at = space_end(text, at + 1)
    while text[at] != "}":
        name, at = LENIENT.raw_decode(text, at)
        at = space_end(text, space_end(text, at) + 1)  # after the colon
        yield name, at
        at = space_end(text, _end(text, at))
        at = space_end(text, at + (text[at] == ","))


def _end(text: str, at: int) -> int:
    return LENIENT.raw_decode(text, at)[1]
