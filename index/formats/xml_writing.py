"""XML as we write it: elements from names, attributes and texts, and their bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

Element = ElementTree.Element

# What XML 1.0 cannot hold, in no notation: https://www.w3.org/TR/xml/#charsets
_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n?")


def element(
    name: str,
    attributes: Mapping[str, str | None],
    *content: Element | str | None,
) -> Element:
    """An element; attributes and parts of its content that are ``None`` are left out.

    ::

        element("p", {"class": "lead"}, "Ferry back")

    Characters that XML cannot hold are left out, and a line ends in a line feed.
    """
    made = Element(
        name,
        {key: _writable(text) for key, text in attributes.items() if text is not None},
    )
    for part in content:
        if isinstance(part, str):
            if len(made):
                made[-1].tail = (made[-1].tail or "") + _writable(part)
            else:
                made.text = (made.text or "") + _writable(part)
        elif part is not None:
            made.append(part)
    return made


def document_bytes(root: Element) -> bytes:
    """A document in UTF-8, with an XML declaration and a line feed at its end."""
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("", _LINE_END.sub("\n", text))
