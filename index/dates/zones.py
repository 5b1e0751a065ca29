"""Zones: the names of time zones, and the instants of local times in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

ZONE_NAME = re.compile(r"[A-Za-z]{2,9}")


class DayOrder(StrEnum):
    """Order of the numbers in a date such as 29/03/2024."""

    DMY = "dmy"
    MDY = "mdy"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRules:
    """How a written date is read where it does not say it itself.

    ::

        date_rules(tz="America/New_York", zones=["IST=Asia/Kolkata"], order="dmy")

    :param tz: zone of dates without one.
    :param zones: meaning of zone names, in capitals; it comes before ours.
    :param order: of day and month in dates that are written in numbers only.
    """

    tz: tzinfo = UTC
    zones: Mapping[str, tzinfo] = field(default_factory=lambda: MappingProxyType({}))
    order: DayOrder | None = None


@lru_cache(maxsize=16)
def date_rules(
    *, tz: str = "UTC", zones: tuple[str, ...] = (), order: str = ""
) -> DateRules:
    """Rules for written dates, from texts.

    :param tz: an IANA name.
    :param zones: each as in ``IST=Asia/Kolkata``.
    :param order: ``dmy``, ``mdy``, or blank if it is unknown.
    :raises ValueError: a zone or the order is unknown.
    """
    if order and order not in set(DayOrder):
        raise ValueError(f"{order[:50]!r} is not an order of dates; write dmy or mdy")
    return DateRules(
        tz=UTC if tz == "UTC" else zone(tz),
        zones=MappingProxyType(dict(_zone_pairs(zones))),
        order=DayOrder(order) if order else None,
    )


def _zone_pairs(texts: Iterable[str]) -> Iterable[tuple[str, tzinfo]]:
    for text in texts:
        name, equals, iana = (part.strip() for part in text.partition("="))
        if not equals or not ZONE_NAME.fullmatch(name):
            raise ValueError(
                f"{text[:50]!r} does not give a zone name a meaning; write it as in"
                " IST=Asia/Kolkata"
            )
        yield name.upper(), zone(iana)


@lru_cache(maxsize=64)
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


def _table(text: str) -> dict[str, str]:
    return dict(entry.split("=") for entry in text.split())


# Offsets of names that mean one zone: those of RFC 5322, and those that the news use.
OFFSETS = _table("""
    UTC=+00:00 GMT=+00:00 UT=+00:00 Z=+00:00
    EST=-05:00 EDT=-04:00 CST=-06:00 CDT=-05:00
    MST=-07:00 MDT=-06:00 PST=-08:00 PDT=-07:00
    AKST=-09:00 AKDT=-08:00 HST=-10:00
    WET=+00:00 WEST=+01:00 CET=+01:00 CEST=+02:00 EET=+02:00 EEST=+03:00
    MSD=+04:00 MET=+01:00 MEST=+02:00 MEZ=+01:00 MESZ=+02:00 TRT=+03:00
    WAT=+01:00 CAT=+02:00 SAST=+02:00 EAT=+03:00
    PKT=+05:00 NPT=+05:45 WIB=+07:00 WITA=+08:00 WIT=+09:00 ICT=+07:00
    PHT=+08:00 MYT=+08:00 JST=+09:00 IDT=+03:00
    AWST=+08:00 ACST=+09:30 ACDT=+10:30 AEST=+10:00 AEDT=+11:00
    NZST=+12:00 NZDT=+13:00 BRT=-03:00 ART=-03:00 COT=-05:00 PET=-05:00
""")
# Names whose offset changed over the years: the standard time of an IANA zone.
BY_DATE = _table("""
    MSK=Europe/Moscow KST=Asia/Seoul HKT=Asia/Hong_Kong SGT=Asia/Singapore
    IRST=Asia/Tehran VET=America/Caracas CLT=America/Santiago
