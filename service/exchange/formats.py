"""Formats of searches: what each is called in addresses, and its media type."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from urllib.parse import parse_qsl

from service.context import this_request
from service.exchange.negotiation import preferred
from service.refusals import NotAcceptable

FORMAT = "format"  # name of the parameter, in the path and in the query


class SearchFormat(StrEnum):
    """Format of the answer to a search, as ``?format=`` and extensions name it."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    ATOM = "atom"
    RSS = "rss"
    JSON_FEED = "jsonfeed"


_ALL = tuple(SearchFormat)
MEDIA_TYPES = {
    SearchFormat.JSON: "application/json",
    SearchFormat.NDJSON: "application/x-ndjson",
    SearchFormat.CSV: "text/csv",
    SearchFormat.ATOM: "application/atom+xml",
    SearchFormat.RSS: "application/rss+xml",
    SearchFormat.JSON_FEED: "application/feed+json",
}
# All hits, streamed.
EXPORTS = frozenset((SearchFormat.NDJSON, SearchFormat.CSV))
# Subscribed to by feed readers.
FEEDS = frozenset((SearchFormat.ATOM, SearchFormat.RSS, SearchFormat.JSON_FEED))


def accepted_format(offered: tuple[SearchFormat, ...]) -> SearchFormat:
    """Format that ``Accept`` prefers of those offered, the first by default.

    :raises NotAcceptable: it accepts none of them.
    """
    return SearchFormat(preferred(_by_type(offered)))


@cache
def _by_type(offered: tuple[SearchFormat, ...]) -> Mapping[str, SearchFormat]:
    return {MEDIA_TYPES[name]: name for name in offered}


def asks_for_feed() -> bool:
    """Whether a request to a search asks for a feed.

    An extension counts, else the parameter, else what ``Accept`` prefers.
    """
    request = this_request()
    if request.method not in ("GET", "HEAD"):
        return False
    named = (request.view_args or {}).get(FORMAT)
    if named is not None:
        return named in FEEDS
    sent = request.environ.get("QUERY_STRING", "")
    # Parsing takes a while, and nearly all searches name no format. A name may be
    # percent-encoded.
    if FORMAT not in sent and "%" not in sent:
        return _accepts_feed()
    # Bytes that are no text are refused later, with the parameter that has them.
    pairs = parse_qsl(sent, keep_blank_values=True, encoding="latin-1")
    values = [value for name, value in pairs if name == FORMAT]
    if not values:
        return _accepts_feed()
    return len(values) == 1 and values[0] in FEEDS


def _accepts_feed() -> bool:
    """Whether ``Accept`` prefers a feed to the other formats of a search."""
    try:
        return accepted_format(_ALL) in FEEDS
    except NotAcceptable:
        return False
