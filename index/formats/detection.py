"""Which format is an input in? Its content decides, its name breaks ties.

The properties of a JSON object decide between our own names and those of ninjs: an
alias or two that both have do not. Anything else that reads as text is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from index.errors import UnknownFormat, UnreadableInput
from index.formats import field_names
from index.formats.csv import is_table
from index.formats.feeds import is_export
from index.formats.head import (
    head_text,
    is_binary,
    is_html,
    is_json,
    is_xml_or_html,
    json_names,
    xml_head,
)
from index.formats.jsonfeed import is_head_of_feed
from index.formats.jsonld import is_head_of_document
from index.formats.mapping import check_mapping
from index.formats.ninjs import MARKS, PROPERTIES, WEAK_MARKS
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.property_names import kept
from index.formats.record import Read
from index.formats.records import (
    RecordReader,
    is_shapeless,
    read_item,
    read_value,
    read_values,
)
from index.formats.table import FORMATS, decoded, read, record_reader
from index.formats.wire import is_wire
from index.formats.wrappers import NAMES, Item
from index.parsing import xml_first_child, xml_root

_FORMAT_OF_EXTENSION = {
    extension: each.name for each in FORMATS.values() for extension in each.extensions
}
# Formats that are JSON, the default one first.
_JSON = [each.name for each in FORMATS.values() if each.read_record is not None]
_FORMAT_OF_ROOT = {root: each.name for each in FORMATS.values() for root in each.roots}


def detect(name: str, head: bytes, encoding: str | None = None) -> str:
    """Format of a file, as a key of FORMATS.

    The content decides; the name breaks ties: plain text counts as an article only in a
    ``.txt`` file, or in one without an extension. Text in an encoding that we do not
    read has a format all the same: its reader says what is wrong, and where.

    Of JSON this is only the format of the first record, as far as it is in the head:
    :func:`read_detected` detects each.

    :param head: the file's first bytes, 2,048 or more if there are as many.
    :param encoding: the declared charset.
    :raises UnknownFormat: it looks like none of them.
    :raises UnreadableInput: it is empty, and its name does not tell its format.
    """
    unknown = UnknownFormat(name or "this", allowed=tuple(FORMATS))
    text = head_text(head, encoding)
    if is_html(text):
        return "html"
    if is_xml_or_html(text):
        return _of_root(name, xml_head(head, encoding))
    if is_json(text):
        if is_head_of_feed(text):
            return "jsonfeed"
        if is_head_of_document(text):
            return "jsonld"
        return _by_names(json_names(text, NAMES), _named(name) or "jsonl")
    if is_wire(text):
        return "wire"
    if is_table(text):
        return "csv"
    extension = _extension(name)
    if extension in _FORMAT_OF_EXTENSION:
        return _FORMAT_OF_EXTENSION[extension]
    if extension or is_binary(text):
        raise unknown
    if not text.strip():
        raise UnreadableInput("is empty")
    return "text"


def detect_object(value: Mapping[str, Any], default: str = "jsonl") -> str:
    """Format of a JSON object, by the names of its properties.

    :param default: where they fit both formats equally.
    """
    return _by_names(value, default)


def read_detected(
    default: str,
    data: bytes | BinaryIO,
    *,
    name: str = "",
    options: ReadOptions = DEFAULTS,
    encoding: str | None = None,
) -> Iterator[Read]:
    """Yield the records of an input; each record of JSON is detected on its own.

    :param default: format that the input was detected as.
    :raises UnknownFormat: there is no such format.
    :raises UnknownField: the mapping reads a name as an unknown field.
    :raises UnreadableInput: the charset is unknown.
    """
    known = FORMATS.get(default)
    if known is None or (known.read_record is None and known.read_document is None):
        return read(default, data, name=name, options=options, encoding=encoding)
    check_mapping(options.mapping)
    reader = partial(_read_detected_value, default, options=options)
    return read_values(decoded(data, encoding), reader)


def read_parsed(
    name_of_format: str | None,
    value: Any,
    text: Callable[[], str],
    options: ReadOptions = DEFAULTS,
) -> Iterator[Read]:
    """Yield the records of a JSON value, as :func:`read` would those of its text.

    :param name_of_format: of a format that is JSON; by default each is detected.
    :param text: returns the value as it stands in the input, for originals.
    """
    if name_of_format is None:
        yield from _read_detected_value("jsonl", value, text, 1, 1, options=options)
        return
    document_reader = FORMATS[name_of_format].read_document
    if document_reader is not None:
        yield from document_reader(value, text, 1, 1, options=options)
        return
    yield from read_value(value, text, options, _reader(name_of_format), 1, 1)


def document_format(value: object, options: ReadOptions = DEFAULTS) -> str | None:
    """Format of a JSON value whose records share properties; ``None`` if it is none.

    :param options: a path to the records makes a value no such document.
    """
    if options.records:
        return None
    return next((e.name for e in FORMATS.values() if e.holds and e.holds(value)), None)


def read_listed(
    name_of_format: str | None, item: Item, options: ReadOptions = DEFAULTS
) -> Read:
    """Read a record that :func:`items_of` found in a value."""
    return read_item(item, options, _reader(name_of_format))


def _reader(name_of_format: str | None) -> RecordReader:
    if name_of_format is None:
        return partial(_read_detected_record, "jsonl")
    return record_reader(name_of_format)


def _read_detected_value(
    default: str,
    value: Any,
    text: Callable[[], str],
    line: int,
    position: int | None,
    *,
    options: ReadOptions,
) -> Iterator[Read]:
    """Yield the records of a JSON value, each read as what it looks like."""
    named = document_format(value, options)
    reader = FORMATS[named].read_document if named is not None else None
    if reader is not None:
        for record in reader(value, text, line, position, options=options):
            yield record if named == default else replace(record, read_as=named)
        return
    usual = default if FORMATS[default].read_record is not None else "jsonl"
    record_reader = partial(_read_detected_record, usual)
    for record in read_value(value, text, options, record_reader, line, position):
        is_usual = usual == default or record.read_as is not None
        yield record if is_usual else replace(record, read_as=usual)


def _read_detected_record(
    default: str,
    value: Any,
    text: Callable[[], str],
    options: ReadOptions,
    line: int,
    position: int | None,
) -> Read:
    """Read a record as the format that it looks like, else as another that fits."""
    guess = detect_object(value, default) if isinstance(value, Mapping) else default
    read = record_reader(guess)(value, text, options, line, position)
    if not is_shapeless(read.error):
        return read if guess == default else replace(read, read_as=guess)
    for other in _JSON:
        if other != guess:
            attempt = record_reader(other)(value, text, options, line, position)
            if attempt.article is not None:
                return replace(attempt, read_as=other, guess=guess)
    return read


def _of_root(name: str, text: str) -> str:
    """Format of an XML text, by its root element, or by the first one in a wrapper."""
    root, child = xml_root(text), xml_first_child(text)
    for element in (root, child):
        if element is not None and element.lower() in _FORMAT_OF_ROOT:
            name_of_format = _FORMAT_OF_ROOT[element.lower()]
            return (
                "wxr" if name_of_format == "rss" and is_export(text) else name_of_format
            )
    # Of HTML, the root says nothing that its reader does not know.
    shown = None if root is None or root.lower() == "html" else root
    raise UnknownFormat(name or "this", allowed=tuple(FORMATS), root=shown)


def _by_names(names: Iterable[str], default: str) -> str:
    """Format that more of the names belong to."""
    ninjs, ours, weak = 0, 0, False
    has_uri = False
    for name in names:
        kind = _kind_of(name)
        ninjs += kind == "ninjs"
        ours += kind == "ours"
        weak = weak or kind == "weak"
        has_uri = has_uri or kind == "uri"
    if not has_uri:
        return "ninjs" if ninjs > ours else "jsonl"
    if ninjs != ours:
        return "ninjs" if ninjs > ours else "jsonl"
    return "ninjs" if weak else default


@kept(4096)
def _kind_of(name: str) -> str:
    """Whose property a name is: of ninjs alone, ours alone, or both (weakly)."""
    lowered = name.lower()
    if lowered in ("uri", "guid"):
        return "uri"
    if lowered in WEAK_MARKS:
        return "weak"
    if lowered in MARKS:
        return "ninjs"
    if lowered in PROPERTIES:
        return ""
    if lowered.startswith(("headline_", "description_")):
        return "ninjs"
    target = field_names.target_of(name)
    return "" if target is None or lowered.startswith("body_") else "ours"


def _named(name: str) -> str | None:
    """Format of JSON that a file name mentions, such as ``ninjs-1.json``."""
    lowered = name.lower()
    return next((each for each in _JSON[1:] if each in lowered), None)


def _extension(name: str) -> str:
    """Extension of a file name, with its dot and without ``.gz``; blank if none."""
    base = name.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".gz")
    _, dot, extension = base.rpartition(".")
    # "Report. Final draft" and "story.2016" have no extension.
    has_one = dot and " " not in extension and re.search(r"[a-z]", extension)
    return f".{extension}" if has_one else ""
