"""Atom: a feed as RFC 4287 has it, in pages (RFC 5005), with tombstones (RFC 6721)."""

from __future__ import annotations

from index.archive import Removal
from index.dates import iso
from index.rendering.feed_xml import DECLARATION, element, text_element
from index.rendering.feeds import Feed, Item

_NAMESPACES = {
    "xmlns": "http://www.w3.org/2005/Atom",
    "xmlns_at": "http://purl.org/atompub/tombstones/1.0",
    "xmlns_os": "http://a9.com/-/spec/opensearch/1.1/",
}
_GENERATOR = "Nutgraf"
ATOM = "application/atom+xml"
OPENSEARCH = "application/opensearchdescription+xml"


def atom_document(feed: Feed) -> bytes:
    """Feed as an Atom document.

    ``updated`` of an entry is when its version was stored, so a correction changes it.
    Removed articles are ``at:deleted-entry``, with the id that their entry had.
    """
    links = feed.links
    document = DECLARATION + element(
        "feed",
        text_element("id", links.feed),
        text_element("title", feed.title),
        text_element("updated", iso(feed.updated)),
        # Entries may have no author of their own, and then the feed must have one.
        element("author", text_element("name", _GENERATOR)),
        text_element("generator", _GENERATOR),
        element("link", rel="self", type=ATOM, href=links.page),
        element("link", rel="first", type=ATOM, href=links.feed),
        element("link", rel="next", type=ATOM, href=links.next) if links.next else "",
        element("link", rel="search", type=OPENSEARCH, href=links.description),
        text_element("os:totalResults", str(feed.total)),
        *[_tombstone(removal) for removal in feed.removals],
        *[_entry(item) for item in feed.items],
        **_NAMESPACES,
    )
    return document.encode()


def _entry(item: Item) -> str:
    link = element("link", rel="alternate", href=item.link) if item.link else ""
    return element(
        "entry",
        text_element("id", item.id),
        text_element("title", item.title),
        link,
        text_element("updated", iso(item.updated)),
        text_element(
            "published", None if item.published is None else iso(item.published)
        ),
        *[element("author", text_element("name", name)) for name in item.authors],
        *[element("category", term=tag) for tag in item.tags],
        text_element("rights", item.rights),
        # Without an alternate link an entry must have content (RFC 4287, 4.1.2).
        text_element("summary" if item.link else "content", item.html, type="html"),
        xml_lang=item.language,
    )


def _tombstone(removal: Removal) -> str:
    return element("at:deleted-entry", ref=removal.id, when=iso(removal.at))
