"""Feeds, read item by item: RSS, Atom and WordPress exports.

A reader takes whatever items there are: an Atom feed that was sent as RSS is read too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, cast

from index.errors import LimitExceeded, UnreadableInput
from index.formats.feeds.atom import entry_article, tombstone_article
from index.formats.feeds.feed import ITEMS, TERMS, TEXTS, Feed
from index.formats.feeds.rss import item_article
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read
from index.formats.xml_articles import XmlArticle, read_elements
from index.parsing import (
    BrokenFile,
    KeptInput,
    XmlElement,
    XmlRecord,
    local_name,
    xml_records,
)

MAX_NAMESPACES = 200  # that are declared around an item; each original has them all
RSS_ROOTS = ("rss", "rdf", "channel")
ATOM_ROOTS = ("feed", "entry")
_FEEDS = frozenset(("channel", "feed"))  # without which nothing is a feed
_ROOTS = frozenset((*RSS_ROOTS, *ATOM_ROOTS))


def read_rss(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the items of a feed in RSS 0.9x, 1.0 or 2.0.

    ::

        (record,) = read_rss(b"<rss><channel><title>Wire</title><item><guid>…")
        record.article.headline, record.article.source  # "Ferry back", "Wire"
    """
    yield from _read("rss", data, name, options)


def read_atom(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the entries of a feed in Atom 0.3 or 1.0, and its tombstones."""
    yield from _read("atom", data, name, options)


def read_wxr(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the posts of a WordPress export."""
    yield from _read("wxr", data, name, options)


def _read(
    format_name: str, data: bytes | BinaryIO, name: str, options: ReadOptions
) -> Iterator[Read]:
    reading = _Reading()
    yield from read_elements(
        data,
        reading.articles,
        records=ITEMS,
        missing="there is no item and no entry in this feed",
        format_name=format_name,
        name=name,
        options=options,
        records_of=reading.items,
        listed="item",
    )


class _Reading:
    """A feed that is being read, and what is known of its next item.

    A feed that is not well-formed is read on, item by item, from the place on.
    """

    def __init__(self) -> None:
        self._feed = Feed()
        self._warning: str | None = None
        self._around: XmlElement | None = None

    def articles(self, element: XmlElement) -> list[XmlArticle]:
        """The article of an item, entry or tombstone."""
        name = local_name(element)
        if name == "deleted-entry":
            return [tombstone_article(element)]
        self._feed.come_to(element)
        read = item_article if name == "item" else entry_article
        article = read(element, self._feed)
        if self._warning is not None:
            article.warnings.append(self._warning)
        return [article]

    def items(self, data: bytes | BinaryIO) -> Iterator[XmlRecord | Read]:
        """Yield the items of a feed, or the errors in their places.

        :raises UnreadableInput: it has none and is no feed, or it is not complete.
        """
        root = ""
        is_feed = False
        count = 0

        def is_record(name: str) -> bool:
            nonlocal root, is_feed
            root = root or name
            is_feed = is_feed or name in _FEEDS
            return name in ITEMS or name in TERMS

        kept = KeptInput(data)
        try:
            # Readers need only the method read() of a stream.
            for record in xml_records(cast("BinaryIO", kept), is_record):
                if local_name(record.element) in ITEMS:
                    count += 1
                    self._check(record.element)
                    yield record
        except UnreadableInput as error:
            if error.code != UnreadableInput.code or (root and root not in _ROOTS):
                raise
            yield from self._repaired(kept, count, error)
            return
        if not count and not is_feed:
            raise UnreadableInput(
                f"there is no item and no entry in this XML; its root is <{root[:50]}>",
                line=1,
            )

    def _check(self, item: XmlElement) -> None:
        """Check what every item has from the elements around it.

        :raises LimitExceeded: they declare too many namespaces.
        """
        parent = item.getparent()
        if parent is None or parent is self._around:
            return
        self._around = parent
        count = len(parent.nsmap)
        if count > MAX_NAMESPACES:
            raise LimitExceeded(
                "namespaces around an item", limit=MAX_NAMESPACES, got=count
            )

    def _repaired(
        self, kept: KeptInput, start: int, failure: UnreadableInput
    ) -> Iterator[XmlRecord | Read]:
        """Yield the items from a number on, of a feed that is not well-formed."""
        text = kept.text()
        if text is None:
            raise failure
        broken = BrokenFile(text, ITEMS, TEXTS)
        if not start and (head := broken.head()) is not None:
            self._feed.come_to(head.element)
        self._feed.is_complete = True
        for repaired in broken.records(start):
            if repaired.record is None:
                yield Read(article=None, line=repaired.line, error=repaired.error)
                continue
            self._warning = None
            if repaired.error is not None:
                self._warning = (
                    f"this item is not well-formed XML (line {repaired.line}); it was"
                    " mended, please check its text"
                )
            yield repaired.record
        if (ending := broken.ending(start)) is not None:
            raise ending if len(broken) > start + 1 else failure
