"""Instants: as microseconds, as ISO 8601 text, and from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

Clock = Callable[[], datetime]  # the present instant, with its time zone
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# fromisoformat reads more than this, and skips what it takes for the T.
_OFFSET = r"(?:[Zz]|[-+](?:0\d|1[0-5])(?::?[0-5]\d)?)"
_TIME = r"\d\d(?::?[0-5]\d(?::?[0-5]\d(?:[.,]\d{1,12})?)?)?"
_ISO = re.compile(
    rf"(?:\d{{4}}-\d\d-\d\d|\d{{8}}(?=[Tt ]))(?:[Tt ]{_TIME}{_OFFSET}?)?", re.ASCII
)
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,12})?"
    r"(?:[Zz]|[-+](?:0\d|1[0-5]):[0-5]\d)",
    re.ASCII,
)


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


def is_instant(text: object) -> bool:
    """Whether a value has the form of an RFC 3339 date and time, with its offset."""
    return isinstance(text, str) and _RFC_3339.fullmatch(text) is not None


def instant(text: str, tz: tzinfo = UTC) -> datetime:
    """UTC instant from a calendar date of ISO 8601, with or without a time.

    A date without a time is its midnight; a time without an offset is in ``tz``. Dates
    in other notations are read by :func:`index.dates.read_date`.

    :raises ValueError: it is not a date, or outside the years 1 to 9999.
    """
    text = text.strip()
    try:
        if not _ISO.fullmatch(text):
            raise ValueError("another notation")
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(
            f"{text[:50]!r} is not a date such as 2016-09-29 or 2016-09-29T14:30:00Z"
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
