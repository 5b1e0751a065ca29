"""A search: the values that an engine gets, and the orders and units of its hits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from index.article import PLACES
from index.query.nodes import Query, Range


class Scope(StrEnum):
    """On what a query's words are tested together."""

    ARTICLE = "article"
    PARAGRAPH = "paragraph"


class Unit(StrEnum):
    """What a hit is."""

    ARTICLE = "article"
    PARAGRAPH = "paragraph"


class Sort(StrEnum):
    """The order of hits; ties by id, then paragraph; unknown dates last in each."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    UPDATED = "updated"


class Interval(StrEnum):
    """The width of a date facet's buckets; ``auto`` is the finest with at most 60.

    Decades and centuries start with the years that end in 0: 1990, 1900.
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
    """A condition on one keyword or integer field, on whole values without case.

    True for articles with any of the values, or, with ``missing``, without a value;
    ``exclude`` turns it round.
    """

    field: str
    values: tuple[str, ...] = ()
    missing: bool = False
    exclude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, as far as it decides what they may see.

    :param held: also what is withheld or under embargo.
    :param filters: what every article they see has; they are part of visibility, not of
        what was asked.
    """

    held: bool = False
    filters: tuple[Filter, ...] = ()


PUBLIC = Reader()


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetRequest:
    """A count of articles by the values of a field.

    :param interval: for dates, and only for them.
    :param prefix: only values that start like this, without case and accents.
    """

    field: str
    interval: Interval | None = None
    prefix: str = ""

    @property
    def name(self) -> str:
        """How the request is written: ``source`` or ``published:month``."""
        return self.field if self.interval is None else f"{self.field}:{self.interval}"


class SortKey(NamedTuple):
    """Where a hit stands in an order: the keyset that a cursor carries.

    :param score: rounded to 1e-6; 0.0 in date orders.
    :param date: microseconds since 1970 UTC, by ``updated`` in that order, else by
        ``published``; ``None`` unknown.
    :param n: the paragraph, where hits are paragraphs.
    """

    score: float
    date: int | None
    id: str
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A whole search, as an engine gets it."""

    query: Query
    now: datetime  # aware UTC; the instant at which visibility is decided
    reader: Reader = PUBLIC
    places: tuple[str, ...] = PLACES["text"]
    scope: Scope = Scope.ARTICLE
    unit: Unit = Unit.ARTICLE
    filters: tuple[Filter, ...] = ()
    dates: Range | None = None
    sort: Sort = Sort.RELEVANCE
    limit: int = 10
    offset: int = 0  # hits left out first, after the cursor
    after: SortKey | None = None
    facets: tuple[FacetRequest, ...] = ()
    facet_size: int = 10
    passages: int = 3
    tz: str = "UTC"
    hidden: frozenset[str] = frozenset()  # ids that show nothing, whatever is indexed
    deadline: float | None = None  # on time.monotonic()'s clock
    explain: bool = False


def value_key(value: str) -> str:
    """Return what two values share that differ in case only."""
    return value.casefold()
