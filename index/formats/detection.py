"""Which format is a file in? Its content decides, its name breaks ties."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from itertools import takewhile
from typing import Any

from index.errors import UnknownFormat, UnreadableInput
from index.formats import ninjs
from index.formats.table import FORMATS

# Properties that ninjs has and hardly anybody else, without case.
_NINJS_PROPERTIES = (
    "versioncreated firstcreated contentcreated pubstatus headlines bodies descriptions"
    " body_xhtml description_text renditions associations altids $standard standard"
    " representationtype eventdetails infosources rightsinfo"
    " copyrightnotice usageterms"
)


_NINJS_MARKS = frozenset(_NINJS_PROPERTIES.split())


_HEAD = 4_096  # bytes, unzipped, that are looked at


_JSON_START = re.compile(r"\s*(?:\{\s*(?:\"|\}|\Z)|\[\s*(?:[{\[\]\"]|\Z))")


_JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]')


_MARKUP_START = re.compile(r"\s*<(?:[!?]|[A-Za-z][\w:-]*[\s/>])")


_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # what is in no text


_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"", "utf-8-sig"),
)


def detect(name: str, head: bytes) -> str:
    """Return the format a file is in, as a key of FORMATS.

    The content decides; the name breaks ties: plain text is only taken for an article
    in a ``.txt`` file, or in one without an extension. Text in another encoding than
    ours has a format all the same: its reader says what is wrong with it, and where.

    :param head: the file's first bytes, 2,048 or more if there are as many.
    :raises UnknownFormat: it looks like none of them.
    :raises UnreadableInput: it is empty, and its name says nothing.
    """
    unknown = UnknownFormat(name or "this", allowed=tuple(FORMATS))
    start = _start_of(head)
    if _MARKUP_START.match(start):
        raise unknown
    if _JSON_START.match(start) and start.strip():
        marked = bool(_top_names(start) & _NINJS_MARKS)
        return "ninjs" if marked or "ninjs" in name.lower() else "jsonl"
    extension = _extension(name)
    for each in FORMATS.values():
        if extension in each.extensions:
            return each.name
    if extension or _BINARY.search(start):
        raise unknown
    if not start.strip():
        raise UnreadableInput("is empty")
    return "text"


def detect_object(value: Mapping[str, Any]) -> str:
    """Format of a JSON object that is parsed already: what its text is detected as."""
    names = {name.lower() for name in value}
    if not names.isdisjoint(ninjs.WRAPPERS):
        return detect("", json.dumps(value).encode())
    unmarked = takewhile(
        lambda member: member[0].lower() not in _NINJS_MARKS, value.items()
    )
    before = dict(unmarked)
    mark = next((name for name in value if name not in before), None)
    if mark is None:
        return "jsonl"
    # As in a file, a property counts if its name is among the first bytes.
    start = json.dumps({**before, mark: None}).removesuffix(" null}")
    return "ninjs" if len(start) <= _HEAD else "jsonl"


def _extension(name: str) -> str:
    base = name.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".gz")
    _, dot, extension = base.rpartition(".")
    # "Report. Final draft" and "story.2016" have no extension.
    has_one = dot and " " not in extension and re.search(r"[a-z]", extension)
    return f".{extension}" if has_one else ""


def _start_of(head: bytes) -> str:
    """Return the first characters of an input, with U+FFFD for bytes that are none."""
    if head.startswith(b"\x1f\x8b"):
        with suppress(zlib.error):  # damaged, it is binary as it stands
            head = zlib.decompressobj(wbits=31).decompress(head, _HEAD)
    head = head[:_HEAD]
    encoding = next(name for mark, name in _ENCODINGS if head.startswith(mark))
    return head.decode(encoding, "replace")


def _top_names(start: str) -> set[str]:
    """Return the names that the first records have, in lower case.

    Those of the objects at the top, in a list, or in a wrapper's list, but not of what
    lies in them: ``extra`` may hold anything.
    """
    names: dict[int, set[str]] = {}
    depth = 0
    base = 2 if start.lstrip().startswith("[") else 1
    for token in _JSON_TOKEN.finditer(start):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
        elif token[2]:
            names.setdefault(depth, set()).add(token[1].lower())
    found = names.get(base, set())
    if found & set(ninjs.WRAPPERS):
        found = found | names.get(base + 2, set())
    return found
