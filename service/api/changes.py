"""The change feed: by pages, by waiting for a change, or as a stream of events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields, validate

from index.access import Scope
from index.archive import Carriage, CarriedArticle, ChangePage
from index.dates import iso
from index.errors import InvalidValue
from index.history import FEED_TYPES, Entry
from index.query import RETURNABLE, Reader, Request
from index.rendering import excerpt_document
from service import authority
from service.api.article_schemas import Paragraph, article_fields
from service.context import Context, context
from service.exchange import (
    Blueprint,
    Choice,
    Listed,
    Text,
    Whole,
    described,
    json_response,
    wait_in_slot,
)
from service.refusals import Unauthorized

blueprint = Blueprint("changes", __name__, description="Follow the changes of articles")
EVENTS = "text/event-stream"
_POLL_SECONDS = 0.05  # between two looks at what the index includes
_BEAT_SECONDS = 5.0  # between two lines; writing shows whether the client is gone
_CHECK_SECONDS = 0.5  # between two looks at whether the key may still read
# Then the client connects again and continues: the threads of a worker serve all
# clients in turn.
STREAM_SECONDS = 60.0
_EVENT_ID = re.compile(r"([0-9]{1,18})@([0-9a-f]+)\Z")


_NOW = "now"
_DEFAULTS = Request()


_SEQ = Whole(0)


class Since(Text):
    """Seq to read the feed after; the word ``now`` stands for the newest one.

    It is described as text: of a value of two types, generated clients make an object.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return _NOW if value == _NOW else _SEQ.deserialize(value)


ChangesArguments = Schema.from_dict(
    {
        "since": Since(
            metadata=described(
                "changes after this seq; now: only those after the newest change that"
                " searches include",
                default="0",
                pattern=f"^({_NOW}|[0-9]{{1,9}})$",
            ),
        ),
        "limit": Whole(
            1, 1000, metadata=described("maximum number of changes", default=100)
        ),
        "history": Text(
            metadata=described(
                "history from the answer with next; another one is an error"
            )
        ),
        "wait": Whole(
            0,
            30,
            metadata=described("seconds to wait for a change, if there is none"),
        ),
        "fields": Listed(
            Choice(RETURNABLE),
            metadata=described(
                "give each entry its article, with these fields, separated by commas"
            ),
        ),
        "passages": Whole(
            0,
            20,
            metadata=described(
                "give each entry its article, with this many paragraphs after the"
                f" headline; with fields {_DEFAULTS.passages} by default"
            ),
        ),
        "passage_length": Whole(
            0,
            100_000,
            metadata=described(
                "characters of a passage, cut at the end of a sentence; 0: not cut",
                default=_DEFAULTS.passage_length,
            ),
        ),
    },
    name="ChangesArguments",
)


ChangedArticle = Schema.from_dict(
    {
        **article_fields(),
        "passages": fields.List(
            fields.Nested(Paragraph),
            required=True,
            metadata=described("the first paragraphs after the headline"),
        ),
    },
    name="ChangedArticle",
)


class ChangeEntry(Schema):
    """A change of an article, as its readers see it."""

    seq = fields.Integer(required=True)
    type = fields.String(required=True, validate=validate.OneOf(FEED_TYPES))
    id = fields.String(required=True)
    version = fields.String(
        required=True,
        allow_none=True,
        metadata=described("the version visible after the change; null if none is"),
    )
    at = fields.DateTime(required=True, format="iso")
    removed = fields.Boolean(
        required=True, metadata=described("true: remove your copy of the article")
    )
    article = fields.Nested(
        ChangedArticle,
        allow_none=True,
        metadata=described(
            "with fields or passages: the article as it is now; null if you can no"
            " longer see it"
        ),
    )


class ChangesAnswer(Schema):
    """A page of the change feed."""

    changes = fields.List(fields.Nested(ChangeEntry), required=True)
    next = fields.Integer(required=True, metadata=described("the seq to send as since"))
    more = fields.Boolean(
        required=True, metadata=described("true: more changes are available now")
    )
    history = fields.String(
        required=True,
        metadata=described(
            "history of the store; it changes when a backup is restored"
        ),
    )


@dataclass(frozen=True, slots=True)
class Feed:
    """The change feed as one request reads it.

    :param limit: highest number of entries in a page.
    :param carriage: what the entries have of their articles, if anything.
    """

    ctx: Context
    reader: Reader
    limit: int
    carriage: Carriage | None = None

    def page(self, since: int | None, history: str | None) -> ChangePage:
        """Page of the changes after a seq; ``None`` for the newest."""
        return self.ctx.archive.changes(
            since,
            history=history,
            limit=self.limit,
            reader=self.reader,
            carriage=self.carriage,
        )

    def wait(
        self, page: ChangePage, seconds: float, check_key: Callable[[], None]
    ) -> ChangePage:
        """First later page with an entry; the last one without when time is up.

        :raises Unauthorized: the key of the request has ended meanwhile.
        """
        deadline, check = time.monotonic() + seconds, 0.0
        while not page.entries and self.ctx.alive() and time.monotonic() < deadline:
            if time.monotonic() >= check:
                check_key()
                check = time.monotonic() + _CHECK_SECONDS
            later = self.after(page)
            if later.next == page.next:
                self.pause(page, deadline)
            page = later
        return page

    def pause(self, page: ChangePage, until: float) -> None:
        """Wait for a change after a page, or for the index to include one.

        :param until: instant of the monotonic clock; it may end before.
        """
        seconds = min(_CHECK_SECONDS, max(0.0, until - time.monotonic()))
        newest = self.ctx.archive.wait_for_change(page.next, seconds)
        if newest > page.next:
            time.sleep(_POLL_SECONDS)

    def after(self, page: ChangePage) -> ChangePage:
        """Page after a page; the same one if the store has no newer change."""
        if page.more or self.ctx.archive.seq() > page.next:
            return self.page(page.next, page.history)
        return page


