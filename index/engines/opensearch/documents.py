"""Documents: an article as the cluster indexes it, by :mod:`.mapping`."""

from __future__ import annotations

import base64
from collections import Counter
from hashlib import sha256
from typing import Any

from index.access import (
    NO_EMBARGO,
    NO_EXPIRY,
    restrictions_of,
)
from index.article import FILTERABLE, PASSAGE_FIELDS, Article
from index.engines.memory import Doc, date_of, doc_of, values_of
from index.engines.opensearch.mapping import (
    DATES,
    LINE_FIELDS,
    LINES,
    PARAGRAPHS,
)
from index.engines.opensearch.tokens import indexed_text
from index.text import Tokens, field_key, is_plain, stem_language

_LONGEST_ID = 512  # bytes of the name of a document
_MICROSECONDS = 1_000_000


def document_id(article_id: str) -> str:
    """Name of the document of an article: its id, or a digest of one that is longer."""
    if len(article_id.encode()) < _LONGEST_ID:
        return article_id
    return f"sha256 {sha256(article_id.encode()).hexdigest()}"  # no id has a space


def analysed(article: Article, language: str) -> Doc:
    """An article with its tokens.

    :param language: for an article without one.
    """
    return doc_of(article, language)


def forms(doc: Doc) -> set[str]:
    """The forms of all words of an article."""
    lines = [tokens for values in doc.lines.values() for tokens in values]
    return {form for tokens in (*doc.passages, *lines) for form in tokens.forms}


def article_document(doc: Doc) -> dict[str, Any]:
    """Document of an article."""
    article = doc.article
    paragraphs = [_nested(tokens, doc.language) for tokens in doc.passages]
    lines = {
        name: [_nested(tokens, doc.language) for tokens in values]
        for name, values in doc.lines.items()
    }
    document: dict[str, Any] = {
        "id": article.id,
        "version": article.version,
        "language": doc.language,
        "stems": stem_language(doc.language),
        "urgency": article.urgency,
        **_restrictions(article),
        **_dates(article),
        **_values(article),
        **_sizes(doc),
        "words": sorted(
            {
                form
                for tokens in doc.passages
                for form, width in zip(tokens.forms, tokens.widths, strict=True)
                if width == 1 and is_plain(form)
            }
        ),
        PARAGRAPHS: [
            {
                **nested,
                **_place(doc, name, PASSAGE_FIELDS.index(name)),
                "n": paragraph.n,
                "length": tokens.length,
            }
            for paragraph, tokens, name, (nested, _) in zip(
                article.paragraphs, doc.passages, doc.fields, paragraphs, strict=True
            )
        ],
        LINES: [
            {**nested, **_place(doc, name, LINE_FIELDS.index(name))}
            for name, values in lines.items()
            for nested, _ in values
        ],
        "tokens": {
            PARAGRAPHS: [
                [name, tokens.length, places]
                for name, tokens, (_, places) in zip(
                    doc.fields, doc.passages, paragraphs, strict=True
                )
            ],
            LINES: {
                name: [
                    [tokens.length, places]
                    for tokens, (_, places) in zip(doc.lines[name], values, strict=True)
                ]
                for name, values in lines.items()
            },
        },
    }
    return document


def _restrictions(article: Article) -> dict[str, int]:
    """Status, and the instants of embargo and expiry if there are any."""
    status, embargoed_until, expires = restrictions_of(article)
    restrictions = {"status": status}
    if embargoed_until != NO_EMBARGO:
        restrictions["embargoed_until"] = embargoed_until
    if expires != NO_EXPIRY:
        restrictions["expires"] = expires
    return restrictions


def _dates(article: Article) -> dict[str, Any]:
    dates = {
        name: instant
        for name in DATES
        if (instant := date_of(article, name)) is not None
    }
    seconds = {name: instant // _MICROSECONDS for name, instant in dates.items()}
    return {**dates, "seconds": seconds}


def _values(article: Article) -> dict[str, Any]:
    spellings = {
        name: sorted(set(values))
        for name in FILTERABLE
        if (values := values_of(article, name))
    }
    keys = {
        name: sorted({field_key(name, value) for value in values})
        for name, values in spellings.items()
    }
    return {"spellings": spellings, "keys": keys}


def _sizes(doc: Doc) -> dict[str, Any]:
    names = (*PASSAGE_FIELDS, *LINE_FIELDS)
    return {
        "lengths": {name: length for name in names if (length := doc.length(name))},
        "paragraphs": dict(Counter(doc.fields)),
        "paragraph_count": len(doc.passages),
    }


def _nested(tokens: Tokens, language: str) -> tuple[dict[str, Any], str]:
    """Nested document of a text, and the places of its terms."""
    text, irregular, places = indexed_text(tokens, language)
    nested = {
        "t": text,
        "irregular": irregular,
        "places": base64.b64encode(places.encode()).decode(),
    }
    return nested, places


def _place(doc: Doc, name: str, number: int) -> dict[str, Any]:
    return {"field": name, "number": number, "field_length": doc.length(name)}
