"""Request bodies: counted, unpacked and read strictly."""

from __future__ import annotations

import zlib
from typing import Any

from flask import request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import ClientDisconnected

from index.errors import UnreadableInput
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


def read_body() -> bytes:
    """Return the request's body, unpacked if it came as gzip.

    :raises UnsupportedMediaType: it is packed in another way.
    """
    return unpacked(read_sent())


def read_sent() -> bytes:
    """Return the request's body, byte for byte as it was sent.

    It is counted while it is read, since a chunked body does not say how long it is:
    what is too long is refused, never cut.

    :raises BodyTooLarge: it is above the limit.
    :raises IncompleteBody: it was cut off, or its chunks are broken.
    :raises RequestTimeout: it comes too slowly.
    :raises LengthRequired: there is none.
    """
    limit = context().settings.body_bytes
    declared = request.content_length
    if declared is None:
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if not chunked:
            raise LengthRequired
    elif declared > limit:
        raise BodyTooLarge(limit=limit, got=declared)
    packed = _read(limit)
    # A server hands over what there is of a body that was cut off.
    if declared is not None and len(packed) != declared:
        raise IncompleteBody(
            f"only {len(packed):,} of {declared:,} bytes came", got=len(packed)
        )
    return packed


def unpacked(packed: bytes) -> bytes:
    """Return a body without the packing that the request's header names.

    :raises BodyTooLarge: unpacked it is above the limit.
    :raises UnsupportedMediaType: it is packed in another way than with gzip.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return _unpacked(packed, context().settings.body_bytes)
    if encoding not in ("identity", ""):
        raise UnsupportedMediaType(encoding, encodings=("gzip",))
    return packed


def read_file() -> bytes:
    """Return the request's body, unpacked also if it is a gzip file by itself.

    :raises UnreadableInput: it is packed more often than that.
    """
    body = read_body()
    if body.startswith(_GZIP):
        body = _unpacked(body, context().settings.body_bytes)
        # The formats would unpack it once more, without a limit.
        if body.startswith(_GZIP):
            raise UnreadableInput(
                "the body is compressed twice; do so once", code="invalid_gzip"
            )
    return body


def has_no_body() -> bool:
    """Return whether the request came without a body."""
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    return not chunked and not request.content_length


def json_object() -> dict[str, Any]:
    """Return the JSON object that is the request's body.

    :raises UnsupportedMediaType: the body is declared as something else.
    :raises InvalidJson: it is no object.
    """
    if not request.is_json:
        raise UnsupportedMediaType(request.mimetype, accepted=JSON_TYPES)
    found = strict_json(read_body())
    if not isinstance(found, dict):
        raise InvalidJson("the body must be a JSON object")
    return found


def strict_json(data: bytes) -> Any:
    """Return the value of a JSON text, refusing what JSON does not allow.

    That is NaN and infinite numbers, a name twice in an object, lone surrogates, and
    more than 64 levels.

    :raises InvalidJson: it is not JSON, with line and column where they are known.
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


def _read(limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := _next_piece():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _next_piece() -> bytes:
    try:
        return request.stream.read(_CHUNK)
    except ParseException as error:
        # Of the chunked coding, which gunicorn undoes while the body is read.
        raise IncompleteBody(f"its chunks are broken ({str(error)[:80]})") from error
    except (OSError, ClientDisconnected) as error:
        # Werkzeug raises an error of its own when the stream raises one.
        if TimeoutError in (type(error), type(error.__context__)):
            raise RequestTimeout from error
        raise IncompleteBody("the connection closed too early") from error


def _unpacked(packed: bytes, limit: int) -> bytes:
    member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        found = member.decompress(packed, limit + 1)
    except zlib.error as error:
        raise UnreadableInput("the body is not gzip", code="invalid_gzip") from error
    if len(found) > limit:
        raise BodyTooLarge(limit=limit)
    # Members are not chained: a body of a million empty ones would cost hours.
    if not member.eof or member.unused_data:
        raise UnreadableInput(
            "the body is not one complete gzip member", code="invalid_gzip"
        )
    return found


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
