"""IPTC ninjs, news in JSON: 1.x, 2.x, 3.x and Superdesk's flavour.

Spec: https://iptc.org/standards/ninjs/. The generations differ in names (``pubstatus``,
``pubStatus``), in maps against lists (``headline_main``, ``headlines``) and in how a
concept is coded. Here a property is looked up without case, in either shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from index.article import Original
from index.errors import InputError, UnreadableInput
from index.formats.ninjs.item import Item
from index.formats.ninjs.properties import WRAPPERS
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, read_of, refusal_of
from index.parsing import EACH, JSON_TYPES, json_records, json_texts


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the items of one item, of an array, of a wrapper, or of JSON lines.

    ::

        (record,) = read(b'{"uri": "x:1", "headline": "Ferry back"}')
        record.article.headline  # "Ferry back"

    :param options: its mapping names further properties.
    """
    for value in json_records(data):
        if value.error is not None:
            yield refusal_of(
                value.error, None, line=value.line, position=value.position
            )
        else:
            yield from _records(
                value.value, value.as_sent, options, value.line, value.position or 1
            )


def read_parsed(
    value: Any, text: Callable[[], str], options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the items of a JSON value; ``text`` returns it as it stands."""
    yield from _records(value, text, options, line=1, position=1)


def _wrapper_of(value: Any) -> str | None:
    """Property under which a value lists items; ``None`` if it is an item itself."""
    if isinstance(value, Mapping) and not value.keys() & {"uri", "guid"}:
        for name in WRAPPERS:
            if isinstance(value.get(name), list):
                return name
    return None


def _records(
    value: Any,
    text: Callable[[], str],
    options: ReadOptions,
    line: int,
    position: int,
) -> Iterator[Read]:
    wrapper = _wrapper_of(value)
    if wrapper is None:
        yield _record(value, text(), options, line, position)
        return
    texts = json_texts(text(), (wrapper, EACH))
    for number, (item, item_text) in enumerate(
        zip(value[wrapper], texts, strict=True), 1
    ):
        yield _record(item, item_text, options, line, number)


def _record(
    value: Any, text: str, options: ReadOptions, line: int, position: int
) -> Read:
    try:
        if not isinstance(value, Mapping):
            kind = JSON_TYPES[type(value)]
            raise UnreadableInput(f"an item must be an object, not {kind}", line=line)
        item = Item(value, options.dates)
        document = item.document(options.mapping)
    except InputError as error:
        return refusal_of(error, value, line=line, position=position)
    return read_of(
        document,
        dates=options.dates,
        line=line,
        warnings=tuple(item.warnings),
        position=position,
        original=Original(format="ninjs", data=text.encode()),
    )
