"""RSS: a feed as RSS 2.0 has it."""

from __future__ import annotations

from email.utils import format_datetime

from index.dates import iso
from index.rendering.feed_xml import DECLARATION, element, text_element
from index.rendering.feeds import Feed, Item

_NAMESPACES = {
    "xmlns_atom": "http://www.w3.org/2005/Atom",
    "xmlns_dc": "http://purl.org/dc/elements/1.1/",
}
RSS = "application/rss+xml"


def rss_document(feed: Feed) -> bytes:
    """Feed as an RSS document; what was removed is not in it."""
    links = feed.links
    channel = element(
        "channel",
        text_element("title", feed.title),
        text_element("link", links.feed),
        text_element("description", feed.title),
        text_element("lastBuildDate", format_datetime(feed.updated, usegmt=True)),
        text_element("generator", "Nutgraf"),
        element("atom:link", rel="self", type=RSS, href=links.page),
        element("atom:link", rel="next", type=RSS, href=links.next)
        if links.next
        else "",
        *[_item(item) for item in feed.items],
    )
    document = DECLARATION + element("rss", channel, version="2.0", **_NAMESPACES)
    return document.encode()


def _item(item: Item) -> str:
    published = item.published
    return element(
        "item",
        text_element("title", item.title),
        text_element("link", item.link),
        text_element("guid", item.id, isPermaLink="false"),
        text_element(
            "pubDate",
            None if published is None else format_datetime(published, usegmt=True),
        ),
        text_element("description", item.html),
        *[text_element("dc:creator", name) for name in item.authors],
        *[text_element("category", tag) for tag in item.tags],
        text_element("atom:updated", iso(item.updated)),
        text_element("dc:language", item.language),
        text_element("dc:source", item.source),
        text_element("dc:rights", item.rights),
    )
