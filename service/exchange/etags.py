"""ETags: a client that has the current answer gets 304 instead of a second copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Response, request


def conditional_response(tag: str, answer: Callable[[], Response]) -> Response:
    """Answer to a conditional GET: 304 if the client has it, else the answer itself.

    The tag is weak: two answers with one tag may differ in ``took_ms``.
    """
    # Not for *, which fits any answer: only answer() notices a wrong request.
    known = request.if_none_match.is_weak(tag)
    response = Response(status=304) if known else answer()
    response.set_etag(tag, weak=True)
    return response


def digest_of_request(arguments: dict[str, Any]) -> str:
    """Digest of a request, for the ETag of its answer."""
    return hashlib.sha256(f"{request.path} {arguments!r}".encode()).hexdigest()
