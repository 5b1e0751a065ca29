"""A NewsML-G2 item as an article in our JSON form.

The status comes from ``pubStatus``, ``embargoed`` and ``signal``; whatever holds the
article back wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from index.article import Role, Status, status_of
from index.formats.date_fields import SentDates
from index.formats.newsmlg2.concepts import (
    Concepts,
    MessageSchemes,
    code_of,
    preferred,
    role_of,
)
from index.formats.newsmlg2.content import Content, content_of
from index.formats.ninjs import MEDIA
from index.formats.statuses import hold
from index.formats.xml_articles import XmlArticle
from index.parsing import (
    XmlElement,
    attribute,
    children,
    element_language,
    element_paragraphs,
    first,
    line_text,
    local_name,
    own_attributes,
)

# Roles of a headline or description that is the main one.
_MAIN = frozenset(("", "main", "title", "headline", "hl1", "default", "display"))
_CAPTIONS = ("caption", "videocaption")
# Signals that hold an item back, by their codes in small letters.
_HOLDING = {
    "kill": Status.CANCELED,
    "remove": Status.CANCELED,
    "withdraw": Status.CANCELED,
    "retract": Status.CANCELED,
    "withhold": Status.WITHHELD,
    "hold": Status.WITHHELD,
    "embargo": Status.WITHHELD,
    "embargoed": Status.WITHHELD,
}
_CONTINUES = frozenset(("previousversion", "evolvedfrom", "updateof", "followupof"))
_CANONICAL = "canonical"  # link of where the item is published
# Fields that a NITF document inside an item may have where the item has not.
_FROM_NITF = (
    "headline",
    "byline",
    "authors",
    "dateline",
    "slugline",
    "section",
    "usage_terms",
    "copyright",
    "correction",
    "places",
    "people",
    "organisations",
    "published",
    "expires",
)


def item_article(item: XmlElement, schemes: MessageSchemes) -> XmlArticle:
    """Article of a news item or package.

    :param schemes: of the message around it.
    :raises InvalidArticle: its status is unknown.
    """
    meta, content_meta = first(item, "itemmeta"), first(item, "contentmeta")
    language = attribute(first(content_meta, "language"), "tag")
    language = language or element_language(item)
    concepts = Concepts(item, language, schemes)
    content = content_of(item, language)
    article = XmlArticle({}, content.warnings, has_own_id=True)
    document = article.document
    extra = _extra(item, meta, content_meta, content, concepts)
    values = {
        "id": attribute(item, "guid"),
        "version": attribute(item, "version"),
        "type": _type(item, meta),
        "language": language,
        **_meta(meta, concepts),
        **_content_meta(content_meta, language, concepts),
        **_rights(item, language, concepts),
        **_dates(meta, content_meta),
    }
    document |= {name: value for name, value in values.items() if value}
    titles = _titles(content_meta, language)
    document["headline"] = next(titles, None)
    second_titles = list(titles)
    for name in _FROM_NITF:
        if not document.get(name) and content.nitf.get(name):
            document[name] = content.nitf[name]
    document["headline"] = (
        document["headline"]
        or line_text(next(iter(_in(language, children(meta, "title"))), None))
        or _title_of_html(item)
    )
    document["paragraphs"] = _paragraphs(
        document, content_meta, content, second_titles, language, extra
    )
    document["extra"] = {name: value for name, value in extra.items() if value}
    _restrict(article, meta, content)
    return article


def _in(language: str | None, elements: Iterable[XmlElement]) -> list[XmlElement]:
    """Elements with a text, in the item's language where there is a choice."""
    return preferred([each for each in elements if line_text(each)], language)


def _lines(language: str | None, elements: Iterable[XmlElement]) -> str:
    return "\n".join(line_text(each) or "" for each in _in(language, elements))


def _type(item: XmlElement, meta: XmlElement | None) -> str:
    kind = code_of(first(meta, "itemclass"))
    if local_name(item) == "packageitem":
        return (kind or "composite").lower()
    return (kind or "text").lower()


def _meta(meta: XmlElement | None, concepts: Concepts) -> dict[str, Any]:
    services = [concepts.label(each) for each in children(meta, "service")]
    notes = [note for each in children(meta, "ednote") if (note := _note(each))]
    links = (
        attribute(link, "residref") or attribute(link, "guidref")
        for link in children(meta, "link")
        if role_of(link, "rel") in _CONTINUES
    )
    addresses = (
        attribute(link, "href")
        for link in children(meta, "link")
        if role_of(link, "rel") == _CANONICAL
    )
    return {
        "section": next(filter(None, services), None),
        "url": next(filter(None, addresses), None),
        "ed_note": "\n".join(dict.fromkeys(notes)),
        "evolved_from": next(filter(None, links), None),
        "source": concepts.label(first(meta, "provider")),
    }


def _note(element: XmlElement) -> str:
    """A note to editors, which may have paragraphs."""
    blocks = element_paragraphs(element, {})
    return "\n".join(block.text for block in blocks)


def _content_meta(
    meta: XmlElement | None, language: str | None, concepts: Concepts
) -> dict[str, Any]:
    sources = sorted(
        children(meta, "infosource"),
        key=lambda each: role_of(each) not in ("", "origprov", "source", "originfo"),
    )
    source = next(filter(None, (concepts.label(each) for each in sources)), None)
    keywords = [text for each in children(meta, "keyword") if (text := line_text(each))]
    values = {
        "urgency": line_text(first(meta, "urgency")),
        "slugline": _lines(language, children(meta, "slugline")).partition("\n")[0],
        "byline": "; ".join(
            line_text(each) or "" for each in _in(language, children(meta, "by"))
        ),
        "dateline": _lines(language, children(meta, "dateline")).partition("\n")[0]
        or concepts.label(first(meta, "located")),
        "keywords": [{"name": keyword} for keyword in keywords],
        "genre": concepts.listed(children(meta, "genre")),
        "authors": _authors(meta, concepts),
        **concepts.by_field(children(meta, "subject")),
    }
    return values | ({"source": source} if source else {})


def _authors(meta: XmlElement | None, concepts: Concepts) -> list[dict[str, str]]:
    """Creators that are people: not an organisation, nor the source by its name."""
    sources = (
        {
            concepts.label(each)
            for each in (
                *children(meta, "infosource"),
                *children(first(meta.getparent(), "itemmeta"), "provider"),
                *children(first(meta.getparent(), "rightsinfo"), "copyrightholder"),
            )
        }
        if meta is not None
        else set()
    )
    authors = []
    for creator in children(meta, "creator"):
        kind = role_of(creator, "type")
        details = first(creator, "organisationdetails")
        if kind.startswith("organi") or details is not None:
            continue
        concept = concepts.concept(creator, party=True)
        if concept is not None and concepts.label(creator) not in sources:
            authors.append(concept)
    return authors


def _rights(
    item: XmlElement, language: str | None, concepts: Concepts
) -> dict[str, Any]:
    infos = list(children(item, "rightsinfo"))
    notices = [each for info in infos for each in children(info, "copyrightnotice")]
    terms = [each for info in infos for each in children(info, "usageterms")]
    holders = [each for info in infos for each in children(info, "copyrightholder")]
    return {
        "copyright": _lines(language, notices)
        or next(filter(None, map(concepts.label, holders)), None),
        "usage_terms": _lines(language, terms),
    }


def _dates(meta: XmlElement | None, content_meta: XmlElement | None) -> dict[str, Any]:
    created = [
        (name, date)
        for place, name in (
            (meta, "firstcreated"),
            (content_meta, "contentcreated"),
            (meta, "versioncreated"),
        )
        if (date := line_text(first(place, name)))
    ]
    changed = line_text(first(meta, "versioncreated"))
    expiries = [
        ("expires", date)
        for place in (meta, content_meta)
        for each in children(place, "expires")
        if (date := line_text(each))
    ]
    return {
        # Of several dates only the first that can be read counts.
        "published": SentDates(tuple(created[:1])) if created else None,
        "updated": SentDates((("versioncreated", changed),)) if changed else None,
        "expires": SentDates(tuple(expiries)) if expiries else None,
    }


def _titles(meta: XmlElement | None, language: str | None) -> Iterator[str]:
    """Yield the headline, then those below it, in the item's language."""
    found = list(_in(language, children(meta, "headline")))
    found.sort(key=lambda each: role_of(each) not in _MAIN)
    for number, each in enumerate(found):
        if number == 0 or "sub" in role_of(each):
            yield line_text(each) or ""


def _title_of_html(item: XmlElement) -> str | None:
    html = first(item, "contentset", "inlinexml")
    for child in html if html is not None else ():
        if local_name(child) == "html":
            return line_text(first(child, "head", "title"))
    return None


def _paragraphs(
    document: dict[str, Any],
    meta: XmlElement | None,
    content: Content,
    second_titles: list[str],
    language: str | None,
    extra: dict[str, Any],
) -> list[dict[str, Any]]:
    """Second headlines and descriptions, then the text, without repetitions."""
    headline = document.get("headline")
    text = content.paragraphs
    while text and text[0]["text"] == headline and text[0]["role"] == "subhead":
        text = text[1:]
    seen = {headline, *(each["text"] for each in text)}
    seen.add(f"{document.get('slugline')}:{headline}")  # Reuters' description
    summary: list[dict[str, Any]] = []
    captions: list[dict[str, Any]] = []

    def add(words: str, role: Role, paragraphs: list[dict[str, Any]]) -> None:
        if words and words not in seen:
            seen.add(words)
            paragraphs.append({"role": role.value, "text": words})

    for words in second_titles:
        add(words, Role.ABSTRACT, summary)
    credit = line_text(first(meta, "creditline"))
    for each in _in(language, children(meta, "description")):
        is_caption = role_of(each) in _CAPTIONS or document["type"] in MEDIA
        for block in element_paragraphs(each, {}):
            if is_caption:
                add(block.text, Role.CAPTION, captions)
            else:
                add(block.text, Role.ABSTRACT, summary)
    for caption in captions:
        caption |= {"credit": credit} if credit else {}
    if credit:
        extra["creditline"] = credit
    # What readers of a package see are the titles of its items.
    titles: list[dict[str, Any]] = []
    for packed in extra["items"]:
        if packed.get("status", Status.USABLE.value) == Status.USABLE.value:
            add(packed.get("headline", ""), Role.LIST, titles)
    return [*summary, *text, *titles, *captions]


def _extra(
    item: XmlElement,
    meta: XmlElement | None,
    content_meta: XmlElement | None,
    content: Content,
    concepts: Concepts,
) -> dict[str, Any]:
    """What an article has no field for, under the names of ninjs where it has one."""
    services = [concepts.label(each) for each in children(meta, "service")]
    headlines = [
        {"value": text} | own_attributes(each)
        for each in children(content_meta, "headline")
        if (text := line_text(each))
    ]
    return {
        "altids": [
            {"value": text} | own_attributes(each)
            for each in children(content_meta, "altid")
            if (text := line_text(each))
        ],
        "signals": concepts.listed(children(meta, "signal")),
        "links": [
            own_attributes(each) | ({"title": title} if title else {})
            for each in children(meta, "link")
            for title in (line_text(first(each, "title")),)
        ],
        "located": concepts.listed(
            (*children(meta, "located"), *children(content_meta, "located"))
        ),
        "contributors": concepts.listed(children(content_meta, "contributor")),
        "headlines": headlines if len(headlines) > 1 else None,
        "services": services if len(services) > 1 else None,
        "profile": line_text(first(meta, "profile")),
        "media": content.media or content.nitf.get("extra", {}).get("media"),
        "items": _items(item),
    }


def _items(package: XmlElement) -> list[dict[str, Any]]:
    """The items that a package refers to, in order."""
    items = []
    for group in children(first(package, "groupset"), "group"):
        for reference in children(group, "itemref"):
            kind = code_of(first(reference, "itemclass"))
            title = first(reference, "headline")
            title = first(reference, "title") if title is None else title
            parts = {
                "id": attribute(reference, "residref"),
                "href": attribute(reference, "href"),
                "version": attribute(reference, "version"),
                "type": kind,
                "status": code_of(first(reference, "pubstatus")),
                "headline": line_text(title),
                "group": role_of(group),
            }
            items.append({name: value for name, value in parts.items() if value})
    return items


def _restrict(article: XmlArticle, meta: XmlElement | None, content: Content) -> None:
    """Set status and embargo; an ``embargoed`` that is empty has no known end."""
    document = article.document
    word = code_of(first(meta, "pubstatus"))
    status = Status.USABLE if word is None else status_of(word)
    ends = []
    withheld = False
    for each in children(meta, "embargoed"):
        if end := line_text(each):
            ends.append(("embargoed", end))
        else:
            withheld = True
            article.warnings.append("embargoed: has no date; withheld")
    if end := content.nitf.get("embargoed_until"):
        ends.append(("date.release", end))
    if ends:
        document["embargoed_until"] = SentDates(tuple(ends))
    inner = content.nitf.get("status", Status.USABLE.value)
    strictest = [status, Status(inner)]
    for signal in children(meta, "signal"):
        held = _HOLDING.get((code_of(signal) or "").lower())
        if held is not None and not (held is Status.WITHHELD and ends):
            strictest.append(held)
    if Status.CANCELED in strictest:
        status = Status.CANCELED
    document["status"] = status.value
    if withheld or Status.WITHHELD in strictest:
        hold(document)
