"""Examples: queries drawn from the archive, each with hits for this reader.

Each is made of what the answer to the search for everything shows, so it has a hit by
construction, and no search is needed to know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise, zip_longest

from index.archive import Answer

MOST = 3  # examples of a page
_FIELDS = ("people", "organisations", "places", "subjects", "section", "source")
_VALUES = 3  # of each field
# Letters and digits with single spaces between: nothing that the grammar reads as more.
_VALUE = re.compile(r"[^\W_]+(?: [^\W_]+)*")
_WORD = re.compile(r"[^\W\d_]{5,20}")
_LONGEST = 40  # characters of a value


def examples_of(answer: Answer) -> tuple[str, ...]:
    """Queries of several kinds, drawn from the facets and headlines of an answer.

    :param answer: to the search for everything, with facets.
    """
    return tuple(islice(dict.fromkeys(_candidates(answer)), MOST))


def _candidates(answer: Answer) -> Iterator[str]:
    """Yield a phrase, a value of a field, and a word, in turn."""
    headlines = [hit.article.get("headline") or "" for hit in answer.hits]
    kinds = (
        [phrase for text in headlines[1:] for phrase in _phrases(text)],
        [
            f'{field}:"{value}"'
            for field in _FIELDS
            for facet in answer.facets
            if facet.field == field
            for value in _values([row.value for row in facet.values])
        ],
        [word.lower() for text in headlines for word in _longest(text)],
    )
    for row in zip_longest(*kinds):
        yield from filter(None, row)


def _values(values: list[str]) -> list[str]:
    return [
        value
        for value in values[:_VALUES]
        if len(value) <= _LONGEST and _VALUE.fullmatch(value)
    ]


def _phrases(headline: str) -> Iterator[str]:
    """Yield the first two words that follow each other and are long."""
    for first, second in pairwise(headline.split(" ")):
        if _WORD.fullmatch(first) and _WORD.fullmatch(second):
            yield f'"{first.lower()} {second.lower()}"'
            return


def _longest(headline: str) -> list[str]:
    words = [word for word in headline.split() if _WORD.fullmatch(word)]
    return [max(words, key=len)] if words else []
