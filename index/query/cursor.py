"""Cursors: where a page ended, as opaque text that belongs to one search."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math

from index.errors import CursorMismatch, InvalidValue
from index.query.search import SortKey


def search_digest(*bound: object) -> str:
    """Return a short hash of everything that a cursor is bound to."""
    return hashlib.blake2b(repr(bound).encode(), digest_size=9).hexdigest()


def encode_cursor(key: SortKey, bound: str) -> str:
    """Return a cursor that goes on after a hit.

    :param bound: the :func:`search_digest` of the search.
    """
    parts = [bound, key.score, key.date, key.id, key.n]
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, bound: str) -> SortKey:
    """Return the place that a cursor stands for.

    :raises InvalidValue: it is no cursor of ours.
    :raises CursorMismatch: it is another search's.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        theirs, score, date, article_id, n = json.loads(raw)
        well_formed = (
            isinstance(theirs, str)
            and isinstance(score, float)
            and math.isfinite(score)
            and _whole_or_none(date)
            and isinstance(article_id, str)
            and article_id.isprintable()  # as ids are; half a pair of code units is not
            and _whole_or_none(n)
        )
    except (binascii.Error, ValueError, TypeError, RecursionError):
        well_formed = False
    if not well_formed:
        raise InvalidValue(
            "cursor",
            "is not a cursor of this service; send next as you got it",
            got=cursor,
            code="invalid_cursor",
        )
    if theirs != bound:
        raise CursorMismatch
    return SortKey(score=score, date=date, id=article_id, n=n)


def _whole_or_none(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
