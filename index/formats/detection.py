"""Which format is a file in? Its content decides, its name breaks ties.

Each format says in :data:`~index.formats.table.FORMATS` how it is recognised: by marks,
which are names of JSON properties, and by file name extensions. JSON without a mark is
JSON lines; anything else that reads as text is plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from index.errors import UnknownFormat, UnreadableInput
from index.formats.head import (
    HEAD,
    head_text,
    is_binary,
    is_json,
    is_xml_or_html,
    json_names,
)
from index.formats.table import FORMATS

_FORMAT_OF_MARK = {mark: each.name for each in FORMATS.values() for mark in each.marks}
_FORMAT_OF_EXTENSION = {
    extension: each.name for each in FORMATS.values() for extension in each.extensions
}
_WRAPPERS = frozenset(name for each in FORMATS.values() for name in each.wrappers)


def detect(name: str, head: bytes) -> str:
    """Format of a file, as a key of FORMATS.

    The content decides; the name breaks ties: plain text counts as an article only in a
    ``.txt`` file, or in one without an extension. Text in an encoding that we do not
    read has a format all the same: its reader says what is wrong, and where.

    :param head: the file's first bytes, 2,048 or more if there are as many.
    :raises UnknownFormat: it looks like none of them.
    :raises UnreadableInput: it is empty, and its name does not tell its format.
    """
    unknown = UnknownFormat(name or "this", allowed=tuple(FORMATS))
    text = head_text(head)
    if is_xml_or_html(text):
        raise unknown  # no format that we read is XML or HTML
    if is_json(text):
        return _marked(json_names(text, _WRAPPERS)) or _named(name) or "jsonl"
    extension = _extension(name)
    if extension in _FORMAT_OF_EXTENSION:
        return _FORMAT_OF_EXTENSION[extension]
    if extension or is_binary(text):
        raise unknown
    if not text.strip():
        raise UnreadableInput("is empty")
    return "text"


def detect_object(value: Mapping[str, Any]) -> str:
    """Format of a parsed JSON object: the same that its text is detected as."""
    if not _WRAPPERS.isdisjoint(name.lower() for name in value):
        return detect("", json.dumps(value).encode())
    unmarked = dict(
        takewhile(
            lambda member: member[0].lower() not in _FORMAT_OF_MARK, value.items()
        )
    )
    mark = next((name for name in value if name not in unmarked), None)
    if mark is None:
        return "jsonl"
    # As in a file, a mark counts only if it is among the first bytes.
    start = json.dumps({**unmarked, mark: None}).removesuffix(" null}")
    return _FORMAT_OF_MARK[mark.lower()] if len(start) <= HEAD else "jsonl"


def _marked(names: Sequence[str]) -> str | None:
    """Format of the first mark among property names."""
    return next(
        (_FORMAT_OF_MARK[name] for name in names if name in _FORMAT_OF_MARK), None
    )


def _named(name: str) -> str | None:
    """Format with marks that a file name mentions, such as ``ninjs-1.json``."""
    lowered = name.lower()
    marked = (each.name for each in FORMATS.values() if each.marks)
    return next((each for each in marked if each in lowered), None)


def _extension(name: str) -> str:
    """Extension of a file name, with its dot and without ``.gz``; blank if none."""
    base = name.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".gz")
    _, dot, extension = base.rpartition(".")
    # "Report. Final draft" and "story.2016" have no extension.
    has_one = dot and " " not in extension and re.search(r"[a-z]", extension)
    return f".{extension}" if has_one else ""
