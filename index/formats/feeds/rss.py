"""Items of RSS 0.9x, 1.0 and 2.0, and posts of a WordPress export, as articles.

Specs: https://www.rssboard.org/rss-specification, https://web.resource.org/rss/1.0/spec
"""

from __future__ import annotations

from typing import Any

from index.formats.feeds import item, wordpress
from index.formats.feeds.feed import Feed
from index.formats.feeds.media import media_of
from index.formats.feeds.parts import Parts, address_of
from index.formats.feeds.people import author_name, names_in, person_of
from index.formats.xml_articles import XmlArticle
from index.parsing import XmlElement, attribute, line_text

_BODIES = (
    "content:encoded",
    "xhtml:body",
    "xhtml:div",
    "atom:content",
    "content",
    "body",
    "fulltext",
    "full-text",
    "yandex:full-text",
)
_SUMMARIES = ("description", "atom:summary", "summary", "dcterms:abstract")


def item_article(element: XmlElement, feed: Feed) -> XmlArticle:
    """The article of an item.

    :raises PassedOver: it is of a WordPress export, and no post.
    """
    parts = Parts(element)
    is_post = wordpress.is_post(parts)
    if is_post:
        wordpress.check_type(parts)
    article = XmlArticle({}, has_own_id=True)
    document = article.document
    extra: dict[str, Any] = {}
    base = feed.base()
    _put_identity(document, extra, element, parts, base)
    title = parts.text("title", "dc:title", "media:title")
    if title:
        document["headline"] = title
    item.put_dates(document, parts)
    _put_people(document, extra, parts, feed)
    if media := media_of(parts, base):
        extra["media"] = media
    if is_post:
        wordpress.put_post(article, extra, parts)
    else:
        texts = item.texts_of(parts.all(*_BODIES, *_SUMMARIES))
        item.put_texts(article, texts or item.texts_of_media(parts))
        _put_categories(document, parts)
    _put_source(document, extra, parts)
    document |= {
        name: text
        for name, text in (
            ("copyright", parts.text("dc:rights", "copyright", "atom:rights")),
            ("usage_terms", item.license_of(parts)),
        )
        if text
    }
    if links := item.related_links(parts):
        extra["links"] = links
    language = parts.text("dc:language", "language")
    item.put_from_feed(document, feed, element, language)
    item.put_rest(article, parts, extra)
    return article


def _put_identity(
    document: dict[str, Any],
    extra: dict[str, Any],
    element: XmlElement,
    parts: Parts,
    base: str,
) -> None:
    guids = parts.all("guid")
    guid = line_text(guids[0]) if guids else None
    is_link = guid and (attribute(guids[0], "ispermalink") or "true").lower() != "false"
    about = attribute(element, "about")
    original = parts.text("feedburner:origlink")
    links = parts.all("link")
    written = [original, *(line_text(each) or each.get("href") for each in links)]
    addresses = [address_of(element, each, base) for each in written]
    if item_link := item.link_of(parts, element, base):
        addresses.append(item_link)
    addresses.append(address_of(element, guid, "") if is_link else None)
    addresses.append(address_of(element, about, ""))
    address = next(filter(None, addresses), None)
    if address:
        document["url"] = address
    own = parts.text("atom:id", "dc:identifier") if guid is None else None
    link = next(filter(None, written), None)
    item.put_identity(document, guid or about or own or address or link)
    if comments := parts.text("comments"):
        extra["comments"] = comments


def _put_people(
    document: dict[str, Any], extra: dict[str, Any], parts: Parts, feed: Feed
) -> None:
    names: list[str] = []
    for text in parts.texts("dc:creator", "author"):
        user = feed.users.get(text)
        name = user or author_name(text)
        if name is None:
            extra.setdefault("author", text)
        else:
            names += [name] if user else names_in(name)
    people = (person_of(each) for each in parts.all("atom:author"))
    names += [name for name in people if name]
    if names := names or feed.authors:
        document["authors"] = [{"name": name} for name in dict.fromkeys(names)]
    contributors = parts.texts("dc:contributor", "atom:contributor")
    if contributors:
        extra["contributors"] = contributors


def _put_categories(document: dict[str, Any], parts: Parts) -> None:
    """Categories with a scheme are subjects, the others keywords."""
    subjects: list[dict[str, str]] = []
    keywords: list[str] = []
    for each in parts.all("category"):
        name = line_text(each)
        scheme = attribute(each, "domain") or attribute(each, "scheme")
        if name and scheme:
            subjects.append({"name": name, "scheme": scheme})
        elif name:
            keywords.append(name)
    subjects += [{"name": text} for text in parts.texts("dc:subject")]
    for text in parts.texts("media:keywords", "itunes:keywords", "prism:keyword"):
        keywords += [word.strip() for word in text.split(",") if word.strip()]
    if subjects:
        document["subjects"] = subjects
    if keywords:
        document["keywords"] = list(dict.fromkeys(keywords))
    if section := parts.text("prism:section"):
        document["section"] = section


def _put_source(document: dict[str, Any], extra: dict[str, Any], parts: Parts) -> None:
    """The feed that an item was taken over from."""
    sources = parts.all("source", "dc:source")
    for each in sources:
        if text := line_text(each):
            document.setdefault("source", text)
        if address := each.get("url"):
            extra.setdefault("source_url", address)
