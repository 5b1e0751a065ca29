"""JSON lines: an article a line, under our own names or others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from index.article import Article, Original, document_of
from index.errors import InputError, UnreadableInput
from index.formats import field_names
from index.formats.record import Read, made, refused
from index.parsing import JSON_TYPES, json_records


def read(
    data: bytes | BinaryIO, *, name: str = "", mapping: Mapping[str, str]
) -> Iterator[Read]:
    """Yield the records of JSON lines, of an array, or of one object.

    :param mapping: names in the input to our fields; see :func:`field_names.renamed`.
    """
    for value in json_records(data):
        if value.error is not None:
            yield refused(value.error, None, line=value.line, position=value.position)
        else:
            yield _read(value.value, value.given, mapping, value.line, value.position)


def read_parsed(value: Any, text: Callable[[], str]) -> Iterator[Read]:
    """Yield the article of a JSON value; ``text`` gives it as it stands."""
    yield _read(value, text, {}, line=1, position=1)


def write(article: Article) -> bytes:
    """Return an article as one line, which :func:`read` reads back unchanged."""
    text = json.dumps(
        document_of(article),
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode() + b"\n"


def _read(
    record: Any,
    text: Callable[[], str],
    mapping: Mapping[str, str],
    line: int,
    position: int | None,
) -> Read:
    try:
        if not isinstance(record, dict):
            kind = JSON_TYPES[type(record)]
            raise UnreadableInput(f"a record must be an object, not {kind}", line=line)
        document = field_names.renamed(record, mapping)
    except InputError as error:
        return refused(error, record, line=line, position=position)
    original = None
    if not _is_kept(record, document):
        original = Original(format="jsonl", data=text().encode())
    return made(document, line=line, position=position, original=original)


def _is_kept(record: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Return whether every field is the very value that was sent under its name."""
    return all(
        value is record.get(name) for name, value in document.items() if name != "extra"
    )
