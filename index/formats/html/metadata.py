"""Metadata of a page: names of ``meta`` elements, and the fields they are read as."""

from __future__ import annotations

import re
from typing import Any

from index.formats.jsonld import Graph, Node, address_of
from index.formats.property_names import names
from index.parsing import WebPage

# Our field, and the names that it is read from: the first that is present counts.
# OpenGraph: https://ogp.me/#type_article; Dublin Core: https://www.dublincore.org/;
# the others are those of analytics and of content management systems.
METAS: dict[str, tuple[str, ...]] = {
    "headline": names(
        "og:title headline dc.title dcterms.title twitter:title parsely-title"
        " sailthru.title"
    ),
    "abstract": names(
        "og:description description dc.description twitter:description"
        " sailthru.description"
    ),
    "published": names(
        "article:published_time og:article:published_time datepublished"
        " parsely-pub-date dc.date.issued dcterms.issued dcterms.created dc.date"
        " dcterms.date sailthru.date publish-date publishdate pubdate publication_date"
        " published_time date"
    ),
    "updated": names(
        "article:modified_time og:updated_time datemodified dcterms.modified"
        " last-modified lastmod"
    ),
    "expires": ("article:expiration_time",),
    "section": names("article:section parsely-section section"),
    "source": names(
        "og:site_name application-name publisher dc.publisher dcterms.publisher"
    ),
    "language": names(
        "og:locale content-language dc.language dcterms.language language"
    ),
    "copyright": names("copyright dcterms.rights dc.rights"),
}
# Names whose contents are all taken.
LISTS: dict[str, tuple[str, ...]] = {
    "authors": names(
        "author article:author parsely-author dc.creator dcterms.creator"
        " sailthru.author byl"
    ),
    "keywords": names(
        "news_keywords article:tag keywords parsely-tags sailthru.tags dc.subject"
        " dcterms.subject"
    ),
}
_ADDRESS = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_IDENTITY = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:[^\s/]", re.IGNORECASE)
_BY = re.compile(r"\A(?:by|von|par|por)\s+", re.IGNORECASE)
# What a title has behind a headline: the name of its site.
_SITE = re.compile(r"(?<!\s)\s+[|–—·•»-]\s+")


def metadata_of(page: WebPage) -> dict[str, list[Any]]:
    """Values that the head of a page has for our fields, the best first."""
    values: dict[str, list[Any]] = {
        field: [text for name in listed for text in page.metas.get(name, ())]
        for field, listed in METAS.items()
    }
    for field, listed in LISTS.items():
        for name in listed:
            texts = [
                _BY.sub("", text)
                for text in page.metas.get(name, ())
                if not _ADDRESS.match(text)
            ]
            if texts:
                values[field] = [texts if len(texts) > 1 else texts[0]]
                break
    headings = page.headings if len(page.headings) == 1 else []
    titles = [without_site(page.title, values["source"])] if page.title else []
    values["headline"] += [*headings, *titles]
    if page.language:
        values["language"].insert(0, page.language)
    return values


def without_site(title: str, sites: list[str]) -> str:
    """A title without the name of the site behind it."""
    for site in sites:
        for separator in _SITE.finditer(title):
            if title[separator.end() :].strip().casefold() == site.casefold():
                return title[: separator.start()]
    return title


def own_address(page: WebPage, node: Node | None) -> str | None:
    """The address of a page, as it says itself."""
    stated: list[Any] = [page.canonical, page.meta("og:url")]
    if node is not None:
        stated += (node.get("url"), node.get("mainEntityOfPage"), node.get("@id"))
    return next((known for each in stated if (known := address_of(each))), None)


def has_own_id(node: Node | None) -> bool:
    """Whether the data of a page give its article an id that is no address.

    ``urn:…``, ``tag:…`` and the like are given on purpose; other values often are
    numbers of a database.
    """
    identity = None if node is None else node.get("@id")
    return isinstance(identity, str) and _IDENTITY.match(identity) is not None


def own_article(page: WebPage, graph: Graph) -> Node | None:
    """The node of the article that a page is of; ``None`` if it is of none, or several.

    Of several, the one with the page's address or headline is meant.
    """
    articles = graph.articles()
    if len(articles) < 2:
        return articles[0] if articles else None
    address = own_address(page, None)
    for node in articles:
        places = (node.get("url"), node.get("mainEntityOfPage"), node.get("@id"))
        if address is not None and address in map(address_of, places):
            return node
    titles = {text.casefold() for text in (*page.headings, page.meta("og:title") or "")}
    for node in articles:
        headline = node.get("headline") or node.get("name")
        if isinstance(headline, str) and headline.strip().casefold() in titles:
            return node
    return None
