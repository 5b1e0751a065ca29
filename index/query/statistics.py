"""Statistics that scores depend on: of the collection, of its fields and of leaves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from index.query.nodes import Query, WordLeaf, places_of, scoring_leaves


class FieldStatistics(NamedTuple):
    """Statistics of one field, over all articles that the public may see.

    :param articles: number of articles that have the field.
    :param words: sum of its lengths.
    :param paragraphs: number of its paragraphs; 0 if it is not made of paragraphs.
    """

    articles: int
    words: int
    paragraphs: int = 0

    @property
    def mean_length(self) -> float:
        """Mean length in words, over the articles that have the field."""
        return self.words / self.articles if self.articles else 1.0


class LeafStatistics(NamedTuple):
    """Document frequencies of a leaf: public articles and paragraphs that match it."""

    articles: int
    paragraphs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Statistics that the hits of one search are scored with.

    An article that stays as it is gets the same score from the same statistics,
    whatever else is indexed. A cursor carries those of the first page, so that all
    pages of a search have one order.

    :param seq: newest change of the index that they were taken from.
    :param articles: number of articles that the public may see.
    :param fields: by name, the fields in which :func:`weighted_leaves` are searched.
    :param leaves: document frequencies of those leaves.
    """

    seq: int
    articles: int
    fields: Mapping[str, FieldStatistics]
    leaves: Mapping[WordLeaf, LeafStatistics]

    def paragraphs(self, passages: Iterable[str]) -> tuple[int, float]:
        """Number of paragraphs in some fields, and their mean length in words."""
        return paragraph_statistics(self.fields[name] for name in passages)


def paragraph_statistics(fields: Iterable[FieldStatistics]) -> tuple[int, float]:
    """Number of paragraphs in all of these fields, and their mean length in words."""
    count = words = 0
    for field in fields:
        count += field.paragraphs
        words += field.words
    return count, max(words / count if count else 1.0, math.ulp(1.0))


@lru_cache(maxsize=128)
def weighted_leaves(query: Query, default: tuple[str, ...]) -> tuple[WordLeaf, ...]:
    """The distinct leaves that add to scores, in the order of the query.

    :param default: fields in which a leaf without a field is searched.
    """
    return tuple(
        dict.fromkeys(
            leaf for leaf in scoring_leaves(query) if places_of(leaf, default).scores
        )
    )


@lru_cache(maxsize=128)
def weighted_fields(
    leaves: tuple[WordLeaf, ...], default: tuple[str, ...]
) -> tuple[str, ...]:
    """Names of the fields in which leaves are searched, each once, in order."""
    names: dict[str, None] = {}
    for leaf in leaves:
        places = places_of(leaf, default)
        names.update(dict.fromkeys((*places.passages, *places.lines)))
    return tuple(names)
