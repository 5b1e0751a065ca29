"""The content of a NewsML-G2 item: its text as paragraphs, and its media."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from index.formats import roles
from index.formats.bodies import paragraph_json, running
from index.formats.newsmlg2.concepts import preferred
from index.formats.nitf import nitf_articles
from index.parsing import (
    XmlElement,
    attribute,
    children,
    descendants,
    element_paragraphs,
    first,
    line_text,
    local_name,
    outermost,
    own_attributes,
)

_TEXT_TYPES = ("text/", "application/xhtml", "xhtml", "html")
_MARKUP = frozenset(("html", "body", "div", "section", "article", "p"))


@dataclass(slots=True)
class Content:
    """What an item contains.

    :param paragraphs: of its text, in their JSON form.
    :param nitf: the article that a NITF document in it is, in our JSON form.
    :param warnings: of that document.
    :param media: its media elsewhere.
    """

    paragraphs: list[dict[str, Any]] = field(default_factory=list)
    nitf: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    media: list[dict[str, str]] = field(default_factory=list)


def content_of(item: XmlElement, language: str | None) -> Content:
    """Content of an item, from the best of its renditions: NITF, XHTML, HTML, text.

    :raises InvalidArticle: a NITF document in it has an unknown status.
    """
    content = Content()
    content_set = first(item, "contentset")
    content.media = [
        own_attributes(each) | _alternatives(each)
        for each in children(content_set, "remotecontent")
    ]
    inline = [
        *preferred(children(content_set, "inlinexml"), language),
        *preferred(children(content_set, "inlinedata"), language),
    ]
    for element in sorted(inline, key=_rank):
        _read(element, content)
        if content.paragraphs:
            break
    return content


def _rank(element: XmlElement) -> int:
    if local_name(element) == "inlinexml":
        return 0 if next(descendants(element, "nitf"), None) is not None else 1
    return 2 if "html" in (attribute(element, "contenttype") or "") else 3


def _read(element: XmlElement, content: Content) -> None:
    if local_name(element) == "inlinedata":
        kind = (attribute(element, "contenttype") or "text/plain").lower()
        if kind.startswith(_TEXT_TYPES):
            try:
                data = _data_of(element)
            except ValueError as error:
                content.warnings.append(f"inlineData: {error}; not read")
                return
            content.paragraphs = running(data, html="html" in kind)
        return
    nitf = next(descendants(element, "nitf"), None)
    if nitf is not None:
        article, *_ = nitf_articles(nitf)
        content.nitf = article.document
        content.warnings += article.warnings
        content.paragraphs = article.document.pop("paragraphs")
        return
    ours = next(descendants(element, "article"), None)
    written = None if ours is None else roles.read_element(ours)
    if written is not None:
        content.paragraphs = written
        return
    for child in element:
        if local_name(child) in _MARKUP:
            tags = {"header": ""} if _repeats_title(child) else {}
            content.paragraphs += paragraph_json(element_paragraphs(child, tags))
    if not content.paragraphs and len(element) == 0:
        content.paragraphs = running(element.text or "")


def _data_of(element: XmlElement) -> str:
    """Text of inline data, which may be encoded as base64.

    :raises ValueError: it is encoded otherwise, or no text in UTF-8.
    """
    text, encoding = element.text or "", attribute(element, "encoding")
    if encoding is None:
        return text
    if not encoding.lower().endswith("base64"):
        raise ValueError(f"{encoding[:80]!r} is an encoding that we do not know")
    try:
        return b64decode("".join(text.split()), validate=True).decode("utf-8-sig")
    except ValueError as error:
        raise ValueError("it is not base64 of a text in UTF-8") from error


def _repeats_title(html: XmlElement) -> bool:
    """Whether a page has a header with its title: all of it is in the metadata."""
    title = line_text(first(html, "head", "title"))
    return any(
        title is not None and line_text(heading) == title
        for header in outermost(html, "header")
        for heading in outermost(header, "h1")
    )


def _alternatives(remote: XmlElement) -> dict[str, str]:
    """Address of a rendition that has none of its own: the first of ``altLoc``."""
    location = line_text(first(remote, "altloc"))
    if location is None or attribute(remote, "href") is not None:
        return {}
    return {"href": location}
