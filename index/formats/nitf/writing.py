"""An article as a NITF document, which the NITF reader reads back.

Spec: https://iptc.org/standards/nitf/, 3.6. The class of each paragraph is its role.
Notes to editors, ``version``, ``type``, ``evolved_from`` and ``extra`` are not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from index.article import LIFTED, Article, Concept, Paragraph, Role, Status
from index.formats.newscodes import SUBJECT_CODES
from index.formats.nitf.body import ROLES
from index.formats.xml_writing import Element, document_bytes, element

_NAMESPACE = "http://iptc.org/std/NITF/2006-10-18/"
_NMTOKEN = re.compile(r"[\w.:-]+\Z")
# Elements that name our concepts, and the attributes of their code and its scheme.
_IDENTIFIED = {
    "people": ("person", "value", "idsrc"),
    "organisations": ("org", "value", "idsrc"),
    "places": ("location", "location-code", "code-source"),
}


def write(article: Article) -> bytes:
    """An article as a NITF document."""
    return document_bytes(document_of(article))


def document_of(article: Article) -> Element:
    """An article as a ``nitf`` element."""
    return element(
        "nitf",
        {"xmlns": _NAMESPACE, "baselang": article.language},
        element(
            "head",
            {},
            *_texts("title", article.headline),
            _topics(article),
            _docdata(article),
            _pubdata(article),
            _date("revision-history", article.updated),
        ),
        element(
            "body",
            {},
            _body_head(article),
            element("body.content", {}, *_body(article.paragraphs)),
        ),
    )


def _topics(article: Article) -> Element | None:
    """Genres and the subjects with a code; the others are classifiers."""
    parts = [
        *(
            element("tobject.property", {"tobject.property.type": each.name})
            for each in article.genre
        ),
        *(_subject(each) for each in article.subjects if _is_coded(each)),
    ]
    return element("tobject", {}, *parts) if parts else None


def _is_coded(subject: Concept) -> bool:
    return bool(subject.code and subject.scheme and _NMTOKEN.match(subject.code))


def _subject(subject: Concept) -> Element:
    provider = "IPTC" if subject.scheme == SUBJECT_CODES else subject.scheme
    return element(
        "tobject.subject",
        {
            "tobject.subject.ipr": provider,
            "tobject.subject.refnum": subject.code,
            "tobject.subject.detail": subject.name,
        },
    )


def _docdata(article: Article) -> Element:
    end = article.embargoed_until
    # ``usable`` says that there is no embargo, and is what an absent status means.
    status = "usable" if end == LIFTED else None
    if article.status is not Status.USABLE:
        status = article.status.value
    urgency = None if article.urgency is None else str(article.urgency)
    return element(
        "docdata",
        {"management-status": status},
        *_with("correction", info=article.correction),
        element("doc-id", {"id-string": article.id}),
        *_with("urgency", **{"ed-urg": urgency}),
        _date("date.issue", article.published),
        None if end == LIFTED else _date("date.release", end),
        _date("date.expire", article.expires),
        *_with("du-key", key=article.slugline),
        *_with("doc.rights", limitations=article.usage_terms),
        _group(
            "key-list", (element("keyword", {"key": k.name}) for k in article.keywords)
        ),
        _group("identified-content", _identified(article)),
    )


def _identified(article: Article) -> Iterator[Element]:
    for subject in article.subjects:
        if not _is_coded(subject):
            yield element("classifier", {"type": subject.scheme, "value": subject.name})
    for field, (name, code, scheme) in _IDENTIFIED.items():
        for concept in getattr(article, field):
            yield element(
                name,
                {code: concept.code, scheme: concept.code and concept.scheme},
                concept.name,
            )


def _pubdata(article: Article) -> Element | None:
    if article.section is None and article.url is None:
        return None
    return element(
        "pubdata", {"position.section": article.section, "ex-ref": article.url}
    )


def _body_head(article: Article) -> Element:
    return element(
        "body.head",
        {},
        _group("hedline", _texts("hl1", article.headline)),
        _group("rights", _texts("rights.owner", article.copyright)),
        _byline(article),
        *_texts("distributor", article.source),
        *_texts("dateline", article.dateline),
    )


def _byline(article: Article) -> Element | None:
    """The byline, with the authors that it names marked, in its order."""
    line = article.byline
    if line is None:
        return None
    names = sorted({each.name for each in article.authors}, key=len, reverse=True)
    if not names:
        return element("byline", {}, line)
    pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names)
    content: list[Element | str] = []
    end = 0
    for match in re.finditer(pattern, line):
        content += [line[end : match.start()], element("person", {}, match[0])]
        end = match.end()
    return element("byline", {}, *content, line[end:])


def _body(paragraphs: Iterable[Paragraph]) -> list[Element]:
    parts = [_paragraph(each) for each in paragraphs if each.n]
    return [element("block", {"class": ROLES}, *parts)] if parts else []


def _paragraph(paragraph: Paragraph) -> Element:
    role, text = {"class": f"role-{paragraph.role}"}, paragraph.text
    match paragraph.role:
        case Role.SUBHEAD:
            return element("hl2", role, text)
        case Role.QUOTE:
            return element("bq", role, element("block", {}, element("p", {}, text)))
        case Role.LIST:
            return element("ul", role, element("li", {}, text))
        case Role.TABLE:
            return element("pre", role, text)
        case Role.CAPTION:
            return element(
                "media",
                {**role, "media-type": "image"},
                element("media-reference", {}),
                element("media-caption", {}, text),
                *_texts("media-producer", paragraph.credit),
            )
        case _:
            return element("p", role, text)


def _texts(name: str, text: str | None) -> Iterable[Element]:
    return [] if text is None else [element(name, {}, text)]


def _with(name: str, **attributes: str | None) -> Iterable[Element]:
    """An element, if it has an attribute."""
    return [element(name, attributes)] if any(attributes.values()) else []


def _group(name: str, parts: Iterable[Element]) -> Element | None:
    members = list(parts)
    return element(name, {}, *members) if members else None


def _date(name: str, date: datetime | None) -> Element | None:
    if date is None:
        return None
    seconds = date.strftime("%Y%m%dT%H%M%S")
    fraction = f".{date.microsecond:06}" if date.microsecond else ""
    return element(name, {"norm": f"{seconds}{fraction}Z"})
