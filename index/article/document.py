"""The JSON form of an article: as the store, the API and ``export`` write it.

Names are those of :class:`index.article.Article`. Fields without a value are left out.
A concept that has only a name is written as a string. When reading, a paragraph may be
a string as well: its text.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from index.article.records import (
    ARTICLE_FIELDS,
    CONCEPT_FIELDS,
    DATE_FIELDS,
    LIFTED,
    TEXT_FIELDS,
    Article,
    Concept,
    Original,
    Paragraph,
    Role,
    Status,
    number_paragraphs,
)
from index.dates import instant, iso
from index.errors import InvalidArticle

Document = dict[str, Any]

# Words that newsroom systems use for the three statuses of ninjs. Other words are
# refused: taking them for usable could publish what somebody wants to hold back.
STATUS_WORDS = {
    "usable": Status.USABLE,
    "withheld": Status.WITHHELD,
    "unpublished": Status.WITHHELD,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
    "killed": Status.CANCELED,
    "recalled": Status.CANCELED,
    "retracted": Status.CANCELED,
}


def document_of(article: Article) -> Document:
    """JSON form of an article; :func:`article_of` reads it back."""
    document: Document = {}
    for name in ARTICLE_FIELDS:
        value = getattr(article, name)
        if value is None or value == () or (name == "extra" and not value):
            continue
        if name in CONCEPT_FIELDS:
            value = [concept_json(concept) for concept in value]
        elif name == "paragraphs":
            value = [paragraph_json(paragraph) for paragraph in value]
        elif name == "extra":
            value = dict(value)
        elif isinstance(value, datetime):
            value = iso(value)
        elif isinstance(value, Status):
            value = value.value
        document[name] = value
    return document


def concept_json(concept: Concept) -> str | dict[str, str]:
    """A concept as its name, or as an object if it has more than a name."""
    identifiers = {
        name: value
        for name in ("code", "scheme", "uri")
        if (value := getattr(concept, name)) is not None
    }
    return {"name": concept.name, **identifiers} if identifiers else concept.name


def paragraph_json(paragraph: Paragraph) -> dict[str, Any]:
    """A paragraph as an object."""
    document: dict[str, Any] = {
        "n": paragraph.n,
        "role": paragraph.role.value,
        "text": paragraph.text,
        "key": paragraph.key,
    }
    if paragraph.credit is not None:
        document["credit"] = paragraph.credit
    return document


def content_json(article: Article) -> str:
    """An article without its version, as JSON text.

    Equal content gives equal text, in whatever order it was sent.

    :raises InvalidArticle: ``extra`` holds something that is not JSON.
    """
    document = document_of(article)
    document.pop("version", None)
    try:
        text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        # All other fields were checked when the article was created.
        raise InvalidArticle("extra", f"cannot be stored as JSON: {error}") from error
    return text


def content_digest(text: str) -> str:
    """SHA-256 of the JSON text of :func:`content_json`."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An article ready to store: its JSON, and the digest of that JSON.

    It is made once, where an article comes in, and passed on to the store.

    :param size: of the text, in bytes.
    :param original: the bytes that were sent, if parsing changed them.
    """

    article: Article
    text: str
    digest: str
    size: int
    original: Original | None = None


def draft_of(article: Article, original: Original | None = None) -> Draft:
    """Draft of an article.

    :raises InvalidArticle: ``extra`` holds something that is not JSON.
    """
    text = content_json(article)
    return Draft(
        article=article,
        text=text,
        digest=content_digest(text),
        size=len(text.encode()),
        original=original,
    )


def article_of(document: Mapping[str, Any]) -> Article:
    """Article from its JSON form.

    Names without a field go to ``extra``. Blank and ``null`` values count as unknown,
    except that ``null`` or a blank text lifts an embargo. Dates are ISO 8601, as
    :func:`index.dates.instant` reads them. Paragraphs get new numbers and keys, from
    their order.

    :raises InvalidArticle: a field has the wrong type or an invalid value.
    """
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in document.items():
        if (
            value is None
            or value == []
            or (isinstance(value, str) and not value.strip())
        ):
            if name == "embargoed_until" and value != []:
                values[name] = LIFTED
            continue
        if name == "extra":
            if not isinstance(value, Mapping):
                raise InvalidArticle("extra", "must be an object")
            extra.update(value)
        elif name in ("id", *TEXT_FIELDS):
            values[name] = _text(name, value)
        elif name == "version":
            values[name] = _version(value)
        elif name == "status":
            values[name] = status_of(value)
        elif name == "urgency":
            values[name] = _whole_number(name, value)
        elif name in DATE_FIELDS:
            values[name] = _date(name, value)
        elif name in CONCEPT_FIELDS:
            values[name] = concepts_of(name, value)
        elif name != "paragraphs":
            extra[name] = value
    if "id" not in values:
        raise InvalidArticle("id", "an article needs an id")
    check_json("extra", extra)
    headline, rest = _headline_and_rest(
        values.get("headline"), document.get("paragraphs")
    )
    values["headline"] = headline
    values["paragraphs"] = number_paragraphs(headline, rest)
    return Article(**values, extra=extra)


def status_of(value: object) -> Status:
    """Status for the word that a newsroom system uses.

    :raises InvalidArticle: the word is unknown; it is never taken for usable.
    """
    word = value.strip().lower().removeprefix("stat:") if isinstance(value, str) else ""
    if word not in STATUS_WORDS:
        known = ", ".join(sorted(STATUS_WORDS))
        raise InvalidArticle(
            "status", f"{str(value)[:50]!r} is not a status; use one of {known}"
        )
    return STATUS_WORDS[word]


def concepts_of(name: str, value: object) -> tuple[Concept, ...]:
    """Concepts from a list of names and objects, or from a single one.

    A concept without a name is named by its code, else by its URI. Repeated concepts
    are dropped.

    :raises InvalidArticle: an item is neither, or has no name at all.
    """
    items = value if isinstance(value, list | tuple) else [value]
    concepts: dict[Concept, None] = {}
    for item in items:
        if item is None or item == "":
            continue
        if isinstance(item, str):
            if item.strip():
                concepts[Concept(name=item.strip())] = None
            continue
        if not isinstance(item, Mapping):
            raise InvalidArticle(
                name, "must be a list of names, or of objects with a name"
            )
        parts = {
            part: _text(name, item[part]).strip() or None
            for part in ("name", "code", "scheme", "uri")
            if item.get(part) is not None
        }
        label = parts.get("name") or parts.get("code") or parts.get("uri")
        if not label:
            raise InvalidArticle(name, "a concept needs a name")
        concept = Concept(
            name=label,
            code=parts.get("code"),
            scheme=parts.get("scheme"),
            uri=parts.get("uri"),
        )
        concepts[concept] = None
    return tuple(concepts)


def check_json(name: str, value: object, *, depth: int = 0) -> None:
    """Refuse a value that cannot be written as JSON text.

    :raises InvalidArticle: it holds a number that is not finite or a lone surrogate, or
        is nested too deep.
    """
    if depth > 64:
        raise InvalidArticle(name, "is nested more than 64 levels deep")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArticle(name, "holds a number that is not finite")
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        raise InvalidArticle(name, "holds a lone surrogate")
    if isinstance(value, Mapping):
        for key, item in value.items():
            check_json(name, key, depth=depth + 1)
            check_json(name, item, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            check_json(name, item, depth=depth + 1)


def _headline_and_rest(
    headline: str | None, paragraphs: object
) -> tuple[str | None, list[tuple[Role, str, str | None]]]:
    if paragraphs is None:
        return headline, []
    if not isinstance(paragraphs, list | tuple):
        raise InvalidArticle("paragraphs", "must be a list")
    rest: list[tuple[Role, str, str | None]] = []
    for place, item in enumerate(paragraphs):
        if isinstance(item, str):
            rest.append((Role.BODY, item, None))
            continue
        if not isinstance(item, Mapping) or not isinstance(item.get("text"), str):
            raise InvalidArticle(
                "paragraphs", f"item {place} must be text, or have a text"
            )
        role = _role(item.get("role", "body"))
        credit = item.get("credit")
        if credit is not None and not isinstance(credit, str):
            raise InvalidArticle(
                "paragraphs", f"the credit of item {place} must be text"
            )
        if role is not Role.HEADLINE:
            rest.append((role, item["text"], credit or None))
        elif place == 0 and headline in (None, item["text"]):
            headline = item["text"]
        else:
            raise InvalidArticle(
                "paragraphs", f"item {place} is a second headline; give it another role"
            )
    return headline if headline and headline.strip() else None, rest


def _role(value: object) -> Role:
    try:
        return Role(str(value))
    except ValueError:
        roles = ", ".join(Role)
        raise InvalidArticle(
            "paragraphs", f"role {str(value)[:50]!r} is unknown; use one of {roles}"
        ) from None


# What JSON calls the types of Python; any other is not JSON.
_KINDS = defaultdict(
    lambda: "another value",
    {dict: "an object", list: "a list", bool: "a truth value", float: "a fraction"},
)


def _text(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InvalidArticle(name, f"must be text, not {_KINDS[type(value)]}")
    return value


def _version(value: object) -> str:
    return _text("version", value).strip()


def _whole_number(name: str, value: object) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value.strip()[:20])  # no field takes more digits
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArticle(name, f"must be a whole number, not {str(value)[:50]!r}")
    return value


def _date(name: str, value: object) -> datetime:
    try:
        return instant(_text(name, value))
    except ValueError as error:
        raise InvalidArticle(name, str(error)) from error
