"""The answer to a write, which may wait until the write is indexed."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from service.context import context
from service.exchange.json import json_response
from service.exchange.parameters import Flag
from service.exchange.schemas import described

WAIT: dict[str, fields.Field[Any]] = {
    "wait": Flag(
        metadata=described(
            "answer once the change can be found, after 10 s at the latest",
            default=False,
        )
    )
}
WaitArguments = Schema.from_dict(WAIT, name="WaitArguments")


def answered(
    answer: dict[str, Any], given: dict[str, Any], status: int = 200
) -> Response:
    """Return the answer to a write, once it is indexed if that was asked for."""
    seq = answer["seq"]
    found = context()
    # What was unchanged may have been stored a moment ago, and not be indexed yet.
    newest = found.archive.seq() if seq is None else seq
    indexed, refused = found.archive.wait_indexed(newest, 0), False
    if given.get("wait") and not indexed:
        with found.room_to_wait() as room:
            refused = not room
            if room:
                seconds = found.settings.wait_seconds
                indexed = found.archive.wait_indexed(newest, seconds)
    response = json_response({**answer, "indexed": indexed}, status)
    if refused:
        # Too many wait already; the write stands, and can be asked for again.
        response.headers["Retry-After"] = "1"
    return response
