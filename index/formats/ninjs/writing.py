"""An article as an item of IPTC ninjs 3, which the ninjs reader reads back unchanged.

``extra`` is written back too, so each field is written to the first of its properties
that is unused and that the reader prefers to every property already present. If there
is none, which cannot happen to an article read from ninjs, the field replaces a
property of ``extra``: the field decides who sees the article.
Spec: https://iptc.org/standards/ninjs/.
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
from index.dates import DateRules, iso, read_date
from index.formats import roles
from index.formats.ninjs.item import field_of
from index.parsing import single_spaced

# Our fields in the order of the item, and the properties of each, the best first.
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
    """An article as one line of JSON, which the ninjs reader reads back unchanged."""
    text = json.dumps(
        item_of(article), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode() + b"\n"


def item_of(article: Article) -> dict[str, Any]:
    """An article as a ninjs item."""
    item: dict[str, Any] = {}
    for target in PROPERTIES:
        if _value(article, target) not in (None, (), LIFTED):
            item = _with_field(item, target, article)
    return _with_extra(item, article.extra)


def _value(article: Article, target: str) -> Any:
    if target == "paragraphs":
        return tuple(paragraph for paragraph in article.paragraphs if paragraph.n)
    return getattr(article, target)


def _with_extra(item: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    # Extra comes last: of two texts of one kind the reader takes the first, ours.
    written = {name.lower() for name in item}
    return {**item, **{k: v for k, v in extra.items() if k.lower() not in written}}


def _with_field(item: dict[str, Any], target: str, article: Article) -> dict[str, Any]:
    """An item with one field more, in the first form that the reader reads back."""
    additions = [
        (spelled, {**item, spelled: value})
        for name in PROPERTIES[target]
        for spelled, value in _additions(item, name, target, article)
    ]
    if _is_read_back(item, target, article):
        return item  # a property in extra holds the field already, and more
    for spelled, candidate in additions:
        if _is_read_back(candidate, target, article, added=spelled):
            return candidate
    replacements = [
        {**item, name: form}
        for name in PROPERTIES[target]
        for form in _forms(name, _value(article, target))
    ]
    for candidate in replacements:
        value, _ = field_of(_with_extra(candidate, article.extra), target)
        if _is_value(value, target, article):
            return candidate
    return replacements[0]


def _additions(
    item: Mapping[str, Any], name: str, target: str, article: Article
) -> Iterator[tuple[str, Any]]:
    """Yield a property's name and value for each form in which it could hold a field.

    If ``extra`` has the property as a list, the field's values come before those.
    """
    forms = _forms(name, _value(article, target))
    used = {each.lower(): each for each in (*article.extra, *item)}
    if name.lower() not in used:
        yield from ((name, form) for form in forms)
        return
    spelled = used[name.lower()]
    others = article.extra.get(spelled)
    if isinstance(others, list):
        yield from ((spelled, [*f, *others]) for f in forms if isinstance(f, list))


def _forms(name: str, value: Any) -> Iterator[Any]:
    """Yield the forms in which a property can hold a value, the best first."""
    if name == "headlines":
        yield [{"role": "main", "value": value}]
        # For plain text that looks like markup.
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
        yield [_concept(name, concept) for concept in value]
    else:
        yield value


def _concept(name: str, concept: Concept) -> Any:
    only_named = concept.code is None and concept.scheme is None and concept.uri is None
    # The reader makes the white space single in the name of an object.
    if only_named and (
        name == "keywords" or concept.name != single_spaced(concept.name)
    ):
        return concept.name
    parts = {
        "name": concept.name,
        "uri": concept.uri,
        "literal": concept.code,
        "scheme": concept.scheme,
    }
    return {part: text for part, text in parts.items() if text is not None}


def _is_read_back(
    item: Mapping[str, Any], target: str, article: Article, *, added: str | None = None
) -> bool:
    """Whether reading an item gives a field, and leaves ``extra`` as it is.

    :param added: name of the property that the field was added to.
    """
    extra = article.extra
    joined = _with_extra(item, extra)
    value, rest = field_of(joined, target)
    # A list that another field was added to stays as joined until that is read.
    return _is_value(value, target, article) and all(
        rest.get(name) == extra[name]
        or (name != added and rest.get(name) == joined.get(name, extra[name]))
        for name in extra
    )


def _is_value(value: Any, target: str, article: Article) -> bool:
    """Whether a value, as read, is the article's."""
    expected = _value(article, target)
    if value is None:
        return False
    if target == "paragraphs":
        return [(each.role, each.text, each.credit) for each in expected] == [
            (each["role"], each["text"], each.get("credit")) for each in value
        ]
    if target in DATE_FIELDS:
        try:
            return bool(read_date(value, DateRules()).instant == expected)
        except ValueError:
            return False  # an embargo counts as one also if its end is unreadable
    if target in CONCEPT_FIELDS:
        return bool(concepts_of(target, value) == expected)
    return bool(value == expected)
