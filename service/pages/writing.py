"""Writing: the direction of texts, and dates and numbers as people read them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo

from index import dates

# Scripts that run from right to left, by their codes in ISO 15924.
_RTL_SCRIPT = re.compile(
    "adlm|arab|aran|armi|avst|hatr|hebr|mand|mani|mend|nkoo|phli|phnx|rohg|samr|syrc"
    "|thaa|yezi"
)
# Languages that are written in one of these unless their tag names another script.
_RTL_LANGUAGE = re.compile(
    "ar|aeb|ajp|apc|apd|arc|arq|ary|arz|azb|bal|bcc|bgn|bqi|ckb|dv|fa|glk|he|iw|ji|ks"
    "|lrc|mzn|nqo|pnb|prs|ps|rhg|sd|sdh|skr|syr|ug|ur|ydd|yi"
)
# Characters that turn the direction of the text around them.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TITLE = 70  # characters; browsers show fewer
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant as a page shows it.

    :param iso: in UTC, for programs.
    :param day: the local day, ``29 September 2016``.
    :param time: the local time, ``14:30``; blank at midnight, which most often means
        that only the day is known.
    :param zone: name of the time zone.
    """

    iso: str
    day: str
    time: str
    zone: str


def instant_of(iso: str, zone: tzinfo, name: str) -> Instant:
    """An instant in a time zone.

    :param name: of the zone, as people read it.
    """
    # Years 1 and 9999 have instants without a local time in some zones.
    at = dates.instant(iso)
    try:
        local = at.astimezone(zone)
    except OverflowError:
        local, name = at, "UTC"
    time = f"{local:%H:%M}"
    return Instant(
        iso=iso,
        day=f"{local.day} {MONTHS[local.month - 1]} {local.year}",
        time="" if time == "00:00" else time,
        zone=name,
    )


def local_day(at: datetime, zone: tzinfo) -> str:
    """Local day of an instant, as ``from`` and ``to`` take it."""
    with suppress(OverflowError):  # without a local time, that of UTC is shown
        at = at.astimezone(zone)
    return at.date().isoformat()


def direction(language: str | None) -> str:
    """Value of ``dir`` for a text: ``auto`` if its language is unknown."""
    if language is None:
        return "auto"
    first, *more = language.lower().split("-")
    script = next((part for part in more if len(part) == 4 and part.isalpha()), None)
    if script is not None:
        return "rtl" if _RTL_SCRIPT.fullmatch(script) else "ltr"
    return "rtl" if _RTL_LANGUAGE.fullmatch(first) else "ltr"


def without_turns(text: str) -> str:
    """A text for a window's title, where nothing isolates its direction."""
    return _TURNING.sub("", text)


def title_of(text: str) -> str:
    """A text as the title of a window: in one line, and short."""
    line = " ".join(without_turns(text).split())
    if len(line) <= _TITLE:
        return line
    # Cut between words, unless the words are longer than the title.
    cut = line[:_TITLE].rpartition(" ")[0]
    return f"{cut if len(cut) > _TITLE // 2 else line[:_TITLE]}…"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number and its noun: ``1 article``, ``1,234 articles``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
