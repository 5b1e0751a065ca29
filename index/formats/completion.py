"""Completion of a record by what its load knows: an id, and fields that it lacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from index.article import ARTICLE_FIELDS, CONCEPT_FIELDS, MAX_ID
from index.dates import DateRules
from index.errors import InvalidValue, UnknownField
from index.formats import field_names
from index.formats.mapping import path_of
from index.formats.options import ReadOptions
from index.formats.record import read_of
from index.parsing import json_values, parse_json

URL, HASH = "url", "hash"
TOGETHER = "+"  # between places whose values make one id
# Fields that no two articles have in common.
_OWN = ("id", "version", "paragraphs", "extra")
SETTABLE = tuple(name for name in ARTICLE_FIELDS if name not in _OWN)
# How warnings of values end that are not taken.
_NOT_TAKEN = ("; taken as unknown", "; kept in extra")
# An empty one of these lifts what was set before, so it is a value.
_LIFTED = ("embargoed_until", "expires")


def identify(
    document: dict[str, Any],
    record: Any,
    text: Callable[[], str],
    options: ReadOptions,
    *,
    usual: tuple[str, ...] = (URL,),
) -> None:
    """Give a document without an id one, from the first place that has it.

    :param record: as it was parsed and mapped.
    :param text: returns the record as it stands in the input, which is JSON.
    :param usual: places to look in if the options name none.
    """
    if document.get("id") not in (None, ""):
        return
    for place in options.id_from or usual:
        values = [
            _text_at(part, document, record, text, options)
            for part in (place.split(TOGETHER) if options.id_from else [place])
        ]
        if all(values):
            whole = TOGETHER.join(values)
            document["id"] = as_id(whole) if options.id_from else whole
            return


def complete(document: dict[str, Any], options: ReadOptions) -> None:
    """Set the fields that a document lacks to the defaults of its load."""
    for name, value in options.defaults.items():
        if name not in document or (
            name not in _LIFTED and document[name] in (None, "", [])
        ):
            document[name] = value


def defaults_of(
    pairs: Sequence[tuple[str, str]], *, dates: DateRules
) -> dict[str, Any]:
    """Defaults from fields and written values, in their JSON form.

    ::

        pairs = [("source", "Archive"), ("keywords", "ports, ferries")]
        defaults_of(pairs, dates=DateRules())

    Several values of a list field are all kept.

    :param dates: how its dates are read.
    :raises UnknownField: there is no such field, or articles do not share it.
    :raises InvalidValue: the field does not accept the value, or is given twice.
    """
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name not in SETTABLE:
            raise UnknownField(name, allowed=SETTABLE, parameter="set")
        if name == "keywords":
            parts = [part.strip() for part in value.split(",") if part.strip()]
            values.setdefault(name, []).extend(parts)
        elif name in CONCEPT_FIELDS:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise InvalidValue("set", f"{name} is given twice; give it once", got=value)
        else:
            values[name] = value
    defaults = field_names.renamed(values, {})
    read = read_of({"id": "x", "headline": "x", **defaults}, dates=dates)
    if read.error is not None:
        raise InvalidValue("set", str(read.error))
    for warning in read.warnings:
        for ending in _NOT_TAKEN:
            if warning.endswith(ending):
                raise InvalidValue("set", warning.removesuffix(ending))
    return defaults


def check_id_from(places: Sequence[str]) -> None:
    """Check the places that ids are taken from.

    :raises InvalidValue: one is not a path.
    """
    for place in places:
        for part in place.split(TOGETHER):
            path_of(part, "id_from")


def _text_at(
    place: str,
    document: dict[str, Any],
    record: Any,
    text: Callable[[], str],
    options: ReadOptions,
) -> str:
    """Text or number in a place; blank if there is none."""
    value = _value_at(place, document, record, text, options)
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if is_text else ""


def as_id(text: str) -> str:
    """Text with hyphens for spaces; the end of a long one is replaced by a hash."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    joined = "-".join(plain.split())
    if len(joined) <= MAX_ID:
        return joined
    return f"{joined[: MAX_ID - 17]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _value_at(
    place: str,
    document: dict[str, Any],
    record: Any,
    text: Callable[[], str],
    options: ReadOptions,
) -> Any:
    if place == HASH:
        return _hash(options.field_map.without_ignored(parse_json(text())))
    if place == URL:
        return document.get("url")
    path = path_of(place, "id_from")
    sent = [value for value in json_values(record, path) if value not in (None, "")]
    return sent[0] if sent else document.get(place)


def _hash(record: Any) -> str:
    """Hash of a record, whatever the order of its names and the space between them."""
    canonical = json.dumps(
        record, sort_keys=True, ensure_ascii=True, separators=(",", ":")
    )
    return f"hash:{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"
