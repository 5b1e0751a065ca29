"""Logs: one JSON object a line, so that nothing sent to us can forge a line."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

from flask import g, has_request_context

from index.access import KEY_PREFIX

ACCESS = logging.getLogger("nutgraf.access")

# What every record has; all else on one was given with ``extra``.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

# A key does not belong into an address, but comes there by mistake, and from there into
# the path of a line. Its id tells which one is to be revoked.
_SECRET = re.compile(rf"({KEY_PREFIX}[0-9a-f]{{8}}_)[A-Za-z0-9_-]+", re.IGNORECASE)

# json.dumps would make one for each line, since lines are no plain JSON.
_JSON = json.JSONEncoder(ensure_ascii=True, default=str)


def log_request(**facts: object) -> None:
    """Log one request that was answered.

    Nothing is made of it where nobody reads it, and nobody asks where in our code such
    a line came from: the logger itself would look that up for each.
    """
    if ACCESS.isEnabledFor(logging.INFO):
        record = ACCESS.makeRecord(
            ACCESS.name, logging.INFO, "", 0, "request", (), None, extra=facts
        )
        ACCESS.handle(record)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
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
    """Return a configuration for :func:`logging.config.dictConfig`: all to stderr."""
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
