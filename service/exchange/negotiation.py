"""Negotiation: the media type that a client prefers, by RFC 9110, 12.5.1."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request
from werkzeug.datastructures import MIMEAccept

from service.refusals import NotAcceptable


def preferred(offered: Mapping[str, str]) -> str:
    """Format that ``Accept`` prefers of those offered, by their media types.

    The most specific range that fits a type gives its quality. Of types with the same
    quality, one that is named comes before one that only a wildcard fits, and then the
    first that is offered. Without a range in ``Accept`` the first is meant. Parameters
    of a range count only if a type is offered with them.

    :raises NotAcceptable: it accepts none of them.
    """
    sent = [pair for pair in request.accept_mimetypes if "/" in pair[0]]
    if not sent:
        return next(iter(offered.values()))
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
        raise NotAcceptable(
            request.headers.get("Accept", ""), offered=tuple(map(bare_type, offered))
        )
    equals = [each for each, quality in qualities.items() if quality == best]
    chosen = accepted.best_match(equals)
    return offered[chosen or equals[0]]


def bare_type(media_type: str) -> str:
    """A media type without its parameters."""
    return media_type.partition(";")[0].strip()


def _spelled(media_type: str) -> str:
    return media_type.replace(" ", "").lower()
