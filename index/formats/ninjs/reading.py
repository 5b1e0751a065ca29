"""IPTC ninjs, news in JSON: 1.x, 2.x, 3.x and Superdesk's flavour.

Spec: https://iptc.org/standards/ninjs/. The generations differ in names (``pubstatus``,
``pubStatus``), in maps against lists (``headline_main``, ``headlines``) and in how a
concept is coded. Here a property is looked up without case, in either shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from index.article import Original
from index.errors import InputError, InvalidArticle, UnreadableInput
from index.formats.completion import complete, identify
from index.formats.ninjs.item import Item
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, read_of, refusal_of
from index.formats.records import read_records
from index.formats.statuses import hold, holds_record_back, is_password
from index.parsing import JSON_TYPES


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the items of one item, of an array, of a wrapper, or of JSON lines.

    ::

        (record,) = read(b'{"uri": "x:1", "headline": "Ferry back"}')
        record.article.headline  # "Ferry back"

    :param options: its mapping names further properties.
    """
    yield from read_records(data, options, read_record)


def read_record(
    value: Any,
    text: Callable[[], str],
    options: ReadOptions,
    line: int,
    position: int | None,
) -> Read:
    """Read one item; see :class:`RecordReader`."""
    try:
        if not isinstance(value, Mapping):
            kind = JSON_TYPES[type(value)]
            raise UnreadableInput(f"an item must be an object, not {kind}", line=line)
        notes: list[str] = []
        held = holds_record_back(value, options.mapping, notes.append)
        passwords = [name for name in value if is_password(name)]
        item = Item(
            {name: each for name, each in value.items() if name not in passwords},
            options.dates,
        )
        document = item.document(options.mapping)
        identify(document, value, text, options, usual=())
        if document.get("id") in (None, ""):
            raise InvalidArticle("id", "a ninjs item needs a uri, or Superdesk's guid")
    except InputError as error:
        return refusal_of(error, value, line=line, position=position)
    complete(document, options)
    if held:
        hold(document)
    return read_of(
        document,
        dates=options.dates,
        line=line,
        warnings=(*notes, *item.warnings),
        position=position,
        original=Original(format="ninjs", data=text().encode()),
    )
