"""IPTC NewsML-G2: news items and packages, alone or in a message.

Spec: https://iptc.org/standards/newsml-g2/. Items that are no news (concepts, lists of
them, planning, catalogs) are refused with a reason; those beside them are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from index.formats.newsmlg2.concepts import MessageSchemes
from index.formats.newsmlg2.item import item_article
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read
from index.formats.xml_articles import PassedOver, XmlArticle, read_elements
from index.parsing import XmlElement, local_name

_NEWS = frozenset(("newsitem", "packageitem"))
# What the other items are, and are not read as.
_OTHERS: dict[str, str] = {
    "conceptitem": "a conceptItem describes a person, a place or another concept",
    "knowledgeitem": "a knowledgeItem is a list of concepts",
    "planningitem": "a planningItem tells what is going to be covered",
    "catalogitem": "a catalogItem lists vocabularies",
}


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the items of a file, in order.

    ::

        (record,) = read(b'<newsItem guid="x:1" xmlns="…"><itemMeta>…')
        record.article.headline  # "Ferry back"

    :param name: of the file, for reports.
    """
    yield from read_elements(
        data,
        partial(_articles, MessageSchemes()),
        records=_NEWS | _OTHERS.keys(),
        missing="there is no newsItem and no packageItem in this NewsML-G2",
        format_name="newsmlg2",
        name=name,
        options=options,
    )


def _articles(schemes: MessageSchemes, element: XmlElement) -> list[XmlArticle]:
    name = local_name(element)
    if name in _NEWS:
        return [item_article(element, schemes)]
    raise PassedOver(f"{_OTHERS[name]}, and is no news; it is not read")
