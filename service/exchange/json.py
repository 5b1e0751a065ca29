"""Answers as JSON."""

from __future__ import annotations

import json
from typing import Any

import orjson
from flask import Response

JSON = "application/json"


def write_json(value: Any) -> bytes:
    """Write a value as JSON in UTF-8, ending with a newline."""
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # An article's extra may hold integers beyond 64 bits.
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def json_response(value: Any, status: int = 200) -> Response:
    """Answer whose body is JSON."""
    return Response(write_json(value), status=status, content_type=JSON)
