"""IPTC NITF, news in XML: 2.x and 3.x, with and without a namespace.

Spec: https://iptc.org/standards/nitf/. The DTD itself is never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from index.formats.nitf.document import nitf_articles
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read
from index.formats.xml_articles import read_elements


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the article of a document, and those whose status it changes.

    ::

        (record,) = read(b"<nitf><body><body.head><hedline><hl1>Ferry back</hl1>…")
        record.article.headline  # "Ferry back"

    :param name: of the file; the id is made from it if the document gives none.
    """
    yield from read_elements(
        data,
        nitf_articles,
        records=frozenset(("nitf",)),
        missing="there is no <nitf> in this XML",
        format_name="nitf",
        name=name,
        options=options,
    )
