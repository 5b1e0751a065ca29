"""Options of ``nutgraf load`` that say how records are read."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import Any

from index.article import DATE_FIELDS
from index.dates import DateRules, date_rules
from index.errors import InputError
from index.formats import ReadOptions, check_id_from, check_mapping, defaults_of
from index.parsing import checked_encoding


def add_record_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how records are read."""
    add = parser.add_argument
    add(
        "--map",
        type=_pairs,
        action=_Mapping,
        default=(),
        metavar="NAME=FIELD,…",
        help="read the input's NAME, or path such as fields.body or authors[].name, as"
        " our FIELD; - as FIELD ignores it",
    )
    add(
        "--set",
        type=pair,
        action=_Defaults,
        default=[],
        metavar="FIELD=VALUE",
        help="value of our FIELD for records that have none; may be repeated",
    )
    add(
        "--id-from",
        type=_places,
        default=(),
        metavar="PLACE,…",
        help="id of a record without one: its url, a hash of it, or the value of a name"
        " in it; the first that there is (default: url)",
    )
    add(
        "--records",
        type=_path,
        default="",
        metavar="PATH",
        help="list in each JSON document that has the records (default: find it)",
    )
    add(
        "--tz",
        type=_tz,
        metavar="ZONE",
        help="time zone of dates that name none (default: NUTGRAF_TZ)",
    )
    add(
        "--zone",
        type=_zone,
        action="append",
        default=[],
        metavar="NAME=ZONE",
        help="meaning of a zone name in dates, such as IST=Asia/Kolkata; repeatable"
        " (besides NUTGRAF_ZONES)",
    )
    add(
        "--dates",
        choices=("dmy", "mdy"),
        help="order of day and month in dates such as 29/03/2024"
        " (default: NUTGRAF_DATES)",
    )
    add(
        "--encoding",
        type=_label,
        metavar="LABEL",
        help="charset of files without a byte order mark (default: utf-8)",
    )


def pair(text: str) -> tuple[str, str]:
    """A name and a value that are written as ``NAME=VALUE``."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"write NAME=VALUE, not {text!r}")
    return name, value


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(map(pair, text.split(",")))


class _Mapping(argparse.Action):
    """Collects pairs of a name and a field; each name once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        mapping: dict[str, str] = dict(getattr(namespace, self.dest))
        for name, target in values:
            if mapping.get(name, target) != target:
                raise argparse.ArgumentError(
                    self,
                    f"{name!r} is read as {mapping[name]} and {target}; choose one",
                )
            mapping[name] = target
        _checked(self, check_mapping, mapping)
        setattr(namespace, self.dest, mapping)


class _Defaults(argparse.Action):
    """Collects pairs of a field and its default value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        pairs = [*getattr(namespace, self.dest), values]
        # Dates are read by options that may follow; the load checks them.
        others = [each for each in pairs if each[0] not in DATE_FIELDS]
        _checked(self, partial(defaults_of, dates=DateRules()), others)
        setattr(namespace, self.dest, pairs)


def _checked(
    option: argparse.Action, check: Callable[[Any], object], value: object
) -> None:
    """Check an option's value.

    :raises ArgumentError: it is invalid.
    """
    try:
        check(value)
    except InputError as error:
        raise argparse.ArgumentError(option, str(error)) from error


def _places(text: str) -> tuple[str, ...]:
    places = tuple(place.strip() for place in text.split(",") if place.strip())
    try:
        check_id_from(places)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return places


def _tz(text: str) -> str:
    _check_dates(tz=text)
    return text


def _zone(text: str) -> str:
    _check_dates(zones=(text,))
    return text


def _check_dates(**rules: Any) -> None:
    try:
        date_rules(**rules)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _path(text: str) -> str:
    try:
        return ReadOptions(records=text).records
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _label(text: str) -> str:
    try:
        checked_encoding(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
