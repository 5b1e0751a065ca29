"""Periods: the instants that a date in a search stands for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from index.dates.instants import FIRST, LAST, instant

_MICROSECOND = timedelta(microseconds=1)
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z", re.ASCII)
_RELATIVE = re.compile(r"([-+])(\d{1,5})([hdwmy])\Z", re.ASCII)
_INSTANT = re.compile(r"\d{4}-?\d{2}-?\d{2}[Tt ]\d", re.ASCII)


def period(text: str, *, tz: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    """Half-open span of UTC instants that a date in a search stands for.

    ``2016``, ``2016-09`` and ``2016-09-29`` are the whole local year, month and day in
    ``tz``, even if a clock change makes the day 23 or 25 hours long; so are ``today``
    and ``yesterday``. A day that the zone left out is empty. ``-7d`` (also ``h w m y``)
    is the instant that long before ``now``. An instant spans one microsecond.

    :raises ValueError: it is none of these.
    """
    text = text.strip()
    lowered = text.lower()
    if lowered in ("today", "yesterday"):
        try:
            day = now.astimezone(tz).date()
            if lowered == "yesterday":
                day -= timedelta(days=1)
        except OverflowError as error:
            raise ValueError("outside the years 1 to 9999") from error
        return _local_days(day, day, tz)
    if match := _RELATIVE.match(lowered):
        at = _shifted(now, match[1], int(match[2]), match[3], tz)
        return _moment(at)
    if lowered == "now":
        return _moment(now)
    if match := _PERIOD.match(text):
        year, month, day_of_month = match.groups()
        try:
            first = date(int(year), int(month or 1), int(day_of_month or 1))
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from error
        if day_of_month is not None:
            return _local_days(first, first, tz)
        if month is not None:
            return _local_days(first, _month_end(first), tz)
        return _local_days(first, first.replace(month=12, day=31), tz)
    if not _INSTANT.match(text):
        raise ValueError(
            f"{text[:50]!r} is not a date; write 2016-09-29, 2016-09, 2016,"
            " 2016-09-29T14:30:00Z, -7d, today or yesterday"
        )
    return _moment(instant(text, tz))


def _moment(at: datetime) -> tuple[datetime, datetime]:
    # No instant follows the last one, so its span is empty.
    return at, at if at == LAST else at + _MICROSECOND


def _month_end(first: date) -> date:
    if first.month == 12:
        return first.replace(day=31)
    return first.replace(month=first.month + 1) - timedelta(days=1)


def _local_days(first: date, last: date, tz: tzinfo) -> tuple[datetime, datetime]:
    after = LAST if last == date.max else day_start(last + timedelta(days=1), tz)
    return day_start(first, tz), after


def day_start(day: date, tz: tzinfo) -> datetime:
    """First instant of a local day, or of the next one if the zone left the day out.

    Where the clock is set forward over midnight, it is the instant of that change.
    Outside the years 1 to 9999 it is the first or last instant there is.
    """
    midnight = datetime.combine(day, time())
    try:
        start = midnight.replace(tzinfo=tz).astimezone(UTC)
        if start.astimezone(tz).replace(tzinfo=None) == midnight:
            return start
        before = midnight.replace(tzinfo=tz, fold=1).astimezone(UTC)
    except OverflowError:
        return FIRST if day.year < 5_000 else LAST
    # The change is between the two, on a full second.
    low, high = 0, (start - before) // timedelta(seconds=1)
    while low < high:
        middle = (low + high) // 2
        local = (before + timedelta(seconds=middle)).astimezone(tz)
        if local.replace(tzinfo=None) < midnight:
            low = middle + 1
        else:
            high = middle
    return before + timedelta(seconds=low)


def _shifted(now: datetime, sign: str, count: int, unit: str, tz: tzinfo) -> datetime:
    factor = -1 if sign == "-" else 1
    try:
        if unit == "h":
            return now + factor * timedelta(hours=count)
        local = now.astimezone(tz)
        if unit in "dw":
            days = count * (7 if unit == "w" else 1)
            return (local + factor * timedelta(days=days)).astimezone(UTC)
        months = local.year * 12 + local.month - 1
        months += factor * count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        last = _month_end(date(year, month + 1, 1)).day
        moved = local.replace(
            year=year, month=month + 1, day=min(local.day, last), fold=0
        )
        return moved.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise ValueError("outside the years 1 to 9999") from error
