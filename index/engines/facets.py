"""Facets from counts: order, listing, and the buckets of dates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from index.dates import from_micros, micros
from index.engines.result import Facet, FacetValue
from index.errors import LimitExceeded
from index.query import FacetRequest, Interval, Range, value_key
from index.text import fold_text

MAX_BUCKETS = 1_000
AUTO_BUCKETS = 60  # a chart's worth
_FINEST_FIRST = (
    Interval.DAY,
    Interval.WEEK,
    Interval.MONTH,
    Interval.YEAR,
    Interval.DECADE,
    Interval.CENTURY,
)
_YEARS = {Interval.YEAR: 1, Interval.DECADE: 10, Interval.CENTURY: 100}


# The same values are listed again and again.
_folded = lru_cache(maxsize=20_000)(fold_text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A value's articles.

    :param spellings: how often each spelling of the value stands in them; one is enough
        where there is only one.
    """

    articles: int
    spellings: Mapping[str, int]

    @property
    def shown(self) -> str:
        """The commonest spelling; of equals, the first by code point."""
        if len(self.spellings) == 1:
            return next(iter(self.spellings))
        return min(self.spellings, key=lambda each: (-self.spellings[each], each))


def value_order(value: str) -> tuple[str, str]:
    """Return what sorts values that equally many articles have."""
    return _folded(value), value


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
    """Return a facet of values: commonest first, then by value without accents.

    :param counted: by :func:`value_key`, values with at least one article: all of
        them, or at least the ``size`` commonest, their equals and the active ones.
    :param distinct: how many there are, where not all are in ``counted``.
    :param active: the values filtered for; they are listed even with no article left.
    :param with_other: given the listed values, by :func:`value_key`, how many articles
        have a value besides them.
    """
    rows = [(-each.articles, each.shown, key) for key, each in counted.items()]
    if request.prefix:
        prefix = fold_text(request.prefix)
        rows = [row for row in rows if _folded(row[1]).startswith(prefix)]
    rows.sort(key=lambda row: (row[0], *value_order(row[1])))
    chosen = {value_key(value): value for value in active}
    listed = rows[:size] + [row for row in rows[size:] if row[2] in chosen]
    values = [
        FacetValue(value=value, count=-less, active=key in chosen)
        for less, value, key in listed
    ]
    shown = {key for _, _, key in listed}
    values += [
        FacetValue(value=value, count=0, active=True)
        for key, value in sorted(chosen.items())
        if key not in shown and key not in counted
    ]
    return Facet(
        field=request.field,
        values=tuple(values),
        missing=missing,
        other=0 if request.prefix else with_other(frozenset(shown)),
        distinct=len(rows) if distinct is None else distinct,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Local days, weeks (from Monday), months … centuries, without a gap.

    :param labels: the first day of each, in ISO 8601.
    :param edges: where each starts, in microseconds since 1970 UTC, and where the last
        ends: one more than ``labels``.
    """

    interval: Interval
    labels: tuple[str, ...]
    edges: tuple[int, ...]

    def facet(
        self, request: FacetRequest, counts: Sequence[int], *, missing: int
    ) -> Facet:
        """Return the facet of these buckets, in order of time."""
        return Facet(
            field=request.field,
            interval=self.interval.value,
            values=tuple(map(FacetValue, self.labels, counts)),
            missing=missing,
            other=0,
            distinct=sum(count > 0 for count in counts),
        )

    def place(self, instant: int) -> int:
        """Return which bucket an instant is in, from 0."""
        return bisect_right(self.edges, instant) - 1


def no_dates(request: FacetRequest, *, missing: int) -> Facet:
    """Return the facet of articles none of which has a date."""
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
    """Return the buckets of a date facet, ``None`` if there is nothing to count.

    They cover the range of dates that was asked for, where it has both ends and is
    about the same field; else the dates there are.

    :param known: the first and the last date of the hits, in microseconds since 1970.
    :param bounds: the range of dates asked for.
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
    if span is None:
        return None
    return _covering(*span, request.interval or Interval.AUTO, tz)


def _covering(first: int, last: int, interval: Interval, tz: tzinfo) -> Buckets:
    low, high = _local_day(first, tz), _local_day(last, tz)
    if interval is Interval.AUTO:
        interval = next(
            (each for each in _FINEST_FIRST if _count(low, high, each) <= AUTO_BUCKETS),
            Interval.CENTURY,
        )
    count = _count(low, high, interval)
    if count > MAX_BUCKETS:
        raise LimitExceeded(
            f"buckets of one {interval}",
            limit=MAX_BUCKETS,
            got=count,
            code="too_many_buckets",
        )
    labels, edges = _grid(_start(low, interval), count, interval, tz)
    # At the ends of time a local midnight may be outside the years 1 to 9999.
    if edges[0] > first or edges[-1] <= last:
        edges = (min(edges[0], first), *edges[1:-1], max(edges[-1], last + 1))
    return Buckets(interval=interval, labels=labels, edges=edges)


# Of one archive, most searches find dates of the same days.
@lru_cache(maxsize=64)
def _grid(
    start: date, count: int, interval: Interval, tz: tzinfo
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the labels and edges of so many buckets."""
    starts = [start]
    while len(starts) < count and (following := _next(starts[-1], interval)):
        starts.append(following)
    edges = [_midnight(each, tz) for each in starts]
    behind = _next(starts[-1], interval)
    edges.append(edges[-1] + 1 if behind is None else _midnight(behind, tz))
    return tuple(each.isoformat() for each in starts), tuple(edges)


def _local_day(instant: int, tz: tzinfo) -> date:
    moment = from_micros(instant)
    try:
        return moment.astimezone(tz).date()
    except OverflowError:  # the first or last hours that a date can have
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


def _midnight(day: date, tz: tzinfo) -> int:
    try:
        return micros(datetime.combine(day, time(), tz).astimezone(UTC))
    except OverflowError:
        end = datetime.min if day.year < 5_000 else datetime.max
        return micros(end.replace(tzinfo=UTC))
