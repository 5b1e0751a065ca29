"""Logs: one JSON object a line, so that no caller can forge a line."""

from __future__ import annotations

import html
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import g, has_request_context

from index.access import KEY_PREFIX
from service.log_writer import LogWriter

ACCESS = logging.getLogger("nutgraf.access")

# Attributes of every record; all others come from ``extra``.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

# Callers send keys in addresses by mistake, and so the path of a line may hold one. The
# key's id is kept: it says which key to revoke. What follows is cut to the end of the
# segment, whatever it is written in.
#
# What may be between the characters of a key: all but visible ASCII, and the + that is
# a blank in queries.
_BETWEEN = r"[^\x21-*,-~]*"
_NOT_OF_A_KEY = re.compile(r"[^\x21-*,-~]+")
_SECRET = re.compile(
    f"({_BETWEEN.join(KEY_PREFIX)}(?:{_BETWEEN}[0-9a-f]){{8}})"
    # A character that could not be decoded may stand for the underscore.
    rf"{_BETWEEN}(?:_|[%\\]|(?<=\ufffd))"
    r'[^/?#"]*',
    re.IGNORECASE | re.ASCII,
)


def _bytes(escape: re.Match[str]) -> str:
    """The text of escaped bytes."""
    digits = escape[0].translate(_NO_MARKS)
    return bytes.fromhex(digits).decode("utf-8", "replace")


def _octal(escape: re.Match[str]) -> str:
    """The text of bytes that are escaped in octal."""
    numbers = (int(number, 8) for number in escape[0][1:].split("\\"))
    return bytes(numbers).decode("utf-8", "replace")


def _hexadecimal(escape: re.Match[str]) -> str:
    """The character of an escaped code point; the escape itself if there is none."""
    return _character(escape, 16)


def _decimal(escape: re.Match[str]) -> str:
    """As :func:`_hexadecimal`, of a number in decimal."""
    return _character(escape, 10)


def _character(escape: re.Match[str], base: int) -> str:
    assert escape.lastindex is not None, escape.re
    code_point = int(escape[escape.lastindex], base)
    return chr(code_point) if code_point <= sys.maxunicode else escape[0]


def _named(escape: re.Match[str]) -> str:
    """The character that HTML has a name for."""
    return html.unescape(escape[0])


def _nothing(_escape: re.Match[str]) -> str:
    """Nothing: a line that mail has broken goes on."""
    return ""


_NO_MARKS = str.maketrans("", "", "%\\xX=")
# Characters as URLs, C, Python, JavaScript, JSON, HTML and mail (quoted-printable)
# escape them. The first character of each is looked for first. Digits are bounded: a
# number of any length is no character, and takes long to read.
_Escape = tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]]
_ESCAPES: tuple[_Escape, ...] = (
    ("%", re.compile(r"%[uU]([0-9a-fA-F]{4})"), _hexadecimal),
    ("%", re.compile(r"(?:%[0-9a-fA-F]{2})+"), _bytes),
    ("\\", re.compile(r"\\[uUxX]\{0*([0-9a-fA-F]{1,6})\}"), _hexadecimal),
    ("\\", re.compile(r"\\U([0-9a-fA-F]{8})|\\[uU]([0-9a-fA-F]{4})"), _hexadecimal),
    ("\\", re.compile(r"(?:\\[xX][0-9a-fA-F]{2})+"), _bytes),
    ("\\", re.compile(r"(?:\\[0-3][0-7]{2})+"), _octal),
    ("&", re.compile(r"&#[xX]0*([0-9a-fA-F]{1,6});?"), _hexadecimal),
    ("&", re.compile(r"&#0*([0-9]{1,7});?"), _decimal),
    ("&", re.compile(r"&[A-Za-z][A-Za-z0-9]{1,31};?"), _named),
    ("=", re.compile(r"=\r?\n"), _nothing),
    ("=", re.compile(r"(?:=[0-9a-fA-F]{2})+"), _bytes),
)
_FIRSTS = frozenset(first for first, _, _ in _ESCAPES)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
# How often a kind of escapes is decoded; what is escaped still is cut at the first.
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
    if "\\" in line:  # as JSON escapes line breaks and all beyond ASCII
        return False
    if not any(first in line for first in _FIRSTS):
        # Then a blank and a plus are all that may be between the characters of a key.
        return KEY_PREFIX not in line.replace(" ", "").replace("+", "").lower()
    decoded, left = _decoded(line)
    return left is None and KEY_PREFIX not in _visible(decoded).lower()


def _visible(text: str) -> str:
    """A text without what may be between the characters of a key."""
    return _NOT_OF_A_KEY.sub("", text)


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
    cut = _SECRET.sub(_id_alone, plain)
    return text if cut == plain else cut


def _id_alone(secret: re.Match[str]) -> str:
    return f"{_visible(secret[1])}_..."


def _decoded(text: str) -> tuple[str, int | None]:
    """A text without escapes, and where the first is left if there are too many."""
    uses = dict.fromkeys(_ESCAPES, 0)
    while True:
        before, text = text, _decoded_once(text, uses)
        if not text.isascii():
            # One by one: to order marks takes the square of their number.
            text = _BEYOND_ASCII.sub(_compatible, text)
        if text == before:
            break
    starts = (
        escape.start()
        for first, pattern, decode in _ESCAPES
        if first in text
        for escape in pattern.finditer(text)
        if decode(escape) != escape[0]
    )
    return text, min(starts, default=None)


def _decoded_once(text: str, uses: dict[_Escape, int]) -> str:
    """A text without the first kind of escapes that it has.

    What was escaped may be escaped in a kind that comes first, and half of an escape
    must not be decoded before the other half.

    :param uses: how often each kind was decoded; none more than :data:`_ROUNDS` times.
    """
    for kind, used in uses.items():
        first, pattern, decode = kind
        if used < _ROUNDS and first in text:
            changed = pattern.sub(decode, text)
            if changed != text:
                uses[kind] = used + 1
                return changed
    return text


def _compatible(character: re.Match[str]) -> str:
    """The plain form of a character: a letter for a full-width or an accented one."""
    return unicodedata.normalize("NFKD", character[0])


def start_writer() -> None:
    """Have a thread of this process write the log; call it in each worker."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogWriter):
            handler.start()


def configuration(level: str = "INFO") -> dict[str, object]:
    """Configuration for :func:`logging.config.dictConfig`: everything to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "service.logs.JsonLines"}},
        "handlers": {
            "stderr": {"class": "service.log_writer.LogWriter", "formatter": "json"}
        },
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }
