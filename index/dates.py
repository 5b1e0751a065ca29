"""Dates as newsrooms write them: instants, whole periods and relative dates."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]  # the present instant, with its time zone
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC)
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z", re.ASCII)
_RELATIVE = re.compile(r"([-+])(\d{1,5})([hdwmy])\Z", re.ASCII)
# fromisoformat accepts any character as the T: 1310121530000 would be in the year 1310.
_RUN_ON = re.compile(r"\d{4}-?\d{2}-?\d{3}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-?\d{2}-?\d{2}[T ]\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRules:
    """How a written date is read where it does not say it itself.

    :param tz: zone of dates without one.
    """

    tz: tzinfo = UTC


def utc_now() -> datetime:
    """The present instant, by the clock of this machine."""
    return datetime.now(UTC)


def micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """Aware UTC instant from microseconds since 1970-01-01 UTC."""
    return _EPOCH + value * _MICROSECOND


def iso(instant: datetime) -> str:
    """Instant as RFC 3339 text in UTC with ``Z``, and a fraction if it has one."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def zone(name: str) -> tzinfo:
    """IANA time zone by its name.

    :raises ValueError: there is no such zone.
    """
    # ZoneInfo opens a file of that name: keep odd names away from the file system.
    if not re.fullmatch(r"[A-Za-z0-9_+-]{1,30}(/[A-Za-z0-9_+-]{1,30}){0,2}", name):
        raise ValueError(
            f"{name[:50]!r} is not an IANA time zone such as Europe/London"
        )
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{name!r} is not an IANA time zone such as Europe/London"
        ) from error


def instant(text: str, tz: tzinfo = UTC) -> datetime:
    """Parse an ISO 8601 or RFC 5322 date into a UTC instant.

    A date without a time is its midnight; a time without an offset is in ``tz``.

    :raises ValueError: it is not a date, or outside the years 1 to 9999.
    """
    text = text.strip()
    try:
        if _RUN_ON.match(text):
            raise ValueError("a number")
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, IndexError, TypeError, OverflowError):
            raise ValueError(
                f"{text[:50]!r} is not a date such as 2016-09-29 or"
                " 2016-09-29T14:30:00Z"
            ) from None
    return to_utc(moment, tz)


def to_utc(moment: datetime, tz: tzinfo = UTC) -> datetime:
    """Moment as an aware UTC instant; a naive one is in ``tz``.

    :raises ValueError: outside the years 1 to 9999.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=tz)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def period(text: str, *, tz: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    """Half-open span of UTC instants that a date in a search stands for.

    ``2016``, ``2016-09`` and ``2016-09-29`` are the whole local year, month and day in
    ``tz``, even if a clock change makes the day 23 or 25 hours long; so are ``today``
    and ``yesterday``. ``-7d`` (also ``h w m y``) is the instant that long before
    ``now``. An instant spans one microsecond.

    :raises ValueError: it is none of these.
    """
    text = text.strip()
    lowered = text.lower()
    if lowered in ("today", "yesterday"):
        day = now.astimezone(tz).date()
        if lowered == "yesterday":
            day -= timedelta(days=1)
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
    return at, at if at == _LAST else at + _MICROSECOND


def _month_end(first: date) -> date:
    if first.month == 12:
        return first.replace(day=31)
    return first.replace(month=first.month + 1) - timedelta(days=1)


def _local_days(first: date, last: date, tz: tzinfo) -> tuple[datetime, datetime]:
    try:
        start = datetime.combine(first, time(), tz).astimezone(UTC)
    except OverflowError:
        start = datetime.min.replace(tzinfo=UTC)
    try:
        after = datetime.combine(last + timedelta(days=1), time(), tz).astimezone(UTC)
    except OverflowError:
        after = _LAST
    return start, after


def _shifted(now: datetime, sign: str, count: int, unit: str, tz: tzinfo) -> datetime:
    factor = -1 if sign == "-" else 1
    local = now.astimezone(tz)
    try:
        if unit == "h":
            return now + factor * timedelta(hours=count)
        if unit in "dw":
            days = count * (7 if unit == "w" else 1)
            return (local + factor * timedelta(days=days)).astimezone(UTC)
        months = local.year * 12 + local.month - 1
        months += factor * count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        last = _month_end(date(year, month + 1, 1)).day
        moved = local.replace(year=year, month=month + 1, day=min(local.day, last))
        return moved.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise ValueError("outside the years 1 to 9999") from error
