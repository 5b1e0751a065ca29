"""Paragraphs as HTML that states each one's role and credit, and back.

Any browser shows it, and we read it back exactly. Plain HTML could not do that: it has
no elements for some of our roles, and its reader tidies white space and guesses
credits.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

from index.article import Paragraph, Role

# The markup before the attributes and after the text.
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
    """Paragraphs, without a headline, as HTML that :func:`read` recognises."""
    return "".join([_START, *map(_element, paragraphs), _END])


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
    before, after = _SHAPES[paragraph.role]
    credit = ""
    if paragraph.credit is not None:
        credit = f' data-credit="{html.escape(paragraph.credit)}"'
    text = html.escape(paragraph.text)
    return f'{before} data-role="{paragraph.role}"{credit}>{text}{after}\n'
