"""Request bodies: measured, decompressed and parsed strictly."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from flask import g, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import ClientDisconnected

from index.errors import ServiceError, UnreadableInput
from index.parsing import parse_json
from service.context import context
from service.refusals import (
    BodyTooLarge,
    IncompleteBody,
    InvalidJson,
    LengthRequired,
    RequestTimeout,
    UnsupportedMediaType,
)

JSON_TYPES = ("application/json",)
MAX_DEPTH = 64
_CHUNK = 64 * 1024
_GZIP = b"\x1f\x8b"
_LARGE = 1024 * 1024  # bytes of a body that few requests have at a time


def read_body() -> bytes:
    """Body of the request, decompressed if it came as gzip.

    :raises UnsupportedMediaType: it is compressed in another way.
    """
    return decompressed(read_sent())


def read_sent(limit: int | None = None) -> bytes:
    """Body of the request, byte for byte as it was sent.

    It is measured while it is read, since a chunked body does not declare its length. A
    body that is too long is refused, never truncated.

    :param limit: in bytes; ``None`` for the limit in the settings.
    :raises BodyTooLarge: it is above the limit.
    :raises IncompleteBody: it was cut off, or its chunks are damaged.
    :raises RequestTimeout: it arrives too slowly.
    :raises LengthRequired: there is no body.
    """
    return b"".join(sent_pieces(limit))


def sent_pieces(limit: int | None = None) -> Iterator[bytes]:
    """Yield the body of the request in pieces, for bodies that are not kept.

    :param limit: as for :func:`read_sent`.
    :raises InputError: as :func:`read_sent` does, also after some pieces.
    """
    if limit is None:
        limit = context().settings.body_bytes
    declared = request.content_length
    if declared is None:
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if not chunked:
            raise LengthRequired
    elif declared > limit:
        raise BodyTooLarge(limit=limit, got=declared)
    size = 0
    while piece := _next_piece():
        size += len(piece)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        yield piece
    # If a body was cut off, the server passes on the part that arrived.
    if declared is not None and size != declared:
        raise IncompleteBody(f"only {size:,} of {declared:,} bytes arrived", got=size)


def decompressed(body: bytes) -> bytes:
    """Body without the compression that ``Content-Encoding`` names.

    :raises BodyTooLarge: it is above the limit when decompressed.
    :raises ServiceError: it is large, and so are too many others.
    :raises UnsupportedMediaType: it is compressed, but not as gzip.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if len(body) > _LARGE:
        _take_room()
    if encoding in ("gzip", "x-gzip"):
        return _gunzip(body, context().settings.body_bytes)
    if encoding not in ("identity", ""):
        raise UnsupportedMediaType(encoding, encodings=("gzip",))
    return body


def read_file() -> bytes:
    """Body of the request, decompressed also if the file sent is a gzip file.

    :raises UnreadableInput: the decompressed file is a gzip file again.
    """
    body = read_body()
    if body.startswith(_GZIP):
        body = _gunzip(body, context().settings.body_bytes)
        # The formats would decompress it again, without a limit.
        if body.startswith(_GZIP):
            raise UnreadableInput(
                "the body is compressed twice; do so once", code="invalid_gzip"
            )
    return body


def release_room() -> bool:
    """Let another large body in; whether this request had one."""
    had_one = "room" in g
    if had_one:
        release, g.room = g.room, _nothing
        release()
    return had_one


def has_no_body() -> bool:
    """Whether the request has no body."""
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    return not chunked and not request.content_length


def json_object() -> dict[str, Any]:
    """JSON object in the body of the request.

    :raises UnsupportedMediaType: the body is declared as another media type.
    :raises InvalidJson: it is not a JSON object.
    """
    if not request.is_json:
        raise UnsupportedMediaType(request.mimetype, accepted=JSON_TYPES)
    value = strict_json(read_body())
    if not isinstance(value, dict):
        raise InvalidJson("the body must be a JSON object")
    return value


def strict_json(data: bytes) -> Any:
    """Value of a JSON text.

    NaN, infinite numbers, repeated names in an object, lone surrogates and more than 64
    levels are errors too.

    :raises InvalidJson: it is not such JSON, with line and column if they are known.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidJson(f"not UTF-8 at byte {error.start:,}") from error
    try:
        value = parse_json(text)
    except UnreadableInput as error:
        raise InvalidJson(str(error), line=error.line, column=error.column) from error
    _check(value, surrogates="\\ud" in text or "\\uD" in text)
    return value


def _take_room() -> None:
    """Keep other large bodies out until the request is over, or waits.

    :raises ServiceError: too many others are in work, and do not end in time.
    """
    if "room" in g:
        return
    release = context().take_room()
    if release is None:
        raise ServiceError(
            "other large bodies are being read, and nothing of this one was used; send"
            " it again in some seconds"
        )
    g.room = release


def _nothing() -> None:
    """Release no room: it was released."""


def _next_piece() -> bytes:
    try:
        return request.stream.read(_CHUNK)
    except ParseException as error:
        # gunicorn decodes the chunked coding while the body is read.
        raise IncompleteBody(f"its chunks are damaged ({str(error)[:80]})") from error
    except (OSError, ClientDisconnected) as error:
        # Werkzeug replaces the stream's error with one of its own.
        if TimeoutError in (type(error), type(error.__context__)):
            raise RequestTimeout from error
        raise IncompleteBody("the connection closed too early") from error


def _gunzip(data: bytes, limit: int) -> bytes:
    member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = member.decompress(data, min(_LARGE, limit + 1))
        if len(text) == _LARGE <= limit and not member.eof:
            _take_room()
            text += member.decompress(member.unconsumed_tail, limit + 1 - _LARGE)
    except zlib.error as error:
        raise UnreadableInput("the body is not gzip", code="invalid_gzip") from error
    if len(text) > limit:
        raise BodyTooLarge(limit=limit)
    # One member only: a body of a million empty members would take hours.
    if not member.eof or member.unused_data:
        raise UnreadableInput(
            "the body is not one complete gzip member", code="invalid_gzip"
        )
    return text


def _check(value: Any, *, surrogates: bool, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        if surrogates and any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidJson("contains a lone surrogate")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, surrogates=surrogates, depth=depth)
            _check(item, surrogates=surrogates, depth=depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, surrogates=surrogates, depth=depth + 1)


def _too_deep() -> InvalidJson:
    return InvalidJson(f"nested more than {MAX_DEPTH} deep")
