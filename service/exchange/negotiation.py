"""Negotiation: the media type that a client prefers, by RFC 9110, 12.5.1."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from index.memo import Memo
from service.context import this_request
from service.refusals import NotAcceptable

_CHOICES_BYTES = 256 * 1024
_OFFER_BYTES = 1_000  # of a key and its media types, at most
_LONGEST = 1_000  # characters of a header that is kept


def preferred(offered: Mapping[str, str]) -> str:
    """Format that ``Accept`` prefers of those offered, by their media types.

    The most specific range that fits a type gives its quality. Of types with the same
    quality, one that is named comes before one that only a wildcard fits, and then the
    first that is offered. Without a range in ``Accept`` the first is meant. Parameters
    of a range count only if a type is offered with them.

    :raises NotAcceptable: it accepts none of them.
    """
    accept = this_request().environ.get("HTTP_ACCEPT", "")
    chosen = _CHOICES[accept, tuple(offered)]
    if chosen is None:
        raise NotAcceptable(accept, offered=tuple(map(bare_type, offered)))
    return offered[chosen]


def _choice(of: tuple[str, tuple[str, ...]]) -> str | None:
    """Media type that a header prefers of those offered, ``None`` if it accepts none.

    :param of: the header, and the media types that are offered.
    """
    accept, offered = of
    sent = [pair for pair in parse_accept_header(accept, MIMEAccept) if "/" in pair[0]]
    if not sent:
        return offered[0]
    types = {_spelled(each): each for each in offered}
    accepted = MIMEAccept(
        [
            (types.get(_spelled(each), bare_type(each)), quality)
            for each, quality in sent
        ]
    )
    qualities = {media_type: accepted.quality(media_type) for media_type in offered}
    best = max(qualities.values())
    if best <= 0:
        return None
    equals = [each for each, quality in qualities.items() if quality == best]
    return accepted.best_match(equals) or equals[0]


# Nearly all requests have one of a few headers.
_CHOICES = Memo(
    _choice,
    lambda of, _: 2 * len(of[0]) + _OFFER_BYTES if len(of[0]) < _LONGEST else None,
    limit=_CHOICES_BYTES,
)


def add_vary(response: Response, *names: str) -> None:
    """Name request headers that an answer depends on, in ``Vary``.

    Werkzeug parses the header for each name, and writes it again.
    """
    named = response.headers.get("Vary")
    if named is not None:
        present = named.lower().split(", ")
        names = (named, *(name for name in names if name.lower() not in present))
    response.headers["Vary"] = ", ".join(names)


def bare_type(media_type: str) -> str:
    """A media type without its parameters."""
    return media_type.partition(";")[0].strip()


def _spelled(media_type: str) -> str:
    return media_type.replace(" ", "").lower()