@blueprint.operation(
    "GET",
    "/v1/changes",
    scope=Scope.SEARCH,
    takes=ChangesArguments,
    gives=ChangesAnswer,
    gives_text=(EVENTS,),
    problems=(409, 503),
)
def list_changes(arguments: dict[str, Any]) -> Response:
    """List the changes of articles, the oldest first."""
    ctx, reader, check_key = context(), authority.reader(), authority.key_check()
    feed = Feed(
        ctx,
        reader,
        limit=arguments.get("limit", 100),
        carriage=_carriage_of(arguments),
    )
    since, history = arguments.get("since", 0), arguments.get("history")
    since = None if since == _NOW else since
    if _wants_events():
        since, history = _last_event() or (since, history)
        return _stream(feed, feed.page(since, history), check_key)
    page = feed.page(since, history)
    seconds = arguments.get("wait", 0)
    if seconds and not page.entries and request.method != "HEAD":

        def wait() -> ChangePage:
            awaited = feed.wait(page, seconds, check_key)
            check_key()
            return awaited

        page = wait_in_slot(wait, otherwise=page)
    return json_response(
        {
            "changes": _documents(page),
            "next": page.next,
            "more": page.more,
            "history": page.history,
        }
    )


def _wants_events() -> bool:
    """Whether the client names event streams, and wants them no less than JSON."""
    accepted = request.accept_mimetypes
    quality = max((q for name, q in accepted if name.lower() == EVENTS), default=0)
    return quality > 0 and quality >= accepted["application/json"]


def entry_document(entry: Entry) -> dict[str, Any]:
    """JSON document of an entry of the feed."""
    return {
        "seq": entry.seq,
        "type": entry.type.value,
        "id": entry.id,
        "version": entry.version,
        "at": iso(entry.at),
        "removed": entry.removed,
    }


def _carriage_of(arguments: dict[str, Any]) -> Carriage | None:
    """What the entries are to have of their articles.

    :raises InvalidValue: a passage is given a length, and there are no passages.
    """
    if "fields" not in arguments and "passages" not in arguments:
        # Generated clients send the defaults.
        if arguments.get("passage_length", _DEFAULTS.passage_length):
            raise InvalidValue(
                "passage_length", "applies to passages; send passages or fields, too"
            )
        return None
    return Carriage(
        fields=tuple(dict.fromkeys(arguments.get("fields", ()))),
        passages=arguments.get("passages", _DEFAULTS.passages),
        passage_length=arguments.get("passage_length", _DEFAULTS.passage_length),
    )


def _documents(page: ChangePage) -> list[dict[str, Any]]:
    """JSON documents of the entries of a page, with their articles if it has them."""
    if page.articles is None:
        return [entry_document(entry) for entry in page.entries]
    return [
        {**entry_document(entry), "article": _article_document(article)}
        for entry, article in zip(page.entries, page.articles, strict=True)
    ]


def _article_document(carried: CarriedArticle | None) -> dict[str, Any] | None:
    if carried is None:
        return None
    return {
        **carried.article,
        "passages": [
            excerpt_document(passage, marked=False) for passage in carried.passages
        ],
    }


def _last_event() -> tuple[int, str] | None:
    """Seq and history of the last event that a returning client has."""
    match = _EVENT_ID.match(request.headers.get("Last-Event-ID", ""))
    return None if match is None else (int(match[1]), match[2])


def _stream(feed: Feed, first: ChangePage, check_key: Callable[[], None]) -> Response:
    """Stream of events: those of a first page, and later ones if a slot is free."""
    release = None if request.method == "HEAD" else feed.ctx.take_slot()

    def events() -> Iterator[str]:
        yield f"retry: {1000 if release else 3000}\n\n"
        yield from _events_of(first)
        if release:
            yield from _later_events(feed, first, check_key)

    response = Response(events(), content_type=f"{EVENTS}; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"  # for a proxy in front
    if release:
        response.call_on_close(release)
    return response


def _later_events(
    feed: Feed, page: ChangePage, check_key: Callable[[], None]
) -> Iterator[str]:
    end = time.monotonic() + STREAM_SECONDS
    beat = time.monotonic() + _BEAT_SECONDS
    check = 0.0
    while feed.ctx.alive() and time.monotonic() < end:
        before, page = page.next, feed.after(page)
        if page.next > before or time.monotonic() >= check:
            try:
                check_key()
            except Unauthorized:
                return  # the client gets the error when it connects again
            check = time.monotonic() + _CHECK_SECONDS
        if page.next > before:
            yield from _events_of(page)
            beat = time.monotonic() + _BEAT_SECONDS
            continue
        if time.monotonic() >= beat:
            yield ": still here\n\n"
            beat = time.monotonic() + _BEAT_SECONDS
        feed.pause(page, min(beat, end))


def _events_of(page: ChangePage) -> Iterator[str]:
    for entry, document in zip(page.entries, _documents(page), strict=True):
        data = json.dumps(document, ensure_ascii=False)
        yield f"id: {entry.seq}@{page.history}\nevent: {entry.type.value}\n"
        yield f"data: {data}\n\n"
    if not page.entries or page.entries[-1].seq < page.next:
        # The reader may not see these changes; the client need not ask for them again.
        yield f"id: {page.next}@{page.history}\n\n"
