"""Lines of hits: JSON objects, one a line (NDJSON), and one that says how they end."""

from __future__ import annotations

import json
from collections.abc import Iterable

import orjson

from index.archive import ArticleHit
from index.query import Unit
from index.rendering.json import Document, article_hit, paragraph_hit


def hit_lines(hits: Iterable[ArticleHit], unit: Unit) -> bytes:
    """Hits as lines, each as in the JSON answer."""
    document = article_hit if unit is Unit.ARTICLE else paragraph_hit
    return b"".join([_line(document(hit)) for hit in hits])


def end_line(hits: int, problem: Document | None = None) -> bytes:
    """The last line: lines without it were cut off on their way.

    :param hits: the lines before it.
    :param problem: why there are no more, if there should be.
    """
    end: Document = {"complete": problem is None, "hits": hits}
    if problem is not None:
        end["error"] = problem
    return _line({"end": end})


def _line(document: Document) -> bytes:
    try:
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # An article's extra may hold integers beyond 64 bits.
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"
