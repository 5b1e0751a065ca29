"""IPTC NewsML 1.0 to 1.2: the news items of a file.

Spec: https://iptc.org/standards/newsml-1/. The DTD itself is never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from index.formats.newsml1.item import item_article
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read
from index.formats.xml_articles import XmlArticle, read_elements
from index.parsing import XmlElement


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
    return [item_article(element)]
