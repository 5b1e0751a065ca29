"""An article as a NewsML-G2 item, which the NewsML-G2 reader reads back.

Spec: https://iptc.org/standards/newsml-g2/. The order of elements is that of its
schema. The body is XHTML that states the role of each paragraph. Notes to editors,
``story``, ``correction`` and ``extra`` are not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from index.article import LIFTED, Article, Concept
from index.dates import iso
from index.formats import roles
from index.formats.newscodes import SCHEMES
from index.formats.xml_writing import Element, document_bytes, element

_NAMESPACE = "http://iptc.org/std/nar/2006-10-01/"
_XHTML = "http://www.w3.org/1999/xhtml"
# IPTC's own vocabularies; nothing fetches it.
_CATALOG = "http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_41.xml"
CANONICAL = "http://www.iana.org/assignments/relation/canonical"
_ALIAS = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_CODE = re.compile(r"\S+\Z")
# Our fields of concepts that are subjects, and what they are by IPTC's natures.
_NATURES = {
    "people": "cpnat:person",
    "organisations": "cpnat:organisation",
    "places": "cpnat:geoArea",
    "subjects": "cpnat:abstract",
}


def write(article: Article) -> bytes:
    """An article as a document with one ``newsItem``."""
    return document_bytes(item_of(article))


def item_of(article: Article) -> Element:
    """An article as a ``newsItem``."""
    version = article.version or ""
    is_number = re.fullmatch("[1-9][0-9]*", version) is not None
    return element(
        "newsItem",
        {
            "xmlns": _NAMESPACE,
            "guid": article.id,
            "version": version if is_number else None,
            "standard": "NewsML-G2",
            "standardversion": "2.33",
            "conformance": "power",
            "xml:lang": article.language,
        },
        element("catalogRef", {"href": _CATALOG}),
        _catalog(article),
        _rights(article),
        _item_meta(article),
        _content_meta(article),
        _content(article),
    )


def _catalog(article: Article) -> Element | None:
    """The schemes of the article's concepts whose addresses their URIs tell."""
    addresses: dict[str, str] = {}
    for concept in _concepts(article):
        if (code := _qcode(concept)) is None or concept.uri is None:
            continue
        alias, _, code = code.partition(":")
        if concept.uri.endswith(code) and alias not in SCHEMES:
            addresses.setdefault(alias, concept.uri.removesuffix(code))
    if not addresses:
        return None
    return element(
        "catalog",
        {},
        *(
            element("scheme", {"alias": alias, "uri": address})
            for alias, address in addresses.items()
            if address
        ),
    )


def _concepts(article: Article) -> Iterator[Concept]:
    for name in ("authors", "genre", *_NATURES):
        yield from getattr(article, name)


def _rights(article: Article) -> Element | None:
    parts = [
        *_lines("copyrightNotice", article.copyright),
        *_lines("usageTerms", article.usage_terms),
    ]
    return element("rightsInfo", {}, *parts) if parts else None


def _item_meta(article: Article) -> Element:
    # The schema wants a date of the version. Without any, none is made up.
    changed = article.updated or article.published
    embargo = article.embargoed_until
    return element(
        "itemMeta",
        {},
        element("itemClass", {"qcode": f"ninat:{article.type or 'text'}"}),
        element("provider", {}, *_names(article.source)),
        _date("versionCreated", changed),
        _date("firstCreated", article.published),
        None if embargo == LIFTED else _date("embargoed", embargo),
        element("pubStatus", {"qcode": f"stat:{article.status}"}),
        *(element("service", {}, name) for name in _names(article.section)),
        _date("expires", article.expires),
        *_links("irel:evolvedFrom", residref=article.evolved_from),
        *_links(None, href=article.url),
    )


def _links(rel: str | None, **target: str | None) -> Iterator[Element]:
    if any(target.values()):
        uri = CANONICAL if rel is None else None
        yield element("link", {"rel": rel, "reluri": uri, **target})


def _content_meta(article: Article) -> Element:
    urgency = None if article.urgency is None else str(article.urgency)
    return element(
        "contentMeta",
        {},
        *_lines("urgency", urgency),
        *(_concept("creator", each) for each in article.authors),
        *_language(article.language),
        *(_concept("genre", each) for each in article.genre),
        *(element("keyword", {}, each.name) for each in article.keywords),
        *(
            _concept("subject", each, type=nature)
            for field, nature in _NATURES.items()
            for each in getattr(article, field)
        ),
        *_lines("slugline", article.slugline),
        *_lines("headline", article.headline),
        *_lines("dateline", article.dateline),
        *_lines("by", article.byline),
    )


def _language(tag: str | None) -> Iterable[Element]:
    return [] if tag is None else [element("language", {"tag": tag})]


def _content(article: Article) -> Element | None:
    paragraphs = [each for each in article.paragraphs if each.n]
    if not paragraphs:
        return None
    return element(
        "contentSet",
        {},
        element(
            "inlineXML",
            {"contenttype": "application/xhtml+xml"},
            element(
                "html",
                {"xmlns": _XHTML},
                element("head", {}, element("title", {}, article.headline)),
                element("body", {}, roles.as_element(paragraphs)),
            ),
        ),
    )


def _concept(name: str, concept: Concept, **attributes: str) -> Element:
    code = _qcode(concept)
    literal = concept.code if concept.code and not concept.scheme else None
    return element(
        name,
        {**attributes, "qcode": code, "uri": concept.uri, "literal": literal},
        *_names(concept.name),
    )


def _qcode(concept: Concept) -> str | None:
    """Code with the alias of its scheme; ``None`` if the two do not make a QCode."""
    scheme, code = concept.scheme, concept.code
    if (
        scheme is None
        or code is None
        or not (_ALIAS.match(scheme) and _CODE.match(code))
    ):
        return None
    return f"{scheme}:{code}"


def _names(name: str | None) -> Iterable[Element]:
    return [] if name is None else [element("name", {}, name)]


def _lines(name: str, text: str | None) -> Iterator[Element]:
    """Yield an element for each line of a text, as the reader joins them."""
    for line in (text or "").splitlines():
        if line.strip():
            yield element(name, {}, line)


def _date(name: str, date: datetime | None) -> Element | None:
    return None if date is None else element(name, {}, iso(date))
