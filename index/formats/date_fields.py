"""Date fields: the written dates of a record, read as instants, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from index.article import DATE_FIELDS
from index.dates import (
    DateRules,
    Precision,
    WrittenDate,
    instant,
    is_instant,
    iso,
    read_date,
)
from index.errors import InvalidArticle
from index.formats.aliases import EMBARGO_NAMES
from index.formats.property_names import plain_name

# Who sees an article depends on these: they are never taken as unknown.
_RESTRICTIONS = ("embargoed_until", "expires")
# Names that say that a time is in UTC, as WordPress has them: date_gmt.
_UTC_SUFFIXES = ("gmt", "utc")
# Names of the one member of an object that stands for a date: MongoDB, Atom as JSON.
_INNER = frozenset(("$date", "$numberLong", "$t", "#text", "value"))
_SHOWN = 80  # characters of a value in a warning


@dataclass(frozen=True, slots=True)
class SentDates:
    """The values that a record has for one date field, the best first.

    :param values: each with the name it came under.
    """

    values: tuple[tuple[str, Any], ...]


def with_instants(
    document: Mapping[str, Any], rules: DateRules, warnings: list[str]
) -> dict[str, Any]:
    """A document with its dates in ISO 8601, in UTC.

    The first value of ``published`` or ``updated`` that is a date counts; the others
    are kept in ``extra``, under the names they came with. Of several embargoes the
    latest counts, of several expiries the earliest. A year, month or week stands
    for its beginning; ``extra`` keeps it, and what it is as ``published_precision``.

    :param document: under our field names; a date is a value or :class:`SentDates`.
    :param warnings: gets a sentence for each value that was ignored or completed.
    :raises InvalidArticle: an embargo or expiry is no date, or only a year, month or
        week.
    """
    read: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for field in DATE_FIELDS:
        sent = document.get(field)
        if sent is None or (isinstance(sent, str) and not sent.strip()):
            continue
        if not isinstance(sent, SentDates):
            sent = SentDates(((field, sent),))
        read[field] = None
        if field in _RESTRICTIONS:
            ends = [
                _restriction(field, name, value, rules, warnings)
                for name, value in sent.values
            ]
            strictest = max if field == "embargoed_until" else min
            read[field] = strictest(ends, key=instant)
            continue
        for name, value in sent.values:
            if read[field] is not None:
                extra[name] = value
            else:
                read[field] = _date(field, name, value, rules, warnings, extra)
    if not read:
        return dict(document)
    dated = {name: read.get(name, value) for name, value in document.items()}
    dated = {name: value for name, value in dated.items() if name not in read or value}
    if extra:
        before = document.get("extra")
        dated["extra"] = {**before, **extra} if isinstance(before, Mapping) else extra
    return dated


def check_embargo_names(extra: object, rules: DateRules) -> None:
    """Check that no property that we do not read holds an embargo.

    :raises InvalidArticle: a name speaks of an embargo, and its value is a date.
    """
    if not isinstance(extra, Mapping):
        return
    for name, value in extra.items():
        plain = plain_name(str(name))
        if "embargo" not in plain or plain in EMBARGO_NAMES:
            continue
        try:
            _read(name, value, rules)
        except ValueError:
            continue  # such as the reason of an embargo
        raise InvalidArticle(
            "embargoed_until",
            f"{name} is a date, and no name of an embargo that is read; load it with"
            f" --map {name}=embargoed_until, or {name}=- to ignore it",
        )


def are_instants(document: Mapping[str, Any]) -> bool:
    """Whether the dates of a document say their instant themselves, in RFC 3339."""
    return all(
        document.get(field) is None or is_instant(document[field])
        for field in DATE_FIELDS
    )


def _date(
    field: str,
    name: str,
    value: object,
    rules: DateRules,
    warnings: list[str],
    extra: dict[str, Any],
) -> str | None:
    """A date that may be unknown; ``None`` if the value is none."""
    try:
        date = _read(name, value, rules)
    except ValueError as error:
        warnings.append(f"{name}: {error}; kept in extra")
        extra[name] = value
        return None
    warnings += (f"{name}: {_quoted(value)} {warning}" for warning in date.warnings)
    if date.last != date.instant:
        warnings.append(
            f"{name}: {_quoted(value)} came twice, as the clock was set back;"
            f" taken as {iso(date.instant)}"
        )
    if date.precision not in (Precision.DAY, Precision.INSTANT):
        extra[name] = value
        extra[f"{field}_precision"] = date.precision.value
    return iso(date.instant)


def _restriction(
    field: str, name: str, value: object, rules: DateRules, warnings: list[str]
) -> str:
    """End of an embargo, or expiry.

    Of a time that came twice, the embargo ends at the later one and the article expires
    at the earlier one.
    """
    try:
        date = _read(name, value, rules)
    except ValueError as error:
        raise InvalidArticle(field, str(error)) from error
    if date.precision not in (Precision.DAY, Precision.INSTANT):
        raise InvalidArticle(
            field, f"{_quoted(value)} is a whole {date.precision}; give the instant"
        )
    warnings += (f"{field}: {_quoted(value)} {warning}" for warning in date.warnings)
    end = iso(date.last if field == "embargoed_until" else date.instant)
    if date.last != date.instant:
        warnings.append(
            f"{field}: {_quoted(value)} came twice, as the clock was set back; taken as"
            f" {end}"
        )
    if date.instant.year == 1:
        # The zero time of some programs, which mean that there is none.
        warnings.append(f"{field}: {_quoted(value)} is taken as an instant long past")
    elif date.precision is Precision.DAY:
        warnings.append(f"{field}: {_quoted(value)} has no time; taken as {end}")
    return end


def _read(name: str, value: object, rules: DateRules) -> WrittenDate:
    for _ in range(3):  # {"$date": {"$numberLong": "…"}}
        if isinstance(value, str):
            break  # as nearly all are
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        elif isinstance(value, Mapping) and len(value) == 1:
            ((inner, only),) = value.items()
            if inner not in _INNER:
                break
            value = only
    if name.lower().endswith(_UTC_SUFFIXES):
        rules = replace(rules, tz=UTC)
    return read_date(value, rules)


def _quoted(value: object) -> str:
    return repr(str(value)[:_SHOWN])
