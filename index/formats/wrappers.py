"""Wrappers: objects that list records, as search interfaces and feeds answer with them.

An object is a wrapper if it is not an article itself, and has one list of objects under
a known name, on one of three levels: ``articles``, ``response.docs``, ``hits.hits``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.errors import UnreadableInput
from index.formats import field_names
from index.formats.aliases import EMBARGO_NAMES
from index.formats.options import ReadOptions
from index.formats.property_names import kept, plain_name
from index.formats.statuses import holds_record_back
from index.parsing import EACH, Step, json_texts, json_values

# Names under which a wrapper lists its records, in lower case.
NAMES = (
    *("articles", "results", "docs", "documents", "items", "item", "_items", "news"),
    *("posts", "stories", "data", "entries", "entry", "records", "rows", "hits"),
    *("nodes", "edges", "value", "@graph"),
)
_OF_HITS = (
    "_index _type _id _score _version _routing _seq_no _primary_term _ignored _nested"
    " _explanation _shard _node found sort highlight fields inner_hits matched_queries"
)
# Objects that are the record of the item they are in, and what else such an item has:
# in Elasticsearch and GraphQL.
INNER = {
    "_source": frozenset(_OF_HITS.split()),
    "node": frozenset(("cursor", "__typename")),
}
# Properties of a feed, which has a title and is no article.
_OF_FEEDS = frozenset({"feed_url", "home_page_url", "continuation"})
_FEEDS = frozenset({"feed", "channel"})  # names of objects that are feeds
_LEVELS = 3
_PARTS = ("rendered", "html", "value", "#text")
_TEXT = ("headline", "text", "paragraphs")  # what an article has and a wrapper does not


@dataclass(frozen=True, slots=True)
class Item:
    """A record of a JSON value: the value itself, or one of those it lists.

    :param text: returns the item as it stands in the input.
    :param wrapper: path of the list, or name of the object, that it is from; ``None``
        if it is the value.
    :param number: its number in the list, from 1.
    """

    value: Any
    text: Callable[[], str]
    wrapper: str | None = None
    number: int | None = None


def items_of(
    value: Any, text: Callable[[], str], options: ReadOptions
) -> tuple[str | None, Iterator[Item]]:
    """The list that a JSON value wraps, if it does, and its records.

    :param text: returns the value as it stands in the input.
    :raises UnreadableInput: it has several lists, or not the one that the options name.
    """
    path = _path_of(value, options)
    if path is None:
        inner = _inner_of(value)
        return inner, iter([Item(_record_of(value), text, inner)])
    name = ".".join(str(step) for step in path if step is not EACH) or "a list"
    if options.records:
        name = options.records
    elif isinstance(value, Mapping):
        check_restrictions(value)
    return name, _items(value, text, path, name)


def check_restrictions(value: Mapping[str, Any]) -> None:
    """Check that an object that lists records holds none of them back.

    :raises UnreadableInput: it has an embargo, a status or a flag of its own.
    """
    if held := _restriction_of(value):
        raise UnreadableInput(
            f"an object with a list of records has {held!r} of its own, which may hold"
            " them back; send each record with it, or name the list with --records"
        )


def _restriction_of(value: Mapping[str, Any]) -> str | None:
    """Name of a property of a wrapper that holds its records back, if there is one."""
    for name, item in value.items():
        if plain_name(name) in EMBARGO_NAMES and item:
            return name
        if holds_record_back({name: item}, {}, lambda _: None):
            return name
    return None


def hint_of(value: Any) -> str | None:
    """How to read the likeliest records in an object; ``None`` if there are none."""
    if not isinstance(value, Mapping):
        return None
    lists = list(_lists_of_objects(value))
    if not lists:
        return None
    # An export may have more links between its records than records.
    name, size, _ = max(lists, key=lambda each: (each[2], each[1]))
    objects = "1 object" if size == 1 else f"{size:,} objects"
    return (
        f"this is an object with a list of {objects} under {name!r}; to read these,"
        f" send the list alone, or load it with --records {name!r}"
    )


def _path_of(value: Any, options: ReadOptions) -> tuple[Step, ...] | None:
    """Path to the records that a value lists; ``None`` if it is a record itself."""
    if options.records_path:
        return _path_given(value, options)
    if isinstance(value, list):
        # A page of an interface on a line of its own.
        objects = bool(value) and all(isinstance(item, Mapping) for item in value)
        return (EACH,) if objects else None
    if not isinstance(value, Mapping) or _is_article(value) or _inner_of(value):
        return None
    empty: tuple[Step, ...] | None = None
    for level in range(1, _LEVELS + 1):
        lists = list(_lists(value, level, _is_known))
        full = [path for path, items in lists if _has_objects(items)]
        if len(full) > 1:
            names = " and ".join(".".join(map(str, path)) for path in full[:3])
            raise UnreadableInput(
                f"an object with several lists of objects: {names}; name the one to"
                " read with --records"
            )
        if full:
            return (*full[0], EACH)
        if empty is None and lists and not _has_id(value):
            empty = next((path for path, items in lists if not items), None)
    return None if empty is None else (*empty, EACH)


def _path_given(value: Any, options: ReadOptions) -> tuple[Step, ...]:
    path = options.records_path
    path = path if path[-1] is EACH else (*path, EACH)
    if next(json_values(value, path[:-1]), None) is None:
        raise UnreadableInput(f"it has nothing under {options.records!r} (--records)")
    return path


def _items(
    value: Any, text: Callable[[], str], path: tuple[Step, ...], name: str
) -> Iterator[Item]:
    texts = _Texts(text, path)
    for number, item in enumerate(json_values(value, path)):
        yield Item(_record_of(item), texts.getter(number), name, number + 1)


class _Texts:
    """The texts of listed items, cut out in turn as they are asked for."""

    def __init__(self, text: Callable[[], str], path: Sequence[Step]) -> None:
        self._text, self._path = text, path
        self._texts: Iterator[str] | None = None
        self._number, self._last = -1, ""

    def getter(self, number: int) -> Callable[[], str]:
        """Function that returns the text of an item; ask for them in turn."""

        def text() -> str:
            if self._texts is None or number < self._number:
                self._texts, self._number = json_texts(self._text(), self._path), -1
            while self._number < number:
                self._last = next(self._texts)
                self._number += 1
            return self._last

        return text


def _record_of(item: Any) -> Any:
    """The record in an item that only carries it, with the item's id if it has none."""
    inner = _inner_of(item)
    if inner is None:
        return item
    record = dict(item[inner])
    if not _has_id(record):
        for name in ("_id", "id"):
            if item.get(name) not in (None, ""):
                return {**record, "id": item[name]}
    return record


