"""Blocks: bodies that editors store as objects and lists, as paragraphs.

Ghost, WordPress, Arc, Contentful, Sanity, Strapi, Drupal and editors such as EditorJS,
Draft.js, Slate, ProseMirror, Lexical and Quill write them. There is no reader for each:
a block is an object with a type, a text and children, whatever these are called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from index.article import MAX_PARAGRAPHS, Role
from index.errors import InvalidArticle, LimitExceeded, UnreadableInput
from index.formats import block_types
from index.formats.bodies import running
from index.formats.property_names import names, plain_name
from index.parsing import parse_json, plain_text

Paragraphs = list[dict[str, Any]]

LONG = 200  # characters of a text that is part of a body under any name
_DEEPEST = 64  # levels
_REPEATED = 40  # least length at which a repeated text counts as a duplicate

# Names of properties, without case, hyphens and underscores; the first that has a
# text is the block's text, the others are the same in another notation.
_TEXTS = names(
    "processed html bodyhtml innerhtml contenthtml htmlcontent rendered text bodytext"
    " #text $t * content value body plain plaintext paragraph copy p code insert"
    " message cdata"
)
_CHILDREN = names(
    "model data root document doc blocks children content contents items elements"
    " contentelements innerblocks paragraphs body nodes value sections fragments spans"
    " runs ops rows list listitems components parts segments text richtext"
    " images photos pictures"
)
_INLINE_CHILDREN = frozenset(
    names(
        "children content spans runs fragments nodes value text parts segments richtext"
    )
)
_LINE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")
_SPANS = frozenset(names("children spans runs fragments nodes"))
_HEADINGS = ("title", "heading", "headline", "subheading", "header")
_SUMMARIES = ("standfirst", "summary", "excerpt", "abstract")
_MEDIA = ("image", "photo", "picture", "file", "media", "figure", "video")
_CAPTIONS = ("caption", "captionhtml", "captiontext", "description", *_TEXTS)
_CREDITS = ("credit", "credits", "photographer", "creditline", "byline", "copyright")
_SPEAKERS = ("attribution", "citation", "cite", "caption", "author", "speaker")
_HEADERS = ("header", "headers", "head", "thead")
_ROWS = ("rows", "content", "data", "body", "tbody", "children", "cells")

_TEXT_RANKS, _CHILD_RANKS, _MEDIA_RANKS, _HEADING_RANKS = (
    {name: rank for rank, name in enumerate(ranked)}
    for ranked in (_TEXTS, _CHILDREN, _MEDIA, _HEADINGS)
)


def paragraphs_of(value: Any, *, html: bool = False) -> Paragraphs:
    """Paragraphs of a body in their JSON form, whatever its shape; empty without text.

    ::

        paragraphs_of([{"type": "header", "data": {"text": "Ferry back"}}])
        # [{"role": "subhead", "text": "Ferry back"}]

    Types of blocks give roles; a block of an unknown type is body. A text of 200
    characters or more in a block is part of the body under any name.

    :param html: whether texts are HTML also without a tag.
    :raises InvalidArticle: it is nested more than 64 levels deep.
    :raises LimitExceeded: it has more paragraphs than an article may have; the rest is
        then not read.
    """
    if isinstance(value, str):
        blocks = _parsed(value)
        written = _read(blocks, html) if blocks is not None else []
        return written or running(value, html=html)
    return _read(value, html)


def _parsed(text: str) -> Any:
    """Blocks that were written as JSON into a string; ``None`` if it is a text."""
    start, end = text.lstrip()[:1], text.rstrip()[-1:]
    if (start, end) in (("{", "}"), ("[", "]")):
        try:
            return parse_json(text)
        except UnreadableInput:
            return None  # words in brackets
    return None


def _read(value: Any, html: bool) -> Paragraphs:
    if isinstance(value, Mapping):
        summaries = [
            paragraph
            for name, part in value.items()
            if plain_name(name) in _SUMMARIES and isinstance(part, str)
            for paragraph in _with_role(part, Role.ABSTRACT)
        ]
        body = _block(value, Role.BODY, 0, kind="root", html=html)
        return [*summaries, *body] if body else []
    if isinstance(value, list):
        if value and all(
            isinstance(each, Mapping) and "insert" in each for each in value
        ):
            return _with_role(_inline_text(value, 0), Role.BODY)  # Quill
        return _items(value, Role.BODY, 0, html=html)
    return []


def _items(
    items: Iterable[Any], role: Role, depth: int, *, html: bool = False
) -> Paragraphs:
    """Paragraphs of a list in which each item is a block."""
    _check(depth)
    paragraphs: Paragraphs = []
    for item in items:
        if isinstance(item, str):
            paragraphs += _with_role(item, role, html=html)
        elif isinstance(item, list):
            paragraphs += _items(item, role, depth + 1, html=html)
        elif isinstance(item, Mapping):
            paragraphs += _block(item, role, depth + 1, html=html)
        _check_count(paragraphs)
    return paragraphs


def _block(
    node: Mapping[str, Any],
    inherited: Role,
    depth: int,
    *,
    kind: str | None = None,
    html: bool = False,
) -> Paragraphs:
    """Paragraphs of one block and of those in it."""
    _check(depth)
    parts = {plain_name(name): value for name, value in node.items()}
    kind = block_types.type_of(parts) or kind or ""
    role = block_types.role_of(kind) or inherited
    if role is Role.BODY:
        role = inherited  # a paragraph of a list item or of a quote
    if kind in block_types.BREAKS:
        return []
    if kind in block_types.TABLES:
        return [*_table(parts, depth), *_caption(parts)]
    if kind in block_types.MEDIA:
        return [*_caption(parts), *_children(parts, kind, role, depth)]
    text_name = _text_name(parts)
    text: Paragraphs = []
    if text_name is not None:
        is_html = html or "html" in text_name or text_name in ("rendered", "processed")
        text = _with_role(parts[text_name], role, html=is_html)
    children = _children(parts, kind, role, depth)
    if text and children:
        # BBC and others repeat the text of a block in pieces with their styles.
        whole, pieces = _squeezed(text), _squeezed(children)
        if pieces == whole or (len(pieces) >= _REPEATED and pieces in whole):
            children = []
    present = _present(_HEADING_RANKS, parts)
    heading = next((name for name in present if _is_text(parts[name])), None)
    others: Paragraphs = []
    if not text and not children and heading is None:
        others = _named_otherwise(parts, role, depth)
    before: Paragraphs = []
    if heading is not None and kind != "root":
        has_text = text or children
        before = _with_role(parts[heading], Role.SUBHEAD if has_text else role)
    after = _speaker(parts) if role is Role.QUOTE else _captions_in(parts)
    return [*before, *text, *children, *others, *after]


def _children(
    parts: Mapping[str, Any], kind: str, role: Role, depth: int
) -> Paragraphs:
    paragraphs: Paragraphs = []
    for name in _present(_CHILD_RANKS, parts):
        value = parts[name]
        if isinstance(value, Mapping):
            paragraphs += _block(value, role, depth + 1, kind=kind)
        elif isinstance(value, list):
            inline = (
                name in _INLINE_CHILDREN
                and kind not in block_types.LISTS
                and kind not in block_types.CONTAINERS
                and (name in _SPANS or not all(isinstance(part, str) for part in value))
            )
            if name == "ops":
                paragraphs += _with_role(_inline_text(value, depth + 1), role)
            elif inline:
                paragraphs += _mixed(value, role, depth + 1)
            else:
                paragraphs += _items(value, role, depth + 1)
    return paragraphs


def _mixed(items: list[Any], role: Role, depth: int) -> Paragraphs:
    """Paragraphs of a list of spans, of blocks, or of both."""
    _check(depth)
    paragraphs: Paragraphs = []
    for inline, group in groupby(items, key=_is_inline):
        if inline:
            # As in HTML, one line break is a space, and two begin a paragraph.
            text = _LINE_BREAK.sub(" ", _inline_text(group, depth))
            paragraphs += _with_role(text, role)
        else:
            paragraphs += _items(group, role, depth)
        _check_count(paragraphs)
    return paragraphs


def _is_inline(item: Any) -> bool:
    if isinstance(item, str):
        return True
    if not isinstance(item, Mapping):
        return False
    kind = block_types.type_of(
        {plain_name(name): value for name, value in item.items()}
    )
    return kind in block_types.INLINE or kind == ""


def _inline_text(items: Iterable[Any], depth: int) -> str:
    """Text of spans, joined as they stand."""
    _check(depth)
    pieces: list[str] = []
    for item in items:
        if isinstance(item, str):
            pieces.append(item)
        elif isinstance(item, list):
            pieces.append(_inline_text(item, depth + 1))
        elif isinstance(item, Mapping):
            parts = {plain_name(name): value for name, value in item.items()}
            text_name = _text_name(parts, blank=True)
            if block_types.type_of(parts) in block_types.BREAKS:
                pieces.append("\n")
            elif text_name is not None:
                pieces.append(parts[text_name])
            else:
                inner = (parts[name] for name in _present(_CHILD_RANKS, parts))
                pieces.append(_inline_text(inner, depth + 1))
    return "".join(pieces)


def _table(parts: Mapping[str, Any], depth: int) -> Paragraphs:
    """A paragraph for each row of a table, its cells joined with `` | ``."""
    rows: list[Any] = []
    for name in (*_HEADERS, *_ROWS):
        value = parts.get(name)
        if isinstance(value, Mapping):
            return _table({plain_name(n): v for n, v in value.items()}, depth + 1)
        if isinstance(value, list) and value:
            is_row = name in _HEADERS and not isinstance(value[0], list)
            rows += [value] if is_row else value
    paragraphs: Paragraphs = []
    for row in rows:
        cells = row
        if isinstance(row, Mapping):
            inner = {plain_name(name): value for name, value in row.items()}
            cells = next(
                (inner[n] for n in _ROWS if isinstance(inner.get(n), list)), [row]
            )
        cells = cells if isinstance(cells, list) else [cells]
        texts = (
            " ".join(part["text"] for part in _items([cell], Role.BODY, depth + 1))
            for cell in cells
        )
        if line := " | ".join(filter(None, texts)):
            paragraphs.append({"role": Role.TABLE.value, "text": line})
            _check_count(paragraphs)
    return paragraphs


def _caption(parts: Mapping[str, Any]) -> Paragraphs:
    """Caption of a picture, with its credit."""
    for name in _CAPTIONS:
        caption = _text_in(parts.get(name))
        if caption:
            credit = next(
                filter(None, (_text_in(parts.get(n)) for n in _CREDITS)), None
            )
            paragraphs = _with_role(caption, Role.CAPTION)
            if credit and len(paragraphs) == 1:
                paragraphs[0].setdefault("credit", plain_text(credit))
            return paragraphs
    return _captions_in(parts)


def _captions_in(parts: Mapping[str, Any]) -> Paragraphs:
    """Captions of the pictures in a block."""
    paragraphs: Paragraphs = []
    if caption := _text_in(parts.get("caption")):
        paragraphs += _with_role(caption, Role.CAPTION)
    for name in _present(_MEDIA_RANKS, parts):
        value = parts[name]
        if isinstance(value, Mapping):
            paragraphs += _caption({plain_name(n): v for n, v in value.items()})
    return paragraphs


def _speaker(parts: Mapping[str, Any]) -> Paragraphs:
    """Line under a quote that says whose words it has."""
    for name in _SPEAKERS:
        if speaker := _text_in(parts.get(name)):
            return _with_role(speaker, Role.QUOTE)
    return []


def _named_otherwise(parts: Mapping[str, Any], role: Role, depth: int) -> Paragraphs:
    """Texts of a block that has none under a name of a text.

    They are under the name of a type, as ``{"h2": "Ferry back"}``, or are long.
    """
    paragraphs: Paragraphs = []
    for name, value in parts.items():
        named = block_types.role_of(block_types.type_named(name))
        if isinstance(value, str):
            if named is not None or is_prose(value, LONG):
                paragraphs += _with_role(value, named or role)
        elif named is not None and isinstance(value, Mapping):
            paragraphs += _block(value, named, depth + 1)
        elif named is not None and isinstance(value, list) and name not in _CHILDREN:
            paragraphs += _items(value, named, depth + 1)
    return paragraphs


def is_prose(text: str, length: int) -> bool:
    """Whether a text has this many characters, and is no address, key or file."""
    return len(text) >= length and (
        not text.isascii() or re.search(r"\S\s+\S", text) is not None
    )


def _with_role(text: str, role: Role, *, html: bool = False) -> Paragraphs:
    """Paragraphs of a text, those of the running text in another role."""
    paragraphs = running(text, html=html)
    for paragraph in paragraphs:
        if paragraph["role"] == Role.BODY.value:
            paragraph["role"] = role.value
    return paragraphs


def _present(ranks: Mapping[str, int], parts: Mapping[str, Any]) -> list[str]:
    """Names that a block has of those that are ranked, the best first."""
    present = [name for name in parts if name in ranks]
    if len(present) > 1:
        present.sort(key=ranks.__getitem__)
    return present


def _text_name(parts: Mapping[str, Any], *, blank: bool = False) -> str | None:
    for name in _present(_TEXT_RANKS, parts):
        value = parts[name]
        if isinstance(value, str) and (blank or value.strip()):
            return name
    return None


def _text_in(value: Any) -> str:
    """A text, or the text of an object with one; blank if there is none."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        parts = {plain_name(name): part for name, part in value.items()}
        text_name = _text_name(parts)
        value = parts.get("name" if text_name is None else text_name)
    return value.strip() if isinstance(value, str) else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _squeezed(paragraphs: Paragraphs) -> str:
    """Text of paragraphs without white space, to compare it."""
    return "".join("".join(each["text"].split()) for each in paragraphs)


def _check(depth: int) -> None:
    if depth > _DEEPEST:
        raise InvalidArticle(
            "paragraphs", f"is nested more than {_DEEPEST} levels deep; flatten it"
        )


def _check_count(paragraphs: Paragraphs) -> None:
    if len(paragraphs) > MAX_PARAGRAPHS:
        raise LimitExceeded("paragraphs", limit=MAX_PARAGRAPHS, got=None)
