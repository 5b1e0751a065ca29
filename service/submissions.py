"""Articles in request bodies, in any format that is read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from flask import request

from index import formats
from index.document import content
from index.errors import InputError, InvalidArticle, InvalidValue, LimitExceeded
from index.formats import Read
from service.bodies import read_body, strict_json
from service.context import context
from service.refusals import InvalidJson, TooManyArticles, UnsupportedMediaType

# What a media type says about the format; where it says nothing, the content does.
FORMAT_OF_TYPE: dict[str, str | None] = {
    media_type: each.name
    for each in formats.FORMATS.values()
    for media_type in each.media_types
} | {"": None, "application/octet-stream": None, "application/json": None}
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
    name = format_name or _format_of_type()
    body = read_body()
    if name is None and not request.is_json:
        name = formats.detect("", body)
    if name in (None, "ninjs") or (name == "jsonl" and article_id is not None):
        found = _of_json(strict_json(body), name, article_id)
    else:
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


def _of_json(
    value: Any, format_name: str | None, article_id: str | None
) -> Iterator[Read]:
    items = value
    if isinstance(value, dict):
        listed = value.get("articles")
        items = listed if isinstance(listed, list) else [value]
    if not isinstance(items, list):
        raise InvalidJson("send an article, or a list of articles")
    for item in items:
        yield from _of_item(item, format_name, article_id)


def _of_item(
    item: Any, format_name: str | None, article_id: str | None
) -> Iterable[Read]:
    if not isinstance(item, dict):
        return [Read(article=None, error=InvalidArticle("article", "is no object"))]
    own = {name: value for name, value in item.items() if name not in READ_ONLY}
    data = json.dumps(own).encode()
    name = format_name or formats.detect("", data)
    if article_id is not None:
        ids = ("uri", "guid") if name == "ninjs" else ("id",)
        if not any(own.get(each) for each in ids):
            data = json.dumps({**own, ids[0]: article_id}).encode()
    # It is a line of its own here only.
    return (replace(read, line=None) for read in formats.read(name, data))


def _counted(found: Iterable[Read]) -> list[Read]:
    settings = context().settings
    reads = list(itertools.islice(found, settings.articles_per_request + 1))
    if len(reads) > settings.articles_per_request:
        raise TooManyArticles(limit=settings.articles_per_request)
    return [_sized(read, settings.article_bytes) for read in reads]


def _sized(read: Read, limit: int) -> Read:
    if read.article is None:
        return read
    try:
        size = len(content(read.article).encode())
        if size > limit:
            raise LimitExceeded(
                "article", limit=limit, got=size, code="article_too_large"
            )
    except InputError as error:
        return replace(read, article=None, error=error, label=read.article.id)
    return read


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
