"""Chips: the filters of a search, each with the link that removes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index.article import FILTERABLE
from service.pages.address import Address


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in effect.

    :param value: what is selected or excluded; blank if the filter says it all.
    :param excluded: whether the filter is a NOT.
    :param remove: the search without it.
    :param turn: the search with it turned into its opposite; blank if there is none.
    """

    name: str
    value: str
    excluded: bool
    remove: str
    turn: str = ""


def chips_of(address: Address) -> tuple[Chip, ...]:
    """Chips of a search, in the order of the address."""
    return tuple(_chips(address))


def name_of(field: str) -> str:
    """Name of a field, as a heading."""
    return field.capitalize()


def _chips(address: Address) -> Iterator[Chip]:
    for name, value in address.pairs:
        prefix, _, field = name.rpartition(".")
        if field not in FILTERABLE:
            continue
        if prefix == "missing":
            if value == "1":
                yield Chip(name_of(field), "none", False, str(address.without(name)))
            continue
        excluded = prefix == "exclude"
        turned = (
            address.adding(field, value)
            if excluded
            else address.excluding(field, value)
        )
        yield Chip(
            name_of(field),
            value,
            excluded,
            str(address.removing(field, value)),
            str(turned),
        )
    since, until = address.value("from"), address.value("to")
    if since or until:
        yield Chip(
            name_of(address.value("date", "published")),
            _period(since, until),
            False,
            str(address.dated(None, None, "published")),
        )
    if (place := address.value("in", "text")) != "text":
        yield Chip("Words in", place, False, str(address.without("in")))


def _period(since: str, until: str) -> str:
    if since == until:
        return since
    if not until:
        return f"from {since}"
    return f"{since} – {until}" if since else f"until {until}"
