"""The change feed: asked for page by page, waited for, or as a stream of events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields, validate

from index.access import Scope
from index.archive import Archive, ChangePage
from index.dates import iso
from index.history import FEED_TYPES, Entry
from index.query import Reader
from service import authority
from service.context import Context, context
from service.exchange import Blueprint, Text, Whole, described, json_response
from service.refusals import Unauthorized

blueprint = Blueprint(
    "changes", __name__, description="Follow what happens to the articles"
)
EVENTS = "text/event-stream"
_LOOK_SECONDS = 0.05  # between two looks for something new: two rows by their keys
_BEAT_SECONDS = 5.0  # a client that went away is noticed when it is written to
# Then the client connects again, where it left off: so that whoever lost the right to
# read does so before long, and the threads of a worker serve everybody in turn.
STREAM_SECONDS = 60.0
_EVENT_ID = re.compile(r"([0-9]{1,18})@([0-9a-f]+)\Z")


ChangesArguments = Schema.from_dict(
    {
        "since": Whole(0, metadata=described("changes after this seq", default=0)),
        "limit": Whole(1, 1000, metadata=described("most changes", default=100)),
        "history": Text(
            metadata=described("as it was answered with next; another one is refused")
        ),
        "wait": Whole(
            0,
            30,
            metadata=described("seconds to wait for a change if there is none"),
        ),
    },
    name="ChangesArguments",
)


class ChangeEntry(Schema):
    """Something that happened to an article."""

    seq = fields.Integer(required=True)
    type = fields.String(required=True, validate=validate.OneOf(FEED_TYPES))
    id = fields.String(required=True)
    version = fields.String(
        required=True,
        allow_none=True,
        metadata=described("that shows since; null where none does"),
    )
    at = fields.DateTime(required=True, format="iso")
    removed = fields.Boolean(
        required=True, metadata=described("a copy of the article is to go")
    )


class ChangesAnswer(Schema):
    """A stretch of the change feed."""

    changes = fields.List(fields.Nested(ChangeEntry), required=True)
    next = fields.Integer(
        required=True, metadata=described("ask again with since=next")
    )
    more = fields.Boolean(
        required=True, metadata=described("more is there to be had now")
    )
    history = fields.String(
        required=True,
        metadata=described("of the store; another one after a backup was put back"),
    )


@blueprint.operation(
    "GET",
    "/v1/changes",
    scope=Scope.SEARCH,
    takes=ChangesArguments,
    gives=ChangesAnswer,
    gives_text=(EVENTS,),
    problems=(409, 503),
)
def list_changes(given: dict[str, Any]) -> Response:
    """List what happened to the articles, the oldest first."""
    since, history = given.get("since", 0), given.get("history")
    limit = given.get("limit", 100)
    found, who, still = context(), authority.reader(), authority.watch()
    if _wants_events():
        since, history = _last_event() or (since, history)
        page = found.archive.changes(since, history=history, limit=limit, reader=who)
        return _stream(found, page, limit, who, still)
    page = found.archive.changes(since, history=history, limit=limit, reader=who)
    refused = False
    seconds = given.get("wait", 0)
    if seconds and not page.entries and request.method != "HEAD":
        with found.room_to_wait() as room:
            refused = not room
            if room:
                page = _awaited(found, page, limit, who, seconds)
                still()
    response = json_response(
        {
            "changes": [entry_document(each) for each in page.entries],
            "next": page.next,
            "more": page.more,
            "history": page.history,
        }
    )
    if refused:
        # Too many wait already: this one is to ask again.
        response.headers["Retry-After"] = "1"
    return response


def _wants_events() -> bool:
    """Return whether events are asked for by their name, and no less than JSON."""
    accepted = request.accept_mimetypes
    wish = max((q for name, q in accepted if name.lower() == EVENTS), default=0)
    return wish > 0 and wish >= accepted["application/json"]


def entry_document(entry: Entry) -> dict[str, Any]:
    """Return one entry of the feed."""
    return {
        "seq": entry.seq,
        "type": entry.type.value,
        "id": entry.id,
        "version": entry.version,
        "at": iso(entry.at),
        "removed": entry.removed,
    }


def _awaited(
    found: Context, page: ChangePage, limit: int, reader: Reader, seconds: float
) -> ChangePage:
    """Return the first page that has an entry, or the last without, when time is up."""
    deadline = time.monotonic() + seconds
    while not page.entries and found.alive() and time.monotonic() < deadline:
        before = page.next
        if page.more or _news(found.archive, page):
            page = _after(found, page, limit, reader)
        if page.next == before:  # nothing new, or the index does not have it yet
            time.sleep(_LOOK_SECONDS)
    return page


def _after(found: Context, page: ChangePage, limit: int, reader: Reader) -> ChangePage:
    return found.archive.changes(
        page.next, history=page.history, limit=limit, reader=reader
    )


def _news(archive: Archive, page: ChangePage) -> bool:
    """Return whether there may be something after a page."""
    return archive.seq() > page.next


def _last_event() -> tuple[int, str] | None:
    """Return up to where a client that comes back has it all, and of which history."""
    found = _EVENT_ID.match(request.headers.get("Last-Event-ID", ""))
    return None if found is None else (int(found[1]), found[2])


def _stream(
    found: Context,
    page: ChangePage,
    limit: int,
    reader: Reader,
    still: Callable[[], None],
) -> Response:
    """Return a stream that begins with a page, and goes on while there is room."""
    leave = None if request.method == "HEAD" else found.take_room()

    def events() -> Iterator[str]:
        yield f"retry: {1000 if leave else 3000}\n\n"
        yield from _events_of(page)
        if leave:
            yield from _followed(found, page, limit, reader, still)

    response = Response(events(), content_type=f"{EVENTS}; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"  # for a proxy in front
    if leave:
        response.call_on_close(leave)
    return response


def _followed(
    found: Context,
    page: ChangePage,
    limit: int,
    reader: Reader,
    still: Callable[[], None],
) -> Iterator[str]:
    end = time.monotonic() + STREAM_SECONDS
    beat = time.monotonic() + _BEAT_SECONDS
    while found.alive() and time.monotonic() < end:
        if page.more or _news(found.archive, page):
            before = page.next
            page = _after(found, page, limit, reader)
            if page.next > before:
                try:
                    still()
                except Unauthorized:
                    return  # it is told so when it connects again
                yield from _events_of(page)
                beat = time.monotonic() + _BEAT_SECONDS
                continue
        if time.monotonic() >= beat:
            yield ": still here\n\n"
            beat = time.monotonic() + _BEAT_SECONDS
        time.sleep(_LOOK_SECONDS)


def _events_of(page: ChangePage) -> Iterator[str]:
    for each in page.entries:
        data = json.dumps(entry_document(each), ensure_ascii=False)
        yield f"id: {each.seq}@{page.history}\nevent: {each.type.value}\n"
        yield f"data: {data}\n\n"
    if not page.entries or page.entries[-1].seq < page.next:
        # Nothing to tell, but the client need not ask for it again.
        yield f"id: {page.next}@{page.history}\n\n"
