"""Objects in place of a text: ``{"id": 5, "name": "Sport"}``, ``{"rendered": …}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from index.formats.property_names import names, plain_name
from index.parsing import plain_text

_DEEPEST = 4  # levels
# Names of members in which a text is looked for, by the field that it is for.
_NAMES = names(
    "rendered main name original value text #text basic default title label term html"
    " webtitle displayname fullname content en $t $oid"
)
_ADDRESSES = ("href", "url", "@id", "rendered", "value", "name", "alias", "canonical")
_WANTED = {"url": _ADDRESSES, "language": ("code", "iso", "tag", *_NAMES)}


class Text(NamedTuple):
    """The text of an object, and the members that say something else."""

    text: str
    rest: dict[str, Any]


def text_in(target: str, value: Mapping[str, Any], *, depth: int = 0) -> Text | None:
    """Text of an object that stands for a field's; ``None`` if it has none."""
    wanted = _WANTED.get(target, _NAMES)
    spelled = {plain_name(name): name for name in value}
    for plain in wanted:
        name = spelled.get(plain)
        inner = None if name is None else value[name]
        if isinstance(inner, Mapping):
            nested = (
                text_in(target, inner, depth=depth + 1) if depth < _DEEPEST else None
            )
            text = nested.text if nested is not None else ""
        elif isinstance(inner, str):
            text = inner.strip() if target in ("id", "url") else plain_text(inner)
        elif isinstance(inner, int) and not isinstance(inner, bool):
            text = str(inner)
        else:
            continue
        if text:
            rest = {
                other: member
                for other, member in value.items()
                if other != name
                and not is_blank(member)
                and not other.startswith("@")
                and not _says(member, text)
            }
            return Text(text, rest)
    return None


def is_blank(value: Any, *, depth: int = 0) -> bool:
    """Whether a value holds nothing: ``null``, blank, or an object of such values."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return all(is_blank(member, depth=depth + 1) for member in value.values())
    return value is None or value == "" or value == []


def _says(member: Any, text: str) -> bool:
    return isinstance(member, str) and plain_text(member) == text
