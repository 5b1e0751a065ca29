"""Names of properties, compared without case, hyphens, underscores and colons."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A name as names are compared: ``Date_Published`` as ``datepublished``."""
    return name.replace("_", "").replace("-", "").replace(":", "").lower()


def names(text: str) -> tuple[str, ...]:
    """The names that a text lists, in its order."""
    return tuple(text.split())
