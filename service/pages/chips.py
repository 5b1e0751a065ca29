"""Chips: the filters of a search, each with the link that removes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index.article import FILTERABLE
from service.pages.address import Address
from service.pages.names import field_name, period_name, value_name


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


def _chips(address: Address) -> Iterator[Chip]:
    for name, value in address.pairs:
        prefix, _, field = name.rpartition(".")
        if field not in FILTERABLE:
            continue
        if prefix == "missing":
            if value == "1":
                label = field_name(field).one
                yield Chip(label, "none", False, str(address.without(name)))
            continue
        excluded = prefix == "exclude"
        turned = (
            address.adding(field, value)
            if excluded
            else address.excluding(field, value)
        )
        yield Chip(
            field_name(field).one,
            value_name(field, value),
            excluded,
            str(address.removing(field, value)),
            str(turned),
        )
    since, until = address.value("from"), address.value("to")
    if since or until:
        yield Chip(
            field_name(address.value("date", "published")).one,
            period_name(since, until),
            False,
            str(address.dated(None, None, "published")),
        )
    if (place := address.value("in", "text")) != "text":
        yield Chip("Words in", place, False, str(address.without("in")))
