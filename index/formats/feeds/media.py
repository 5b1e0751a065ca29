"""Media of an item: pictures, sound and films that a feed links, for ``extra``."""

from __future__ import annotations

from typing import Any

from index.formats.feeds.names import name_of
from index.formats.feeds.parts import Parts, address_of
from index.parsing import XmlElement, line_text, own_attributes

_NOTES = {
    "media:title": "title",
    "media:description": "description",
    "media:text": "description",
    "media:credit": "credit",
    "media:copyright": "copyright",
}


def media_of(parts: Parts, base: str) -> list[dict[str, Any]]:
    """Links of the media of an item, each with what the feed says of it.

    :param base: of relative addresses, where no ``xml:base`` is.
    """
    media = [_link(each, base) for each in parts.all("enclosure")]
    media += [
        _without(_link(link, base), "href", "rel")
        for link in parts.all("atom:link")
        if link.get("rel") == "enclosure"
    ]
    for group in parts.all("media:group", "media:content"):
        media += _contents(group, base)
    for thumbnail in parts.all("media:thumbnail"):
        media.append({**_link(thumbnail, base), "medium": "thumbnail"})
    if len(media) == 1:  # what is said of the item's media is said of the only one
        for name, note in _NOTES.items():
            if text := parts.text(name):
                media[0].setdefault(note, text)
    seen: dict[str, dict[str, Any]] = {}
    for each in media:
        if address := each.get("url"):
            seen[address] = {**each, **seen.get(address, {})}
    return list(seen.values())


def _link(element: XmlElement, base: str) -> dict[str, Any]:
    """Attributes of a medium, its address absolute if that can be."""
    values: dict[str, Any] = dict(own_attributes(element))
    written = values.get("url") or values.get("href")
    if written:
        values["url"] = address_of(element, written, base) or written
    return values


def _contents(element: XmlElement, base: str) -> list[dict[str, Any]]:
    """Media of a group, or of one content and the contents in it."""
    notes = _notes(element)
    contents = [
        {**_link(child, base), **_notes(child)}
        for child in element
        if name_of(child) == "media:content"
    ]
    if name_of(element) == "media:content":
        contents.insert(0, _link(element, base))
    thumbnails = [
        {**_link(child, base), "medium": "thumbnail"}
        for child in element
        if name_of(child) == "media:thumbnail"
    ]
    return [{**notes, **content} for content in contents] + thumbnails


def _notes(element: XmlElement) -> dict[str, Any]:
    return {
        _NOTES[name]: text
        for child in element
        if (name := name_of(child)) in _NOTES and (text := line_text(child))
    }


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
