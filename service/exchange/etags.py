"""ETags: a client that has the current answer gets 304 instead of a second copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Response, request

from index.archive import Tag
from index.history import Expected
from service.context import this_request

_DOT = "."  # between the state of an article and the rest of a tag, which has none


def conditional_response(
    tag: Tag, answer: Callable[[], Response], *, last_modified: datetime | None = None
) -> Response:
    """Answer to a conditional GET: 304 if the client has it, else the answer itself.

    The tag of an answer about one article is strong, and begins with the name of the
    article's state, which ``answer`` gives as the tag: two such answers with one tag
    are equal. Other tags are weak: two answers may differ in ``took_ms``. An answer
    that must not be stored gets no tag.

    :param last_modified: the last instant at which the answer may have changed; with
        it, a client without tags may ask by that date. ``None`` if no instant says so.
    """
    request = this_request()
    modified = None if last_modified is None else _whole_second(last_modified)
    # RFC 9110, 13.1.3: a tag takes precedence.
    if "HTTP_IF_NONE_MATCH" in request.environ:
        # Not for *, which fits any answer: only answer() notices a wrong request.
        sent = filter(None, request.if_none_match.as_set(include_weak=True))
        known = next(
            (each for each in sent if tag.fits(each.rpartition(_DOT)[2])), None
        )
        is_known = known is not None
    else:
        known = None
        is_known = modified is not None and request.if_modified_since == modified
    response = Response(status=304) if is_known else answer()
    if "Cache-Control" in response.headers and response.cache_control.no_store:
        response.headers.pop("ETag", None)
        return response
    if known is not None or not is_known:
        state, _ = response.get_etag()
        text = known or (tag.text if state is None else f"{state}{_DOT}{tag.text}")
        response.set_etag(text, weak=_DOT not in text)
    if modified is not None and modified <= tag.now:
        response.last_modified = modified
    return response


def expected_state() -> Expected | None:
    """States that ``If-Match`` expects an article to be in; ``None`` without it.

    Weak tags never match, and a header without a strong tag expects what never is.
    """
    if "If-Match" not in request.headers:
        return None
    sent = request.if_match
    if sent.star_tag:
        return Expected(None)
    # Of an empty tag Werkzeug makes None.
    texts = filter(None, sent.as_set())
    return Expected(frozenset(text.partition(_DOT)[0] for text in texts))


def digest_of_request(arguments: dict[str, Any]) -> str:
    """Digest of a request, for the ETag of its answer."""
    return hashlib.sha256(f"{request.path} {arguments!r}".encode()).hexdigest()


def _whole_second(instant: datetime) -> datetime:
    """The second that an instant is in, at its end: HTTP's dates have no fraction.

    Until it has passed the answer has no date, as it may change once more within it.
    """
    whole = instant.replace(microsecond=0)
    return whole if whole == instant else whole + timedelta(seconds=1)
