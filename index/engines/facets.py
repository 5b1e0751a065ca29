"""Facets from counts: which values are listed, and the buckets of dates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from functools import lru_cache
from sys import getsizeof

from index.dates import day_start, from_micros, micros
from index.engines.result import Facet, FacetValue
from index.errors import LimitExceeded
from index.memo import Memo
from index.query import FacetRequest, Interval, Range
from index.text import field_key, folded_value

MAX_BUCKETS = 1_000
AUTO_BUCKETS = 60  # as many as fit in a chart
_FINEST_FIRST = (
    Interval.DAY,
    Interval.WEEK,
    Interval.MONTH,
    Interval.YEAR,
    Interval.DECADE,
    Interval.CENTURY,
)
_YEARS = {Interval.YEAR: 1, Interval.DECADE: 10, Interval.CENTURY: 100}


def _value_bytes(value: str, folded: str) -> int:
    return getsizeof(value) + getsizeof(folded)


# Kept, since facets list the same values in search after search: 100,000 and more.
FOLDED = Memo(folded_value, _value_bytes, limit=32_000_000)


def folded_prefix(typed: str) -> str:
    """Start of the folded forms of those values that start with typed text."""
    folded = folded_value(typed)
    return f"{folded} " if folded and typed[-1].isspace() else folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The counts of a value.

    :param articles: number of articles.
    :param spellings: spelling → number of articles. If there is only one spelling, its
        number does not matter.
    """

    articles: int
    spellings: Mapping[str, int]

    @property
    def shown(self) -> str:
        """Most frequent spelling; of equally frequent ones the first by code point."""
        if len(self.spellings) == 1:
            return next(iter(self.spellings))
        return min(self.spellings, key=lambda text: (-self.spellings[text], text))


def value_order(value: str) -> tuple[str, str]:
    """Sort key for values with the same number of articles."""
    return FOLDED[value], value


