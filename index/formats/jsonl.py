"""JSON lines: one article a line, under our own field names or common others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from index.article import Article, Original, document_of
from index.errors import InputError, UnreadableInput
from index.formats import date_fields, field_names
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, read_of, refusal_of
from index.parsing import JSON_TYPES, json_records


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the records of JSON lines, of an array, or of one object.

    ::

        (record,) = read(b'{"id": "a-1", "title": "Ferry back"}')
        record.article.headline  # "Ferry back"

    :param options: its mapping is that of :func:`field_names.renamed`.
    """
    for value in json_records(data):
        if value.error is not None:
            yield refusal_of(
                value.error, None, line=value.line, position=value.position
            )
        else:
            yield _record(
                value.value, value.as_sent, options, value.line, value.position
            )


def read_parsed(
    value: Any, text: Callable[[], str], options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the one record of a JSON value; ``text`` returns it as it stands."""
    yield _record(value, text, options, line=1, position=1)


def write(article: Article) -> bytes:
    """An article as one line of JSON, which :func:`read` reads back unchanged."""
    text = json.dumps(
        document_of(article),
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode() + b"\n"


def _record(
    value: Any,
    text: Callable[[], str],
    options: ReadOptions,
    line: int,
    position: int | None,
) -> Read:
    warnings: list[str] = []
    try:
        if not isinstance(value, dict):
            kind = JSON_TYPES[type(value)]
            raise UnreadableInput(f"a record must be an object, not {kind}", line=line)
        document = field_names.renamed(value, options.mapping, warn=warnings.append)
    except InputError as error:
        return refusal_of(error, value, line=line, position=position)
    original = None
    if not (_is_unchanged(value, document) and date_fields.are_instants(document)):
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
