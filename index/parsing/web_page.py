"""A web page, taken apart: what its head says, its data, and its elements."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from lxml import etree

from index.errors import LimitExceeded, UnreadableInput
from index.parsing import source
from index.parsing.markup import MAX_MARKUP

MAX_ELEMENTS = 20_000
MAX_TEXT = 1_000_000  # characters outside of scripts
DEEPEST = 500  # levels of elements
# Elements may be inside one another, so what is taken of each is bounded.
MAX_HEADINGS = 20  # elements that are looked at
MAX_HEADING = 2_000  # characters of a heading or a title
_LARGEST_DATA = 4_000_000  # characters: a property may be within another
# How far into a page browsers look for its charset, and what names it there.
_PRESCAN = 1024
_CHARSET = re.compile(
    rb"<meta\b[^>]{0,300}?\bcharset\s*=[\s\"']*([\w.:-]{1,40})", re.IGNORECASE
)
_FALLBACK = "windows-1252"  # of browsers, for most languages
# What people put around JSON in a script: CDATA, comments, a semicolon. The end is
# matched from the right, in a text that is turned around.
_OPENING = re.compile(r"[\s/*]+|<!--|<!\[CDATA\[")
_CLOSING = re.compile(r"[\s/*;]+|>--|>\]\]")
# An escaped character, a quote, or a comma before a bracket.
_MARK = re.compile(r'\\.|"|,(?=\s*[}\]])', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SPACES = re.compile(r"[ \t\r\n\f]+")
# Attributes that hold the value of a property, by element (HTML Standard, 5.2.4).
_VALUES = {
    "meta": "content",
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "source": "src",
    "video": "src",
    "a": "href",
    "area": "href",
    "link": "href",
    "object": "data",
    "data": "value",
    "meter": "value",
    "time": "datetime",
}


@dataclass(slots=True)
class WebPage:
    """The parts of a page.

    :param root: the ``html`` element.
    :param metas: contents of ``meta`` elements by name, in lower case, in their order.
    :param canonical: address that the page gives as its own.
    :param language: of the ``html`` element.
    :param headings: texts of the first 20 ``h1`` elements; one above 2,000 characters
        is no heading.
    :param data: values of its JSON-LD scripts.
    :param items: its microdata, each item as JSON-LD would have it.
    :param faults: sentences for JSON-LD that cannot be read.
    """

    root: Any
    metas: dict[str, list[str]] = field(default_factory=dict)
    canonical: str | None = None
    language: str | None = None
    title: str | None = None
    headings: list[str] = field(default_factory=list)
    data: list[Any] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def meta(self, *wanted: str) -> str | None:
        """Content of the first of these ``meta`` elements that says something."""
        return next(
            (text for name in wanted for text in self.metas.get(name, ())), None
        )


def page_text(data: bytes, encoding: str | None) -> tuple[str, str | None]:
    """The text of a page, and the charset that it is in if it names another one.

    A byte order mark counts first, then UTF-8 if the bytes are in it, then ``encoding``
    and the page's own charset; without any, it is windows-1252, as in browsers.

    :raises UnreadableInput: it is not in its charset.
    """
    if data.startswith(source.BYTE_ORDER_MARKS):
        return source.decoded(b"".join(source.recoded(iter([data]), None))), None
    named = _CHARSET.search(data[: 8 * _PRESCAN])
    label = named[1].decode("ascii", "replace") if named else None
    declared = encoding
    if declared is None and label is not None:
        try:
            declared = source.checked_encoding(label)
        except UnreadableInput:
            label = None  # browsers pass over it, too
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        charset = declared
        if charset is None and label is None:
            charset = _FALLBACK
        pieces = source.recoded(iter([data]), charset)
        return source.decoded(b"".join(pieces)), None
    is_other = encoding is None and declared is not None and not text.isascii()
    return text, label if is_other else None


def web_page(text: str) -> WebPage:
    """The parts of a page; broken HTML is read much as browsers read it.

    :raises LimitExceeded: it has more than 8 million characters, a million of them
        outside of scripts, 20,000 elements, or 500 levels of them.
    :raises UnreadableInput: it has no element.
    """
    if len(text) > MAX_MARKUP:
        raise LimitExceeded("characters of HTML", limit=MAX_MARKUP, got=len(text))
    if text.count("<") > 20 * MAX_ELEMENTS:  # scripts have some, too
        raise LimitExceeded("elements of a page", limit=MAX_ELEMENTS, got=None)
    text = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    parser = etree.HTMLParser(
        encoding="utf-8",
        no_network=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        parser.feed(text.encode())
        root = parser.close()
    except etree.XMLSyntaxError:  # it is blank, or holds comments only
        root = None
    if root is None:
        raise UnreadableInput("has no element: this is no web page")
    _check_size(root)
    page = WebPage(root)
    page.language = root.get("lang") or root.get("xml:lang")
    for element in root.iter("title", "meta", "link", "script"):
        _take(page, element)
    first = islice(root.iter("h1"), MAX_HEADINGS)
    page.headings = [words for each in first if (words := _heading(each))]
    page.items = list(_items(root))
    return page


def _heading(element: Any) -> str:
    """Words of a heading or a title; blank if it is too long for one."""
    texts: list[str] = []
    size = 0
    for text in element.itertext():
        size += len(text)
        if size > MAX_HEADING:
            return ""
        texts.append(text)
    return _SPACES.sub(" ", "".join(texts)).strip()


def element_html(element: Any) -> str:
    """An element as HTML."""
    return str(
        etree.tostring(element, encoding="unicode", method="html", with_tail=False)
    )


def _check_size(root: Any) -> None:
    """Check that a page has no more text, elements and levels of them than allowed."""
    elements = depth = size = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        elements, depth = elements + 1, depth + 1
        if element.tag not in ("script", "style"):
            size += len(element.text or "")
        size += len(element.tail or "")
        if size > MAX_TEXT:
            raise LimitExceeded("characters of text", limit=MAX_TEXT, got=None)
        if elements > MAX_ELEMENTS:
            raise LimitExceeded("elements of a page", limit=MAX_ELEMENTS, got=None)
        if depth > DEEPEST:
            raise LimitExceeded("levels of elements", limit=DEEPEST, got=None)


def _take(page: WebPage, element: Any) -> None:
    """Take what an element says of its page."""
    if element.tag == "meta":
        name = element.get("property") or element.get("name") or ""
        content = (element.get("content") or "").strip()
        if name and content:
            page.metas.setdefault(name.strip().lower(), []).append(content)
        elif (element.get("http-equiv") or "").lower() == "content-language":
            page.metas.setdefault("content-language", []).append(content)
    elif element.tag == "title":
        page.title = page.title or _heading(element) or None
    elif element.tag == "link":
        if "canonical" in (element.get("rel") or "").lower().split():
            page.canonical = page.canonical or (element.get("href") or "").strip()
    elif "ld+json" in (element.get("type") or "").lower():
        text = "".join(element.itertext())
        if text.strip():
            try:
                page.data.append(_script_value(text))
            except (ValueError, RecursionError) as error:
                page.faults.append(f"its JSON-LD cannot be read: {error}")


def _script_value(text: str) -> Any:
    """Value of a script of JSON-LD, which may be wrapped, or have a comma too many.

    :raises ValueError: it is no JSON.
    """
    bare = _unwrapped(text)
    for candidate in (text, bare):
        try:
            return _decoded(candidate)
        except ValueError as error:
            fault = error
    try:
        return _decoded(_without_last_commas(bare))
    except ValueError:
        raise fault from None


def _unwrapped(text: str) -> str:
    """A script without what is around its JSON."""
    bare = text[_end_of_run(_OPENING, text) :]
    return bare[: len(bare) - _end_of_run(_CLOSING, bare[::-1])]


def _end_of_run(pattern: re.Pattern[str], text: str) -> int:
    """Where the matches of a pattern end that follow each other from the start."""
    end = 0
    while match := pattern.match(text, end):
        end = match.end()
    return end


def _without_last_commas(text: str) -> str:
    """JSON without the commas before its brackets, in one pass.

    A string that is not closed goes on to the end.
    """
    pieces: list[str] = []
    start, in_string = 0, False
    for mark in _MARK.finditer(text):
        if mark[0] == '"':
            in_string = not in_string
        elif mark[0] == "," and not in_string:
            pieces.append(text[start : mark.start()])
            start = mark.end()
    return "".join((*pieces, text[start:]))


def _decoded(text: str) -> Any:
    return json.loads(
        text,
        strict=False,
        parse_constant=lambda _: None,
        parse_int=lambda digits: int(digits) if len(digits) < 19 else digits,
        parse_float=_finite,
    )


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


class _PropertyTexts:
    """Texts of the elements with properties, inside one another as they are.

    The page is read once, and its runs of spaces are then one space each, so that
    elements inside one another do not each hold all of them.

    :ivar size: characters and pieces of the texts that were taken.
    """

    def __init__(self, root: Any) -> None:
        self.size = 0
        self._pieces: list[str] = []
        self._spans: dict[Any, tuple[int, int]] = {}
        starts: list[int] = []
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if event == "start":
                starts.append(len(self._pieces))
                self._add(element.text)
            else:
                start = starts.pop()
                if element.get("itemprop"):
                    self._spans[element] = start, len(self._pieces)
                self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text:
            self._pieces.append(_SPACES.sub(" ", text))

    def of(self, element: Any) -> str:
        """Words of an element, with single spaces."""
        start, end = self._spans[element]
        text = "".join(self._pieces[start:end])
        self.size += end - start + len(text)
        return _SPACES.sub(" ", text).strip()


def _items(root: Any) -> Iterator[dict[str, Any]]:
    """Yield the top items of a page's microdata (HTML Standard, 5).

    The value of a property of the names in ``articleBody`` is HTML, and others are
    texts. Properties by ``itemref`` are left out.
    """
    open_items: list[tuple[Any, dict[str, Any]]] = []  # with their elements
    texts = _PropertyTexts(root)
    size = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            if open_items and open_items[-1][0] is element:
                open_items.pop()
            continue
        properties = (element.get("itemprop") or "").split()
        value: Any = None
        if element.get("itemscope") is not None:
            types = (element.get("itemtype") or "").split()
            value = {"@type": types[0] if len(types) == 1 else types} if types else {}
            if element.get("itemid"):
                value["@id"] = element.get("itemid")
        elif properties and open_items:
            value = _value_of(element, properties, texts)
            size += len(value) * len(properties)  # each is written with its value
            if max(size, texts.size) > _LARGEST_DATA:
                raise LimitExceeded(
                    "characters of microdata", limit=_LARGEST_DATA, got=None
                )
        if properties and open_items:
            item = open_items[-1][1]
            for name in properties:
                _add(item, name, value)
        elif isinstance(value, dict):
            yield value
        if isinstance(value, dict):
            open_items.append((element, value))


def _value_of(element: Any, properties: list[str], texts: _PropertyTexts) -> str:
    attribute = _VALUES.get(element.tag)
    # Many pages have the content of a time or a link in an attribute for it.
    stated = element.get("content") or (attribute and element.get(attribute))
    if isinstance(stated, str) and stated.strip():
        if attribute == "href" and element.tag == "a" and not _is_address(properties):
            return texts.of(element)
        return stated.strip()
    if "articleBody" in properties:
        return element_html(element)
    return texts.of(element)


def _is_address(properties: list[str]) -> bool:
    return not {"url", "mainEntityOfPage", "sameAs"}.isdisjoint(properties)


def _add(item: dict[str, Any], name: str, value: Any) -> None:
    if name not in item:
        item[name] = value
    elif isinstance(item[name], list):
        item[name].append(value)
    else:
        item[name] = [item[name], value]