""")
# Names that mean several zones, and the offsets of each: only the load can say which.
SEVERAL: dict[str, frozenset[str]] = {
    name: frozenset(offsets.split(","))
    for name, offsets in _table("""
        IST=+05:30,+02:00,+01:00 BST=+01:00,+06:00,+11:00 AST=-04:00,+03:00
        ADT=-03:00,+04:00 SST=-11:00,+08:00 GST=+04:00,-02:00 AMT=-04:00,+04:00
        WST=+13:00,+08:00,+01:00 ECT=-05:00,-04:00 ACT=-05:00,+08:00,+09:30
        ET=-05:00,-04:00 CT=-06:00,-05:00 MT=-07:00,-06:00 PT=-08:00,-07:00
        AT=-04:00,-03:00 NT=-03:30,-02:30 NST=-03:30 NDT=-02:30 BT=+06:00 CAST=+08:00
        EASTERN=-05:00,-04:00 CENTRAL=-06:00,-05:00 MOUNTAIN=-07:00,-06:00
        PACIFIC=-08:00,-07:00
    """).items()
}

# Names in full, as browsers write them: an abbreviation of above, or an offset.
FULL_NAMES = {
    f"{place} {season} time".replace("  ", " "): meaning
    for place, seasons in {
        "coordinated universal": {"": "UTC"},
        "greenwich mean": {"": "GMT"},
        "eastern": {"standard": "EST", "daylight": "EDT"},
        "central": {"standard": "CST", "daylight": "CDT"},
        "mountain": {"standard": "MST", "daylight": "MDT"},
        "pacific": {"standard": "PST", "daylight": "PDT"},
        "alaska": {"standard": "AKST", "daylight": "AKDT"},
        "atlantic": {"standard": "-04:00", "daylight": "-03:00"},
        "british": {"summer": "+01:00"},
        "irish": {"standard": "+01:00"},
        "western european": {"": "WET", "standard": "WET", "summer": "WEST"},
        "central european": {"": "CET", "standard": "CET", "summer": "CEST"},
        "eastern european": {"": "EET", "standard": "EET", "summer": "EEST"},
        "moscow": {"standard": "MSK"},
        "israel": {"standard": "+02:00", "daylight": "+03:00"},
        "gulf": {"standard": "+04:00"},
        "pakistan": {"standard": "PKT"},
        "india": {"standard": "+05:30"},
        "china": {"standard": "+08:00"},
        "hong kong": {"standard": "HKT"},
        "singapore": {"standard": "SGT"},
        "japan": {"standard": "JST"},
        "korean": {"standard": "KST"},
        "australian western": {"standard": "AWST"},
        "australian central": {"standard": "ACST", "daylight": "ACDT"},
        "australian eastern": {"standard": "AEST", "daylight": "AEDT"},
        "new zealand": {"standard": "NZST", "daylight": "NZDT"},
        "south africa": {"standard": "SAST"},
        "west africa": {"standard": "WAT"},
        "central africa": {"": "CAT"},
        "east africa": {"": "EAT"},
        "brasilia": {"standard": "BRT"},
        "argentina": {"standard": "ART"},
    }.items()
    for season, meaning in seasons.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone as a date names it.

    :param tz: its offsets.
    :param name: the abbreviation it was written with; it tells a time that the clock
        shows twice, where it is the name of only one of the two.
    :param standard: the offset is that of standard time also in summer.
    """

    tz: tzinfo
    name: str = ""
    standard: bool = False

    def offset(self, local: datetime, fold: int) -> timedelta:
        """Offset from UTC at a local time."""
        moment = local.replace(tzinfo=self.tz, fold=fold)
        offset = moment.utcoffset()
        assert offset is not None  # every zone of ours has one
        if self.standard:
            offset -= moment.dst() or timedelta()
        return offset


def fixed(offset: timedelta) -> Zone:
    """Zone with one offset."""
    return Zone(tz=timezone(offset))


def named_zone(name: str, rules: DateRules) -> Zone:
    """Zone that an abbreviation names.

    :raises ValueError: it names none, or several; without a message if it does not look
        like a name.
    """
    written, name = name, name.upper()
    if name in rules.zones:
        return Zone(tz=rules.zones[name], name=name)
    if name in OFFSETS:
        return _at(OFFSETS[name])
    if name in BY_DATE:
        return Zone(tz=zone(BY_DATE[name]), name=name, standard=True)
    if name in SEVERAL:
        raise ValueError(
            f"the zone {name} has several meanings; say which is meant with"
            f" --zone {name}=… or NUTGRAF_ZONES"
        )
    if written != name:
        raise ValueError  # words, such as "or so"
    raise ValueError(
        f"the zone {name} is unknown; say what it means with"
        f" --zone {name}=… or NUTGRAF_ZONES"
    )


def zone_in_full(name: str, rules: DateRules) -> Zone:
    """Zone that a name such as ``Eastern Standard Time`` names.

    :raises ValueError: it names none.
    """
    meaning = FULL_NAMES.get(name.lower())
    if meaning is None:
        raise ValueError(f"the zone {name} is unknown; write an offset such as +05:30")
    return named_zone(meaning, rules) if meaning.isalpha() else _at(meaning)


def _at(offset: str) -> Zone:
    span = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
    return fixed(-span if offset[0] == "-" else span)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """The instants of a local time in a zone.

    :param first: the instant; the earlier one if the clock shows the time twice.
    :param last: the later one; else the same.
    :param skipped: the clock never shows the time: it was set forward over it. The
        instant is that of the time before the change, counted on.
    """

    first: datetime
    last: datetime
    skipped: bool = False


def local_time(local: datetime, zone_of_it: Zone) -> LocalTime:
    """The instants of a naive local time.

    :raises ValueError: outside the years 1 to 9999.
    """
    before = zone_of_it.offset(local, 0)
    is_fixed = isinstance(zone_of_it.tz, timezone)
    after = before if is_fixed else zone_of_it.offset(local, 1)
    try:
        first = (local - before).replace(tzinfo=UTC)
        last = first if after == before else (local - after).replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("it is outside the years 1 to 9999") from error
    if before == after:
        return LocalTime(first=first, last=first)
    if before < after:
        return LocalTime(first=first, last=first, skipped=True)
    if zone_of_it.name and not zone_of_it.standard:
        names = [local.replace(tzinfo=zone_of_it.tz, fold=f).tzname() for f in (0, 1)]
        if names.count(zone_of_it.name) == 1:
            chosen = (first, last)[names.index(zone_of_it.name)]
            return LocalTime(first=chosen, last=chosen)
    return LocalTime(first=first, last=last)
