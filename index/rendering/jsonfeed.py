"""JSON Feed: a feed as version 1.1 has it."""

from __future__ import annotations

from index.dates import iso
from index.rendering.feeds import Feed, Item
from index.rendering.json import Document

VERSION = "https://jsonfeed.org/version/1.1"


def jsonfeed_document(feed: Feed) -> Document:
    """Feed as a JSON document; what was removed is not in it.

    The rights in an article are in an extension, ``_nutgraf``, since JSON Feed has no
    place for them.
    """
    links = feed.links
    document: Document = {
        "version": VERSION,
        "title": feed.title,
        "feed_url": links.feed,
        "next_url": links.next,
        "items": [_item(item) for item in feed.items],
    }
    return _without_none(document)


def _item(item: Item) -> Document:
    document: Document = {
        "id": item.id,
        "url": item.link,
        "title": item.title,
        "content_html": item.html,
        "date_published": None if item.published is None else iso(item.published),
        "date_modified": iso(item.updated),
        "authors": [{"name": name} for name in item.authors] or None,
        "tags": list(item.tags) or None,
        "language": item.language,
        "_nutgraf": _without_none({"source": item.source, "rights": item.rights})
        or None,
    }
    return _without_none(document)


def _without_none(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}