def value_facet(
    request: FacetRequest,
    counted: Mapping[str, Counted],
    *,
    active: Iterable[str],
    size: int,
    missing: int,
    with_other: Callable[[frozenset[str]], int],
    distinct: int | None = None,
) -> Facet:
    """Facet of values, most frequent first, then by value without accents.

    :param counted: by :func:`.field_key`, the values that occur: all, or at least the
        ``size`` most frequent, everything tied with the last of them, and the selected
        ones.
    :param active: the selected values; they are listed even without an article.
    :param with_other: number of articles with a value that is not listed, given the
        listed ones by :func:`.field_key`.
    :param distinct: number of values that occur and start with the prefix, if
        ``counted`` does not have all.
    """
    rows = [(-value.articles, value.shown, key) for key, value in counted.items()]
    if request.prefix:
        prefix = folded_prefix(request.prefix)
        rows = [row for row in rows if FOLDED[row[1]].startswith(prefix)]
    rows.sort(key=lambda row: (row[0], *value_order(row[1])))
    selected = {field_key(request.field, value): value for value in active}
    listed = rows[:size] + [row for row in rows[size:] if row[2] in selected]
    values = [
        FacetValue(value=value, count=-negative, active=key in selected)
        for negative, value, key in listed
    ]
    listed_keys = {key for _, _, key in listed}
    values += [
        FacetValue(value=value, count=0, active=True)
        for key, value in sorted(selected.items())
        if key not in listed_keys and key not in counted
    ]
    return Facet(
        field=request.field,
        values=tuple(values),
        missing=missing,
        other=0 if request.prefix else with_other(frozenset(listed_keys)),
        distinct=len(rows) if distinct is None else distinct,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Consecutive local days, weeks (from Monday), months … or centuries.

    :param labels: first day of each bucket, in ISO 8601.
    :param edges: start of each bucket and end of the last, in microseconds since 1970
        UTC: one more than ``labels``.
    """

    interval: Interval
    labels: tuple[str, ...]
    edges: tuple[int, ...]

    def facet(
        self, request: FacetRequest, counts: Sequence[int], *, missing: int
    ) -> Facet:
        """Facet of the buckets, in order of time."""
        return Facet(
            field=request.field,
            interval=self.interval.value,
            values=tuple(map(FacetValue, self.labels, counts)),
            missing=missing,
            other=0,
            distinct=sum(count > 0 for count in counts),
        )

    def place(self, instant: int) -> int:
        """Index of the bucket of an instant, from 0."""
        return bisect_right(self.edges, instant) - 1


def no_dates(request: FacetRequest, *, missing: int) -> Facet:
    """Facet of articles without any date."""
    interval = None if request.interval is None else request.interval.value
    return Facet(
        field=request.field,
        interval=interval,
        values=(),
        missing=missing,
        other=0,
        distinct=0,
    )


def buckets(
    request: FacetRequest,
    known: tuple[int, int] | None,
    bounds: Range | None,
    tz: tzinfo,
) -> Buckets | None:
    """Buckets of a date facet, ``None`` if there is nothing to count.

    They cover the search's range of dates if it has two ends and is of the same field,
    else the dates of the hits.

    :param known: first and last date of the hits, in microseconds since 1970 UTC.
    :param bounds: the search's range of dates.
    :raises LimitExceeded: there would be more than :data:`MAX_BUCKETS`.
    """
    span = known
    if (
        bounds is not None
        and bounds.field == request.field
        and bounds.low is not None
        and bounds.high is not None
    ):
        span = bounds.low, bounds.high
    if span is None or span[0] > span[1]:  # a day that its zone left out
        return None
    return _covering(*span, request, tz)


def _covering(first: int, last: int, request: FacetRequest, tz: tzinfo) -> Buckets:
    low, high = _local_day(first, tz), _local_day(last, tz)
    interval = request.interval or Interval.AUTO
    if interval is Interval.AUTO:
        interval = next(
            (unit for unit in _FINEST_FIRST if _count(low, high, unit) <= AUTO_BUCKETS),
            Interval.CENTURY,
        )
    count = _count(low, high, interval)
    if count > MAX_BUCKETS:
        raise LimitExceeded(
            "facet",
            limit=MAX_BUCKETS,
            got=count,
            code="too_many_buckets",
            detail=f"{request.name} has {count:,} buckets, at most {MAX_BUCKETS:,} are"
            " counted; choose a wider interval, auto, or a shorter range of dates",
        )
    labels, edges = _grid(_start(low, interval), count, interval, tz)
    # A local midnight at either end may be outside the years 1 to 9999.
    if edges[0] > first or edges[-1] <= last:
        edges = (min(edges[0], first), *edges[1:-1], max(edges[-1], last + 1))
    return Buckets(interval=interval, labels=labels, edges=edges)


# Cached, since most searches of an archive have the same range of dates.
@lru_cache(maxsize=64)
def _grid(
    start: date, count: int, interval: Interval, tz: tzinfo
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Labels and edges of ``count`` buckets from ``start`` on."""
    starts = [start]
    while len(starts) < count and (following := _next(starts[-1], interval)):
        starts.append(following)
    edges = [micros(day_start(day, tz)) for day in starts]
    end = _next(starts[-1], interval)
    edges.append(edges[-1] + 1 if end is None else micros(day_start(end, tz)))
    return tuple(day.isoformat() for day in starts), tuple(edges)


def _local_day(instant: int, tz: tzinfo) -> date:
    moment = from_micros(instant)
    try:
        return moment.astimezone(tz).date()
    except OverflowError:  # within a day of the first or last date there is
        return moment.date()


def _count(low: date, high: date, interval: Interval) -> int:
    low, high = _start(low, interval), _start(high, interval)
    if interval in _YEARS:
        return high.year // _YEARS[interval] - low.year // _YEARS[interval] + 1
    if interval is Interval.MONTH:
        return (high.year - low.year) * 12 + high.month - low.month + 1
    return (high - low).days // (7 if interval is Interval.WEEK else 1) + 1


def _start(day: date, interval: Interval) -> date:
    if interval in _YEARS:
        year = day.year - day.year % _YEARS[interval]
        return date(max(year, 1), 1, 1)  # there is no year 0
    if interval is Interval.MONTH:
        return day.replace(day=1)
    if interval is Interval.WEEK and day.toordinal() > day.weekday():
        return day - timedelta(days=day.weekday())
    return day


def _next(start: date, interval: Interval) -> date | None:
    try:
        if interval in _YEARS:
            years = _YEARS[interval]
            return date(start.year - start.year % years + years, 1, 1)
        if interval is Interval.MONTH:
            return (start + timedelta(days=31)).replace(day=1)
        return start + timedelta(days=7 if interval is Interval.WEEK else 1)
    except (OverflowError, ValueError):
        return None  # beyond the year 9999
