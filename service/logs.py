"""Logs: one JSON object a line, so that no caller can forge a line."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import g, has_request_context

from index.access import KEY_PREFIX

ACCESS = logging.getLogger("nutgraf.access")

# Attributes of every record; all others come from ``extra``.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

# Callers send keys in addresses by mistake, and so the path of a line may hold one. The
# key's id is kept: it says which key to revoke.
_SECRET = re.compile(rf"({KEY_PREFIX}[0-9a-f]{{8}}_)[A-Za-z0-9_-]+", re.IGNORECASE)
# Printable ASCII, which keys are made of, as URLs, HTML, Python and JSON escape it.
# The first character of each is looked for first.
_ESCAPES = (
    ("%", re.compile(r"%(?:[uU]00)?([2-7][0-9a-fA-F])"), 16),
    ("\\", re.compile(r"\\(?:[uU]00|[xX])([2-7][0-9a-fA-F])"), 16),
    ("&", re.compile(r"&#[xX]0{0,6}([2-7][0-9a-fA-F]);"), 16),
    ("&", re.compile(r"&#0{0,5}(3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6]);"), 10),
)
# How often a text is decoded; if it is encoded still, it is cut at its first escape.
_ROUNDS = 8

# One encoder for all lines: with default=str, json.dumps makes a new one each time.
_JSON = json.JSONEncoder(ensure_ascii=True, default=str)


def log_request(**facts: object) -> None:
    """Log one answered request.

    No record is made if the level is off. The place in our code is left out: it is the
    same for every line, and the logger would look it up each time.
    """
    if ACCESS.isEnabledFor(logging.INFO):
        record = ACCESS.makeRecord(
            ACCESS.name, logging.INFO, "", 0, "request", (), None, extra=facts
        )
        ACCESS.handle(record)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Line of a record, with keys cut to their ids, however they are encoded."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if has_request_context():
            line["request_id"] = g.get("request_id")
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line[name] = value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        text = _JSON.encode(line)
        if _is_plain(text):
            return text
        return _JSON.encode(without_secrets(line))


def _is_plain(line: str) -> bool:
    """Whether a line surely holds no key, as most do."""
    if "\\\\" in line:  # JSON has doubled the backslash of an escape
        return False
    decoded, left = _decoded(line)
    return left is None and _SECRET.search(decoded) is None


def without_secrets(value: object) -> Any:
    """The same value as JSON holds it, with keys in its texts cut to their ids.

    A text with an encoded key is decoded; any other text stays as it is.
    """
    if isinstance(value, str):
        return _without_secrets(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {
            _without_secrets(str(name)): without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    return _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    plain, left = _decoded(text)
    if left is not None:
        text = plain = f"{plain[:left]}..."
    cut = _SECRET.sub(r"\1...", plain)
    return text if cut == plain else cut


def _decoded(text: str) -> tuple[str, int | None]:
    """A text without escapes, and where the first is left if there are too many."""
    for _ in range(_ROUNDS):
        before = text
        for first, pattern, base in _ESCAPES:
            if first in text:
                text = pattern.sub(partial(_character, base), text)
        if text is before or text == before:
            return text, None
    escapes = (pattern.search(text) for _, pattern, _ in _ESCAPES)
    return text, min((each.start() for each in escapes if each), default=None)


def _character(base: int, escape: re.Match[str]) -> str:
    return chr(int(escape[1], base))


def configuration(level: str = "INFO") -> dict[str, object]:
    """Configuration for :func:`logging.config.dictConfig`: everything to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "service.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }
