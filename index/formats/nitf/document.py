"""A NITF document as an article in our JSON form.

The status comes from ``docdata``: ``management-status``, ``date.release`` and the type
of the message to editors. Whatever holds the article back wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from index.article import Role, Status, status_of
from index.formats.date_fields import SentDates
from index.formats.newscodes import subject_code
from index.formats.nitf.body import marked_concepts, media_of, nitf_paragraphs
from index.formats.xml_articles import XmlArticle, iso_date, withdrawal_of
from index.parsing import (
    XmlElement,
    attribute,
    children,
    descendants,
    element_language,
    first,
    line_text,
    outermost,
    own_attributes,
)

# Types of ``ed-msg`` that hold a document back, in small letters.
_HOLDING = {
    "kill": Status.CANCELED,
    "mandatory kill": Status.CANCELED,
    "withdrawal": Status.CANCELED,
    "withdraw": Status.CANCELED,
    "withhold": Status.WITHHELD,
    "hold": Status.WITHHELD,
    "embargo": Status.WITHHELD,
}
_NORM = re.compile(r"\d{4}-?\d{2}-?\d{2}(T|\Z)")  # 20210311T080000Z
_STRICTNESS = (Status.USABLE, Status.WITHHELD, Status.CANCELED)


def nitf_articles(element: XmlElement) -> list[XmlArticle]:
    """Articles of a document: its own, and one whose status it changes.

    :param element: ``nitf``.
    :raises InvalidArticle: its status is unknown.
    """
    own = XmlArticle({})
    head, body = first(element, "head"), first(element, "body")
    if body is None:
        body = element  # some have body.content without a body around it
    docdata = first(head, "docdata")
    extra: dict[str, Any] = {}
    document = own.document
    from_body = _body_head(first(body, "body.head"))
    from_head = _docdata(docdata, extra)
    notes = (from_head.pop("ed_note"), from_body.pop("ed_note"))
    from_body["copyright"] = from_head.pop("copyright") or from_body["copyright"]
    terms = (from_body.pop("usage_terms"), from_head.pop("usage_terms"))
    _add(document, from_body)
    _add(document, from_head)
    _add(document, {"ed_note": "\n".join(filter(None, notes))})
    _add(document, {"usage_terms": "\n".join(filter(None, terms))})
    _add(document, _head(head, first(body, "body.head", "dateline"), extra))
    language = attribute(element, "baselang") or element_language(body)
    _add(document, {"language": language or element_language(element)})
    content = first(body, "body.content")
    _put_concepts(document, docdata, body)
    document["paragraphs"] = _paragraphs(document, body, content)
    if media := media_of(content):
        extra["media"] = media
    if tagline := line_text(first(body, "body.end", "tagline")):
        extra["tagline"] = tagline
    document["extra"] = extra
    document["type"] = "text"
    _restrict(own, docdata)
    return [own, *_withdrawn(document, docdata, own.warnings)]


def _add(document: dict[str, Any], values: dict[str, Any]) -> None:
    """Add the values that are known, of fields that have none."""
    for name, value in values.items():
        if value and name not in document:
            document[name] = value


def _body_head(head: XmlElement | None) -> dict[str, Any]:
    titles = next(children(head, "hedline", "headline"), None)
    bylines = [text for each in children(head, "byline") if (text := _byline(each))]
    authors = [
        {"name": name}
        for byline in children(head, "byline")
        for person in outermost(byline, "person")
        if (name := line_text(person))
    ]
    rights = first(head, "rights")
    owner = line_text(first(rights, "rights.owner"))
    owner = owner or line_text(first(head, "rights.owner"))
    notes = [
        line_text(note)
        for note in children(head, "note")
        if attribute(note, "noteclass") == "editorsnote"
    ]
    return {
        "headline": line_text(first(titles, "hl1")) or _bare(titles),
        "byline": "; ".join(dict.fromkeys(bylines)),
        "authors": authors,
        "dateline": _dateline(first(head, "dateline")),
        "source": line_text(first(head, "distributor")),
        "usage_terms": None if owner else line_text(rights),
        "copyright": owner,
        "ed_note": "\n".join(note for note in notes if note),
    }


def _dateline(dateline: XmlElement | None) -> str | None:
    """A dateline as printed: a date in it that only programs read is left out."""
    line = line_text(dateline) or ""
    return " ".join(word for word in line.split() if not _NORM.match(word)) or None


def _bare(titles: XmlElement | None) -> str | None:
    """Headline without an ``hl1`` around it."""
    if titles is None or next(children(titles, "hl2"), None) is not None:
        return None
    return line_text(titles)


def _byline(byline: XmlElement) -> str | None:
    """A byline, with the titles of its people after a comma: ``By A Name, Editor``."""
    titles = [line_text(each) for each in outermost(byline, "byttl")]
    line = (line_text(byline, without="byttl") or "").rstrip(" ,")
    return ", ".join(filter(None, (line, *titles))) or None


def _docdata(docdata: XmlElement | None, extra: dict[str, Any]) -> dict[str, Any]:
    identity = first(docdata, "doc-id")
    key = first(docdata, "du-key")
    copyright_ = first(docdata, "doc.copyright")
    rights = first(docdata, "doc.rights")
    for name, part in (("doc_rights", rights), ("du_key", key)):
        if part is not None and (attributes := own_attributes(part)):
            extra[name] = attributes
    for name in ("fixture", "series", "doc-scope"):
        if found := [own_attributes(each) for each in children(docdata, name)]:
            extra[name.replace("-", "_")] = [each for each in found if each]
    notes = [
        note
        for message in children(docdata, "ed-msg")
        if (note := attribute(message, "info") or line_text(message))
    ]
    sources = [
        attribute(identity, "regsrc"),
        *(
            attribute(source, "src-name")
            for source in descendants(first(docdata, "del-list"), "from-src")
        ),
    ]
    holder = attribute(copyright_, "holder")
    year = attribute(copyright_, "year")
    terms = [attribute(rights, name) for name in ("type", "limitations")]
    return {
        "id": attribute(identity, "id-string"),
        "source": next(filter(None, sources), None),
        "urgency": attribute(first(docdata, "urgency"), "ed-urg"),
        "slugline": attribute(key, "key"),
        "story": attribute(key, "key"),
        "keywords": [
            {"name": word}
            for keyword in children(first(docdata, "key-list"), "keyword")
            if (word := attribute(keyword, "key"))
        ],
        "ed_note": "\n".join(notes),
        "correction": attribute(first(docdata, "correction"), "info"),
        "copyright": holder and " ".join(filter(None, ("©", year, holder))),
        "usage_terms": "; ".join(filter(None, terms)),
        "expires": iso_date(attribute(first(docdata, "date.expire"), "norm")),
        "places": [
            place
            for location in children(docdata, "evloc")
            if (place := _place(location))
        ],
    }


def _place(location: XmlElement) -> dict[str, str] | None:
    """Place of an event: by its most specific name."""
    for name in ("city", "county-dist", "state-prov", "region"):
        if value := attribute(location, name):
            return {"name": value}
    code = attribute(location, "iso-cc")
    scheme = {2: "iso3166-1a2", 3: "iso3166-1a3"}.get(len(code or ""))
    if code and scheme:
        return {"name": code, "code": code, "scheme": scheme}
    return {"name": code} if code else None


def _head(
    head: XmlElement | None, dateline: XmlElement | None, extra: dict[str, Any]
) -> dict[str, Any]:
    meta = [
        (name, content)
        for each in children(head, "meta")
        if (name := attribute(each, "name")) and (content := attribute(each, "content"))
    ]
    if meta:
        extra["meta"] = _members(meta)
    tobject = first(head, "tobject")
    if (type_ := attribute(tobject, "tobject.type")) is not None:
        extra["tobject_type"] = type_
    pubdata = list(children(head, "pubdata"))
    if pubdata and (attributes := own_attributes(pubdata[0])):
        extra["pubdata"] = attributes
    dates = [
        ("date.issue", attribute(first(head, "docdata", "date.issue"), "norm")),
        *(
            ("date.publication", attribute(each, "date.publication"))
            for each in pubdata
        ),
        ("story.date", _story_date(first(dateline, "story.date"))),
        ("date.release", attribute(first(head, "docdata", "date.release"), "norm")),
    ]
    revisions = [
        ("revision-history", iso_date(date))
        for each in children(head, "revision-history")
        if (date := attribute(each, "norm"))
    ]
    known = tuple((name, iso_date(date)) for name, date in dates if date)[:1]
    return {
        "headline": line_text(first(head, "title")),
        "section": next(
            (s for each in pubdata if (s := attribute(each, "position.section"))), None
        ),
        "url": next(
            (url for each in pubdata if (url := attribute(each, "ex-ref"))), None
        ),
        "genre": [
            {"name": genre}
            for each in children(tobject, "tobject.property")
            if (genre := attribute(each, "tobject.property.type"))
        ],
        "subjects": [
            subject
            for each in children(tobject, "tobject.subject")
            if (subject := _subject(each))
        ],
        "published": SentDates(known) if known else None,
        "updated": SentDates(tuple(revisions[-1:])) if revisions else None,
    }


def _story_date(element: XmlElement | None) -> str | None:
    """Date of a story, as programs or people read it."""
    return attribute(element, "norm") or line_text(element)


def _members(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Values by name; several under one name as a list."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name not in members:
            members[name] = value
        elif isinstance(members[name], list):
            members[name].append(value)
        else:
            members[name] = [members[name], value]
    return members


def _subject(subject: XmlElement) -> dict[str, str] | None:
    """A subject under its most specific name, with its code."""
    labels = (
        attribute(subject, f"tobject.subject.{level}")
        for level in ("detail", "matter", "type", "code")
    )
    name = next(filter(None, labels), None)
    code = attribute(subject, "tobject.subject.refnum")
    if code is None:
        return {"name": name} if name else None
    provider = attribute(subject, "tobject.subject.ipr") or "IPTC"
    if provider.upper() == "IPTC":
        return subject_code(code, name)
    return {"name": name or code, "code": code, "scheme": provider}


def _put_concepts(
    document: dict[str, Any], docdata: XmlElement | None, body: XmlElement | None
) -> None:
    """Put the people, organisations and places of head and text among the fields."""
    identified = first(docdata, "identified-content")
    found = [
        *marked_concepts(identified),
        *marked_concepts(first(body, "body.head", "abstract")),
        *marked_concepts(first(body, "body.content")),
    ]
    named: set[tuple[str, str]] = set()
    for target, concept in found:
        # A name that was there before says no more without a code.
        if len(concept) > 1 or (target, concept["name"]) not in named:
            document.setdefault(target, []).append(concept)
        named.add((target, concept["name"]))
    for classifier in children(identified, "classifier"):
        name = attribute(classifier, "value") or line_text(classifier)
        if name:
            scheme = attribute(classifier, "type")
            concept = {"name": name} | ({"scheme": scheme} if scheme else {})
            document.setdefault("subjects", []).append(concept)


def _paragraphs(
    document: dict[str, Any], body: XmlElement | None, content: XmlElement | None
) -> list[dict[str, Any]]:
    """Second headlines and abstract, then the text, without a repeated headline."""
    head = first(body, "body.head")
    headline = document.get("headline")
    text = [] if content is None else nitf_paragraphs(content)
    if len(text) > 1 and text[0]["text"] == headline and text[0]["role"] == "subhead":
        text = text[1:]
    seen = {headline, *(each["text"] for each in text)}
    summary = []
    for words in _summaries(head):
        if words not in seen:
            seen.add(words)
            summary.append({"role": Role.ABSTRACT.value, "text": words})
    return [*summary, *text]


def _summaries(head: XmlElement | None) -> Iterator[str]:
    for second in children(next(children(head, "hedline", "headline"), None), "hl2"):
        if words := line_text(second):
            yield words
    for abstract in children(head, "abstract"):
        for paragraph in nitf_paragraphs(abstract):
            yield paragraph["text"]


def _restrict(article: XmlArticle, docdata: XmlElement | None) -> None:
    """Set status and embargo.

    ``embargoed`` without ``date.release`` is an embargo without a known end.
    """
    document = article.document
    word = attribute(docdata, "management-status")
    release = iso_date(attribute(first(docdata, "date.release"), "norm"))
    status = Status.USABLE
    if word is not None and word.lower() != "embargoed":
        status = status_of(word)
        if release is None and status is Status.USABLE:
            document["embargoed_until"] = None  # it says that there is none
    if release is not None:
        document["embargoed_until"] = release
    elif word is not None and word.lower() == "embargoed":
        status = Status.WITHHELD
        article.warnings.append(
            "management-status: embargoed without a date.release; withheld"
        )
    for message in children(docdata, "ed-msg"):
        kind = (attribute(message, "msg-type") or "").lower()
        held = _HOLDING.get(kind, Status.USABLE)
        if held is Status.WITHHELD and release is not None:
            continue  # the release ends it
        status = max(status, held, key=_STRICTNESS.index)
    document["status"] = status.value


def _withdrawn(
    document: dict[str, Any], docdata: XmlElement | None, warnings: list[str]
) -> Iterator[XmlArticle]:
    """Yield the article that the document cancels or withholds, if it does.

    It has the headline only: nobody may read more of it.
    """
    other = attribute(docdata, "management-doc-idref")
    word = attribute(docdata, "management-idref-status")
    if other is None or word is None or other == document.get("id"):
        return
    status = Status.WITHHELD if word.lower() == "embargoed" else status_of(word)
    if status is Status.USABLE:
        warnings.append(
            f"management-idref-status: {other} is usable again; that is not applied:"
            " reinstate it, or send it again"
        )
        return
    yield withdrawal_of(
        other,
        status,
        headline=document.get("headline"),
        ed_note=document.get("ed_note"),
        extra={"management_doc_id": document.get("id")},
    )
