"""Addresses that answers carry: the next page, and facet values to tick or untick."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from index.archive import Answer, Facet
from index.query import Request
from index.rendering import answer_document, facet_document

# What says where in the list one is; it means nothing once the list is another.
_PLACE_IN_LIST = ("page", "cursor")
_PERIOD = ("from", "to", "date")


class Links:
    """The addresses around one search.

    An answer has hundreds of them, which differ in one parameter: each parameter is
    written once.

    :param path: of the search resource, ``/v1/search``.
    :param given: its parameters by name, as they were given; several values as a list.
    """

    def __init__(self, path: str, given: dict[str, Any]) -> None:
        self._path = path
        self._pairs = [
            (name, text, _pair(name, text))
            for name, values in given.items()
            if name not in _PLACE_IN_LIST
            for value in (values if isinstance(values, list) else [values])
            for text in (_written(value),)
        ]
        # What the addresses start with that have one parameter more.
        self._start = self._url([*(pair for _, _, pair in self._pairs), ""])
        timeless = [pair for name, _, pair in self._pairs if name not in _PERIOD]
        self._timeless, self._timeless_start = (
            self._url(timeless),
            self._url([*timeless, ""]),
        )
        self._narrowed = {(name, text.casefold()) for name, text, _ in self._pairs}
        period = {name: text for name, text, _ in self._pairs if name in _PERIOD}
        self._period = (
            period.get("from"),
            period.get("to"),
            period.get("date", "published"),
        )

    def next(self, cursor: str) -> str:
        """Return the address of the next page."""
        return self._start + _pair("cursor", cursor)

    def toggle(self, facet: Facet, value: str) -> str:
        """Return the search narrowed to a facet's value, or widened if it was."""
        active = self.active(facet, value)
        if facet.interval is not None:
            if active:
                return self._timeless
            first, last = _period(facet.interval, value)
            return f"{self._timeless_start}from={first}&to={last}&date={facet.field}"
        if active:
            widened = facet.field, value.casefold()
            return self._url(
                pair
                for name, text, pair in self._pairs
                if (name, text.casefold()) != widened
            )
        return self._start + _pair(facet.field, value)

    def active(self, facet: Facet, value: str) -> bool:
        """Return whether the search is narrowed to a facet's value."""
        if facet.interval is None:
            return (facet.field, value.casefold()) in self._narrowed
        if None in self._period:
            return False
        return self._period == (*_period(facet.interval, value), facet.field)

    def _url(self, pairs: Iterable[str]) -> str:
        given = list(pairs)
        return f"{self._path}?{'&'.join(given)}" if given else self._path


def search_document(answer: Answer, asked: Request, links: Links) -> dict[str, Any]:
    """Return the answer to a search."""
    document = answer_document(answer, asked)
    for facet, counted in zip(answer.facets, document["facets"].values(), strict=True):
        _link(facet, counted, links)
    document["next_url"] = None if answer.next is None else links.next(answer.next)
    return document


def linked_facet(facet: Facet, links: Links) -> dict[str, Any]:
    """Return a facet, each value with the address that ticks or unticks it."""
    document = facet_document(facet)
    _link(facet, document, links)
    return document


def _link(facet: Facet, document: dict[str, Any], links: Links) -> None:
    for each in document["values"]:
        each["active"] = links.active(facet, each["value"])
        each["url"] = links.toggle(facet, each["value"])


def _pair(name: str, text: str) -> str:
    return f"{_quoted(name)}={_quoted(text)}"


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return quote(text, safe="")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


@lru_cache(maxsize=4096)
def _period(interval: str, value: str) -> tuple[str, str]:
    """Return from and to of a bucket, which take whole periods.

    :param value: the bucket's name, its first local day.
    """
    first = last = value
    if interval == "year":
        first = last = value[:4]
    elif interval == "month":
        first = last = value[:7]
    elif interval in ("decade", "century"):
        years = 10 if interval == "decade" else 100
        start = int(value[:4]) // years * years
        # There is no year 0.
        first, last = f"{max(start, 1):04}", f"{start + years - 1:04}"
    elif interval == "week":
        day = date.fromisoformat(value)
        monday = day - timedelta(days=day.weekday())
        first = monday.isoformat()
        last = (min(monday, date.max - timedelta(days=6)) + timedelta(6)).isoformat()
    return first, last
