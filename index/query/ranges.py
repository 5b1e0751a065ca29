"""Ranges: the typed values of number and date fields, and what they stand for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from index import dates
from index.article import FIELD_BY_NAME, Kind
from index.errors import InvalidValue
from index.query.nodes import Range

_BRACKETS = re.compile(r"([\[{])(\S+) TO (\S+)([\]}])")
_COMPARISON = re.compile(r"(<=|>=|<|>|=)?\s*(.*)", re.DOTALL)
_INTEGER = re.compile(r"[-+]?\d{1,9}")


def read(field: str, text: str, *, tz: tzinfo, now: datetime, position: int) -> Range:
    """Range that a typed value stands for.

    ``3``, ``<=3``, ``[1 TO 3]``, ``{1 TO *]`` (a curly bracket excludes its bound),
    ``*`` for any value. A date stands for its whole local period, so ``>2016-09``
    starts in October.

    :param field: of kind integer or date.
    :param position: of the value in ``q``, for the error.
    :raises InvalidValue: it is not a value of the field, or it starts after its end.
    """

    spans: list[tuple[int, int]] = []

    def span(value: str) -> tuple[int, int]:
        try:
            spans.append(_span(field, value, tz, now))
        except ValueError as error:
            raise InvalidValue(
                "q", f"{field}: {error}", got=value, position=position
            ) from error
        return spans[-1]

    low: int | None = None
    high: int | None = None
    if match := _BRACKETS.fullmatch(text):
        opened, start, end, closed = match.groups()
        if start != "*":
            low = span(start)[0] if opened == "[" else span(start)[1] + 1
        if end != "*":
            high = span(end)[1] if closed == "]" else span(end)[0] - 1
    else:
        comparison = _COMPARISON.fullmatch(text)
        assert comparison is not None  # it matches any text
        operator, value = comparison.groups()
        if value != "*" or operator not in (None, "="):
            first, last = span(value)
            low = {">": last + 1, ">=": first, "=": first, None: first}.get(operator)
            high = {"<": first - 1, "<=": last, "=": last, None: last}.get(operator)
    if low is not None and high is not None and low > high:
        # A day that the zone left out is an empty range.
        if any(first > last for first, last in spans) and spans == sorted(spans):
            return Range(field, low, high, text=text)
        raise InvalidValue(
            "q",
            f"{field}: the range starts after its end",
            got=text,
            position=position,
        )
    try:
        return Range(field, low, high, text=_text(field, low, high, tz, now))
    except (OverflowError, ValueError) as error:
        raise InvalidValue(
            "q",
            f"{field}: outside the years 1 to 9999",
            got=text,
            position=position,
        ) from error


def _span(field: str, value: str, tz: tzinfo, now: datetime) -> tuple[int, int]:
    """First and last number that a value stands for."""
    if FIELD_BY_NAME[field].kind is Kind.INTEGER:
        if not _INTEGER.fullmatch(value):
            raise ValueError("write a whole number, such as 3, <=3 or [1 TO 3]")
        return int(value), int(value)
    start, after = dates.period(value, tz=tz, now=now)
    return dates.micros(start), dates.micros(after) - 1


def _text(
    field: str, low: int | None, high: int | None, tz: tzinfo, now: datetime
) -> str:
    """Shortest text that :func:`read` turns into this range."""
    start = "*" if low is None else _bound(field, low, 0, tz, now)
    end = "*" if high is None else _bound(field, high, 1, tz, now)
    if start == end:
        return start
    if end == "*":
        return f">={start}"
    if start == "*":
        return f"<={end}"
    return f"[{start} TO {end}]"


def _bound(field: str, value: int, side: int, tz: tzinfo, now: datetime) -> str:
    """A bound as text: a number, a local day if it is the edge of one, or an instant.

    :param side: 0 for a lower bound, 1 for an upper one.
    """
    if FIELD_BY_NAME[field].kind is Kind.INTEGER:
        return str(value)
    instant = dates.from_micros(value)
    try:
        day = instant.astimezone(tz).date().isoformat()
    except OverflowError:  # within the first or last hours of datetime's range
        day = instant.astimezone(UTC).date().isoformat()
    if _span(field, day, tz, now)[side] == value:
        return day
    return dates.iso(instant)
