"""XML of feeds, written: elements from texts that may hold any character."""

from __future__ import annotations

import re
from html import escape

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
# What no XML document may contain, not even as a reference (XML 1.0, 2.2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Text for an element or an attribute; U+FFFD for what XML cannot contain."""
    escaped = escape(_FORBIDDEN.sub("\ufffd", text))
    # Parsers turn a carriage return into a line feed unless it is a reference.
    return escaped.replace("\r", "&#13;")


def element(name: str, *content: str, **attributes: str | None) -> str:
    """Element of XML; blank if it has neither content nor attributes.

    :param content: XML; see :func:`xml_text` for texts.
    :param attributes: texts by name; ``None`` is left out, and ``_`` is a colon.
    """
    pairs = [
        f' {key.rstrip("_").replace("_", ":")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    ]
    inner = "".join(content)
    if not inner and not pairs:
        return ""
    start = f"<{name}{''.join(pairs)}"
    return f"{start}>{inner}</{name}>\n" if inner else f"{start}/>\n"


def text_element(name: str, text: str | None, **attributes: str | None) -> str:
    """Element that holds a text; blank without one."""
    return element(name, xml_text(text), **attributes) if text else ""


def _attribute(value: str) -> str:
    return xml_text(value).replace("\n", "&#10;").replace("\t", "&#9;")
