"""Blank fields: a form sends them, and they mean nothing in an address."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus

from flask import Response, request

from service.pages.search import SearchPageArguments

_NAMES = frozenset(SearchPageArguments().fields)
_KEPT = "%!$'()*+,;:@/?=~"  # of an address as it was sent


def drop_blanks() -> Response | None:
    """Lead a form that was sent with empty fields to the search without them."""
    if request.endpoint != "pages.search":
        return None
    sent = request.query_string.split(b"&")
    kept = [part for part in sent if not _is_blank(part)]
    if len(kept) == len(sent):
        return None
    query = "&".join(quote(part, safe=_KEPT) for part in kept)
    path = f"{request.script_root}/"
    return Response(
        status=303, headers={"Location": f"{path}?{query}" if query else path}
    )


def _is_blank(part: bytes) -> bool:
    name, equals, value = part.partition(b"=")
    return bool(equals) and not value and unquote_plus(name.decode("latin-1")) in _NAMES
