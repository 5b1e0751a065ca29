"""Paragraphs as HTML that says what each of them is, and back.

Any reader of HTML shows it. To us it is exact: HTML has no elements for some of our
roles, and readers of it tidy white space and guess at credits.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

from index.article import Paragraph, Role

# What is around the attributes and the text.
_SHAPES: dict[Role, tuple[str, str]] = {
    Role.ABSTRACT: ("<p", "</p>"),
    Role.BODY: ("<p", "</p>"),
    Role.SUBHEAD: ("<h2", "</h2>"),
    Role.QUOTE: ("<blockquote", "</blockquote>"),
    Role.CAPTION: ("<figure><figcaption", "</figcaption></figure>"),
    Role.LIST: ("<ul><li", "</li></ul>"),
    Role.TABLE: ("<pre", "</pre>"),
    Role.CORRECTION: ("<p", "</p>"),
}
_START, _END = '<article data-roles="1">\n', "</article>"
_PARAGRAPH = re.compile(
    r'[<a-z0-9>]+ data-role="(?P<role>[a-z]+)"(?: data-credit="(?P<credit>[^"<>]+)")?>'
    r"(?P<text>[^<>]+)</[</a-z0-9>]+>\n"
)


def write(paragraphs: Iterable[Paragraph]) -> str:
    """Return paragraphs other than a headline as HTML that :func:`read` knows."""
    return "".join([_START, *map(_written, paragraphs), _END])


def read(text: str) -> list[dict[str, Any]] | None:
    """Return paragraphs in their JSON form, ``None`` if the HTML is not by us.

    Or if somebody has changed more of it than words.
    """
    if not (text.startswith(_START) and text.endswith(_END)):
        return None
    found = []
    at, end = len(_START), len(text) - len(_END)
    while at < end:
        match = _PARAGRAPH.match(text, at, end)
        if match is None or match["role"] not in _SHAPES:
            return None
        role, credit = Role(match["role"]), match["credit"]
        paragraph = {"role": role.value, "text": html.unescape(match["text"])}
        if credit is not None:
            paragraph["credit"] = html.unescape(credit)
        found.append(paragraph)
        at = match.end()
    return found


def _written(paragraph: Paragraph) -> str:
    before, after = _SHAPES[paragraph.role]
    credit = ""
    if paragraph.credit is not None:
        credit = f' data-credit="{html.escape(paragraph.credit)}"'
    text = html.escape(paragraph.text)
    return f'{before} data-role="{paragraph.role}"{credit}>{text}{after}\n'
