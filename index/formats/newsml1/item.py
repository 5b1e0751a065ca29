"""A NewsML 1 item as an article in our JSON form.

The status comes from ``Status``, ``StatusWillChange`` and ``Instruction``; whatever
holds the article back wins. An item that edits another one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.article import Role, Status, status_of
from index.errors import InvalidArticle
from index.formats.date_fields import SentDates
from index.formats.newsml1.components import (
    BODY,
    CAPTION,
    HEADLINE,
    SUMMARY,
    Components,
    languages_of,
    read_components,
    type_of,
    url_of,
)
from index.formats.newsml1.topics import Topics
from index.formats.xml_articles import XmlArticle, iso_date, withdrawal_of
from index.parsing import (
    XmlElement,
    attribute,
    children,
    descendants,
    element_language,
    first,
    line_text,
)

# Instructions that hold an item back, in small letters.
_HOLDING = {
    "kill": Status.CANCELED,
    "delete": Status.CANCELED,
    "cancel": Status.CANCELED,
    "withdraw": Status.CANCELED,
    "retract": Status.CANCELED,
    "hold": Status.WITHHELD,
    "withhold": Status.WITHHELD,
    "embargo": Status.WITHHELD,
}
_STRICTNESS = (Status.USABLE, Status.WITHHELD, Status.CANCELED)
_PLACE_NAMES = ("sublocation", "city", "countryarea", "area", "country", "worldregion")
_NOTES = frozenset(("advisoryline", "editorialnote", "ednote"))
_FROM_NITF = ("byline", "authors", "dateline", "people", "organisations", "places")


def item_article(item: XmlElement) -> XmlArticle:
    """Article of a news item.

    :raises InvalidArticle: it edits another item, or its status is unknown.
    """
    management = first(item, "newsmanagement")
    article = XmlArticle({})
    identity, version = _identity(item)
    if identity and first(item, "newscomponent") is None:
        _restrict(article, management, Components())
        status = Status(article.document["status"])
        if status is not Status.USABLE:
            label = line_text(first(item, "identification", "namelabel"))
            return withdrawal_of(identity, status, headline=label)
    _check_whole(item, identity)
    top = first(item, "newscomponent")
    story = top
    if languages := languages_of(item):
        story = languages[0]
        article.warnings.append(
            f"the item is in several languages; only {_language(story) or 'the first'}"
            " is read, the others are in the original"
        )
    components = read_components(story)
    article.warnings += components.warnings
    lines = _Lines(story, top)
    document = article.document
    values = {
        "id": identity,
        "version": version,
        "language": _language(story) or _language(top) or element_language(item),
        "urgency": attribute(first(management, "urgency"), "formalname"),
        **_metadata(story, top, lines, Topics(item, _language(story))),
        **_dates(management),
    }
    document |= {name: value for name, value in values.items() if value}
    titles = [each["text"] for each in components.of(HEADLINE)]
    for document_inside in components.nitf:
        for name in _FROM_NITF:
            if document_inside.get(name):
                document.setdefault(name, document_inside[name])
        titles.append(document_inside.get("headline") or "")
    if not document.get("headline"):
        document["headline"] = next(filter(None, titles), None)
    document["paragraphs"] = _paragraphs(document, components, lines)
    extra = _extra(item, story, top, components)
    document["extra"] = {name: value for name, value in extra.items() if value}
    has_text = bool(components.of(BODY))
    document["type"] = "text" if has_text else type_of(components.media)
    _restrict(article, management, components)
    return article


def _identity(item: XmlElement) -> tuple[str | None, str | None]:
    """Id of an item in all its revisions, and the number of this one.

    The id is the public identifier without its revision:
    ``urn:newsml:ProviderId:DateId:NewsItemId``.
    """
    identifier = first(item, "identification", "newsidentifier")
    parts = [
        line_text(first(identifier, name))
        for name in ("providerid", "dateid", "newsitemid")
    ]
    version = line_text(first(identifier, "revisionid"))
    if not all(parts):
        return None, version
    identity = ":".join(["urn:newsml", *(part or "" for part in parts)])
    return "-".join(identity.split()), version


def _check_whole(item: XmlElement, identity: str | None) -> None:
    """Check that an item is a whole one.

    :raises InvalidArticle: it only edits an earlier revision.
    """
    revision = first(item, "identification", "newsidentifier", "revisionid")
    update = (attribute(revision, "update") or "N").upper()
    whole = first(item, "newscomponent") is not None
    # Some systems call whole items updates.
    if first(item, "update") is not None or (update == "U" and not whole):
        raise InvalidArticle(
            "paragraphs",
            f"this item edits parts of {identity} by their DUIDs, and is no whole item;"
            " send the whole item",
        )
    if update == "A" and not whole:
        status = attribute(first(item, "newsmanagement", "status"), "formalname")
        raise InvalidArticle(
            "paragraphs",
            f"this item only changes how {identity} is managed (status: {status});"
            " send the whole item",
        )


def _language(component: XmlElement | None) -> str | None:
    metadata = first(component, "descriptivemetadata", "language")
    return attribute(metadata, "formalname") or element_language(component)


class _Lines:
    """The news lines of a story: its own first, then those around and inside it."""

    def __init__(self, story: XmlElement | None, top: XmlElement | None) -> None:
        self._places = [
            first(story, "newslines"),
            first(top, "newslines"),
            *descendants(story, "newslines"),
        ]

    def all(self, *names: str) -> list[str]:
        """Lines of these names, from the first place that has any."""
        for place in self._places:
            lines = [
                text for each in children(place, *names) if (text := line_text(each))
            ]
            if lines:
                return lines
        return []

    def one(self, *names: str) -> str | None:
        """The first line of these names."""
        return next(iter(self.all(*names)), None)

    def others(self) -> Iterator[tuple[str, str]]:
        """Yield the type and text of lines that have no element of their own."""
        seen = set()
        for place in self._places:
            for line in children(place, "newsline"):
                kind = attribute(first(line, "newslinetype"), "formalname") or ""
                for each in children(line, "newslinetext"):
                    text = line_text(each)
                    if text is not None and (kind, text) not in seen:
                        seen.add((kind, text))
                        yield kind, text

    def fields(self) -> dict[str, Any]:
        """The fields that lines give."""
        notes = [text for kind, text in self.others() if kind.lower() in _NOTES]
        return {
            "headline": self.one("headline"),
            "byline": "; ".join(self.all("byline")),
            "dateline": self.one("dateline"),
            "slugline": self.one("slugline"),
            "copyright": self.one("copyrightline"),
            "usage_terms": "\n".join(self.all("rightsline")),
            "keywords": [{"name": word} for word in self.all("keywordline")],
            "ed_note": "\n".join(notes),
        }


def _dates(management: XmlElement | None) -> dict[str, Any]:
    fields = {
        "published": ("firstpublished", "firstcreated"),
        "updated": ("thisrevisioncreated",),
    }
    dates: dict[str, Any] = {}
    for field, names in fields.items():
        for name in names:
            if date := iso_date(line_text(first(management, name))):
                dates.setdefault(field, SentDates(((name, date),)))
    return dates


def _metadata(
    story: XmlElement | None, top: XmlElement | None, lines: _Lines, topics: Topics
) -> dict[str, Any]:
    """Fields from the lines and metadata of the story and of what is around it."""
    holders = [story] if story is top else [story, top]
    holders += list(descendants(story, "newscomponent"))
    described = [first(each, "descriptivemetadata") for each in holders]
    administrative = [first(each, "administrativemetadata") for each in holders]
    rights = [first(each, "rightsmetadata") for each in holders]
    parties = {
        name: _parties(administrative, name)
        for name in ("source", "provider", "creator")
    }
    sources = [*parties["source"], *parties["provider"]]
    places = [
        place
        for each in described
        for location in children(each, "location")
        if (attribute(location, "howpresent") or "").lower() != "origin"
        and (place := _place(location))
    ]
    printed = lines.fields()
    named: dict[str, list[dict[str, str]]] = {}
    for field, concept in topics.occurring(described):
        named.setdefault(field, []).append(concept)
    notes = [
        text
        for each in holders
        for comment in children(each, "comment")
        if (text := line_text(comment))
    ]
    terms, holder = _rights(rights)
    return {
        **printed,
        "ed_note": "\n".join(filter(None, (printed["ed_note"], *notes))),
        "keywords": [*printed["keywords"], *_keywords(described)],
        "usage_terms": "\n".join(filter(None, (printed["usage_terms"], terms))),
        "copyright": printed["copyright"] or holder,
        "source": next(iter(sources), None),
        "authors": [
            {"name": name} for name in parties["creator"] if name not in sources
        ],
        **named,
        "subjects": [*topics.subjects(described), *named.get("subjects", ())],
        "places": [*places, *named.get("places", ())],
        "url": url_of(story),
        "genre": [
            {"name": name}
            for each in described
            for genre in children(each, "genre")
            if (name := attribute(genre, "formalname"))
        ],
    }


def _parties(holders: list[XmlElement | None], name: str) -> list[str]:
    found = [
        party
        for holder in holders
        for element in children(holder, name)
        for each in children(element, "party")
        if (party := attribute(each, "formalname"))
    ]
    return list(dict.fromkeys(found))


def _place(location: XmlElement) -> dict[str, str] | None:
    """A place by its most specific name."""
    named = {
        (attribute(each, "formalname") or "").lower(): attribute(each, "value")
        for each in children(location, "property")
    }
    name = next((named[each] for each in _PLACE_NAMES if named.get(each)), None)
    return {"name": name} if name else None


def _keywords(described: list[XmlElement | None]) -> list[dict[str, str]]:
    return [
        {"name": value}
        for metadata in described
        for each in children(metadata, "property")
        if (attribute(each, "formalname") or "").lower() == "keyword"
        and (value := attribute(each, "value"))
    ]


def _rights(rights: list[XmlElement | None]) -> tuple[str, str | None]:
    """Terms of use, and the holder of the copyright with the year."""
    terms = [
        text
        for metadata in rights
        for usage in children(metadata, "usagerights")
        for each in usage
        if (text := line_text(each))
    ]
    holders = [
        " ".join(filter(None, (line_text(first(each, "copyrightdate")), holder)))
        for metadata in rights
        for each in children(metadata, "copyright")
        if (holder := line_text(first(each, "copyrightholder")))
    ]
    return "; ".join(dict.fromkeys(terms)), next(iter(holders), None)


def _paragraphs(
    document: dict[str, Any], components: Components, lines: _Lines
) -> list[dict[str, Any]]:
    """Second headlines and abstracts, the body, captions; without repetitions."""
    headline = document.get("headline")
    text = components.of(BODY)
    while text and text[0]["text"] == headline and text[0]["role"] == "subhead":
        text = text[1:]
    seen = {headline, *(each["text"] for each in text)}
    summary: list[dict[str, Any]] = []
    captions: list[dict[str, Any]] = []
    for words, role, paragraphs in (
        *((line, Role.ABSTRACT, summary) for line in lines.all("subheadline")),
        *((each["text"], Role.ABSTRACT, summary) for each in components.of(SUMMARY)),
        *((each["text"], Role.CAPTION, captions) for each in components.of(CAPTION)),
    ):
        if words not in seen:
            seen.add(words)
            paragraphs.append({"role": role.value, "text": words})
    return [*summary, *text, *captions]


def _extra(
    item: XmlElement,
    story: XmlElement | None,
    top: XmlElement | None,
    components: Components,
) -> dict[str, Any]:
    management = first(item, "newsmanagement")
    identification = first(item, "identification")
    envelope = first(item.getparent(), "newsenvelope")
    metadata = first(story, "descriptivemetadata")
    origins = [
        place
        for location in children(metadata, "location")
        if (attribute(location, "howpresent") or "").lower() == "origin"
        and (place := _place(location))
    ]
    return {
        "public_identifier": line_text(
            first(identification, "newsidentifier", "publicidentifier")
        ),
        "name_label": line_text(first(identification, "namelabel")),
        "news_item_type": attribute(first(management, "newsitemtype"), "formalname"),
        "instructions": [
            value
            for each in children(management, "instruction")
            if (value := attribute(each, "formalname"))
        ],
        "associated_with": [
            value
            for each in children(management, "associatedwith", "derivedfrom")
            if (value := attribute(each, "newsitem"))
        ],
        "services": [
            value
            for each in children(envelope, "newsservice", "newsproduct")
            if (value := attribute(each, "formalname"))
        ],
        "located": origins,
        "creditline": _Lines(story, top).one("creditline"),
        "lines": [
            {"type": kind, "text": text}
            for kind, text in _Lines(story, top).others()
            if kind.lower() not in _NOTES
        ],
        "media": components.media,
    }


def _restrict(
    article: XmlArticle, management: XmlElement | None, components: Components
) -> None:
    """Set status, embargo and expiry."""
    document = article.document
    word = attribute(first(management, "status"), "formalname")
    embargoed = (word or "").lower() == "embargoed"
    status = Status.WITHHELD if embargoed else Status.USABLE
    if word is not None and not embargoed:
        status = status_of(word)
    ends: list[tuple[str, Any]] = []
    expiries: list[tuple[str, Any]] = []
    for change in children(management, "statuswillchange"):
        later = attribute(first(change, "futurestatus"), "formalname")
        date = iso_date(line_text(first(change, "dateandtime")))
        if later is None or date is None:
            continue
        if later.lower() == "embargoed" or status_of(later) is not Status.USABLE:
            expiries.append(("StatusWillChange", date))
        elif status is Status.WITHHELD:
            ends.append(("StatusWillChange", date))
    strictest = [status]
    if ends:
        strictest = [Status.USABLE]
    elif embargoed:
        article.warnings.append(
            "Status: Embargoed without a StatusWillChange to Usable; withheld"
        )
    for instruction in children(management, "instruction"):
        kind = (attribute(instruction, "formalname") or "").lower()
        strictest.append(_HOLDING.get(kind, Status.USABLE))
    for inner in components.nitf:
        strictest.append(Status(inner["status"]))
        if end := inner.get("embargoed_until"):
            ends.append(("date.release", end))
        if end := inner.get("expires"):
            expiries.append(("date.expire", end))
    document["status"] = max(strictest, key=_STRICTNESS.index).value
    if ends:
        document["embargoed_until"] = SentDates(tuple(ends))
    if expiries:
        document["expires"] = SentDates(tuple(expiries))
