"""Names of properties, compared by their letters and digits.

Case, spaces, hyphens, underscores and colons make no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_LONGEST = 80  # characters of a name that is kept
_SIGNS = str.maketrans("", "", " \u00a0_-:")
_Value = TypeVar("_Value")


def kept(size: int) -> Callable[[Callable[[str], _Value]], Callable[[str], _Value]]:
    """Cache for a function of names; long ones are not kept, so it stays small.

    :param size: names that are kept at the most.
    """

    def caching(function: Callable[[str], _Value]) -> Callable[[str], _Value]:
        cached = lru_cache(maxsize=size)(function)

        @wraps(function)
        def call(name: str) -> _Value:
            return cached(name) if len(name) <= _LONGEST else function(name)

        return call

    return caching


@kept(4096)
def plain_name(name: str) -> str:
    """A name as names are compared: ``Date_Published`` as ``datepublished``."""
    return name.translate(_SIGNS).lower()


def names(text: str) -> tuple[str, ...]:
    """The names that a text lists, in its order."""
    return tuple(text.split())
