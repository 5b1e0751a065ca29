"""The root of an XML or HTML text and its first child: their names, from its head."""

from __future__ import annotations

import re

_QUOTED = "\"[^\"]*\"|'[^']*'"
_COMMENT = "<!--(?:(?!-->).)*-->"
# Each character can be matched in one way only: a head that ends within a DOCTYPE costs
# no more than another.
_SUBSET = rf"\[(?:{_QUOTED}|{_COMMENT}|<(?!!--)|[^\]\"'<])*\]"
_MISC = re.compile(
    rf"\s+|<\?(?:(?!\?>).)*\?>|{_COMMENT}"
    rf"|<!DOCTYPE(?:{_QUOTED}|{_SUBSET}|[^\[>\"'])*>",
    re.DOTALL | re.IGNORECASE,
)
_START = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?=[\s/>])")
_REST = re.compile(rf"(?:{_QUOTED}|[^\"'<>])*>")  # of a start tag


def xml_root(head: str) -> str | None:
    """Local name of the root element that a text begins with.

    Blank lines, declarations, comments and a DOCTYPE may come before it.

    :return: ``None`` if no element follows them in the head.
    """
    root = _element(head, 1 if head.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else 0)
    return None if root is None else root[1]


def xml_first_child(head: str) -> str | None:
    """Local name of the element that begins directly inside the root."""
    root = _element(head, 1 if head.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else 0)
    rest = None if root is None else _REST.match(head, root.end())
    child = None if rest is None else _element(head, rest.end())
    return None if child is None else child[1]


def _element(head: str, at: int) -> re.Match[str] | None:
    """Start of the element that follows, after white space, comments and the like."""
    while match := _MISC.match(head, at):
        at = match.end()
    return _START.match(head, at)
