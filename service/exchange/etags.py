"""Tags of answers: a client that has the answer already is told so, unsearched."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, request


def not_modified(tag: str) -> Response | None:
    """Return the answer 304 if the client has what this tag stands for."""
    # Not for *: what is asked may be wrong, which is found out later.
    if not request.if_none_match.is_weak(tag):
        return None
    return set_etag(Response(status=304), tag)


def set_etag(response: Response, tag: str) -> Response:
    """Return a response with a tag: weak, since ``took_ms`` differs each time."""
    response.set_etag(tag, weak=True)
    return response


def digest_of_request(given: dict[str, Any]) -> str:
    """Digest of the request with these parameters, for the ETag of its answer."""
    return hashlib.sha256(f"{request.path} {given!r}".encode()).hexdigest()
