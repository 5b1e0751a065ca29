"""JSON lines: one article a line, under our own field names or common others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from index.article import Article, Original, document_of
from index.errors import InputError, UnreadableInput
from index.formats import field_names
from index.formats.completion import complete, identify
from index.formats.date_fields import are_instants
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, read_of, refusal_of
from index.formats.records import read_records
from index.parsing import JSON_TYPES


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the records of JSON lines, of an array, or of one object.

    ::

        (record,) = read(b'{"id": "a-1", "title": "Ferry back"}')
        record.article.headline  # "Ferry back"

    :param options: how they are read.
    """
    yield from read_records(data, options, read_record)


def write(article: Article) -> bytes:
    """An article as one line of JSON, which :func:`read` reads back unchanged."""
    text = json.dumps(
        document_of(article),
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode() + b"\n"


def read_record(
    value: Any,
    text: Callable[[], str],
    options: ReadOptions,
    line: int,
    position: int | None,
) -> Read:
    """Read one record; see :class:`RecordReader`."""
    warnings: list[str] = []
    try:
        if not isinstance(value, dict):
            kind = JSON_TYPES[type(value)]
            raise UnreadableInput(f"a record must be an object, not {kind}", line=line)
        document = field_names.renamed(value, options.mapping, warn=warnings.append)
    except InputError as error:
        return refusal_of(error, value, line=line, position=position)
    identify(document, value, text, options)
    complete(document, options)
    original = None
    if (
        options.ignores
        or not _is_unchanged(value, document)
        or not are_instants(document)
    ):
        original = Original(format="jsonl", data=text().encode())
    return read_of(
        document,
        dates=options.dates,
        line=line,
        warnings=tuple(warnings),
        position=position,
        original=original,
    )


def _is_unchanged(record: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether every field is the very object that was sent under its name."""
    return all(
        value is record.get(name) for name, value in document.items() if name != "extra"
    )
