"""Stored fields as JSON, with marks for values that JSON does not have.

Stock Whoosh pickles the stored fields of a document. Unpickling can run any code, so we
use no pickles: a value that cannot be written as marked JSON is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

# An object whose only key begins with this stands for a value that JSON does not have.
_MARK = "$"

_PLAIN = (type(None), bool, int, str)
_TEXTS: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    bytes: ("bytes", bytes.hex, bytes.fromhex),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    time: ("time", time.isoformat, time.fromisoformat),
    Decimal: ("decimal", str, Decimal),
}
_COLLECTIONS: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}
_COLLECTION_OF_MARK = {f"{_MARK}{mark}": kind for kind, mark in _COLLECTIONS.items()}
_TEXT_OF_MARK = {f"{_MARK}{mark}": read for mark, _, read in _TEXTS.values()}


class NotSupported(TypeError):
    """A schema, a value or a storage needs what our segments do not support.

    :ivar field: the field at fault, if it is one field.
    """

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail if field is None else f"field {field!r}: {detail}")
        self.field = field


def stored_text(values: Mapping[str, Any]) -> bytes:
    """Stored fields of a document as JSON.

    A value of a subclass is refused, since it would be read back as its base class. A
    time zone is read back as its offset; ``fold`` is lost.

    :raises NotSupported: a value is of an unsupported type.
    """
    marked = {}
    for name, value in values.items():
        try:
            marked[name] = _marked(value)
        except (TypeError, RecursionError) as error:
            raise NotSupported(str(error), field=name) from error
    return json.dumps(marked, separators=(",", ":")).encode()


def stored_values(text: bytes) -> dict[str, Any]:
    """Stored fields from the JSON of :func:`stored_text`."""
    if not text:
        return {}
    return {name: _unmarked(value) for name, value in json.loads(text).items()}


def _marked(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else {f"{_MARK}float": repr(value)}
    if kind is list:
        return [_marked(member) for member in value]
    if kind is dict:
        if all(type(key) is str and not key.startswith(_MARK) for key in value):
            return {key: _marked(member) for key, member in value.items()}
        pairs = [[_marked(key), _marked(member)] for key, member in value.items()]
        return {f"{_MARK}dict": pairs}
    if kind in _TEXTS:
        mark, text, _ = _TEXTS[kind]
        return {f"{_MARK}{mark}": text(value)}
    if kind in _COLLECTIONS:
        return {f"{_MARK}{_COLLECTIONS[kind]}": [_marked(member) for member in value]}
    if kind is timedelta:
        parts = [value.days, value.seconds, value.microseconds]
        return {f"{_MARK}timedelta": parts}
    raise TypeError(f"cannot store {str(value)[:50]!r}, of type {kind.__qualname__}")


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(member) for member in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((mark, inside),) = value.items()
        if mark in _TEXT_OF_MARK:
            return _TEXT_OF_MARK[mark](inside)
        if mark in _COLLECTION_OF_MARK:
            return _COLLECTION_OF_MARK[mark](_unmarked(member) for member in inside)
        if mark == f"{_MARK}float":
            return float(inside)
        if mark == f"{_MARK}dict":
            return {_unmarked(key): _unmarked(member) for key, member in inside}
        if mark == f"{_MARK}timedelta":
            return timedelta(*inside)
    return {key: _unmarked(member) for key, member in value.items()}
