"""The forms that a ninjs headline, description or body comes in.

ninjs 1.x has a property for each (``body_text``, ``body_xhtml``), 2.x and 3.x a list of
objects with a role, a content type and a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from index.article import Role
from index.parsing import (
    Block,
    caption_of,
    html_paragraphs,
    is_markup,
    paragraphs,
    single_spaced,
)

# Roles that only say in which notation a text is, or that it is the main one.
PLAIN_ROLES = frozenset(
    {"", "main", "text", "plain", "html", "html5", "xhtml", "richtext", "simple"}
)


class Variant:
    """One headline, description or body, and where it stood.

    :param kind: the media type it says it has.
    :param key: the property that holds it; ``at`` its place in that list, if it is one.
    """

    def __init__(
        self,
        role: str,
        kind: str | None,
        value: str,
        *,
        key: str,
        at: int | None = None,
    ) -> None:
        self.role, self.kind, self.value = role, (kind or "").lower(), value
        self.key, self.at = key, at

    @property
    def is_html(self) -> bool:
        """Whether it says it is HTML, or says nothing and looks so."""
        said = "html" in self.kind or "html" in self.role or self.role == "richtext"
        return said or (self.kind in ("", "text/plain") and is_markup(self.value))

    def body_rank(self) -> tuple[int, bool]:
        """Return what to prefer among bodies: lower first."""
        if self.is_html:
            notation = 0
        elif self.kind in ("", "text/plain"):
            notation = 1
        else:
            notation = 2
        return notation, self.role not in PLAIN_ROLES

    def blocks(self) -> list[Block]:
        """Return its paragraphs."""
        if self.is_html or self.kind not in ("", "text/plain"):
            return html_paragraphs(self.value)
        return [Block(Role.BODY, text) for text in paragraphs(self.value)]

    def caption(self, credit: str | None) -> list[Block]:
        """Return it as one caption, credited as it says itself or else as told."""
        words = self.one_line()
        if words is None:
            return []
        text, own = caption_of(words) or (words, None)
        return [Block(Role.CAPTION, text, own or credit)]

    def one_line(self) -> str | None:
        """Return it as one line."""
        if self.is_html or "&" in self.value:
            text = " ".join(block.text for block in html_paragraphs(self.value))
        else:
            text = single_spaced(self.value)
        return text or None


def variants(item: Mapping[str, Any], single: str, many: str) -> list[Variant]:
    """Return what an item has under ``body``, ``body_…`` and ``bodies``.

    :param single: ``body``, ``headline`` or ``description``; ``many`` its plural.
    """
    found: list[Variant] = []
    for name, value in item.items():
        lowered = name.lower()
        if lowered == many:
            items = value if isinstance(value, list) else [value]
            found += [
                each
                for at, one in enumerate(items)
                if (each := _listed(one, name, at)) is not None
            ]
            continue
        named = lowered == single or lowered.startswith(f"{single}_")
        if named and isinstance(value, str) and value.strip():
            found.append(_named(value, name, lowered.removeprefix(single)))
    return found


def text_of(value: Any) -> str | None:
    """Return a value that is a text and not blank, without white space around it."""
    return value.strip() or None if isinstance(value, str) else None


def _named(value: str, name: str, ending: str) -> Variant:
    # description_caption_xhtml: a role, then a notation.
    *roles, notation = ending.strip("_").split("_")
    role = "_".join(roles) if notation in PLAIN_ROLES else ending.strip("_")
    kind = "html" if "html" in notation or notation == "richtext" else None
    return Variant(role, kind, value, key=name)


def _listed(item: Any, name: str, at: int) -> Variant | None:
    if isinstance(item, str):
        return Variant("", None, item, key=name, at=at) if item.strip() else None
    value = text_of(item.get("value")) if isinstance(item, Mapping) else None
    if value is None:
        return None
    lowered = {str(key).lower(): part for key, part in item.items()}
    role = (text_of(lowered.get("role")) or "").lower()
    return Variant(role, text_of(lowered.get("contenttype")), value, key=name, at=at)
