"""Articles in request bodies, in any format that is read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from flask import request

from index import formats
from index.article import Draft, draft_of
from index.errors import InputError, InvalidArticle, LimitExceeded
from index.formats import Read
from index.parsing import JSON_TYPES, MAX_LINE, json_elements, json_items
from service.context import context
from service.exchange.bodies import read_file, strict_json
from service.refusals import InvalidJson, TooManyArticles, UnsupportedMediaType

# What a media type says about the format; where it says nothing, the content does.
FORMAT_OF_TYPE: dict[str, str | None] = {
    media_type: each.name
    for each in formats.FORMATS.values()
    for media_type in each.media_types
} | {"": None, "application/octet-stream": None, "application/json": None}
ACCEPTED = tuple(sorted(filter(None, FORMAT_OF_TYPE), key="application/json".__ne__))
_LIST = "articles"  # the member that holds them, where a body is an object
# Members that an answer adds to an article. They are left out of one that has the first
# three: it was read here, and is sent back.
READ_ONLY = ("current", "seq", "at", "query", "headline_html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One record of a body.

    :param id: the article's, where it is known although the record may be none.
    :param draft: of the article; ``None`` if the record is none.
    """

    read: Read
    id: str | None = None
    draft: Draft | None = None


def submitted(
    format_name: str | None, article_id: str | None = None
) -> list[Submission]:
    """Return what the request's body holds, in order.

    :param format_name: as the caller says it; else the media type or the content says.
    :param article_id: the id in the address, for a body of one article, which may leave
        its own out.
    :raises InputError: the body as a whole cannot be read.
    """
    name = format_name or _format_of_type()
    body = read_file()
    if name is None and not request.is_json:
        name = formats.detect("", body)
    if name in (None, "ninjs") or (name == "jsonl" and article_id is not None):
        found = _of_json(body, name, article_id)
    else:
        charset = request.mimetype_params.get("charset")
        found = map(_submission, formats.read(name, body, encoding=charset))
    submissions = _counted(found)
    if article_id is None:
        return submissions
    if len(submissions) != 1:
        raise InvalidArticle(
            "id", f"this address takes one article, not {len(submissions):,}"
        )
    return [_with_id(submissions[0], article_id)]


def submitted_ninjs(item: dict[str, Any], body: bytes) -> Submission:
    """Return what one ninjs item is.

    :param body: that it was read from.
    """
    (found,) = _of_item(item, "ninjs", None, lambda: (body,), 0, len(body))
    return _sized(found, context().settings.article_bytes)


def _submission(read: Read) -> Submission:
    return Submission(read=read, id=None if read.article is None else read.article.id)


def _format_of_type() -> str | None:
    if request.mimetype not in FORMAT_OF_TYPE:
        raise UnsupportedMediaType(request.mimetype, accepted=ACCEPTED)
    return FORMAT_OF_TYPE[request.mimetype]


def _of_json(
    body: bytes, format_name: str | None, article_id: str | None
) -> Iterator[Submission]:
    value = strict_json(body)
    items, listed = value, json_elements
    if isinstance(value, dict):
        items, listed = value.get(_LIST), partial(json_items, name=_LIST)
        if not isinstance(items, list):
            yield from _of_item(
                value, format_name, article_id, lambda: (body,), 0, len(body)
            )
            return
    if not isinstance(items, list):
        raise InvalidJson("send an article, or a list of articles")
    # Found when the first is asked for: of most bodies none is.
    sent = cache(lambda: [each.encode() for each in listed(body.decode("utf-8-sig"))])
    for at, item in enumerate(items):
        if isinstance(item, dict):
            yield from _of_item(item, format_name, article_id, sent, at, len(body))
        else:
            error = InvalidArticle(
                "article", f"is {JSON_TYPES[type(item)]}; it must be an object"
            )
            yield Submission(read=Read(article=None, error=error))


def _of_item(
    item: dict[str, Any],
    format_name: str | None,
    article_id: str | None,
    sent: Callable[[], Sequence[bytes]],
    at: int,
    most: int,
) -> Iterator[Submission]:
    """Yield what an item is.

    :param sent: gives the bytes of each item, of which this is number ``at``.
    :param most: bytes that it has at the most.
    """
    if all(name in item for name in READ_ONLY[:3]):
        item = {name: value for name, value in item.items() if name not in READ_ONLY}
    name = format_name or formats.detect_object(item)
    ids = ("uri", "guid") if name == "ninjs" else ("id",)
    said = next((item[each] for each in ids if item.get(each)), None)
    if said is None and article_id is not None:
        item = {**item, ids[0]: article_id}
    known = said if isinstance(said, str) else None
    if most > MAX_LINE and (size := len(sent()[at])) > MAX_LINE:
        too_long = LimitExceeded("bytes of a line", limit=MAX_LINE, got=size)
        yield Submission(read=Read(article=None, error=too_long), id=known)
        return
    for read in formats.read_parsed(name, item, lambda: sent()[at].decode()):
        yield Submission(
            read=replace(read, line=None),  # it has none in a body
            id=known if read.article is None else read.article.id,
        )


def _counted(found: Iterable[Submission]) -> list[Submission]:
    settings = context().settings
    several = list(itertools.islice(found, settings.articles_per_request + 1))
    if len(several) > settings.articles_per_request:
        raise TooManyArticles(limit=settings.articles_per_request)
    return [_sized(each, settings.article_bytes) for each in several]


def _sized(submission: Submission, limit: int) -> Submission:
    read = submission.read
    if read.article is None:
        return submission
    try:
        draft = draft_of(read.article, read.original)
        if draft.size > limit:
            raise LimitExceeded(
                "article", limit=limit, got=draft.size, code="article_too_large"
            )
    except InputError as error:
        return replace(submission, read=replace(read, article=None, error=error))
    return replace(submission, draft=draft)


def _with_id(submission: Submission, article_id: str) -> Submission:
    read, draft = submission.read, submission.draft
    if draft is not None and draft.article.id != article_id:
        # A text that says no id gets one of this kind from its format.
        if draft.article.id.startswith("text:"):
            article = replace(draft.article, id=article_id)
            read = replace(read, article=article)
            draft = draft_of(article, draft.original)
        else:
            error = InvalidArticle(
                "id",
                f"is {draft.article.id!r} in the body but {article_id!r} in the"
                " address",
            )
            read, draft = replace(read, article=None, error=error), None
    return Submission(read=read, id=article_id, draft=draft)
