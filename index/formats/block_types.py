"""Types of blocks, and the roles of paragraphs that they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from index.article import Role
from index.formats.property_names import kept, names

_TYPES = names(
    "type _type nodetype blockname kind tag tagname element blocktype @type role"
)
_ROLES = {
    name: role
    for role, listed_names in {
        Role.BODY: "paragraph p para text body normal unstyled block freeform classic"
        " code codeblock pre preformatted html rawhtml raw content",
        Role.SUBHEAD: "h subtitle title headline",
        Role.LIST: "list listitem li ul ol bulletlist orderedlist unorderedlist"
        " bulletedlist numberedlist bulletlistitem orderedlistitem unorderedlistitem"
        " bulletedlistitem numberedlistitem checklist checklistitem taskitem todo"
        " bullet number dl dt dd",
        Role.QUOTE: "quote blockquote pullquote q quotation bq",
        Role.CAPTION: "image picture photo figure figcaption caption gallery slideshow"
        " video audio media photograph graphic illustration",
        Role.CORRECTION: "correction clarification",
        Role.ABSTRACT: "summary abstract standfirst lede lead intro dek deck",
    }.items()
    for name in listed_names.split()
}
_GENERIC = frozenset(("", *names("element node component object")))
_HEADING_TYPES = ("heading", "header", "subhead", "crosshead")
MEDIA = frozenset(name for name, role in _ROLES.items() if role is Role.CAPTION) - {
    "caption",
    "figcaption",
}
LISTS = frozenset(name for name in _ROLES if name.endswith("list")) | {"ul", "ol"}
CONTAINERS = frozenset(
    names(
        "root doc document section container group columns column article main div"
        " wrapper blocks body accordion tabs tab row"
    )
)
INLINE = frozenset(
    names(
        "text span inline link a hyperlink autolink strong em b i u s sub"
        " sup bold italic emphasis underline fragment mention code inlinecode mark"
        " textnode linebreak hardbreak softbreak br abbr entryhyperlink assethyperlink"
    )
)
BREAKS = frozenset(names("linebreak hardbreak softbreak br"))
TABLES = frozenset(names("table datatable"))


def type_of(parts: Mapping[str, Any]) -> str:
    """Type of a block, in small letters without digits; blank if it gives none."""
    if parts.get("listitem") and isinstance(parts["listitem"], str):
        return "listitem"  # Sanity: a block that is an item of a list
    style = parts.get("style")
    if isinstance(style, str):
        kind = type_named(style)
        if kind != "normal" and kind not in LISTS and role_of(kind) is not None:
            return kind
    for name in _TYPES:
        value = parts.get(name)
        if isinstance(value, str) and (kind := type_named(value)) not in _GENERIC:
            return kind.removeprefix("extended")
    return ""


def role_of(kind: str) -> Role | None:
    """Role that a type stands for, if any."""
    if kind.startswith(_HEADING_TYPES):
        return Role.SUBHEAD
    return _ROLES.get(kind)


@kept(1024)
def type_named(kind: str) -> str:
    """``core/list-item`` as ``listitem``, ``heading-2`` as ``heading``."""
    return re.sub(r"[^a-z]", "", kind[:60].lower().rpartition("/")[2])
