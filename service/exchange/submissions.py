"""Submissions: the articles in a request's body, in any format that is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from flask import request

from index import formats
from index.article import Draft, draft_of
from index.errors import InputError, InvalidArticle, LimitExceeded
from index.formats import Item, Read, ReadOptions, items_of
from index.parsing import EACH, JSON_TYPES, MAX_LINE, json_texts
from service.context import context
from service.exchange.bodies import read_file, strict_json
from service.refusals import InvalidJson, TooManyArticles, UnsupportedMediaType

_XML_TYPES = ("application/xml", "text/xml")
# Format of each media type; None if the content has to decide.
FORMAT_OF_TYPE: dict[str, str | None] = {
    media_type: known.name
    for known in formats.FORMATS.values()
    for media_type in known.media_types
} | dict.fromkeys(("", "application/octet-stream", "application/json", *_XML_TYPES))
ACCEPTED = tuple(sorted(filter(None, FORMAT_OF_TYPE), key="application/json".__ne__))
# Members that an answer adds to an article. If a body has the first three, the article
# was read from here and is sent back: all five are dropped.
READ_ONLY = ("current", "seq", "at", "query", "headline_html")

# Limits of all articles of a request together: paragraphs, and bytes as JSON for each
# byte that a body may have.
PARAGRAPHS_PER_REQUEST = 300_000
_DRAFTS_PER_BODY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One record of a body.

    :param id: the article's id, if it is known; also of a record that has an error.
    :param draft: the article, ready to store; ``None`` if the record has an error.
    """

    read: Read
    id: str | None = None
    draft: Draft | None = None


def read_submissions(
    format_name: str | None, article_id: str | None = None
) -> list[Submission]:
    """Records in the request's body, in order.

    :param format_name: the format; by default the media type or the content decides.
    :param article_id: the id in the address; the body is then one article, which may
        leave its id out.
    :raises InputError: the body as a whole cannot be read.
    """
    name = format_name or _format_of_type()
    body = read_file()
    if name is None and not request.is_json:
        name = formats.detect("", body)
    if name in (None, "ninjs") or (name == "jsonl" and article_id is not None):
        records = _records_of_json(body, name, article_id)
    else:
        charset = request.mimetype_params.get("charset")
        records = map(
            _submission,
            formats.read(name, body, options=_options(), encoding=charset),
        )
    submissions = _checked(records)
    if article_id is None:
        return submissions
    if len(submissions) != 1:
        raise InvalidArticle(
            "id", f"this address takes one article, not {len(submissions):,}"
        )
    return [_with_id(submissions[0], article_id)]


def submission_of_item(item: dict[str, Any], body: bytes) -> Submission:
    """Record of one ninjs item.

    :param body: the bytes that the item was parsed from.
    """
    record = _record_of_item(Item(item, body.decode), "ninjs", None, len(body))
    return _sized(record, context().settings.article_bytes)


def _submission(read: Read) -> Submission:
    return Submission(read=read, id=None if read.article is None else read.article.id)


def _format_of_type() -> str | None:
    if request.mimetype not in FORMAT_OF_TYPE:
        raise UnsupportedMediaType(request.mimetype, accepted=ACCEPTED)
    return FORMAT_OF_TYPE[request.mimetype]


def _records_of_json(
    body: bytes, format_name: str | None, article_id: str | None
) -> Iterator[Submission]:
    value = strict_json(body)
    whole = cache(lambda: body.decode("utf-8-sig"))
    if format_name is None and (documents := _documents(value, whole)):
        for document, text in documents:
            for read in formats.read_parsed(None, document, text, _options()):
                yield _submission(replace(read, line=None))
        return
    if isinstance(value, list):
        # A list of articles, each of which may wrap others, as each line of a file may.
        items = _listed(value, whole)
    elif isinstance(value, dict):
        wrapper, items = items_of(value, whole, _options())
        if wrapper is None:
            items = iter([replace(item, text=body.decode) for item in items])
    else:
        raise InvalidJson("send an article, or a list of articles")
    for item in items:
        if isinstance(item.value, dict):
            yield _record_of_item(item, format_name, article_id, len(body))
        else:
            error = InvalidArticle(
                "article", f"is {JSON_TYPES[type(item.value)]}; it must be an object"
            )
            yield Submission(read=Read(article=None, error=error))


