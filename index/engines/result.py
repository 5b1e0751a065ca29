"""What an engine answers: identifiers, numbers and counts; the text is the store's.

Records of which an answer has many are named tuples: they are made in a third of the
time that frozen dataclasses take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from index.query import SortKey, WordLeaf


class Passage(NamedTuple):
    """A matching paragraph.

    :param leaves: those that count in it, to be marked.
    """

    n: int
    score: float
    leaves: tuple[WordLeaf, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafScore:
    """What one leaf added to a hit's score.

    :param article: from the article's fields (BM25F), before the sum.
    :param paragraph: from the best matching paragraph (BM25), before its weight.
    """

    text: str
    article: float
    paragraph: float


class Hit(NamedTuple):
    """An article that matches, or one of its paragraphs.

    :param passages: the best matching paragraphs, in reading order; where hits are
        paragraphs, the one.
    :param passages_total: how many paragraphs of the article match.
    :param leaves: those that count in this article.
    :param parts: the score taken apart, if the search asked to explain.
    """

    id: str
    version: str
    score: float
    key: SortKey
    passages: tuple[Passage, ...]
    passages_total: int
    leaves: tuple[WordLeaf, ...] = ()
    parts: tuple[LeafScore, ...] | None = None


class FacetValue(NamedTuple):
    """A value and the number of articles that have it.

    :param value: as stored; of values that differ in case only, the commonest. For a
        date facet the bucket's first local day, ``2016-09-01``.
    :param active: it is one of the values filtered for.
    """

    value: str
    count: int  # type: ignore[assignment]  # tuples count, too
    active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """Exact counts of articles over one field.

    :param missing: articles without a value.
    :param other: articles with a value that is not listed.
    :param distinct: how many values there are, listed or not.
    """

    field: str
    interval: str | None = None
    values: tuple[FacetValue, ...]
    missing: int
    other: int
    distinct: int


class WordCount(NamedTuple):
    """A word, or what a leaf asks for, and the visible articles that have it."""

    text: str
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of an engine, all of it from one state of the index.

    :param articles: how many articles match, exactly; ``paragraphs`` likewise.
    :param after: the last hit's place in the order if more follow, else ``None``.
    :param seq: the newest change of the store that this answer includes.
    :param terms: for each word leaf, left to right, how many visible articles have it,
        whatever else is asked.
    """

    hits: tuple[Hit, ...]
    articles: int
    paragraphs: int
    facets: tuple[Facet, ...] = ()
    after: SortKey | None = None
    seq: int = 0
    terms: tuple[WordCount, ...] = ()
