"""Cursors: the end of a page, as opaque text that is valid for one search."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math

from index.errors import CursorMismatch, InvalidValue
from index.query.search import SortKey


def search_digest(*bound: object) -> str:
    """Short hash of everything that a cursor is bound to."""
    return hashlib.blake2b(repr(bound).encode(), digest_size=9).hexdigest()


def encode_cursor(key: SortKey, bound: str) -> str:
    """Cursor of the hits that follow one with this sort key.

    :param bound: the :func:`search_digest` of the search.
    """
    parts = [bound, key.score, key.date, key.id, key.n]
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, bound: str) -> SortKey:
    """Sort key of the hit that a cursor continues after.

    :raises InvalidValue: it is not a cursor of this service.
    :raises CursorMismatch: it belongs to another search.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        digest, score, date, article_id, n = json.loads(raw)
        well_formed = (
            isinstance(digest, str)
            and isinstance(score, float)
            and math.isfinite(score)
            and _whole_or_none(date)
            and isinstance(article_id, str)
            and article_id.isprintable()  # as ids are; a lone surrogate is not
            and _whole_or_none(n)
        )
    except (binascii.Error, ValueError, TypeError, RecursionError):
        well_formed = False
    if not well_formed:
        raise InvalidValue(
            "cursor",
            "is not a cursor of this service; send next as you received it",
            got=cursor,
            code="invalid_cursor",
        )
    if digest != bound:
        raise CursorMismatch
    return SortKey(score=score, date=date, id=article_id, n=n)


def _whole_or_none(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
