"""Records of JSON inputs: unwrapped, mapped, and each read as its format does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO, Protocol

from index.errors import InputError, InvalidArticle
from index.formats.options import ReadOptions
from index.formats.record import Read, refusal_of
from index.formats.wrappers import Item, hint_of, items_of
from index.parsing import json_records


class RecordReader(Protocol):
    """Reader of one record of a format that is JSON."""

    def __call__(
        self,
        value: Any,
        text: Callable[[], str],
        options: ReadOptions,
        line: int,
        position: int | None,
    ) -> Read:
        """Read a record.

        :param value: as it was parsed and mapped.
        :param text: returns the record as it stands in the input, for its original.
        :param position: its number in the input, from 1.
        """


class ValueReader(Protocol):
    """Reader of a JSON value that may hold several records."""

    def __call__(
        self, value: Any, text: Callable[[], str], line: int, position: int | None
    ) -> Iterator[Read]:
        """Yield the records of a value.

        :param text: returns the value as it stands in the input.
        :param position: its number in the input, from 1.
        """


def read_records(
    data: bytes | BinaryIO, options: ReadOptions, read_record: RecordReader
) -> Iterator[Read]:
    """Yield the records of JSON lines, of lists, and of the wrappers among them."""

    def read(
        value: Any, text: Callable[[], str], line: int, position: int | None
    ) -> Iterator[Read]:
        return read_value(value, text, options, read_record, line, position)

    return read_values(data, read)


def read_values(data: bytes | BinaryIO, read: ValueReader) -> Iterator[Read]:
    """Yield the records of the values of JSON lines, of a list or of a document."""
    for value in json_records(data):
        if value.error is not None:
            yield refusal_of(
                value.error, None, line=value.line, position=value.position
            )
        else:
            yield from read(value.value, value.as_sent, value.line, value.position)


def read_value(
    value: Any,
    text: Callable[[], str],
    options: ReadOptions,
    read_record: RecordReader,
    line: int,
    position: int | None,
) -> Iterator[Read]:
    """Yield the record that a JSON value is, or those that it lists."""
    try:
        wrapper, items = items_of(value, text, options)
    except InputError as error:
        yield refusal_of(error, value, line=line, position=position)
        return
    empty = wrapper is not None
    for item in items:
        empty = False
        at = position if item.number is None else item.number
        yield read_item(item, options, read_record, line, at)
    if empty:
        yield Read(article=None, line=line, wrapper=wrapper)


def read_item(
    item: Item,
    options: ReadOptions,
    read_record: RecordReader,
    line: int = 1,
    position: int | None = None,
) -> Read:
    """Read a record that was found in a JSON value."""
    mapped = options.field_map.applied(item.value)
    read = read_record(mapped.record, item.text, options, line, position)
    if item.wrapper is not None:
        read = replace(read, wrapper=item.wrapper)
    elif is_shapeless(read.error) and (hint := hint_of(item.value)) is not None:
        assert isinstance(read.error, InvalidArticle)
        field, detail = read.error.field, read.error.detail
        read = replace(read, error=InvalidArticle(field, f"{detail}; {hint}"))
    return replace(read, mapped=mapped) if options.mapping else read


def is_shapeless(error: InputError | None) -> bool:
    """Whether a record was refused because it lacks what makes an article.

    Only then it may be of another format, or no article. Everything else, such as an
    embargo that cannot be read, refuses it as what it is.
    """
    return (
        isinstance(error, InvalidArticle)
        and error.field in ("id", "paragraphs")
        and "needs" in error.detail
    )
