"""Articles in request bodies, in any format that is read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from flask import request

from index import formats
from index.errors import InvalidArticle, InvalidValue
from index.formats import Read
from service.bodies import read_body, strict_json
from service.context import context
from service.refusals import InvalidJson, TooManyArticles, UnsupportedMediaType

# What a media type says about the format; where it says nothing, the content does.
FORMAT_OF_TYPE = {
    "": None,
    "application/octet-stream": None,
    "application/json": "json",
    "application/ld+json": "json",
    "application/jsonl": "jsonl",
    "application/ndjson": "jsonl",
    "application/x-ndjson": "jsonl",
    "text/plain": "text",
    "text/markdown": "text",
}
# Members that answers add to an article: what was read is sent back without harm.
READ_ONLY = ("current", "seq", "at", "query", "headline_html")


def submitted(format_name: str | None, article_id: str | None = None) -> list[Read]:
    """Return what the request's body holds, an article or an error each, in order.

    :param format_name: as the caller says it; else the media type or the content says.
    :param article_id: the id in the address, for a body of one article, which may leave
        its own out.
    :raises InputError: the body as a whole cannot be read.
    """
    if format_name is not None and format_name not in formats.FORMATS:
        raise InvalidValue(
            "format", f"must be one of {', '.join(formats.FORMATS)}", got=format_name
        )
    said = format_name or _format_of_type()
    body = read_body()
    if said == "json" or (said is None and body.lstrip()[:1] in (b"{", b"[")):
        found = _of_json(strict_json(body), article_id)
    else:
        name = said or formats.detect("", body[:2048])
        found = formats.read(name, body)
    reads = _counted(found)
    if article_id is None:
        return reads
    if len(reads) != 1:
        raise InvalidArticle(
            "id", f"this address takes one article, not {len(reads):,}"
        )
    return [_with_id(reads[0], article_id)]


def _format_of_type() -> str | None:
    if request.mimetype not in FORMAT_OF_TYPE:
        raise UnsupportedMediaType(
            request.mimetype, accepted=tuple(filter(None, FORMAT_OF_TYPE))
        )
    return FORMAT_OF_TYPE[request.mimetype]


def _of_json(value: Any, article_id: str | None) -> Iterator[Read]:
    items = value
    if isinstance(value, dict):
        listed = value.get("articles")
        items = listed if isinstance(listed, list) else [value]
    if not isinstance(items, list):
        raise InvalidJson("send an article, or a list of articles")
    for item in items:
        yield from _of_item(item, article_id)


def _of_item(item: Any, article_id: str | None) -> Iterable[Read]:
    if not isinstance(item, dict):
        return [Read(article=None, error=InvalidArticle("article", "is no object"))]
    own = {name: value for name, value in item.items() if name not in READ_ONLY}
    data = json.dumps(own).encode()
    name = "ninjs" if formats.detect("", data[:2048]) == "ninjs" else "jsonl"
    if article_id is not None:
        given = ("uri", "guid") if name == "ninjs" else ("id",)
        if not any(own.get(each) for each in given):
            data = json.dumps({**own, given[0]: article_id}).encode()
    return formats.read(name, data)


def _counted(found: Iterable[Read]) -> list[Read]:
    limit = context().settings.articles_per_request
    reads = list(itertools.islice(found, limit + 1))
    if len(reads) > limit:
        raise TooManyArticles(limit=limit)
    return reads


def _with_id(read: Read, article_id: str) -> Read:
    if read.article is None or read.article.id == article_id:
        return read
    # A text that says no id gets one of this kind from its format.
    if read.article.id.startswith("text:"):
        return replace(read, article=replace(read.article, id=article_id))
    error = InvalidArticle(
        "id", f"is {read.article.id!r} in the body, {article_id!r} in the address"
    )
    return replace(read, article=None, error=error)
