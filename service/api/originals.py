"""What articles were sent as, for whoever checks what was made of it."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response
from marshmallow import Schema

from index.access import Scope
from service.authority import key_name, reader
from service.context import context
from service.exchange import JSON, Blueprint, Text, described

BYTES = "application/octet-stream"
# And no other: what somebody sent is nothing that a browser should show.
TYPES = {"ninjs": JSON, "jsonl": JSON}

LOG = logging.getLogger("nutgraf")
blueprint = Blueprint(
    "originals", __name__, description="Give what articles were sent as"
)


OriginalArguments = Schema.from_dict(
    {
        "version": Text(metadata=described("by default the current one")),
    },
    name="OriginalArguments",
)


@blueprint.of_article(
    "GET",
    "/original",
    scope=Scope.ADMIN,
    takes=OriginalArguments,
    gives={"type": "object"},
    gives_text=(BYTES,),
    problems=(404, 410, 503),
)
def get_original(given: dict[str, Any], article_id: str) -> Response:
    """Give the bytes that a version was sent as, where reading it changed them."""
    version = given.get("version")
    found = context().archive.original(article_id, version=version, reader=reader())
    LOG.info(
        "original given",
        extra={"id": article_id, "version": version, "key": key_name()},
    )
    response = Response(found.data, content_type=TYPES.get(found.format, BYTES))
    response.headers["Content-Disposition"] = "attachment"
    return response
