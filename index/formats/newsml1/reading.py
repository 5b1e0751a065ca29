"""IPTC NewsML 1.0 to 1.2: the news items of a file.

Spec: https://iptc.org/standards/newsml-1/. The DTD itself is never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from index.article import Role
from index.errors import InputError
from index.formats.newsml1.item import item_article
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read
from index.formats.xml_articles import XmlArticle, read_elements
from index.parsing import XmlElement, outermost

_SUMMARIES = (Role.ABSTRACT, Role.CAPTION)  # without another text an item has no story


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the news items of a file, in order.

    ::

        (record,) = read(b"<NewsML><NewsItem><Identification>…")
        record.article.headline  # "Ferry back"

    :param name: of the file; the id of its one item is made from it if that has none.
    """
    yield from read_elements(
        data,
        _articles,
        records=frozenset(("newsitem",)),
        missing="there is no NewsItem in this NewsML",
        format_name="newsml1",
        name=name,
        options=options,
    )


def _articles(element: XmlElement) -> list[XmlArticle]:
    """Articles of an item and of the items inside its components.

    An item that only holds others is no article.
    """
    inner: list[XmlArticle] = []
    warnings: list[str] = []
    places: list[tuple[XmlElement, int, XmlElement]] = []
    for each in list(outermost(element, "newsitem")):
        try:
            inner += _articles(each)
        except InputError as error:
            warnings.append(f"an item inside it is not read: {error}")
        parent = each.getparent()
        if parent is not None:
            places.append((parent, parent.index(each), each))
    # What an item says is not said of the one around it.
    for parent, _, each in places:
        parent.remove(each)
    try:
        article = item_article(element)
    finally:
        for parent, at, each in places:
            parent.insert(at, each)
    article.warnings += warnings
    document = article.document
    if not inner:
        return [article]
    if not document.get("headline") and not document["paragraphs"]:
        inner[0].warnings += warnings
        return inner
    if all(each.get("role") in _SUMMARIES for each in document["paragraphs"]):
        document["type"] = "composite"
    items = [each.document["id"] for each in inner if each.document.get("id")]
    document["extra"]["items"] = [{"id": identity} for identity in items]
    return [article, *inner]
