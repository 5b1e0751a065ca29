"""Elements of XML: found by their local names, and folded to lines and paragraphs.

Names are compared without case and without namespace prefix, as agencies spell both in
many ways. An element counts only if it is in the namespace of the one around it, or in
none: an agency's own elements are not mistaken for the standard's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from lxml import etree

from index.article import Role
from index.parsing.blocks import Block
from index.parsing.markup import (
    event_paragraphs,
    html_paragraphs,
    is_markup,
    plain_text,
    unescaped,
)
from index.parsing.prose import single_spaced

XmlElement = etree._Element

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# Elements that only style a part of a word or line.
_STYLE_NAMES = (
    "a abbr b big cite code em font i ins lang mark q s small span strike strong sub"
    " sup tt u"
)
_STYLES = frozenset(_STYLE_NAMES.split())
# Where an element ends or starts between two letters, a space is missing.
_EDGE = "\0"  # which XML cannot hold
_MISSING_SPACE = re.compile(rf"(?<=\w){_EDGE}+(?=\w)")


def local_name(element: XmlElement) -> str:
    """Name without namespace, in small letters."""
    return element.tag.rpartition("}")[2].lower()


def attribute(element: XmlElement | None, name: str) -> str | None:
    """Stripped value of an attribute; ``None`` if it is blank or absent.

    :param name: in small letters.
    """
    if element is None:
        return None
    value = element.get(name)
    if value is None:
        for spelled, text in element.attrib.items():
            if str(spelled).rpartition("}")[2].lower() == name:
                value = str(text)
                break
    return None if value is None else single_spaced(value) or None


def own_attributes(element: XmlElement) -> dict[str, str]:
    """Attributes of an element that are in no namespace and not blank."""
    return {
        str(name): str(value).strip()
        for name, value in element.attrib.items()
        if "}" not in str(name) and value.strip()
    }


def children(element: XmlElement | None, *names: str) -> Iterator[XmlElement]:
    """Yield the children of these names, in small letters, in document order."""
    if element is None:
        return
    namespace = element.tag.rpartition("}")[0]
    for child in element:
        space, _, name = child.tag.rpartition("}")
        if name.lower() in names and space in ("", namespace):
            yield child


def first(element: XmlElement | None, *path: str) -> XmlElement | None:
    """First element at the end of a path of names; ``None`` if there is none."""
    for name in path:
        element = next(children(element, name), None)
    return element


def descendants(element: XmlElement | None, *names: str) -> Iterator[XmlElement]:
    """Yield the elements of these names inside another, at any depth."""
    if element is None:
        return
    for inner in element.iter():
        if inner is not element and local_name(inner) in names:
            yield inner


def outermost(element: XmlElement | None, *names: str) -> Iterator[XmlElement]:
    """Yield the elements of these names inside another that are in no other of them."""
    waiting = [] if element is None else list(reversed(element))
    while waiting:
        inner = waiting.pop()
        if local_name(inner) in names:
            yield inner
        else:
            waiting += reversed(inner)


def element_language(element: XmlElement | None) -> str | None:
    """Value of ``xml:lang``, of the element or of one around it."""
    while element is not None:
        if language := (element.get(_LANGUAGE) or "").strip():
            return language
        element = element.getparent()
    return None


def line_text(element: XmlElement | None, *, without: str = "") -> str | None:
    """Text of an element in one line, without markup; ``None`` if it is blank.

    Where two elements meet without white space between their words, it is added:
    ``<city>Bergen</city><country>Norway</country>`` is two words. HTML that was written
    as text is read as HTML.

    :param without: name of elements that are left out with their text.
    """
    if element is None:
        return None
    parts: list[str] = []
    left_out = 0  # open elements that are left out
    for event, value in _events(element):
        if event == "data":
            parts += [] if left_out else [value]
            continue
        if value == without:
            left_out += 1 if event == "start" else -1
        if value not in _STYLES:
            parts.append(_EDGE)
    text = _MISSING_SPACE.sub(" ", "".join(parts)).replace(_EDGE, "")
    return single_spaced(plain_text(text)) or None


def element_paragraphs(
    element: XmlElement,
    tags: Mapping[str, str],
    marks: Mapping[str, str] = MappingProxyType({}),
) -> list[Block]:
    """Paragraphs of an element's text, in reading order; as those of HTML.

    HTML that was written as text, such as in a CDATA section, is read as HTML.

    :param tags: for names of the format, the tags of HTML that mean the same; blank to
        leave an element out with its text.
    :param marks: for names of the format, the text that belongs before them.
    """
    blocks = event_paragraphs(_html_events(element, tags, marks))
    return [inner for block in blocks for inner in _with_html(block)]


def _with_html(block: Block) -> Iterator[Block]:
    """Yield a block, or those of the HTML that it is."""
    if not is_markup(block.text):
        yield block._replace(text=unescaped(block.text))
        return
    for inner in html_paragraphs(block.text):
        yield inner if inner.role is not Role.BODY else inner._replace(role=block.role)


def _html_events(
    element: XmlElement, tags: Mapping[str, str], marks: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    left_out = 0  # open elements that are left out
    for event, value in _events(element):
        if event == "data":
            if not left_out:
                yield event, value
            continue
        tag = tags.get(value, value)
        if not tag:
            left_out += 1 if event == "start" else -1
        elif not left_out:
            yield event, tag
            if event == "start" and value in marks:
                yield "data", marks[value]


def _events(element: XmlElement) -> Iterator[tuple[str, str]]:
    """Yield ("start", name), ("data", text) and ("end", name) of an element, in order.

    Nothing recurses, however deep the nesting.
    """
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        name = local_name(inner)
        if event == "start":
            yield event, name
            if inner.text:
                yield "data", inner.text
        else:
            yield event, name
            if inner.tail and inner is not element:
                yield "data", inner.tail
