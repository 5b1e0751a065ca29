"""Notations: the patterns of the dates that are read, each of a whole text.

A pattern says which parts a text has, in groups named after them; whether the parts
make a date is for :mod:`index.dates.written`. The text has single spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

# Names of the months, in small letters, and their numbers: of English, then of German,
# Dutch, French, Spanish, Italian, Portuguese, Swedish, Danish and Norwegian. No name is
# that of two months.
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner januari janvier janv enero gennaio janeiro",
            "february feb februar feber februari février fevrier févr febrero febbraio"
            " fevereiro",
            "march mar märz mär mrz maart mrt mars marzo março marts",
            "april apr avril abril aprile",
            "may mai mei mayo maggio maio maj",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet juil julio luglio julho",
            "august aug augustus août aout agosto augusti",
            "september sept sep septembre septiembre setiembre settembre setembro",
            "october oct oktober okt octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember dez décembre decembre déc diciembre dicembre"
            " dezembro desember",
        ),
        1,
    )
    for name in names.split()
}
_FLAGS = re.ASCII | re.IGNORECASE
# Names of the days of a week, and their numbers, from Monday as 0.
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "mon monday montag mo maandag lundi lunes lunedì måndag mandag",
            "tue tues tuesday dienstag di dinsdag mardi martes martedì tisdag tirsdag",
            "wed weds wednesday mittwoch mi woensdag mercredi miércoles mercoledì"
            " onsdag",
            "thu thur thurs thursday donnerstag do donderdag jeudi jueves giovedì"
            " torsdag",
            "fri friday freitag fr vrijdag vendredi viernes venerdì fredag",
            "sat saturday samstag sonnabend sa zaterdag samedi sábado sabato lördag"
            " lørdag",
            "sun sunday sonntag so zondag dimanche domingo domenica söndag søndag",
        )
    )
    for name in names.split()
}


def _any_of(names: Iterable[str]) -> str:
    """Alternatives of a pattern, the longest first, also in capital letters.

    The flags make only the letters of ASCII equal to their capitals.
    """
    spellings = {*names, *(name.upper() for name in names if not name.isascii())}
    return "|".join(sorted(spellings, key=lambda name: (-len(name), name)))


_WEEKDAY = rf"(?P<weekday>{_any_of(WEEKDAYS)})(?!\w)\.?,? ?(?:den )?"
_MONTH = rf"(?P<month>{_any_of(MONTHS)})(?![a-z])\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º)?(?!\d)"
_YEAR = r"(?P<year>\d{4})(?!\d)"
_YEAR_OF_CENTURY = r"(?P<year>\d{4}|\d\d)(?!\d)"

# A time with the hours of a day, or of half a day: 22:40, 10:40:26.5 PM, 3 p.m., noon;
# in German 22.40 Uhr, in French 22h40.
_HALF = r" ?(?P<half>[ap]\.?m(?![a-z])\.?|noon\b)"
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,12}))?)?(?!\d)"
)
_HALF_TIME = rf"(?P<hour>\d{{1,2}})(?:\.(?P<minute>\d\d))?{_HALF}"
_UHR_TIME = r"(?P<hour>\d{1,2})(?:[.:](?P<minute>\d\d))? ?uhr(?!\w)"
_H_TIME = r"(?P<hour>\d{1,2}) ?h(?: ?(?P<minute>\d\d))?(?!\w)"
_ISO_TIMES = (rf"{_CLOCK}(?:{_HALF})?", _HALF_TIME)
# Beside the name of a month, 10:00-11:00 is no offset but a span of time.
_NO_SPAN = _CLOCK.replace(r"(?P<minute>\d\d)", r"(?P<minute>\d\d)(?!-)")
_TIMES = (_UHR_TIME, _H_TIME, rf"{_NO_SPAN}(?:{_HALF})?", _HALF_TIME)
# The time of ISO 8601 in its basic form, or with hours only.
_BASIC_TIME = (
    r"(?P<hour>\d\d)(?:(?P<minute>\d\d)(?:(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,12}))?)?)?(?!\d)"
)
# The zone is whatever follows the time: it has a grammar of its own.
_ZONE = r"(?: ?(?P<zone>[-+a-z(].*))?"

_BEFORE_TIME = r"(?:,? (?:at|um|om|à|kl\.?|a las|alle) |,? ?@ ?| [-–—|] |, ?| )"
_ISO_BEFORE_TIME = r"(?:t|,? at |, ?| [-–—|] | )"

_CALENDAR = r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})"
_ISO_DATES = (
    _CALENDAR,
    r"(?P<year>\d{4})-?w(?P<week>\d\d)-?(?P<week_day>\d)",
    r"(?P<year>\d{4})-(?P<year_day>\d{3})",
)
_BASIC_DATE = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
_NAMED_DATES = (
    rf"{_DAY}\.?(?: of | de )?[ /.-]?{_MONTH}(?: ?, ?| (?:del? )?|[/-])"
    rf"{_YEAR_OF_CENTURY}",
    rf"{_MONTH}[ /-]?{_DAY}(?: ?, ?| |[/-]){_YEAR}",
    rf"{_YEAR}(?:, ?| |[/.-]){_MONTH}[ /-]?{_DAY}",
)
_NUMBERS = (
    r"(?P<one>\d{1,2})(?P<sep>[-/.])(?P<other>\d{1,2})(?P=sep)"
    r"(?P<year>\d{4}|\d\d)(?!\d)"
)
# Web servers write a colon between date and time: 30/Nov/2026:06:54:26 -0500.
_LOG_DATE = rf"(?P<day>\d\d)/{_MONTH}/{_YEAR}"

_PERIODS = (
    r"(?P<year>\d{4})",
    r"(?P<year>\d{4})-(?P<month>\d\d)",
    r"(?P<year>\d{4})-?w(?P<week>\d\d)",
    rf"{_MONTH},? (?:de )?{_YEAR}",
)


def _layouts_without_weekday() -> Iterator[str]:
    yield from _PERIODS
    for date in _ISO_DATES:
        yield rf"{date}t{_BASIC_TIME}{_ZONE}"
    for time in (_BASIC_TIME, _CLOCK):
        yield rf"{_BASIC_DATE}[t ]{time}{_ZONE}"
    yield rf"{_LOG_DATE}:{_CLOCK}{_ZONE}"
    for date in (*_NAMED_DATES, _CALENDAR, _NUMBERS):
        # 00:01 GMT on Monday, 30 November 2026; 10:40, 30 November 2026 (UTC)
        for time in _TIMES:
            yield (
                rf"{time}(?: ?(?P<zone>[-+a-z(][^ ,]{{0,40}}))?(?:,? on |, ?| )"
                rf"(?:{_WEEKDAY})?{date}(?: (?P<other_zone>\(.*\)))?"
            )


def _layouts_with_weekday() -> Iterator[str]:
    """Yield the notations that a weekday may come before."""
    for date in _ISO_DATES:
        for time in _ISO_TIMES:
            yield rf"{date}{_ISO_BEFORE_TIME}{time}{_ZONE}"
        # XML Schema writes the zone of a whole day; after a minus it could be a time.
        yield rf"{date}(?P<zone>z|\+\d\d:\d\d)?"
    for date in (*_NAMED_DATES, _NUMBERS):
        for time in _TIMES:
            yield rf"{date}{_BEFORE_TIME}{time}{_ZONE}"
        yield date
    # The year comes last: asctime, date(1), Java, git.
    for day in (rf"{_MONTH} {_DAY}", rf"{_DAY} {_MONTH}"):
        for time in _TIMES:
            yield (
                rf"{day},? {time}(?: (?P<zone>[-+a-z(][^ ]{{0,40}}))?"
                rf" {_YEAR}(?: (?P<other_zone>[-+a-z(].*))?"
            )


def _start_of(layout: str) -> str:
    """What a text that fits a notation starts with: month, year or number."""
    if layout.startswith(_MONTH):
        return "month"
    return "year" if layout.startswith(r"(?P<year>") else "number"


# Compiled for the first date that needs them: most processes read few notations, and
# all of them take a tenth of the CPU of starting a command.
@cache
def _patterns(start: str, *, weekday: bool) -> tuple[re.Pattern[str], ...]:
    """Patterns of the texts that start so, after a weekday or without one."""
    layouts = [*_layouts_with_weekday()]
    if not weekday:
        layouts += _layouts_without_weekday()
    return tuple(
        re.compile(each, _FLAGS) for each in layouts if _start_of(each) == start
    )


_STARTS = re.compile(
    rf"(?:{_WEEKDAY})?(?:(?P<month>[a-z])|(?P<year>\d{{4}})|\d)", _FLAGS
)


def parts_of(text: str) -> dict[str, str | None] | None:
    """Parts of a date by name; ``None`` if the text is in no notation.

    :param text: with single spaces and no others.
    """
    start = _STARTS.match(text)
    if start is None:
        return None
    weekday = start["weekday"]
    kind = start.lastgroup if start.lastgroup in ("month", "year") else "number"
    first = start.end() - len(start[kind] if kind != "number" else "0")
    for pattern in _patterns(kind, weekday=weekday is not None):
        if match := pattern.fullmatch(text, first):
            parts = match.groupdict()
            return {**parts, "weekday": weekday or parts.get("weekday")}
    return None


# What may stand where the zone does: an offset, UTC with one, an abbreviation, an IANA
# name; then the zone's name once more, as JavaScript, Java and mail programs write it.
ZONE = re.compile(
    r"(?:(?P<offset>[-+]\d\d(?::\d\d(?::\d\d)?|\d\d)?)"
    r"|(?:UTC|GMT|UT)(?P<shift> ?[-+–]\d{1,2}(?::?\d\d)?)"
    r"|(?P<iana>[a-z_]+(?:/[a-z0-9_+-]+){1,2})"
    r"|(?P<full>[a-z]+(?: [a-z]+){0,3} time)"
    r"|(?P<name>[a-z]+))"
    r"(?:\[(?P<bracketed>[a-z0-9_/+-]+)\]| ?\((?P<comment>[^()]+)\)"
    r"| (?P<also>[a-z]+))?",
    _FLAGS,
)
OFFSET = re.compile(
    r"(?P<sign>[-+–])(?P<hours>\d\d|\d(?!\d))(?::?(?P<minutes>[0-5]\d)"
    r"(?::?(?P<seconds>[0-5]\d))?)?",
    re.ASCII,
)
# Words that join two readings: no name of one zone has them.
JOINING_WORDS = re.compile(r"\b(?:n?or|and|to|until|till|not|either|than)\b", re.I)
# A comment in words names a zone if it says that it is about time.
TIME_WORDS = re.compile(
    r"time\b|heure|\bhora\b|\bora\b|zeit|tijd|\btid\b|tid\b|czas|время|час|aika|"
    r"idő|čas|vrijeme|ώρα|时间|時間|时区|時區|標準時|夏時間|시\b|เวลา|समय|توقيت|giờ|waktu|saati",
    re.IGNORECASE,
)
WORDS = re.compile(r"[^\W\d_]+(?:[ '’.-]{1,2}[^\W\d_]+)*\.?")
