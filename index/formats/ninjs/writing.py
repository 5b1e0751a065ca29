"""An article as an item of IPTC ninjs 3, which the reader of ninjs makes the same of.

What it carried in ``extra`` comes back as it was: of the properties that say a thing,
the first is taken that is free and that is read before any other that is there. Only
where there is none, which no item of ninjs leads to, the article's own word replaces
that of ``extra``: it decides who may see it. Spec: https://iptc.org/standards/ninjs/.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from index.article import (
    CONCEPT_FIELDS,
    DATE_FIELDS,
    LIFTED,
    Article,
    Concept,
    concepts_of,
)
from index.dates import instant, iso
from index.formats import roles
from index.formats.ninjs import reading
from index.parsing import single_spaced

# Our fields in the order of the item, and the properties for each, the best first.
PROPERTIES: dict[str, tuple[str, ...]] = {
    "id": ("uri", "guid"),
    "type": ("type",),
    "version": ("version",),
    "updated": ("versionCreated",),
    "published": ("firstCreated", "firstPublished", "contentCreated"),
    "status": ("pubStatus",),
    "urgency": ("urgency",),
    "embargoed_until": ("embargoedUntil", "embargoed"),
    "expires": ("expires",),
    "language": ("language",),
    "url": ("url",),
    "headline": ("headlines", "headline", "headline_main"),
    "slugline": ("slugline",),
    "byline": ("by", "byline"),
    "dateline": ("located",),
    "people": ("people", "person", "persons"),
    "authors": ("authors",),
    "organisations": ("organisations", "organisation"),
    "places": ("places", "place"),
    "subjects": ("subjects", "subject"),
    "genre": ("genres", "genre"),
    "keywords": ("keywords",),
    "source": ("infoSources", "source", "infosource", "provider"),
    "section": ("service", "section"),
    "evolved_from": ("evolvedFrom",),
    "story": ("original_id",),
    "correction": ("correction",),
    "ed_note": ("edNote",),
    "usage_terms": ("usageTerms",),
    "copyright": ("copyrightNotice", "copyrightHolder"),
    "paragraphs": ("bodies", "body_html", "body_xhtml"),
}


def write(article: Article) -> bytes:
    """Return an article as one line, which the reader of ninjs makes the same of."""
    text = json.dumps(
        item_of(article), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode() + b"\n"


def item_of(article: Article) -> dict[str, Any]:
    """Return an article as the item that it makes."""
    item: dict[str, Any] = {}
    for target in PROPERTIES:
        if _value(article, target) not in (None, (), LIFTED):
            item = _with(item, target, article)
    return _joined(item, article.extra)


def _value(article: Article, target: str) -> Any:
    if target == "paragraphs":
        return tuple(each for each in article.paragraphs if each.n)
    return getattr(article, target)


def _joined(item: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    # What was there first comes last: of two texts of one kind ours is read.
    written = {name.lower() for name in item}
    return {**item, **{n: extra[n] for n in extra if n.lower() not in written}}


def _with(item: dict[str, Any], target: str, article: Article) -> dict[str, Any]:
    """Return an item with one field more, in the first way in which it is read."""
    ways = [
        {**item, name: value}
        for name in PROPERTIES[target]
        for name, value in _ways(item, name, target, article)
    ]
    if _is_read(item, target, article):
        return item  # a property in extra says it already, and more
    for way in ways:
        if _is_read(way, target, article):
            return way
    instead = [
        {**item, name: form}
        for name in PROPERTIES[target]
        for form in _forms(name, _value(article, target))
    ]
    for way in instead:
        if _is_said(
            reading.part_of(_joined(way, article.extra), target)[0], target, article
        ):
            return way
    return instead[0]


def _ways(
    item: Mapping[str, Any], name: str, target: str, article: Article
) -> Iterator[tuple[str, Any]]:
    """Yield under which name, and in which forms, a property could say a field."""
    forms = _forms(name, _value(article, target))
    taken = {each.lower(): each for each in (*article.extra, *item)}
    if name.lower() not in taken:
        yield from ((name, form) for form in forms)
        return
    there = taken[name.lower()]
    others = article.extra.get(there)
    if isinstance(others, list):
        yield from ((there, [*f, *others]) for f in forms if isinstance(f, list))


def _forms(name: str, value: Any) -> Iterator[Any]:
    if name == "headlines":
        yield [{"role": "main", "value": value}]
        # Where plain text would be taken for markup.
        yield [
            {"role": "main", "contentType": "text/html", "value": html.escape(value)}
        ]
    elif name == "bodies":
        yield [
            {"role": "main", "contentType": "text/html", "value": roles.write(value)}
        ]
    elif name.startswith("body_"):
        yield roles.write(value)
    elif name == "infoSources":
        yield [{"name": value}]
    elif isinstance(value, datetime):
        yield iso(value)
    elif isinstance(value, tuple):
        yield [_concept(name, each) for each in value]
    else:
        yield value


def _concept(name: str, concept: Concept) -> Any:
    only = concept.code is None and concept.scheme is None and concept.uri is None
    # White space in the name of an object is not kept as it is.
    if only and (name == "keywords" or concept.name != single_spaced(concept.name)):
        return concept.name
    parts = {
        "name": concept.name,
        "uri": concept.uri,
        "literal": concept.code,
        "scheme": concept.scheme,
    }
    return {part: text for part, text in parts.items() if text is not None}


def _is_read(item: Mapping[str, Any], target: str, article: Article) -> bool:
    """Return whether reading an item gives a field, and leaves ``extra`` as it is."""
    joined, extra = _joined(item, article.extra), article.extra
    found, left = reading.part_of(joined, target)
    # A list that another field was put into is as it is before that is read.
    return _is_said(found, target, article) and all(
        left.get(name) in (extra[name], joined.get(name, extra[name])) for name in extra
    )


def _is_said(found: Any, target: str, article: Article) -> bool:
    """Return whether what was read is what an article has."""
    value = _value(article, target)
    if found is None:
        return False
    if target == "paragraphs":
        return [(each.role, each.text, each.credit) for each in value] == [
            (each["role"], each["text"], each.get("credit")) for each in found
        ]
    if target in DATE_FIELDS:
        try:
            return bool(instant(found if isinstance(found, str) else "") == value)
        except ValueError:
            return False  # an embargo is read also where nobody knows until when
    if target in CONCEPT_FIELDS:
        return bool(concepts_of(target, found) == value)
    return bool(found == value)
