"""What does an engine answer? Ids, scores and counts; texts come from the store.

Records that an answer has many of are named tuples: creating one takes a third of the
time of a frozen dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from index.query import SortKey, Statistics, WordLeaf


class Passage(NamedTuple):
    """A matching paragraph.

    :param leaves: the leaves that count in it, to be marked.
    """

    n: int
    score: float
    leaves: tuple[WordLeaf, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafScore:
    """The parts of one leaf in the score of a hit.

    :param article: from the article's fields (BM25F), before the sum.
    :param paragraph: from the best matching paragraph (BM25), before it is weighted.
    """

    text: str
    article: float
    paragraph: float


class Hit(NamedTuple):
    """A matching article, or a matching paragraph of one.

    :param passages: the best matching paragraphs, in reading order; if hits are
        paragraphs, this one.
    :param passages_total: number of matching paragraphs of the article.
    :param leaves: the leaves that count in this article.
    :param parts: the parts of each leaf in the score, if the search asks for them.
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
    """A value of a facet and the number of articles that have it.

    :param value: the most frequent of its spellings. In a date facet the first local
        day of the bucket, ``2016-09-01``.
    :param active: a filter selects this value.
    """

    value: str
    count: int  # type: ignore[assignment]  # tuple has a method count
    active: bool = False


class Facet(NamedTuple):
    """Exact counts of articles over one field.

    :param missing: articles without a value.
    :param other: articles with a value that is not listed.
    :param distinct: number of values, listed or not.
    """

    field: str
    values: tuple[FacetValue, ...]
    missing: int
    other: int
    distinct: int
    interval: str | None = None


class WordCount(NamedTuple):
    """A word or the text of a leaf, and the number of visible articles that have it."""

    text: str
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of hits, all from one snapshot.

    :param articles: exact number of matching articles; ``paragraphs`` likewise.
    :param after: sort key of the last hit if more follow, else ``None``.
    :param statistics: what the hits were scored with, to send with ``after``; only in
        the order of relevance, and if more hits follow.
    :param seq: newest change of the store in the snapshot.
    :param terms: for each word leaf, left to right, the number of visible articles that
        have it, regardless of the rest of the search.
    """

    hits: tuple[Hit, ...]
    articles: int
    paragraphs: int
    facets: tuple[Facet, ...] = ()
    after: SortKey | None = None
    statistics: Statistics | None = None
    seq: int = 0
    terms: tuple[WordCount, ...] = ()
