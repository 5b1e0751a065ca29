"""The formats we read: one module each, and the table of them.

A reader takes bytes or a binary stream and yields a :class:`Read` for each record. A
record that is no article is an error in its place and never stops the rest.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol, cast

from index.article import Article
from index.errors import UnknownFormat, UnreadableInput
from index.formats import field_names, jsonl, ninjs, text
from index.formats.record import Read
from index.parsing import Recoded, checked_encoding

__all__ = [
    "FORMATS",
    "Format",
    "ParsedReader",
    "Read",
    "Reader",
    "detect",
    "detect_object",
    "read",
    "read_parsed",
]


class Reader(Protocol):
    """What reads a format: a pure generator, without network, clock or settings."""

    def __call__(
        self, data: bytes | BinaryIO, *, name: str, mapping: Mapping[str, str]
    ) -> Iterator[Read]:
        """Yield the records of an input, in order."""


class ParsedReader(Protocol):
    """What reads a JSON value that is parsed already, as its text would be read."""

    def __call__(self, value: Any, text: Callable[[], str]) -> Iterator[Read]:
        """Yield the articles of a value; ``text`` gives it as it stands in the input.

        It is asked for only where an original is kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format and how it is read and written.

    :param media_types: what a ``Content-Type`` calls it; the first is what we say.
    :param extensions: with the dot; of ``.gz`` files that before it counts.
    """

    name: str
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    about: str
    read: Reader
    read_parsed: ParsedReader | None = None  # of formats that are JSON
    write: Callable[[Article], bytes] | None = None


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            name="text",
            media_types=("text/plain",),
            extensions=(".txt", ".text"),
            about="plain text: a headline, then paragraphs; front matter if you like",
            read=text.read,
        ),
        Format(
            name="jsonl",
            media_types=(
                "application/x-ndjson",
                "application/jsonl",
                "application/json",
            ),
            extensions=(".jsonl", ".ndjson", ".json"),
            about="JSON, an article a line, under our field names or common others",
            read=jsonl.read,
            read_parsed=jsonl.read_parsed,
            write=jsonl.write,
        ),
        Format(
            name="ninjs",
            media_types=("application/ninjs+json",),
            extensions=(".ninjs",),
            about="IPTC ninjs 1.x, 2.x, 3.x and Superdesk's flavour of it",
            read=ninjs.read,
            read_parsed=ninjs.read_parsed,
            write=ninjs.write,
        ),
    )
}

_NO_MAPPING: Mapping[str, str] = MappingProxyType({})
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


def read(
    name_of_format: str,
    data: bytes | BinaryIO,
    *,
    name: str = "",
    mapping: Mapping[str, str] = _NO_MAPPING,
    encoding: str | None = None,
) -> Iterator[Read]:
    """Yield the records of an input, in order; gzip is looked through.

    :param data: a stream is read bit by bit where the format allows it, and not closed.
    :param name: the file's, relative to the folder that was asked for.
    :param mapping: names of the input to fields of ours, before all else.
    :param encoding: the charset it was declared to be in; a byte order mark overrides
        it. By default UTF-8.
    :raises UnknownFormat: there is no such format.
    :raises UnknownField: the mapping names a field that is none.
    :raises UnreadableInput: the encoding is none that is known.
    """
    if name_of_format not in FORMATS:
        raise UnknownFormat(name_of_format, allowed=tuple(FORMATS))
    field_names.check_mapping(mapping)
    known = None if encoding is None else checked_encoding(encoding)
    if known is not None:
        # All that readers need of a stream is read().
        data = cast("BinaryIO", Recoded(data, known))
    return FORMATS[name_of_format].read(data, name=name, mapping=mapping)


def read_parsed(
    name_of_format: str, value: Any, text: Callable[[], str]
) -> Iterator[Read]:
    """Yield the articles of a JSON value, as :func:`read` would those of its text.

    :param name_of_format: of a format that is JSON.
    :param text: gives the value as it stands in the input, for originals.
    """
    reader = FORMATS[name_of_format].read_parsed
    assert reader is not None, "the format is JSON"
    return reader(value, text)


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
