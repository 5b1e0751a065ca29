"""Written dates: read whole, in any notation that newsrooms use, or not at all."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from index.dates.instants import is_instant, iso
from index.dates.notations import (
    JOINING_WORDS,
    MONTHS,
    OFFSET,
    TIME_WORDS,
    WEEKDAYS,
    WORDS,
    ZONE,
    parts_of,
)
from index.dates.zones import (
    BY_DATE,
    FULL_NAMES,
    OFFSETS,
    SEVERAL,
    DateRules,
    DayOrder,
    LocalTime,
    Zone,
    fixed,
    local_time,
    named_zone,
    zone,
    zone_in_full,
)

LONGEST = 120  # characters of a date
_SHOWN = 80  # characters of it in an error
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Digits before the fraction of seconds since 1970, from which on they are milliseconds.
_SECONDS, _MILLISECONDS = 9, 12
# The commonest dates need no grammar.
_NAIVE = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:[0-5]\d(?:\.\d{1,6})?", re.ASCII
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
# A day and a time run together, as GDELT writes them: 20261130115426. Without seconds
# it could be milliseconds, too; with them those would be after the year 2580.
_RUN_TOGETHER = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?",
    re.ASCII,
)
# Minus signs and hyphens that are typeset, and marks that have no width.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2212", "-"),
        **dict.fromkeys("\u061c\u200b\u200e\u200f\ufeff"),
    }
)
_LARGEST_OFFSET = timedelta(hours=16)  # no place was ever that far from Greenwich
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


class Precision(StrEnum):
    """How much of an instant a date says."""

    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDate:
    """What a written date stands for.

    :param instant: the instant, or the one at which the year, month, week or day
        begins.
    :param last: the later one if the clock showed the time twice; else the same.
    :param precision: how much of it the date says.
    :param zoned: it names its zone.
    :param warnings: sentences without a subject, such as "says Tue, but is a Monday".
    """

    instant: datetime
    last: datetime
    precision: Precision = Precision.INSTANT
    zoned: bool = True
    warnings: tuple[str, ...] = ()


def read_date(value: object, rules: DateRules) -> WrittenDate:
    """Instant of a date in any notation of ISO 8601, RFC 5322, JavaScript or words.

    ::

        read_date("Mon Nov 30 2026 06:54:26 GMT-0500", DateRules()).instant
        # 2026-11-30 11:54:26 UTC

    Every character of a text counts: what is not part of a notation makes it no date.
    A number is seconds since 1970 from nine digits on, milliseconds from twelve.

    :param rules: what the date does not say itself: its zone, and the order of numbers.
    :raises ValueError: it is no date, could be several, or is outside the years 1 to
        9999. The message quotes it.
    """
    try:
        if isinstance(value, str):
            return _read_text(value, rules)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _read_number(value, rules)
        raise ValueError
    except OverflowError:
        reason = "it is outside the years 1 to 9999"
    except ValueError as error:
        reason = str(error)
    quoted = repr(str(value)[:_SHOWN])
    if not reason:
        raise ValueError(
            f"{quoted} is not a date such as 2016-09-29 or 2016-09-29T14:30:00Z"
        )
    raise ValueError(f"{quoted} is not a date: {reason}")


def is_dated(text: str) -> bool:
    """Whether a text is in a notation of dates that has more than digits.

    It may stand for no date all the same: February 30, or 29/03/2024.
    """
    plain = " ".join(text[: LONGEST + 1].translate(_PLAIN).split())
    return (
        len(plain) <= LONGEST and not plain.isdecimal() and parts_of(plain) is not None
    )


def _read_text(sent: str, rules: DateRules) -> WrittenDate:
    if is_instant(sent):
        moment = datetime.fromisoformat(sent.upper()).astimezone(UTC)
        return WrittenDate(instant=moment, last=moment)
    if rules.tz is UTC and _NAIVE.fullmatch(sent):
        moment = datetime.fromisoformat(sent).replace(tzinfo=UTC)
        return WrittenDate(instant=moment, last=moment, zoned=False)
    if len(sent) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    text = " ".join(sent.translate(_PLAIN).split())
    if _NUMBER.fullmatch(text) and len(text) != 4:
        return _of_number(text, rules)
    parts = parts_of(text)
    if parts is None:
        raise ValueError
    return _read_parts(parts, rules)


def _read_number(value: float, rules: DateRules) -> WrittenDate:
    if not math.isfinite(value):
        raise ValueError("it is not finite")
    text = format(Decimal(repr(value)), "f")
    # A year may be a number in JSON.
    return _read_text(text, rules) if len(text) == 4 else _of_number(text, rules)


def _of_number(text: str, rules: DateRules) -> WrittenDate:
    run_together = _RUN_TOGETHER.fullmatch(text.removesuffix(".0"))
    if run_together is None:
        return _of_epoch(text)
    if run_together["second"] is None:
        raise ValueError(
            "it could be a day and a time as well as milliseconds since 1970; write it"
            " as 2016-09-29T14:30:00Z"
        )
    day, time = "-".join(run_together.group(1, 2, 3)), run_together.group(4, 5, 6)
    return _read_text(f"{day}T{':'.join(map(str, time))}", rules)


def _of_epoch(text: str) -> WrittenDate:
    whole = text.lstrip("-").partition(".")[0]
    if len(whole) < _SECONDS:
        raise ValueError(
            f"it is a number below {_SECONDS} digits; write seconds since 1970"
        )
    if len(whole) > 17:
        raise ValueError("it is outside the years 1 to 9999")
    unit = 1_000 if len(whole) >= _MILLISECONDS else 1_000_000
    # Rounded, since a float holds a fraction only nearly.
    moment = _EPOCH + timedelta(microseconds=round(Decimal(text) * unit))
    return WrittenDate(instant=moment, last=moment)


def _read_parts(parts: Mapping[str, str | None], rules: DateRules) -> WrittenDate:
    """Date of the parts that a notation has found in a text."""
    day, precision = _day_of(parts, rules)
    warnings = []
    weekday = parts.get("weekday")
    if weekday and WEEKDAYS[weekday.lower()] != day.weekday():
        warnings.append(f"says {weekday}, but that day is a {day:%A}")
    local, leap = datetime.combine(day, datetime.min.time()), timedelta()
    if parts.get("hour") is not None:
        precision = Precision.INSTANT
        local, leap = _with_time(local, parts)
    zones = [text for name in ("zone", "other_zone") if (text := parts.get(name))]
    if len(zones) > 1:
        raise ValueError("it names two zones; leave one out")
    zone_of_it = _zone_of(zones[0], local, rules) if zones else Zone(tz=rules.tz)
    times = local_time(local, zone_of_it)
    if times.skipped:
        warnings.append(
            f"is a time that the clock skipped in its zone; taken as {iso(times.first)}"
        )
    times = _after_leap_second(times, leap)
    return WrittenDate(
        instant=times.first,
        last=times.last,
        precision=precision,
        zoned=bool(zones),
        warnings=tuple(warnings),
    )


def _day_of(
    parts: Mapping[str, str | None], rules: DateRules
) -> tuple[date, Precision]:
    """First day of what the parts name, and how much that is."""
    year = _year_of(parts)
    try:
        if week := parts.get("week"):
            week_day = parts.get("week_day")
            first = date.fromisocalendar(year, int(week), int(week_day or 1))
            return first, Precision.DAY if week_day else Precision.WEEK
        if year_day := parts.get("year_day"):
            day = date(year, 1, 1) + (int(year_day) - 1) * _DAY
            if day.year != year or year_day == "000":
                raise ValueError(f"{year} has no day {year_day}")
            return day, Precision.DAY
        if one := parts.get("one"):
            if rules.order is None:
                raise ValueError(
                    "its order of day and month is unknown; give it with --dates dmy"
                    " or mdy, or NUTGRAF_DATES"
                )
            other = parts["other"] or ""
            first_is_day = rules.order is DayOrder.DMY
            day_text, month_text = (one, other) if first_is_day else (other, one)
            return date(year, int(month_text), int(day_text)), Precision.DAY
        month = parts.get("month")
        if month is None:
            return date(year, 1, 1), Precision.YEAR
        number = MONTHS.get(month.lower()) or int(month)
        day_of_month = parts.get("day")
        precision = Precision.DAY if day_of_month else Precision.MONTH
        return date(year, number, int(day_of_month or 1)), precision
    except OverflowError:
        raise ValueError("it is outside the years 1 to 9999") from None


def _year_of(parts: Mapping[str, str | None]) -> int:
    text = parts["year"] or ""
    if len(text) == 4:
        return int(text)
    if parts.get("hour") is None:
        raise ValueError("its year has two digits; write four")
    # RFC 5322, section 4.3
    return int(text) + (2000 if int(text) < 50 else 1900)


def _with_time(
    day: datetime, parts: Mapping[str, str | None]
) -> tuple[datetime, timedelta]:
    """Local time of a day, and what a leap second adds to it."""
    hour, minute = int(parts["hour"] or 0), int(parts.get("minute") or 0)
    second, fraction = int(parts.get("second") or 0), timedelta()
    if digits := parts.get("fraction"):
        fraction = timedelta(microseconds=int(digits.ljust(6, "0")[:6]))
    leap = timedelta()
    if half := parts.get("half"):
        at_noon = half.lower() == "noon"
        if not 1 <= hour <= 12 or (at_noon and (hour, minute, second) != (12, 0, 0)):
            raise ValueError(f"hour {hour} does not go with {half}")
        afternoon = half[0].lower() in "pn"
        hour = hour % 12 + (12 if afternoon else 0)
    if second == 60:
        second, leap = 59, timedelta(seconds=1)
    if (hour == 24 and (minute or second or fraction)) or hour > 24:
        raise ValueError(f"a day has no {hour}:{minute:02}")
    if minute > 59 or second > 59:
        raise ValueError(f"an hour has no {minute:02}:{second:02}")
    time = timedelta(hours=hour, minutes=minute, seconds=second) + fraction
    return day + time, leap


def _after_leap_second(times: LocalTime, leap: timedelta) -> LocalTime:
    """The instants after a leap second, which ends a month of UTC."""
    if not leap:
        return times
    after = times.first.replace(microsecond=0) + leap
    if (after.day, after.hour, after.minute) != (1, 0, 0) or times.first != times.last:
        raise ValueError("second 60 is only at the end of a month in UTC")
    # The clock of a computer shows it as the second that follows.
    moment = times.first + leap
    return LocalTime(first=moment, last=moment)


def _zone_of(text: str, local: datetime, rules: DateRules) -> Zone:
    """Zone that a text names.

    :param local: the local time, to compare two names of one zone.
    """
    if text[0] == "(" and text[-1] == ")":
        text = text[1:-1]
    match = ZONE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a zone; write an offset such as +05:30")
    if (written := match["offset"] or match["shift"]) is not None:
        zone_of_it = _at_offset(written.strip())
    elif match["iana"] is not None:
        zone_of_it = Zone(tz=zone(match["iana"]))
    elif match["full"] is not None:
        zone_of_it = zone_in_full(match["full"], rules)
    else:
        zone_of_it = named_zone(match["name"], rules)
    has_offset = written is not None
    if match["bracketed"]:
        _check_same(zone_of_it, Zone(tz=zone(match["bracketed"])), local)
    elif match["also"]:
        if not has_offset:
            raise ValueError("it names two zones; leave one out")
        _check_name(zone_of_it, match["also"], local, rules, has_offset)
    elif comment := match["comment"]:
        inner = ZONE.fullmatch(comment.strip())
        if inner is not None and (inner["offset"] or inner["shift"] or inner["iana"]):
            _check_same(zone_of_it, _zone_of(comment.strip(), local, rules), local)
        elif inner is not None and len(comment) <= 5 and comment.isupper():
            _check_name(zone_of_it, comment, local, rules, has_offset)
        elif comment.lower() in FULL_NAMES:
            _check_same(zone_of_it, zone_in_full(comment, rules), local)
        elif not (
            has_offset
            and WORDS.fullmatch(comment)
            and TIME_WORDS.search(comment)
            and not JOINING_WORDS.search(comment)
        ):
            raise ValueError(
                f"({comment[:40]}) is not the name of a zone; leave it out"
            )
    return zone_of_it


def _check_name(
    zone_of_it: Zone, name: str, local: datetime, rules: DateRules, has_offset: bool
) -> None:
    """Check that a second name is one of the zone that was named before."""
    name = name.upper()
    if name in rules.zones or name in OFFSETS or name in BY_DATE:
        _check_same(zone_of_it, named_zone(name, rules), local)
    elif has_offset and name in SEVERAL:
        possible = {_at_offset(text) for text in SEVERAL[name]}
        if zone_of_it not in possible:
            raise ValueError("it names two zones; leave one out")
    else:
        raise ValueError(f"{name[:40]} is not a zone that is known; leave it out")


def _check_same(one: Zone, other: Zone, local: datetime) -> None:
    offsets = {other.offset(local, fold) for fold in (0, 1)}
    if not offsets & {one.offset(local, fold) for fold in (0, 1)}:
        raise ValueError("it names two zones; leave one out")


@lru_cache(maxsize=256)
def _at_offset(text: str) -> Zone:
    match = OFFSET.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not an offset such as +05:30")
    offset = timedelta(
        hours=int(match["hours"]),
        minutes=int(match["minutes"] or 0),
        seconds=int(match["seconds"] or 0),
    )
    if offset >= _LARGEST_OFFSET:
        raise ValueError(f"no zone is {text} from UTC")
    return fixed(offset if match["sign"] == "+" else -offset)
