"""CSV: a table with a header, a row an article, under our field names or aliases."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from index.article import CONCEPT_FIELDS, Original
from index.errors import InputError, LimitExceeded, UnreadableInput
from index.formats import field_names, jsonl
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, refusal_of
from index.parsing import (
    DELIMITERS,
    header_of,
    parse_json,
    table_rows,
    unguarded,
    unzipped,
)
from index.parsing import recoded as recoded_pieces

# Columns without one of these hold no article.
_TEXTS = ("headline", "text", "paragraphs", "abstract")
_DEEPEST = 8  # steps of a path in a header
_SHOWN = 200  # characters of a header in an error
# Each row is read with the names of its columns, and kept with the header.
MAX_NAME = 300  # characters, with the spaces around it
MAX_HEADER = 64 * 1024  # characters


class _Column(NamedTuple):
    """A column of a table.

    :param path: names that lead to its value in a record: ``fields.body`` has two.
    :param joins: whether another column of the same name adds to its value.
    """

    path: tuple[str, ...]
    number: int
    joins: bool


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the articles of a table whose first row names its columns.

    ::

        (record,) = read(b"id;title\na-1;Ferry back")
        record.article.headline  # "Ferry back"

    The delimiter (comma, semicolon, tab or bar) and the quoting are found from the
    content. A cell is read as a text in JSON is, except that a blank one says nothing.
    """
    pieces, encoding = unzipped(data)
    is_name = partial(_is_name, options)
    try:
        rows = table_rows(recoded_pieces(pieces, encoding), is_name)
        header = next(rows, None)
        if header is None:
            raise UnreadableInput(
                "has no header: write a first line with a name for each column", line=1
            )
        size = len(header.text)
        if size > MAX_HEADER:
            raise LimitExceeded("characters of a header", limit=MAX_HEADER, got=size)
        columns = _columns_of(header.cells, options) if header.error is None else []
    except InputError as error:
        yield refusal_of(error, None, line=getattr(error, "line", 1))
        return
    if header.error is not None:
        yield refusal_of(header.error, None, line=header.line)
        return
    empty = True
    for position, row in enumerate(rows, 1):
        empty = False
        if row.error is not None:
            yield refusal_of(row.error, None, line=row.line, position=position)
            continue
        record = _record_of(columns, row.cells)
        mapped = options.field_map.applied(record)
        read = jsonl.read_record(
            mapped.record, partial(json.dumps, record), options, row.line, position
        )
        if read.article is not None:
            original = Original(format="csv", data=(header.text + row.text).encode())
            read = replace(read, original=original)
        if position == 1:
            read = replace(read, unread=_unread(header.cells, is_name))
        yield replace(read, mapped=mapped) if options.mapping else read
    if empty:
        no_rows = UnreadableInput("has a header and no rows", line=header.line)
        yield refusal_of(no_rows, None, line=header.line)


def is_table(head: str) -> bool:
    """Whether a text begins with a header: names that we know, one of them of a text.

    :param head: the first characters of an input.
    """
    line = head.lstrip("\ufeff\r\n ").partition("\n")[0].partition("\r")[0]
    if len(line) > 10_000 or not any(delimiter in line for delimiter in DELIMITERS):
        return False
    cells = header_of(line, _is_field)
    targets = [field_names.target_of(cell.strip()) for cell in cells]
    known = [target for target in targets if target is not None]
    return len(known) > 1 and any(target in _TEXTS for target in known)


def _is_field(name: str) -> bool:
    """Whether a name, or a part of a name such as ``fields.body``, is one of ours."""
    return any(field_names.target_of(part) is not None for part in name.split("."))


def _is_name(options: ReadOptions, name: str) -> bool:
    return name in options.mapping or _is_field(name)


def _unread(header: list[str], is_name: Callable[[str], bool]) -> tuple[str, ...]:
    """Names of columns that are no field and that no mapping reads."""
    names = dict.fromkeys(cell.strip() for cell in header)
    return tuple(name for name in names if name and not is_name(name))


def _columns_of(header: list[str], options: ReadOptions) -> list[_Column]:
    """The columns that a header names.

    :raises LimitExceeded: a name is too long.
    :raises UnreadableInput: it names no text of an article, or a name twice.
    """
    counts = Counter(cell.strip() for cell in header)
    longest = max(map(len, header), default=0)
    if longest > MAX_NAME:
        raise LimitExceeded(
            "characters of a column's name", limit=MAX_NAME, got=longest
        )
    if not any(_names_text(name) for name in counts) and not any(
        target in _TEXTS for target in options.mapping.values()
    ):
        line = ", ".join(filter(None, counts))[:_SHOWN]
        raise UnreadableInput(
            f"the first row names no column with a headline or a text: {line!r}; write"
            " a header with names such as id, headline, text and published, or name"
            " the columns with --map NAME=FIELD",
            line=1,
        )
    columns = []
    for number, cell in enumerate(header, 1):
        name = cell.strip()
        repeated = name != "" and counts[name] > 1
        target = field_names.target_of(name)
        if repeated and target is not None and target not in CONCEPT_FIELDS:
            raise UnreadableInput(
                f"the header names {name[:50]!r} twice; rename one of the columns",
                line=1,
            )
        columns.append(_Column(_path_of(name, counts, options), number, repeated))
    return columns


def _names_text(name: str) -> bool:
    return any(field_names.target_of(part) in _TEXTS for part in name.split("."))


def _path_of(name: str, names: Container[str], options: ReadOptions) -> tuple[str, ...]:
    """Path of a column in its record: of one step if it is no path, or mapped whole."""
    parts = name.split(".")
    is_path = 1 < len(parts) <= _DEEPEST and all(parts) and name not in options.mapping
    outer = (".".join(parts[:end]) for end in range(1, len(parts)))
    if not is_path or any(prefix in names for prefix in outer):
        return (name,)
    return tuple(parts)


def _record_of(columns: list[_Column], cells: list[str]) -> dict[str, Any]:
    """A row as the object that JSON would have in its place."""
    record: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=False):
        text = unguarded(cell) if cell.startswith("'") else cell
        if not text or text.isspace():
            continue
        value: Any = text
        if column.path == ("extra",) and text.lstrip().startswith("{"):
            with suppress(UnreadableInput):  # a text, and kept as one
                value = parse_json(text)
        _put(record, column, value)
    return {name: _with_lists(member) for name, member in record.items()}


def _put(record: dict[str, Any], column: _Column, value: Any) -> None:
    place = record
    for name in column.path[:-1]:
        place = place.setdefault(name, {})
    name = column.path[-1] or f"column {column.number}"
    if column.joins:
        place.setdefault(name, []).append(value)
    else:
        place[name] = value


def _with_lists(value: Any) -> Any:
    """A value whose objects with numbers for names are lists: ``authors.0.name``."""
    if not isinstance(value, dict):
        return value
    members = {name: _with_lists(member) for name, member in value.items()}
    if members and all(name.isdecimal() for name in members):
        return [members[name] for name in sorted(members, key=int)]
    return members
