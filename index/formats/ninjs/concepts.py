"""Concepts of a ninjs item: people, places, subjects and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from index.formats.ninjs.variants import text_of
from index.parsing import single_spaced

_EDITOR = re.compile(r"editors?\s*\Z", re.IGNORECASE)
_AUTHOR_RELS = frozenset({"author", "creator", "byline", "writer", "by"})


def concept_of(item: Any) -> dict[str, Any] | None:
    """Name, code, scheme, uri and rel of a concept; ``None`` if nothing names it.

    The code is called ``code`` (1.x), ``literal`` (2.x, 3.x) or ``qcode`` (Superdesk);
    a code that is a URL is the concept's URI.
    """
    if isinstance(item, str):
        return {"name": item.strip()} if item.strip() else None
    if not isinstance(item, Mapping):
        return None
    parts: dict[str, Any] = {}
    for target, names in (
        ("name", ("name",)),
        ("code", ("code", "literal", "qcode")),
        ("scheme", ("scheme",)),
        ("uri", ("uri",)),
        ("rel", ("rel",)),
    ):
        for name in names:
            value = item.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if text := text_of(value):
                parts[target] = single_spaced(text)
                break
    if parts.get("code", "").startswith(("http://", "https://")) and "uri" not in parts:
        parts["uri"] = parts.pop("code")
    return parts if parts.keys() & {"name", "code", "uri"} else None


def is_modelled(item: Any) -> bool:
    """Whether our record of a concept holds everything that the item says of it."""
    if not isinstance(item, Mapping):
        return isinstance(item, str)
    known = {"name", "code", "literal", "qcode", "scheme", "uri"}
    codes = item.keys() & {"code", "literal", "qcode"}
    return (
        item.keys() <= known
        and len(codes) <= 1
        and all(isinstance(value, str | int | None) for value in item.values())
    )


def is_editor(item: Any) -> bool:
    """Whether a person's role is to edit: an editor, sub-editor, copy editor …"""
    role = item.get("role") if isinstance(item, Mapping) else None
    return isinstance(role, str) and _EDITOR.search(role) is not None


def is_author(concept: Mapping[str, Any]) -> bool:
    """Whether a concept's rel says that this person wrote the item."""
    return _rel(concept) in _AUTHOR_RELS


def is_keyword(concept: Mapping[str, Any]) -> bool:
    """Whether a concept's rel says that it is a keyword, as of ninjs 2 and 3."""
    return _rel(concept) == "keyword"


def _rel(concept: Mapping[str, Any]) -> str:
    return str(concept.get("rel", "")).rpartition("/")[2].rpartition(":")[2].lower()
