"""A search as an engine receives it: query, filters, order, paging and facets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from index.article import PLACES
from index.deadline import Deadline
from index.query.nodes import Query, Range
from index.query.statistics import Statistics, weighted_leaves
from index.text import field_key


class Scope(StrEnum):
    """Whether all words must occur in one article or in one paragraph."""

    ARTICLE = "article"
    PARAGRAPH = "paragraph"


class Unit(StrEnum):
    """Whether a hit is an article or a paragraph."""

    ARTICLE = "article"
    PARAGRAPH = "paragraph"


class Sort(StrEnum):
    """Order of hits; ties by id, then paragraph; unknown dates last in every order."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    UPDATED = "updated"


class Interval(StrEnum):
    """Width of the buckets of a date facet; ``auto`` is the finest with at most 60.

    Decades start with years that end in 0, centuries with years that end in 00.
    """

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    DECADE = "decade"
    CENTURY = "century"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on one keyword or integer field: whole values.

    It matches articles with any of the values and, with ``missing``, those without a
    value; ``exclude`` negates it. Values are compared by their
    :func:`index.text.value_key`: case and spelling do not matter.
    """

    field: str
    values: tuple[str, ...] = ()
    missing: bool = False
    exclude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a caller may read.

    :param held: whether that includes withheld and embargoed articles.
    :param filters: conditions of every article that the caller may see. They are a part
        of visibility, not of the query.
    """

    held: bool = False
    filters: tuple[Filter, ...] = ()


PUBLIC = Reader()


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetRequest:
    """A count of articles by the values of a field.

    :param interval: for date fields, and only for them.
    :param prefix: count only values that start with it, ignoring case and accents.
    """

    field: str
    interval: Interval | None = None
    prefix: str = ""

    @property
    def name(self) -> str:
        """The request as text: ``source`` or ``published:month``."""
        return self.field if self.interval is None else f"{self.field}:{self.interval}"


class SortKey(NamedTuple):
    """Sort key of a hit, which a cursor carries.

    :param score: rounded to 1e-6; 0.0 in date orders.
    :param date: microseconds since 1970 UTC: ``updated`` in the order of that name,
        else ``published``; ``None`` if unknown.
    :param n: number of the paragraph, if hits are paragraphs.
    """

    score: float
    date: int | None
    id: str
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A complete search, as an engine receives it.

    :param statistics: what to score hits with, as the page before ``after`` was;
        ``None``: the statistics of the index.
    :raises ValueError: the statistics are those of another query.
    """

    query: Query
    now: datetime  # aware UTC; visibility is decided at this instant
    reader: Reader = PUBLIC
    places: tuple[str, ...] = PLACES["text"]
    scope: Scope = Scope.ARTICLE
    unit: Unit = Unit.ARTICLE
    filters: tuple[Filter, ...] = ()
    dates: Range | None = None
    sort: Sort = Sort.RELEVANCE
    limit: int = 10
    offset: int = 0  # hits to skip, counted from the cursor
    after: SortKey | None = None
    statistics: Statistics | None = None
    facets: tuple[FacetRequest, ...] = ()
    facet_size: int = 10
    passages: int = 3
    tz: str = "UTC"
    hidden: frozenset[str] = frozenset()  # ids to hide, whatever the index holds
    deadline: Deadline | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        if self.statistics is not None:
            leaves = weighted_leaves(self.query, self.places)
            if self.statistics.leaves.keys() != set(leaves):
                raise ValueError("statistics of another query; leave them out")


def filter_key(field: str, value: str) -> tuple[str, str]:
    """Key of a value of a filter: equal for spellings of the same value."""
    return field, field_key(field, value)
