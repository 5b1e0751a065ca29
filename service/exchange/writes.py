"""The answer to a write, which may wait until the write is indexed."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from service.context import context
from service.exchange.bodies import release_room
from service.exchange.json import json_response
from service.exchange.parameters import Flag
from service.exchange.schemas import described
from service.exchange.waiting import wait_in_slot

WAIT: dict[str, fields.Field[Any]] = {
    "wait": Flag(
        metadata=described(
            "answer once searches include the change, or after 10 s",
            default=False,
        )
    )
}
WaitArguments = Schema.from_dict(WAIT, name="WaitArguments")


def write_response(
    answer: dict[str, Any], arguments: dict[str, Any], status: int = 200
) -> Response:
    """Answer to a write; with ``wait``, once the write is indexed or time is up."""
    release_room()
    seq, archive = answer["seq"], context().archive
    # An unchanged article may have been stored just now, and not be indexed yet.
    newest = archive.seq() if seq is None else seq
    indexed = archive.wait_indexed(newest, 0)
    if arguments.get("wait") and not indexed:
        seconds = context().settings.wait_seconds
        indexed = wait_in_slot(
            lambda: archive.wait_indexed(newest, seconds), otherwise=False
        )
    return json_response({**answer, "indexed": indexed}, status)
