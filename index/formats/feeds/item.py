"""What items of RSS and entries of Atom have in common, as an article's fields."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from index.formats.aliases import ALIASES
from index.formats.bodies import put_paragraphs
from index.formats.completion import as_id
from index.formats.date_fields import SentDates
from index.formats.feeds.feed import Feed
from index.formats.feeds.names import name_of
from index.formats.feeds.parts import (
    Paragraphs,
    Parts,
    address_of,
    length_of,
    paragraphs_in,
)
from index.formats.property_names import plain_name
from index.formats.statuses import holds_record_back, take
from index.formats.xml_articles import XmlArticle
from index.parsing import XmlElement, element_language, line_text, own_attributes

# Our date, and the elements that it is read from: the first that is a date counts.
DATES: dict[str, tuple[str, ...]] = {
    "published": (
        "wp:post_date_gmt",
        "pubdate",
        "atom:published",
        "dcterms:issued",
        "atom:issued",
        "prism:publicationdate",
        "dc:date",
        "dcterms:created",
        "atom:created",
        "wp:post_date",
    ),
    "updated": (
        "wp:post_modified_gmt",
        "atom:updated",
        "dcterms:modified",
        "atom:modified",
        "prism:modificationdate",
        "lastbuilddate",
        "wp:post_modified",
    ),
    "embargoed_until": ("prism:embargodate",),
    "expires": ("prism:killdate", "prism:expirationdate", "expirationdate"),
}
# Other names of dates that hold an item back or end it, whatever their prefix.
_LIMITS = {
    plain_name(name): field
    for field in ("embargoed_until", "expires")
    for name in (field, *ALIASES[field])
}
# How WordPress and others write that there is no date.
_NO_DATE = re.compile(r"0000-00-00|.{0,20}-0001\b")
_DESCRIPTION = "media:description"
_CUT_OFF = re.compile(r"(?:…|\.\.\.)\W*\Z")


def put_identity(document: dict[str, Any], identity: str | None) -> None:
    """Set the id, with hyphens for spaces and a hash for the end of a long one."""
    if identity:
        document["id"] = as_id(identity)


def put_dates(document: dict[str, Any], parts: Parts) -> None:
    """Set the dates, as they were written."""
    for field, listed in DATES.items():
        others = [
            name
            for name in parts.names()
            if name not in listed and _LIMITS.get(plain_name(_local(name))) == field
        ]
        values = [
            (name, text)
            for name, text in parts.named_texts(*listed, *others)
            if not _NO_DATE.match(text)
        ]
        values += _ends_of_validity(field, parts)
        if values:
            document[field] = SentDates(tuple(values))


def _local(name: str) -> str:
    """Name of an element without its prefix."""
    return name.rpartition(":")[2]


def _ends_of_validity(field: str, parts: Parts) -> list[tuple[str, str]]:
    """Dates of a field that a ``dcterms:valid`` names, a period of Dublin Core."""
    end = {"embargoed_until": "start", "expires": "end"}.get(field)
    return [
        ("dcterms:valid", date.strip())
        for text in parts.texts("dcterms:valid")
        for part in text.split(";")
        for name, _, date in [part.partition("=")]
        if name.strip() == end and date.strip()
    ]


def put_texts(
    article: XmlArticle, texts: Iterable[Paragraphs], *, whole: bool = True
) -> None:
    """Set the longest text as the body and the others as the abstract.

    :param texts: without preference; equal ones count once.
    :param whole: whether one text alone is expected to be all of the article.
    """
    unique: dict[str, Paragraphs] = {}
    for text in texts:
        if text:
            unique.setdefault("".join("".join(p["text"].split()) for p in text), text)
    ranked = sorted(unique.values(), key=length_of, reverse=True)
    if not ranked:
        return
    body, *others = ranked
    article.document["text"] = body
    if others:
        article.document["abstract"] = [each for text in others for each in text]
    elif whole and len(body) == 1 and _CUT_OFF.search(body[-1]["text"][-20:]):
        article.warnings.append("the feed has only the beginning of this text")
    put_paragraphs(article.document)


def texts_of(elements: Iterable[XmlElement]) -> list[Paragraphs]:
    """Paragraphs of each element that has a text."""
    return [text for each in elements if (text := paragraphs_in(each))]


def texts_of_media(parts: Parts) -> list[Paragraphs]:
    """What is said of the media of an item that has no other text."""
    groups = parts.all("media:group", "media:content")
    inside = [
        child for each in groups for child in each if name_of(child) == _DESCRIPTION
    ]
    return texts_of([*parts.all("itunes:summary", _DESCRIPTION), *inside])


def put_from_feed(
    document: dict[str, Any], feed: Feed, element: XmlElement, language: str | None
) -> None:
    """Set what the item does not say itself, from the feed around it.

    :param language: that the item says by an element.
    """
    values = feed.values
    shared = {
        "source": values.get("title"),
        "copyright": values.get("copyright"),
        "language": language or element_language(element) or values.get("language"),
    }
    for name, value in shared.items():
        if value and not document.get(name):
            document[name] = value


def put_rest(article: XmlArticle, parts: Parts, extra: dict[str, Any]) -> None:
    """Keep the other elements in ``extra``, and withhold what they hold back."""
    kept = extra | parts.rest()
    document = article.document
    if holds_record_back(kept, {}, article.warnings.append):
        take(document, [], held=True)
    document["type"] = "text"
    if kept:
        document["extra"] = kept


def link_of(
    parts: Parts, element: XmlElement, base: str, media_type: str = "text/html"
) -> str | None:
    """Address of the page, by the links of Atom."""
    alternates = [
        link
        for link in parts.all("atom:link")
        if (link.get("rel") or "alternate").lower() in ("alternate", _ALTERNATE)
    ]
    alternates.sort(key=lambda link: link.get("type", media_type) != media_type)
    addresses = (address_of(link, link.get("href"), base) for link in alternates)
    return next(filter(None, addresses), None)


_ALTERNATE = "http://www.iana.org/assignments/relation/alternate"


def related_links(parts: Parts) -> list[dict[str, str]]:
    """Links of Atom that are neither the page nor media."""
    links = []
    for link in parts.all("atom:link"):
        relation = (link.get("rel") or "alternate").lower()
        if relation not in ("alternate", _ALTERNATE, "enclosure", "license", "self"):
            links.append(own_attributes(link))
    return links


def license_of(parts: Parts) -> str | None:
    """Address or words of a licence."""
    for link in parts.all("atom:link"):
        if (link.get("rel") or "").lower() == "license" and link.get("href"):
            return str(link.get("href"))
    for element in parts.all("creativecommons:license", "cc:license", "media:license"):
        resource = next(
            (str(v) for k, v in element.attrib.items() if str(k).endswith("resource")),
            None,
        )
        if stated := resource or element.get("href") or line_text(element):
            return stated
    return None
