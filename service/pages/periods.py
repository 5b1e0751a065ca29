"""Periods: the dates that a search asks for, and the calendar around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from index import dates
from index.query import Interval, Request
from service.api import bucket_period
from service.pages.names import date_name, month_name

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_MOST_BARS = 62  # two months by day
_WEEKS = 27  # half a year by week; a year is divided into months
_WIDEST_FIRST = (
    Interval.CENTURY,
    Interval.DECADE,
    Interval.YEAR,
    Interval.MONTH,
    Interval.DAY,
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A century, decade, year, month or day.

    :param first: value of ``from`` that it begins with; ``last`` is that of ``to``.
    :param whole: whether it is just the period of the search, not a wider one.
    """

    unit: Interval
    first: str
    last: str
    whole: bool = False

    @property
    def name(self) -> str:
        """Name of the period beside the names of wider ones: ``2020s``, ``March``."""
        year = int(self.first[:4])
        if self.unit is Interval.CENTURY:
            return f"{year}–{int(self.last)}"
        if self.unit is Interval.DECADE:
            return f"{year}s" if year >= 10 else f"{year}–{int(self.last)}"
        if self.unit is Interval.YEAR:
            return f"{year}"
        if self.unit is Interval.MONTH:
            return month_name(int(self.first[5:7]))
        return f"{int(self.first[8:])}"

    @property
    def full_name(self) -> str:
        """Name of the period by itself: ``March 2021``."""
        if self.unit in (Interval.CENTURY, Interval.DECADE):
            return self.name
        return date_name(self.first)


@dataclass(frozen=True, slots=True)
class Span:
    """The period of a search.

    :param since: ``from`` of the search; ``until`` is its ``to``. Blank if not given.
    :param low: first instant, in UTC; ``high`` is the first one after it. ``None`` if
        there is no such end.
    """

    since: str
    until: str
    low: datetime | None
    high: datetime | None
    zone: tzinfo
    now: datetime

    @property
    def chosen(self) -> bool:
        """Whether the search asks for a period at all."""
        return bool(self.since or self.until)

    def interval(self) -> Interval:
        """Width of a bar: so that a year has months, and a month has days."""
        ends = self._local_days()
        if ends is None:
            return Interval.AUTO
        first, last = ends
        days = (last - first).days + 1
        if days <= _MOST_BARS:
            return Interval.DAY
        if days <= _WEEKS * 7:
            return Interval.WEEK
        years = last.year - first.year + 1
        if years <= 5:
            return Interval.MONTH
        if years <= _MOST_BARS:
            return Interval.YEAR
        return Interval.DECADE if years <= _MOST_BARS * 10 else Interval.CENTURY

    def within(self, first: str, last: str) -> tuple[str, str]:
        """Values of ``from`` and ``to`` for the part of a period that is in this one.

        :param first: year, month or day in ISO 8601, as ``last``.
        """
        if self.low is not None and self._bounds(first)[0] < self.low:
            first = self._start_of(self.low)
        if self.high is not None and self._bounds(last)[1] > self.high:
            last = self._end_of(self.high)
        return first, last

    def days(self) -> tuple[str, str]:
        """First and last local day, in ISO 8601; blank if there is no such end."""
        first = "" if self.low is None else _local(self.low, self.zone).isoformat()
        if self.high is None:
            return first, ""
        return first, _local(self.high - _MICROSECOND, self.zone).isoformat()

    def around(self) -> tuple[Calendar, ...]:
        """Periods of the calendar that all of this one is in, widest first.

        The last one may be the period itself: a whole year, month or day.
        """
        ends = self._local_days()
        if ends is None:
            return ()
        found = []
        for unit in _WIDEST_FIRST:
            first, last = (bucket_period(unit, day.isoformat()) for day in ends)
            if first != last:
                break
            whole = self._bounds(first[0])[0] == self.low
            whole = whole and self._bounds(first[1])[1] == self.high
            found.append(Calendar(unit, *first, whole=whole))
            if whole:
                break
        return tuple(found)

    def beside(self, direction: int) -> Calendar | None:
        """The next period of the calendar if this is a whole one; -1: the previous.

        ``None`` if it is yet to come.
        """
        around = self.around()
        ends = self._local_days()
        if not around or not around[-1].whole or ends is None:
            return None
        unit = around[-1].unit
        try:
            day = ends[0] - _DAY if direction < 0 else ends[1] + _DAY
        except OverflowError:  # the years 1 and 9999
            return None
        first, last = bucket_period(unit, day.isoformat())
        if direction > 0 and self._bounds(first)[0] > self.now:
            return None
        return Calendar(unit, first, last)

    def _local_days(self) -> tuple[date, date] | None:
        if self.low is None or self.high is None or self.low >= self.high:
            return None
        return (
            _local(self.low, self.zone),
            _local(self.high - _MICROSECOND, self.zone),
        )

    def _bounds(self, text: str) -> tuple[datetime, datetime]:
        return dates.period(text, tz=self.zone, now=self.now)

    def _start_of(self, at: datetime) -> str:
        """Shortest value of ``from`` that begins with an instant."""
        day = _local(at, self.zone)
        if dates.day_start(day, self.zone) == at:
            return day.isoformat()
        return dates.iso(at)

    def _end_of(self, after: datetime) -> str:
        """Shortest value of ``to`` that ends before an instant."""
        last = after - _MICROSECOND
        day = _local(last, self.zone).isoformat()
        return day if self._bounds(day)[1] == after else dates.iso(last)


def span_of(request: Request, now: datetime) -> Span:
    """Period of a search; none if it cannot be read, which the search refuses."""
    try:
        zone = dates.zone(request.tz)
        low = _end(request.since, 0, zone, now)
        high = _end(request.until, 1, zone, now)
    except ValueError:
        # The archive raises a typed error for the same text once it is asked.
        return Span("", "", None, None, UTC, now)
    return Span(request.since or "", request.until or "", low, high, zone, now)


def _end(text: str | None, end: int, zone: tzinfo, now: datetime) -> datetime | None:
    return dates.period(text, tz=zone, now=now)[end] if text else None


def _local(at: datetime, zone: tzinfo) -> date:
    try:
        return at.astimezone(zone).date()
    except OverflowError:  # within a day of the first or last instant there is
        return at.date()
