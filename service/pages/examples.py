"""Examples: queries drawn from the archive, each with hits for this reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest

from index.archive import Answer
from index.errors import InputError

MOST = 3  # examples of a page
_TRIED = 12  # searches at most
_WORD = re.compile(r"\w{5,20}")
_SPECIAL = re.compile(r'["\\\\]')  # what ends a phrase, or escapes


def examples_of(answer: Answer, count: Callable[[str], int]) -> tuple[str, ...]:
    """Queries of several kinds, drawn from the facets and headlines of an answer.

    :param answer: to the search for everything, with facets.
    :param count: the number of articles that a query finds for the same reader; it may
        raise InputError.
    """
    chosen: list[str] = []
    for number, candidate in enumerate(_candidates(answer)):
        if len(chosen) == MOST or number == _TRIED:
            break
        try:
            if candidate not in chosen and count(candidate):
                chosen.append(candidate)
        except InputError:
            continue  # a value that no query can hold, such as one that is too long
    return tuple(chosen)


def _candidates(answer: Answer) -> Iterator[str]:
    """Yield a phrase, a word, and a value of a field, in turn."""
    values = {
        facet.field: [row.value for row in facet.values] for facet in answer.facets
    }

    def phrases(field: str) -> list[str]:
        return [_SPECIAL.sub(" ", value) for value in values.get(field, ())[:MOST]]

    headlines = [hit.article.get("headline") or "" for hit in answer.hits]
    words = [max(_WORD.findall(text), key=len, default="") for text in headlines]
    kinds = (
        [f'"{name}"' for name in (*phrases("people"), *phrases("organisations"))],
        [word.lower() for word in words if word],
        [
            f'{field}:"{name}"'
            for field in ("places", "subjects", "section", "source")
            for name in phrases(field)
        ],
    )
    for row in zip_longest(*kinds):
        yield from filter(None, row)
