"""Addresses that answers carry: the next page, and facet values to tick or untick."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from index.result import Facet

# What says where in the list one is; it means nothing once the list is another.
_PLACE_IN_LIST = ("page", "cursor")


class Links:
    """The addresses around one search.

    :param path: of the search resource, ``/v1/search``.
    :param given: its parameters by name, as they were given; several values as a list.
    """

    def __init__(self, path: str, given: dict[str, Any]) -> None:
        self._path = path
        self._pairs = [
            (name, _written(value))
            for name, values in given.items()
            for value in (values if isinstance(values, list) else [values])
        ]

    def next(self, cursor: str) -> str:
        """Return the address of the next page."""
        return self._url([*self._without(*_PLACE_IN_LIST), ("cursor", cursor)])

    def toggle(self, facet: Facet, value: str) -> str:
        """Return the search narrowed to a facet's value, or widened if it was."""
        pairs = self._without(*_PLACE_IN_LIST)
        if facet.interval is not None:
            rest = [pair for pair in pairs if pair[0] not in ("from", "to", "date")]
            if self.active(facet, value):
                return self._url(rest)
            return self._url([*rest, *_bucket(facet, value)])
        if self.active(facet, value):
            folded = value.casefold()
            return self._url(
                [
                    (name, given)
                    for name, given in pairs
                    if not (name == facet.field and given.casefold() == folded)
                ]
            )
        return self._url([*pairs, (facet.field, value)])

    def active(self, facet: Facet, value: str) -> bool:
        """Return whether the search is narrowed to a facet's value."""
        if facet.interval is not None:
            given = dict(self._pairs)
            narrowed = {name: given.get(name) for name in ("from", "to")}
            narrowed["date"] = given.get("date", "published")
            return narrowed == dict(_bucket(facet, value))
        folded = value.casefold()
        return any(
            name == facet.field and given.casefold() == folded
            for name, given in self._pairs
        )

    def _without(self, *names: str) -> list[tuple[str, str]]:
        return [pair for pair in self._pairs if pair[0] not in names]

    def _url(self, pairs: list[tuple[str, str]]) -> str:
        if not pairs:
            return self._path
        return f"{self._path}?{urlencode(pairs, quote_via=quote)}"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _bucket(facet: Facet, value: str) -> list[tuple[str, str]]:
    # A bucket is named by its first local day; from and to take whole periods.
    first = last = value
    if facet.interval == "year":
        first = last = value[:4]
    elif facet.interval == "month":
        first = last = value[:7]
    elif facet.interval in ("decade", "century"):
        years = 10 if facet.interval == "decade" else 100
        start = int(value[:4]) // years * years
        # There is no year 0.
        first, last = f"{max(start, 1):04}", f"{start + years - 1:04}"
    elif facet.interval == "week":
        day = date.fromisoformat(value)
        monday = day - timedelta(days=day.weekday())
        first = monday.isoformat()
        last = (min(monday, date.max - timedelta(days=6)) + timedelta(6)).isoformat()
    return [("from", first), ("to", last), ("date", facet.field)]
