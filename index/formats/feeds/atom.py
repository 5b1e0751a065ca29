"""Entries of Atom 0.3 and 1.0, and the tombstones of entries, as articles.

Specs: RFC 4287, RFC 5023 (drafts), RFC 6721 (tombstones).
"""

from __future__ import annotations

from typing import Any

from index.article import Status
from index.errors import InvalidArticle
from index.formats.feeds import item
from index.formats.feeds.feed import Feed
from index.formats.feeds.media import media_of
from index.formats.feeds.names import name_of
from index.formats.feeds.parts import Paragraphs, Parts, address_of, paragraphs_in
from index.formats.feeds.people import person_of
from index.formats.statuses import hold
from index.formats.xml_articles import PassedOver, XmlArticle, withdrawal_of
from index.parsing import XmlElement, attribute, line_text

# Blogger says so what an entry of its export is.
_KIND = "schemas.google.com/g/2005#kind"
_READ_KINDS = frozenset(("post", "page", "article"))


def entry_article(element: XmlElement, feed: Feed) -> XmlArticle:
    """The article of an entry.

    :raises PassedOver: it is a comment, a template or a setting of Blogger.
    """
    parts = Parts(element, own="atom")
    _check_kind(parts)
    article = XmlArticle({}, has_own_id=True)
    document = article.document
    extra: dict[str, Any] = {}
    base = feed.base()
    address = item.link_of(parts, element, base)
    if address:
        document["url"] = address
    item.put_identity(document, parts.text("atom:id") or address)
    if title := parts.text("atom:title"):
        document["headline"] = title
    item.put_dates(document, parts)
    _put_texts(article, extra, parts, base)
    _put_people(document, extra, parts, feed)
    _put_categories(document, parts)
    _put_source(document, extra, parts)
    if media := media_of(parts, base):
        extra["media"] = media
    if links := item.related_links(parts):
        extra["links"] = links
    if rights := parts.text("atom:rights", "atom:copyright", "dc:rights"):
        document["copyright"] = rights
    if terms := item.license_of(parts):
        document["usage_terms"] = terms
    contents = [*parts.all("atom:content"), element]  # each may have a language
    item.put_from_feed(document, feed, contents[0], parts.text("dc:language"))
    is_draft = _is_draft(parts)
    item.put_rest(article, parts, extra)
    if is_draft:
        hold(document)
    return article


def tombstone_article(element: XmlElement) -> XmlArticle:
    """The withdrawal that a tombstone stands for.

    :raises InvalidArticle: it does not say of which entry.
    """
    identity = attribute(element, "ref")
    if not identity:
        raise InvalidArticle("id", "a deleted-entry needs a ref: the id of its entry")
    parts = Parts(element, own="at")
    document: dict[str, Any] = {}
    item.put_identity(document, identity)
    rest: dict[str, Any] = {}
    if when := attribute(element, "when"):
        rest["updated"] = when
    if by := parts.text("at:by"):
        rest["extra"] = {"deleted_by": by}
    comment = parts.text("at:comment")
    return withdrawal_of(document["id"], Status.CANCELED, headline=comment, **rest)


def _check_kind(parts: Parts) -> None:
    for each in parts.all("atom:category"):
        if _KIND in (each.get("scheme") or ""):
            kind = (each.get("term") or "").rpartition("#")[2].lower()
            if kind not in _READ_KINDS:
                raise PassedOver(f"{kind[:50]} is no post of Blogger, and no article")


def _put_texts(
    article: XmlArticle, extra: dict[str, Any], parts: Parts, base: str
) -> None:
    texts: list[Paragraphs] = []
    whole = True
    for each in parts.all("atom:content", "atom:summary"):
        kind = (each.get("type") or "text").strip().lower().partition(";")[0]
        if source := (each.get("src") or "").strip():
            extra["content"] = {
                "src": address_of(each, source, base) or source,
                "type": kind,
            }
            article.warnings.append("content: the text is at another address; not read")
            whole = False
        elif _is_text(kind, each):
            texts.append(paragraphs_in(each, html="html" in kind))
        else:
            article.warnings.append(f"content: {kind[:50]!r} is no text; not read")
    item.put_texts(article, texts or item.texts_of_media(parts), whole=whole)


def _is_text(kind: str, element: XmlElement) -> bool:
    if element.get("mode", "").lower() == "base64":
        return False
    return (
        kind in ("text", "html", "xhtml") or kind.startswith("text/") or "xhtml" in kind
    )


def _put_people(
    document: dict[str, Any], extra: dict[str, Any], parts: Parts, feed: Feed
) -> None:
    own = [person_of(each) for each in parts.all("atom:author")]
    own += parts.texts("dc:creator")
    names = [name for name in own if name] or _source_authors(parts) or feed.authors
    if names:
        document["authors"] = [{"name": name} for name in dict.fromkeys(names)]
    others = [person_of(each) for each in parts.all("atom:contributor")]
    if contributors := [name for name in others if name]:
        extra["contributors"] = contributors


def _source_authors(parts: Parts) -> list[str]:
    people = (
        person_of(child)
        for source in parts.all("atom:source")
        for child in source
        if name_of(child) == "atom:author"
    )
    return [name for name in people if name]


def _put_categories(document: dict[str, Any], parts: Parts) -> None:
    """Categories with a scheme are subjects, the others keywords."""
    subjects: list[dict[str, str]] = []
    keywords: list[str] = []
    for each in parts.all("atom:category"):
        term, scheme = attribute(each, "term"), attribute(each, "scheme")
        name = attribute(each, "label") or term or line_text(each)
        if not name or _KIND in (scheme or ""):
            continue
        if scheme and "blogger.com/atom/ns" not in scheme:
            concept = {"name": name, "code": term or "", "scheme": scheme}
            subjects.append({key: text for key, text in concept.items() if text})
        else:
            keywords.append(name)
    subjects += [{"name": text} for text in parts.texts("dc:subject")]
    if subjects:
        document["subjects"] = subjects
    if keywords:
        document["keywords"] = list(dict.fromkeys(keywords))


def _put_source(document: dict[str, Any], extra: dict[str, Any], parts: Parts) -> None:
    """The feed that an entry was taken over from, with its rights."""
    for each in parts.all("atom:source"):
        inner = Parts(each, own="atom")
        if title := inner.text("atom:title"):
            document["source"] = title
        if identity := inner.text("atom:id"):
            extra["source_id"] = identity
        if rights := inner.text("atom:rights"):
            document.setdefault("copyright", rights)


def _is_draft(parts: Parts) -> bool:
    return any(
        name_of(child) == "app:draft" and (line_text(child) or "").lower() != "no"
        for control in parts.all("app:control")
        for child in control
    )
