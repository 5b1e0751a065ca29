"""Originals: the bytes that articles were sent as, to check how they were read."""

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
# No other types: browsers must not display bytes that somebody sent.
TYPES = {"ninjs": JSON, "jsonl": JSON}

LOG = logging.getLogger("nutgraf")
blueprint = Blueprint(
    "originals", __name__, description="Get the original bytes of articles"
)


OriginalArguments = Schema.from_dict(
    {
        "version": Text(metadata=described("a version; by default the current one")),
    },
    name="OriginalArguments",
)


@blueprint.of_article(
    "GET",
    "/original",
    scope=Scope.ADMIN,
    takes=OriginalArguments,
    gives={"description": "what was sent"},
    gives_text=(BYTES,),
    problems=(404, 410, 503),
)
def get_original(arguments: dict[str, Any], article_id: str) -> Response:
    """Get the original bytes of a version, if parsing changed them."""
    version = arguments.get("version")
    original = context().archive.original(article_id, version=version, reader=reader())
    LOG.info(
        "original given",
        extra={"id": article_id, "version": version, "key": key_name()},
    )
    response = Response(original.data, content_type=TYPES.get(original.format, BYTES))
    response.headers["Content-Disposition"] = "attachment"
    return response
