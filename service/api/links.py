"""Links in answers: the next page, and facet values to tick or untick."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cached_property, lru_cache, partial
from typing import Any
from urllib.parse import quote

from index.archive import Answer, Facet
from index.memo import Memo
from index.query import Request, filter_key
from index.rendering import answer_document, facet_document

# Positions in the list of hits; they mean nothing for another list.
_POSITION = ("page", "cursor")
_PERIOD = ("from", "to", "date")
QUOTED_BYTES = 512 * 1024  # of escaped names and values that a process keeps


class Links:
    """Links to searches that differ from one search in one parameter.

    An answer has hundreds of them, so each parameter is escaped only once.

    :param path: path of the search resource, ``/v1/search``.
    :param arguments: parameters of the search by name; repeated ones as a list.
    """

    def __init__(self, path: str, arguments: dict[str, Any]) -> None:
        self._path = path
        self._pairs = [
            (name, text, _pair(name, text))
            for name, values in arguments.items()
            if name not in _POSITION
            for value in (values if isinstance(values, list) else [values])
            for text in (_text_of(value),)
        ]
        # Start of the links with one parameter more.
        self._all = [pair for _, _, pair in self._pairs]
        self._start = self._url([*self._all, ""])
        self._names = {name for name, _, _ in self._pairs}
        self._filters = {filter_key(name, text) for name, text, _ in self._pairs}
        period = {name: text for name, text, _ in self._pairs if name in _PERIOD}
        self._period = (
            period.get("from"),
            period.get("to"),
            period.get("date", "published"),
        )

    def next(self, cursor: str) -> str:
        """Link to the next page."""
        return self._start + _pair("cursor", cursor)

    def here(self, cursor: str | None) -> str:
        """Link to the page after a cursor; to the first one without it."""
        return self._url(self._all) if cursor is None else self.next(cursor)

    def toggle(self, facet: Facet, value: str, *, active: bool) -> str:
        """Link that filters by a facet's value, or drops that filter if it is set.

        :param active: whether it is set.
        """
        if facet.interval is not None:
            if active:
                return self._url(self._timeless)
            first, last = bucket_period(facet.interval, value)
            return f"{self._timeless_start}from={first}&to={last}&date={facet.field}"
        if active:
            ticked = filter_key(facet.field, value)
            return self._url(
                pair
                for name, text, pair in self._pairs
                if filter_key(name, text) != ticked
            )
        return f"{self._start}{_QUOTED[facet.field]}={_QUOTED[value]}"

    def active(self, facet: Facet, value: str) -> bool:
        """Whether the search is filtered by a facet's value."""
        if facet.interval is None:
            return (
                facet.field in self._names
                and filter_key(facet.field, value) in self._filters
            )
        if None in self._period:
            return False
        return self._period == (*bucket_period(facet.interval, value), facet.field)

    @cached_property
    def _timeless(self) -> list[str]:
        """The parameters but those of the period."""
        return [pair for name, _, pair in self._pairs if name not in _PERIOD]

    @cached_property
    def _timeless_start(self) -> str:
        return self._url([*self._timeless, ""])

    def _url(self, pairs: Iterable[str]) -> str:
        parameters = list(pairs)
        return f"{self._path}?{'&'.join(parameters)}" if parameters else self._path


def search_document(
    answer: Answer, search_request: Request, links: Links
) -> dict[str, Any]:
    """JSON document of the answer to a search."""
    document = answer_document(answer, search_request)
    for facet, counts in zip(answer.facets, document["facets"].values(), strict=True):
        _link(facet, counts, links)
    document["next_url"] = None if answer.next is None else links.next(answer.next)
    return document


def linked_facet(facet: Facet, links: Links) -> dict[str, Any]:
    """JSON document of a facet, each value with the link that ticks or unticks it."""
    document = facet_document(facet)
    _link(facet, document, links)
    return document


def _link(facet: Facet, document: dict[str, Any], links: Links) -> None:
    for row in document["values"]:
        row["active"] = active = links.active(facet, row["value"])
        row["url"] = links.toggle(facet, row["value"], active=active)


def _pair(name: str, text: str) -> str:
    return f"{_QUOTED[name]}={_QUOTED[text]}"


def _quoted(text: str) -> str:
    return _QUOTED[text]


# Names and values come again in the links of each answer. A text takes four bytes a
# character at most, and an object with it 80.
_QUOTED: Memo[str, str] = Memo(
    partial(quote, safe=""),
    lambda text, quoted: 160 + 4 * len(text) + len(quoted),
    limit=QUOTED_BYTES,
)


def _text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


@lru_cache(maxsize=4096)
def bucket_period(interval: str, value: str) -> tuple[str, str]:
    """Values of ``from`` and ``to`` for a bucket: the shortest that cover it.

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
