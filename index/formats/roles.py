"""Paragraphs as HTML that states each one's role and credit, and back.

Any browser shows it, and we read it back exactly. Plain HTML could not do that: it has
no elements for some of our roles, and its reader tidies white space and guesses
credits. As XML it goes into NewsML-G2.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

from index.article import Paragraph, Role
from index.formats.xml_writing import Element, element
from index.parsing import XmlElement, local_name

# The elements around a text; the last one has the attributes.
_SHAPES: dict[Role, tuple[str, ...]] = {
    Role.ABSTRACT: ("p",),
    Role.BODY: ("p",),
    Role.SUBHEAD: ("h2",),
    Role.QUOTE: ("blockquote",),
    Role.CAPTION: ("figure", "figcaption"),
    Role.LIST: ("ul", "li"),
    Role.TABLE: ("pre",),
    Role.CORRECTION: ("p",),
}
_TAGS = {str(role): tags for role, tags in _SHAPES.items()}
_START, _END = '<article data-roles="1">\n', "</article>"
_PARAGRAPH = re.compile(
    r'[<a-z0-9>]+ data-role="(?P<role>[a-z]+)"(?: data-credit="(?P<credit>[^"<>]+)")?>'
    r"(?P<text>[^<>]+)</[</a-z0-9>]+>\n"
)


def write(paragraphs: Iterable[Paragraph]) -> str:
    """Paragraphs, without a headline, as HTML that :func:`read` recognises."""
    return "".join([_START, *map(_element, paragraphs), _END])


def as_element(paragraphs: Iterable[Paragraph]) -> Element:
    """Paragraphs, without a headline, as XHTML that :func:`read_element` recognises."""
    parts = []
    for paragraph in paragraphs:
        *around, tag = _SHAPES[paragraph.role]
        attributes = {"data-role": paragraph.role, "data-credit": paragraph.credit}
        part = element(tag, attributes, paragraph.text)
        for name in reversed(around):
            part = element(name, {}, part)
        parts.append(part)
    return element("article", {"data-roles": "1"}, *parts)


def read_element(article: XmlElement) -> list[dict[str, Any]] | None:
    """Paragraphs of XHTML in their JSON form.

    ``None`` if we did not write it, or if more than its words was changed.
    """
    if local_name(article) != "article" or article.attrib.items() != [
        ("data-roles", "1")
    ]:
        return None
    document = []
    for child in article:
        part = child
        tags = [local_name(part)]
        while part.get("data-role") is None and len(part) == 1:
            part = part[0]
            tags.append(local_name(part))
        role = part.get("data-role", "")
        if len(part) or not part.text or _TAGS.get(role) != tuple(tags):
            return None
        paragraph = {"role": role, "text": part.text}
        if (credit := part.get("data-credit")) is not None:
            paragraph["credit"] = credit
        document.append(paragraph)
    return document


def read_within(text: str) -> list[dict[str, Any]] | None:
    """Paragraphs of the article that we wrote into a page, in their JSON form."""
    start = text.find(_START)
    end = text.find(_END, start)
    if start < 0 or end < 0:
        return None
    return read(text[start : end + len(_END)])


def read(text: str) -> list[dict[str, Any]] | None:
    """Paragraphs in their JSON form.

    ``None`` if we did not write the HTML, or if more than its words was changed.
    """
    if not (text.startswith(_START) and text.endswith(_END)):
        return None
    document = []
    at, end = len(_START), len(text) - len(_END)
    while at < end:
        match = _PARAGRAPH.match(text, at, end)
        if match is None or match["role"] not in _SHAPES:
            return None
        role, credit = Role(match["role"]), match["credit"]
        paragraph = {"role": role.value, "text": html.unescape(match["text"])}
        if credit is not None:
            paragraph["credit"] = html.unescape(credit)
        document.append(paragraph)
        at = match.end()
    return document


def _element(paragraph: Paragraph) -> str:
    tags = _SHAPES[paragraph.role]
    before = "><".join(tags)
    after = "></".join(reversed(tags))
    credit = ""
    if paragraph.credit is not None:
        credit = f' data-credit="{html.escape(paragraph.credit)}"'
    text = html.escape(paragraph.text)
    return f'<{before} data-role="{paragraph.role}"{credit}>{text}</{after}>\n'
