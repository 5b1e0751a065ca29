"""Exports: all hits of a search as lines or as a table, streamed page by page."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack

from flask import Response

from index.archive import Answer, pages_of
from index.errors import NutgrafError
from index.query import Reader, Request
from index.rendering import Table, end_line, hit_lines
from service import authority
from service.context import context
from service.exchange import MEDIA_TYPES, SearchFormat
from service.problems import problem_of

# A client may take this long, and longer as long as it receives bytes at this rate.
SECONDS = 10.0
BYTES_PER_SECOND = 64 * 1024
# Bytes that are sent at a time: between two pieces the client's rate is looked at.
PIECE = 16 * 1024

log = logging.getLogger("nutgraf.exports")


def export_response(
    search_request: Request,
    search_format: SearchFormat,
    *,
    most: int | None,
    guards: bool,
) -> Response:
    """Stream of all hits.

    The first page is searched before the answer begins, so that its errors are answered
    as of any search. If a later one fails, the last line of NDJSON says why; CSV is cut
    off, without the end of a chunked answer.

    :param most: hits at most; ``None`` for all.
    :param guards: whether cells of CSV that a spreadsheet would compute are guarded.
    :raises TooManyExports: as many exports of this key run as may at one time.
    :raises ServiceError: no thread is free for another export.
    """
    ctx, reader, check_key = context(), authority.reader(), authority.key_check()
    slot = ExitStack()
    slot.callback(ctx.take_export(authority.key_id()))

    def search(page_request: Request, of: Reader) -> Answer:
        check_key()
        return ctx.archive.search(page_request, reader=of)

    size = ctx.settings.limit
    pages = pages_of(search, search_request, reader=reader, size=size, most=most)
    try:
        first = next(pages)
    except BaseException:
        slot.close()
        raise
    if search_format is SearchFormat.CSV:
        table = Table(search_request, guards=guards)
        pieces = _table(table, first, pages)
    else:
        pieces = _lines(search_request, first, pages)
    response = Response(
        _paced(pieces, slot),
        content_type=f"{MEDIA_TYPES[search_format]}; charset=utf-8",
    )
    response.call_on_close(slot.close)  # also if nothing of it is taken
    name = f"search.{search_format}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(
    search_request: Request, first: Answer, pages: Iterator[Answer]
) -> Iterator[bytes]:
    hits = 0
    try:
        for page in _from(first, pages):
            yield hit_lines(page.hits, search_request.unit)
            hits += len(page.hits)
    except NutgrafError as error:
        _log(error, hits)
        yield end_line(hits, problem_of(error))
    else:
        yield end_line(hits)


def _table(table: Table, first: Answer, pages: Iterator[Answer]) -> Iterator[bytes]:
    yield table.head().encode()
    hits = 0
    try:
        for page in _from(first, pages):
            yield table.rows(page.hits).encode()
            hits += len(page.hits)
    except NutgrafError as error:
        # CSV has no place for an error: a chunked answer without its end is cut off.
        _log(error, hits)
        raise _cut(str(error)) from error


def _from(first: Answer, pages: Iterator[Answer]) -> Iterator[Answer]:
    yield first
    yield from pages


def _paced(pieces: Iterator[bytes], slot: ExitStack) -> Iterator[bytes]:
    """Yield pieces of a bounded size as long as the client takes them fast enough.

    :param slot: closed at the end.
    :raises ConnectionResetError: it does not.
    """
    sent, left = 0, SECONDS
    with slot:
        for piece in pieces:
            for start in range(0, len(piece), PIECE):
                part = piece[start : start + PIECE]
                given = time.monotonic()
                yield part
                left += len(part) / BYTES_PER_SECOND - (time.monotonic() - given)
                left = min(left, SECONDS)
                sent += len(part)
                if left < 0:
                    log.warning("slow client", extra={"bytes": sent})
                    raise _cut("the client is too slow")


def _log(error: NutgrafError, hits: int) -> None:
    log.warning("export cut off", extra={"code": error.code, "hits": hits})


def _cut(reason: str) -> ConnectionResetError:
    """What makes the server close a connection at once, as if the client had."""
    return ConnectionResetError(errno.ECONNRESET, reason)
