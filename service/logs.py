"""Logs: one JSON object a line, so that no caller can forge a line."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

from flask import g, has_request_context

from index.access import KEY_PREFIX

ACCESS = logging.getLogger("nutgraf.access")

# Attributes of every record; all others come from ``extra``.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

# Callers send keys in addresses by mistake, and so the path of a line may hold one. The
# key's id is kept: it says which key to revoke.
_SECRET = re.compile(rf"({KEY_PREFIX}[0-9a-f]{{8}}_)[A-Za-z0-9_-]+", re.IGNORECASE)

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
        """Line of a record, with keys cut to their ids."""
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
        return _SECRET.sub(r"\1...", _JSON.encode(line))


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
