"""Parts of an item: its elements by name, of which the rest is kept in ``extra``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from index.formats.bodies import paragraph_json, running
from index.formats.feeds.names import name_of
from index.parsing import XmlElement, element_paragraphs, line_text, own_attributes

_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_LONGEST = 4_000  # characters of an address
_DEEPEST = 4  # levels of elements in ``extra``; deeper ones are only their text

Paragraphs = list[dict[str, Any]]


class Parts:
    """The children of an element by their names, and which of them were read.

    ::

        parts = Parts(item)
        parts.text("dc:creator", "author")  # the first that is not blank

    :param own: prefix of the names of children in the element's own namespace,
        whatever that is.
    """

    def __init__(self, element: XmlElement, own: str = "") -> None:
        self._elements: dict[str, list[XmlElement]] = {}
        self._read: set[str] = set()
        namespace = element.tag.rpartition("}")[0]
        for child in element:
            space, _, name = child.tag.rpartition("}")
            if space == namespace:
                name = f"{own}:{name.lower()}" if own else name.lower()
            else:
                name = name_of(child)
            self._elements.setdefault(name, []).append(child)

    def __contains__(self, name: str) -> bool:
        return name in self._elements

    def names(self) -> Iterator[str]:
        """Yield the names of the children, in the order of the first of each."""
        yield from self._elements

    def all(self, *names: str) -> list[XmlElement]:
        """Children of these names, by the order of the names."""
        self._read.update(names)
        return [each for name in names for each in self._elements.get(name, ())]

    def texts(self, *names: str) -> list[str]:
        """Texts of the children of these names that are not blank, each in one line."""
        return [text for each in self.all(*names) if (text := line_text(each))]

    def text(self, *names: str) -> str | None:
        """First text of the children of these names; ``None`` if there is none."""
        return next(iter(self.texts(*names)), None)

    def named_texts(self, *names: str) -> list[tuple[str, str]]:
        """Names and texts of the children of these names that are not blank."""
        return [(name, text) for name in names for text in self.texts(name)]

    def rest(self) -> dict[str, Any]:
        """The children that were not read, in their JSON form."""
        values: dict[str, Any] = {}
        for name, elements in self._elements.items():
            if name in self._read:
                continue
            own = [value for each in elements if (value := json_of(each))]
            if own:
                values[name] = own if len(own) > 1 else own[0]
        return values


def json_of(element: XmlElement, depth: int = 1) -> Any:
    """An element in JSON: its text, or an object if it has attributes or children."""
    if len(element) and depth >= _DEEPEST:
        return line_text(element)
    attributes: dict[str, Any] = dict(own_attributes(element))
    if not len(element):
        text = line_text(element)
        if not attributes:
            return text
        return attributes | ({"text": text} if text else {})
    for child in element:
        value = json_of(child, depth + 1)
        if not value:
            continue
        name = name_of(child)
        if name not in attributes:
            attributes[name] = value
        elif isinstance(attributes[name], list):
            attributes[name].append(value)
        else:
            attributes[name] = [attributes[name], value]
    return attributes


def paragraphs_in(element: XmlElement, *, html: bool = False) -> Paragraphs:
    """Paragraphs of a text that is plain, HTML as text, or XHTML.

    :param html: whether it is HTML also without a tag.
    """
    if len(element):
        return paragraph_json(element_paragraphs(element, {}))
    text = (element.text or "").strip()
    return running(text, html=html) if text else []


def length_of(paragraphs: Paragraphs) -> int:
    """Characters of paragraphs."""
    return sum(len(each["text"]) for each in paragraphs)


def address_of(element: XmlElement, written: str | None, base: str = "") -> str | None:
    """Address of a web page, made absolute; ``None`` if it is none.

    :param element: that it stands in, in which ``xml:base`` counts.
    :param base: of the feed.
    """
    if not written or len(written) > _LONGEST:
        return None
    try:
        around: XmlElement | None = element
        bases = []
        while around is not None:
            stated = around.get(_BASE) or ""
            if 0 < len(stated) <= _LONGEST:
                bases.append(stated.strip())
            around = around.getparent()
        whole = base
        for each in reversed(bases):
            whole = urljoin(whole, each)[:_LONGEST]
        whole = urljoin(whole, written)
        return whole if urlsplit(whole).scheme in ("http", "https") else None
    except ValueError:
        return None  # such as a broken address of IPv6