def _inner_of(item: Any) -> str | None:
    """Name of the object in an item that is its record, if there is one."""
    if not isinstance(item, Mapping):
        return None
    for name, others in INNER.items():
        if (
            name in item
            and isinstance(item[name], Mapping)
            and item.keys() <= {name, *others}
        ):
            return name
    return None


def _lists(
    value: Mapping[str, Any], level: int, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yield the lists of an object on one level, and the names that lead to them."""
    for name, item in value.items():
        if level == 1:
            if isinstance(item, list) and is_wanted(name):
                yield (name,), item
        elif isinstance(item, Mapping) and (
            name.lower() in _FEEDS or not _is_article(item)
        ):
            for path, items in _lists(item, level - 1, is_wanted):
                yield (name, *path), items


def _lists_of_objects(
    value: Mapping[str, Any], in_list: bool = False
) -> Iterator[tuple[str, int, bool]]:
    """Yield each list of objects: its path, its length, and whether its name is known.

    A list of one object may carry it only, as ``db`` does in Ghost's export, so it is
    looked into once.
    """
    for level in range(1, _LEVELS + 1):
        for path, items in _lists(value, level, _is_any):
            if not _has_objects(items):
                continue
            name = ".".join(re.sub(r"([.\[\]\\])", r"\\\1", step) for step in path)
            yield name, len(items), _is_known(path[-1])
            if len(items) == 1 and not in_list:
                for inner, size, is_known in _lists_of_objects(items[0], in_list=True):
                    yield f"{name}[].{inner}", size, is_known


def _is_known(name: str) -> bool:
    return name.lower() in NAMES


def _is_any(name: str) -> bool:
    return True


def _has_objects(items: list[Any]) -> bool:
    return any(isinstance(item, Mapping) for item in items)


def _has_id(value: Mapping[str, Any]) -> bool:
    return any(field_names.target_of(name) == "id" for name in value)


def _is_article(value: Mapping[str, Any]) -> bool:
    """Whether an object has a headline or a body of its own, or a ninjs id.

    With an id, a summary makes it one too.
    """
    if not _OF_FEEDS.isdisjoint(value):
        return False
    has_id = has_summary = False
    for name, item in value.items():
        role = _role_of(name)
        if role == "text" and _is_text(name, item):
            return True
        if role == "uri" and isinstance(item, str):
            return True
        has_id = has_id or role == "id"
        has_summary = has_summary or (role == "summary" and _is_text(name, item))
    return has_id and has_summary


@kept(4096)
def _role_of(name: str) -> str:
    """What a property says of its object: ``uri id text summary``, or nothing."""
    lowered = name.lower()
    if lowered in ("uri", "guid"):
        return "uri"
    if lowered in ("headlines", "bodies") or lowered.startswith(("headline_", "body_")):
        return "text"
    target = field_names.target_of(name)
    if target in _TEXT:
        return "text"
    return {"id": "id", "abstract": "summary"}.get(target or "", "")


def _is_text(name: str, value: Any) -> bool:
    """Whether a value is a text, and not a part of a wrapper such as its ``body``."""
    if isinstance(value, Mapping):
        named = name.lower() in ("headline", "title")
        return any(isinstance(value.get(part), str) for part in _PARTS) or named
    if isinstance(value, list):
        if name.lower() in ("headlines", "bodies"):
            return bool(value)
        # Objects may be blocks of a body, or pages of an interface.
        return name == "paragraphs" or any(
            isinstance(item, str) or (isinstance(item, Mapping) and _is_block(item))
            for item in value
        )
    return isinstance(value, str) and bool(value.strip())


def _is_block(value: Mapping[str, Any]) -> bool:
    """Whether an object is a block of a body, and no record."""
    kinds = value.keys() & {"type", "_type", "text"}
    return bool(kinds) and all(
        _role_of(name) not in ("uri", "summary") and not _is_headline(name)
        for name in value
    )


def _is_headline(name: str) -> bool:
    return field_names.target_of(name) == "headline"
