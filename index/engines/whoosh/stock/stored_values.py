"""Stored fields as JSON text, with marks for what JSON has no words for.

Stock Whoosh pickles what a document stores. A pickle runs code when it is read, so
there is none here: what cannot be said this way is refused when it is written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

# An object with one name that begins like this stands for a value that is no JSON.
_MARK = "$"

_PLAIN = (type(None), bool, int, str)
_TEXTS: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    bytes: ("bytes", bytes.hex, bytes.fromhex),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    time: ("time", time.isoformat, time.fromisoformat),
    Decimal: ("decimal", str, Decimal),
}
_GROUPS: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}
_GROUP_OF_MARK = {f"{_MARK}{mark}": kind for kind, mark in _GROUPS.items()}
_TEXT_OF_MARK = {f"{_MARK}{mark}": read for mark, _, read in _TEXTS.values()}


class NotKept(TypeError):
    """A schema, a value or a folder asks for what segments of ours do not keep.

    :ivar field: the field at fault, where there is one.
    """

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail if field is None else f"field {field!r}: {detail}")
        self.field = field


def stored_text(values: Mapping[str, Any]) -> bytes:
    """Return the stored fields of a document as JSON.

    Values are of the very types that are kept, not of types derived from them: another
    type could not be given back. A time's zone comes back as its offset, and which of
    two equal times it is does not.

    :raises NotKept: a field has a value of another type.
    """
    marked = {}
    for name, value in values.items():
        try:
            marked[name] = _marked(value)
        except (TypeError, RecursionError) as error:
            raise NotKept(str(error), field=name) from error
    return json.dumps(marked, separators=(",", ":")).encode()


def stored_values(text: bytes) -> dict[str, Any]:
    """Return the stored fields that :func:`stored_text` made a text of."""
    if not text:
        return {}
    return {name: _meant(value) for name, value in json.loads(text).items()}


def _marked(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else {f"{_MARK}float": repr(value)}
    if kind is list:
        return [_marked(each) for each in value]
    if kind is dict:
        if all(type(key) is str and not key.startswith(_MARK) for key in value):
            return {key: _marked(each) for key, each in value.items()}
        pairs = [[_marked(key), _marked(each)] for key, each in value.items()]
        return {f"{_MARK}dict": pairs}
    if kind in _TEXTS:
        mark, text, _ = _TEXTS[kind]
        return {f"{_MARK}{mark}": text(value)}
    if kind in _GROUPS:
        return {f"{_MARK}{_GROUPS[kind]}": [_marked(each) for each in value]}
    if kind is timedelta:
        parts = [value.days, value.seconds, value.microseconds]
        return {f"{_MARK}timedelta": parts}
    raise TypeError(f"cannot store {str(value)[:50]!r}, of type {kind.__qualname__}")


def _meant(value: Any) -> Any:
    if isinstance(value, list):
        return [_meant(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((mark, inside),) = value.items()
        if mark in _TEXT_OF_MARK:
            return _TEXT_OF_MARK[mark](inside)
        if mark in _GROUP_OF_MARK:
            return _GROUP_OF_MARK[mark](_meant(each) for each in inside)
        if mark == f"{_MARK}float":
            return float(inside)
        if mark == f"{_MARK}dict":
            return {_meant(key): _meant(each) for key, each in inside}
        if mark == f"{_MARK}timedelta":
            return timedelta(*inside)
    return {key: _meant(each) for key, each in value.items()}
