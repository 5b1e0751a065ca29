"""The forms in which ninjs items hold a headline, a description or a body.

ninjs 1.x has a property for each form (``body_text``, ``body_xhtml``), 2.x and 3.x a
list of objects with a role, a content type and a value.
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

# Roles that name a notation only, or the main text.
PLAIN_ROLES = frozenset(
    {"", "main", "text", "plain", "html", "html5", "xhtml", "richtext", "simple"}
)


class Variant:
    """One headline, description or body, and the property that holds it.

    :param kind: its declared media type.
    :param key: the property that holds it; ``at`` its index there if that is a list.
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
        """Whether it is declared as HTML, or looks like it and is not declared."""
        declared = "html" in self.kind or "html" in self.role or self.role == "richtext"
        return declared or (self.kind in ("", "text/plain") and is_markup(self.value))

    def body_rank(self) -> tuple[int, bool]:
        """Sort key of bodies, the preferred one first: HTML, plain text, the rest."""
        if self.is_html:
            notation = 0
        elif self.kind in ("", "text/plain"):
            notation = 1
        else:
            notation = 2
        return notation, self.role not in PLAIN_ROLES

    def blocks(self) -> list[Block]:
        """Its paragraphs."""
        if self.is_html or self.kind not in ("", "text/plain"):
            return html_paragraphs(self.value)
        return [Block(Role.BODY, text) for text in paragraphs(self.value)]

    def caption(self, credit: str | None) -> list[Block]:
        """Its text as one caption; no caption if it is blank.

        :param credit: for a caption that does not end in a credit.
        """
        line = self.one_line()
        if line is None:
            return []
        text, own_credit = caption_of(line) or (line, None)
        return [Block(Role.CAPTION, text, own_credit or credit)]

    def one_line(self) -> str | None:
        """Its text in one line; ``None`` if it is blank."""
        if self.is_html or "&" in self.value:
            text = " ".join(block.text for block in html_paragraphs(self.value))
        else:
            text = single_spaced(self.value)
        return text or None


def variants_of(properties: Mapping[str, Any], single: str, many: str) -> list[Variant]:
    """Variants that an item has under ``body``, ``body_…`` and ``bodies``.

    :param single: ``body``, ``headline`` or ``description``; ``many`` its plural.
    """
    variants: list[Variant] = []
    for name, value in properties.items():
        lowered = name.lower()
        if lowered == many:
            items = value if isinstance(value, list) else [value]
            variants += [
                variant
                for at, item in enumerate(items)
                if (variant := _listed(item, name, at)) is not None
            ]
            continue
        is_one = lowered == single or lowered.startswith(f"{single}_")
        if is_one and isinstance(value, str) and value.strip():
            variants.append(_named(value, name, lowered.removeprefix(single)))
    return variants


def text_of(value: Any) -> str | None:
    """Stripped text of a value; ``None`` if it is blank or not a text."""
    return value.strip() or None if isinstance(value, str) else None


def _named(value: str, name: str, ending: str) -> Variant:
    # description_caption_xhtml ends in a role, then a notation.
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
