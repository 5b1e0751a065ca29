"""JSON Feed 1.0 and 1.1: the items of a feed, and what they have from it.

Spec: https://www.jsonfeed.org/version/1.1/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from index.article import Original
from index.errors import InputError, LimitExceeded, UnreadableInput
from index.formats import jsonl
from index.formats.objects import text_in
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, refusal_of
from index.formats.records import read_item, read_values
from index.formats.wrappers import check_restrictions, items_of

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/", re.IGNORECASE)
_IN_HEAD = re.compile(r'"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\b')
_ITEMS = "items"
# Each item is read with what it has from its feed.
MAX_AUTHORS = 50
MAX_SHARED = 300  # characters of a value


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the items of a feed, or of several feeds.

    ::

        (record,) = read(
            b'{"version": "https://jsonfeed.org/version/1.1", "title": "Wire",'
            b' "items": [{"id": "a-1", "title": "Ferry back"}]}'
        )
        record.article.headline, record.article.source  # "Ferry back", "Wire"
    """
    yield from read_values(data, partial(read_value, options=options))


def is_feed(value: object) -> bool:
    """Whether a JSON value is a feed: by its version, and a list of items."""
    if not isinstance(value, Mapping) or not isinstance(value.get(_ITEMS), list):
        return False
    version = value.get("version")
    return isinstance(version, str) and _VERSION.match(version) is not None


def is_head_of_feed(head: str) -> bool:
    """Whether the first characters of an input name a version of JSON Feed."""
    return _IN_HEAD.search(head) is not None


def read_value(
    value: Any,
    text: Callable[[], str],
    line: int,
    position: int | None,
    *,
    options: ReadOptions,
) -> Iterator[Read]:
    """Yield the items of a feed; see :class:`ValueReader`."""
    try:
        if not is_feed(value):
            raise UnreadableInput(
                "a JSON Feed has a version such as https://jsonfeed.org/version/1.1 and"
                " a list of items; this has not",
                line=line,
            )
        check_restrictions(value)
        shared = _shared(value)
        listed = replace(options, records=_ITEMS)
        _, items = items_of(value, text, listed)
    except InputError as error:
        yield refusal_of(error, value, line=line, position=position)
        return
    reader = partial(_read_item, shared)
    for item in items:
        yield read_item(item, options, reader, line, item.number)
    if not value[_ITEMS]:
        yield Read(article=None, line=line, wrapper=_ITEMS)


def _read_item(
    shared: Mapping[str, Any],
    value: Any,
    text: Callable[[], str],
    options: ReadOptions,
    line: int,
    position: int | None,
) -> Read:
    """Read one item; see :class:`RecordReader`."""
    record = value
    if isinstance(value, Mapping):
        own = {name: member for name, member in value.items() if name != "external_url"}
        # A page elsewhere, which the item is about: it is not where the item is.
        elsewhere = {"external_url": value.get("external_url")}
        extra = {"extra": elsewhere} if elsewhere["external_url"] else {}
        people = own.get("authors") or own.get("author")
        inherited = {
            name: member
            for name, member in shared.items()
            if not (name == "authors" and people) and own.get(name) in (None, "")
        }
        record = {**own, **inherited, **extra}
    read = jsonl.read_record(record, text, options, line, position)
    if read.article is None:
        return read
    original = Original(format="jsonfeed", data=text().encode())
    return replace(read, original=original)


def _shared(feed: Mapping[str, Any]) -> dict[str, Any]:
    """What items have from their feed: its title as their source, and its authors.

    :raises LimitExceeded: it is more than each item can have.
    """
    people = feed.get("authors") or feed.get("author")
    people = people if isinstance(people, list) else [people]
    if len(people) > MAX_AUTHORS:
        raise LimitExceeded(
            "authors of a feed",
            limit=MAX_AUTHORS,
            got=len(people),
            detail=f"at most {MAX_AUTHORS}; send them with the items",
        )
    names = [
        named.text
        for person in people
        if isinstance(person, Mapping) and (named := text_in("authors", person))
    ]
    stated = {"source": feed.get("title"), "language": feed.get("language")}
    shared: dict[str, Any] = {name: value for name, value in stated.items() if value}
    for text in (*names, *shared.values()):
        size = len(text if isinstance(text, str) else json.dumps(text))
        if size > MAX_SHARED:
            raise LimitExceeded(
                "title, language or name of an author of a feed",
                limit=MAX_SHARED,
                got=size,
                detail=f"at most {MAX_SHARED} characters, not {size:,}; shorten it",
            )
    return shared | ({"authors": names} if names else {})
