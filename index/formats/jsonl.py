"""JSON lines: an article a line, under our own names or others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from index.article import Article, Original, document_of
from index.errors import InputError, UnreadableInput
from index.formats import field_names
from index.formats.record import Read, made, refused
from index.parsing import KINDS, Value, values


def read(
    data: bytes | BinaryIO, *, name: str = "", mapping: Mapping[str, str]
) -> Iterator[Read]:
    """Yield the records of JSON lines, of an array, or of one object.

    :param mapping: names of the input to fields of ours; see :func:`aliases.renamed`.
    """
    for value in values(data):
        yield _read(value, mapping)


def write(article: Article) -> bytes:
    """Return an article as one line, which :func:`read` reads back unchanged."""
    text = json.dumps(
        document_of(article),
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode() + b"\n"


def _read(value: Value, mapping: Mapping[str, str]) -> Read:
    record, line = value.value, value.line
    error = value.error
    if error is None and not isinstance(record, dict):
        kind = KINDS[type(record)]
        error = UnreadableInput(f"a record must be an object, not {kind}", line=line)
    if error is None:
        try:
            document = field_names.renamed(record, mapping)
        except InputError as trouble:
            error = trouble
    if error is not None:
        return refused(error, record, line=line, position=value.position)
    original = None
    if not _is_kept(record, document):
        original = Original(format="jsonl", data=value.text.encode())
    return made(document, line=line, position=value.position, original=original)


def _is_kept(record: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Return whether every field is the very value that was sent under its name."""
    return all(
        value is record.get(name) for name, value in document.items() if name != "extra"
    )
