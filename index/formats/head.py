"""The head of an input: its first characters, and what they look like."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection
from contextlib import suppress

HEAD = 4_096  # bytes, unzipped, that detection looks at
XML_HEAD = 64 * 1024  # of XML, whose root may come after long comments

_JSON = re.compile(r"\s*(?:\{\s*(?:\"|\}|\Z)|\[\s*(?:[{\[\]\"]|\Z))")
# A string that is not closed goes on to the end: it is not looked at again.
_JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)(?:"(\s*:)?|\\?\Z)|[{}\[\]]', re.DOTALL)
_MARKUP = re.compile(r"\s*<(?:[!?]|[A-Za-z][\w:-]*[\s/>])")
# What HTML begins with, after comments and an XML declaration.
_HTML = re.compile(
    r"\s*(?:<(?:!doctype\s+html|html|head|body|title|meta|link|script|style|base|div|main"
    r"|article|section|header|p|h1|table)\b)",
    re.IGNORECASE,
)
_BEFORE_HTML = re.compile(r"\s*(?:<\?[^>]*>|<!--)")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # characters that text lacks
_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    # XML without a byte order mark.
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)


def xml_head(data: bytes, encoding: str | None = None) -> str:
    """First characters of an XML input, far enough to have its root."""
    return head_text(data, encoding, size=XML_HEAD)


def head_text(data: bytes, encoding: str | None = None, *, size: int = HEAD) -> str:
    """First characters of an input, unzipped, with U+FFFD for undecodable bytes.

    :param encoding: Python's name of the charset of an input without a byte order mark.
    """
    if data.startswith(b"\x1f\x8b"):
        with suppress(zlib.error):  # damaged gzip data is taken as the bytes it is
            data = zlib.decompressobj(wbits=31).decompress(data, size)
    data = data[:size]
    of_mark = next((name for mark, name in _ENCODINGS if data.startswith(mark)), None)
    return data.decode(of_mark or encoding or "utf-8", "replace")


def is_json(head: str) -> bool:
    """Whether a head begins a JSON object, or a list of objects, lists or strings."""
    return _JSON.match(head) is not None


def is_xml_or_html(head: str) -> bool:
    """Whether a head begins with a tag, a declaration or a comment."""
    return _MARKUP.match(head) is not None


def is_html(head: str) -> bool:
    """Whether a head begins HTML or XHTML, after comments and a declaration."""
    at = 0
    while before := _BEFORE_HTML.match(head, at):
        at = before.end()
        if before[0].endswith("<!--"):
            end = head.find("-->", at)
            if end < 0:
                return False
            at = end + 3
    return _HTML.match(head, at) is not None


def is_binary(head: str) -> bool:
    """Whether a head holds control characters that no text has."""
    return _CONTROL.search(head) is not None


def json_names(head: str, wrappers: Collection[str]) -> list[str]:
    """Property names of the first JSON records, in lower case, in order.

    The records are the objects at the top, in a list at the top, or in a list that such
    an object has as one of ``wrappers``. Names deeper inside a record are left out:
    ``extra`` may hold anything.
    """
    names: dict[int, list[str]] = {}  # by depth
    depth = 0
    record_depth = 2 if head.lstrip().startswith("[") else 1
    for token in _JSON_TOKEN.finditer(head):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
        elif token[2]:
            names.setdefault(depth, []).append(token[1].lower())
    top = names.get(record_depth, [])
    if any(name in wrappers for name in top):
        return [*top, *names.get(record_depth + 2, ())]
    return top
