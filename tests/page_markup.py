"""Reading a page: its elements, texts and links, by a real parser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import html

DRAWINGS = {"chart", "axis"}  # our own; everything else in SVG is foreign
VOID = {"script", "iframe", "object", "embed", "img", "style", "svg", "base"}


class Page:
    """A parsed page."""

    def __init__(self, answer: Any) -> None:
        assert answer.content_type == "text/html; charset=utf-8", answer.data
        self.status, self.headers = answer.status_code, answer.headers
        self.source = answer.get_data(as_text=True)
        self.root = html.document_fromstring(self.source)

    def all(self, path: str) -> list[Any]:
        """Elements by an XPath below the page."""
        return list(self.root.xpath(f".//{path}"))

    def one(self, path: str) -> Any:
        """The only element of an XPath."""
        (element,) = self.all(path)
        return element

    def text(self, path: str) -> str:
        """Text of the only element, with single spaces."""
        return plain(self.one(path))

    def texts(self, path: str) -> list[str]:
        """Texts of elements."""
        return [plain(element) for element in self.all(path)]

    def link(self, text: str) -> str:
        """Address of the only link with this text."""
        (found,) = {a.get("href") for a in self.all("a[@href]") if plain(a) == text}
        return str(found)

    def links(self) -> list[str]:
        """Addresses of all links and loaded files, and of forms."""
        return [
            str(element.get(name))
            for name in ("href", "src", "action")
            for element in self.all(f"*[@{name}]")
        ]

    def by_class(self, name: str, within: str = "*") -> list[Any]:
        """Elements of a class."""
        return self.all(
            f"{within}[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]"
        )

    def foreign(self) -> Iterator[str]:
        """Yield what no text of an article may add to a page."""
        for element in self.root.iter():
            if not isinstance(element.tag, str):
                continue
            ours = (element.get("src") or "").endswith("/static/page.js") or (
                element.tag == "svg" and element.get("class") in DRAWINGS
            )
            if element.tag in VOID and not ours:
                yield element.tag
            for name in element.attrib:
                if name.startswith("on") or name == "style":
                    yield f"{element.tag} {name}"
        for link in self.links():
            if ":" in link.split("/")[0] and not link.startswith(("http", "data:,")):
                yield link


def plain(element: Any) -> str:
    """Text of an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())
