"""The root of an XML or HTML text: the name of its first element, from its head."""

from __future__ import annotations

import re

_MISC = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->"
    r"|<!DOCTYPE(?:\"[^\"]*\"|'[^']*'|\[(?:\"[^\"]*\"|'[^']*'|<!--.*?-->|[^\]\"'])*\]"
    r"|[^\[>\"'])*>",
    re.DOTALL | re.IGNORECASE,
)
_START = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?=[\s/>])")


def xml_root(head: str) -> str | None:
    """Local name of the root element that a text begins with.

    Blank lines, declarations, comments and a DOCTYPE may come before it.

    :return: ``None`` if no element follows them in the head.
    """
    at = 1 if head.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else 0
    while match := _MISC.match(head, at):
        at = match.end()
    root = _START.match(head, at)
    return None if root is None else root[1]
