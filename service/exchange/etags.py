"""ETags: a client that has the current answer gets 304 instead of a second copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Response, request

from index.archive import Tag


def conditional_response(tag: Tag, answer: Callable[[], Response]) -> Response:
    """Answer to a conditional GET: 304 if the client has it, else the answer itself.

    The tag is weak: two answers with one tag may differ in ``took_ms``. An answer that
    must not be stored gets no tag.
    """
    # Not for *, which fits any answer: only answer() notices a wrong request.
    sent = request.if_none_match.as_set(include_weak=True)
    known = next((text for text in sent if tag.fits(text)), None)
    response = answer() if known is None else Response(status=304)
    if not response.cache_control.no_store:
        response.set_etag(known or tag.text, weak=True)
    return response


def digest_of_request(arguments: dict[str, Any]) -> str:
    """Digest of a request, for the ETag of its answer."""
    return hashlib.sha256(f"{request.path} {arguments!r}".encode()).hexdigest()