def _documents(
    value: Any, text: Callable[[], str]
) -> list[tuple[Any, Callable[[], str]]]:
    """The documents of a body, such as feeds, each with its text; none if it has none.

    If one item of a list is a document, all its items are read as a file's would be.
    """
    if not isinstance(value, list):
        is_document = formats.document_format(value) is not None
        return [(value, text)] if is_document else []
    if not any(formats.document_format(item) for item in value):
        return []
    texts = cache(lambda: list(json_texts(text(), (EACH,))))
    return [(item, partial(_text_at, texts, at)) for at, item in enumerate(value)]


def _listed(value: list[Any], text: Callable[[], str]) -> Iterator[Item]:
    texts = cache(lambda: list(json_texts(text(), (EACH,))))
    for at, item in enumerate(value):
        yield from items_of(item, partial(_text_at, texts, at), _options())[1]


def _text_at(texts: Callable[[], Sequence[str]], at: int) -> str:
    return texts()[at]


def _record_of_item(
    item: Item, format_name: str | None, article_id: str | None, max_size: int
) -> Submission:
    """The record of one item of a JSON body.

    :param max_size: upper bound of the item's size in bytes.
    """
    value = item.value
    if all(name in value for name in READ_ONLY[:3]):
        value = {name: each for name, each in value.items() if name not in READ_ONLY}
    name = format_name or formats.detect_object(value)
    ids = ("uri", "guid") if name == "ninjs" else ("id",)
    stated_id = next((value[member] for member in ids if value.get(member)), None)
    if stated_id is None and article_id is not None:
        value = {**value, ids[0]: article_id}
    known_id = stated_id if isinstance(stated_id, str) else None
    if max_size > MAX_LINE and (size := len(item.text().encode())) > MAX_LINE:
        too_long = LimitExceeded("bytes of a line", limit=MAX_LINE, got=size)
        return Submission(read=Read(article=None, error=too_long), id=known_id)
    read = formats.read_listed(format_name, replace(item, value=value), _options())
    return Submission(
        read=replace(read, line=None),  # lines are only counted in JSONL
        id=known_id if read.article is None else read.article.id,
    )


def _options() -> ReadOptions:
    settings = context().settings
    return ReadOptions(
        dates=settings.date_rules(), article_bytes=settings.article_bytes
    )


def _checked(records: Iterable[Submission]) -> list[Submission]:
    """Records with their drafts; the body is read no further than its limits allow.

    :raises TooManyArticles: there are too many.
    :raises LimitExceeded: together they are too large.
    """
    settings = context().settings
    limit = _DRAFTS_PER_BODY * settings.body_bytes
    submissions: list[Submission] = []
    size = paragraphs = 0
    for record in records:
        if record.read.article is None and record.read.error is None:
            continue  # a list without records
        if len(submissions) == settings.articles_per_request:
            raise TooManyArticles(limit=settings.articles_per_request)
        submission = _sized(record, settings.article_bytes)
        submissions.append(submission)
        if (draft := submission.draft) is not None:
            size += draft.size
            paragraphs += len(draft.article.paragraphs)
        if size > limit or paragraphs > PARAGRAPHS_PER_REQUEST:
            raise LimitExceeded(
                "articles",
                limit=limit if size > limit else PARAGRAPHS_PER_REQUEST,
                got=None,
                code="body_too_large",
                detail=f"together more than {limit:,} bytes as JSON, or"
                f" {PARAGRAPHS_PER_REQUEST:,} paragraphs; send fewer in a request",
            )
    return submissions


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
        # The format makes such an id for a text without one.
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
