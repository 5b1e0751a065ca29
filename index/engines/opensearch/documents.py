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
# Numbers of the fields of paragraphs, and of those of lines.
_NUMBERS = {
    name: number
    for names in (PASSAGE_FIELDS, LINE_FIELDS)
    for number, name in enumerate(names)
}


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
    return set().union(*[tokens.forms for tokens in (*doc.passages, *lines)])


def article_document(doc: Doc) -> dict[str, Any]:
    """Document of an article."""
    article = doc.article
    lengths = {
        name: length
        for name in (*PASSAGE_FIELDS, *LINE_FIELDS)
        if (length := doc.length(name))
    }
    return {
        "id": article.id,
        "version": article.version,
        "language": doc.language,
        "stems": stem_language(doc.language),
        "urgency": article.urgency,
        **_restrictions(article),
        **_dates(article),
        **_values(article),
        "lengths": lengths,
        "paragraphs": dict(Counter(doc.fields)),
        "paragraph_count": len(doc.passages),
        "words": sorted(
            filter(
                is_plain,
                {
                    form
                    for tokens in doc.passages
                    for form, width in zip(tokens.forms, tokens.widths, strict=True)
                    if width == 1
                },
            )
        ),
        PARAGRAPHS: [
            {
                **_nested(tokens, doc.language),
                "field": name,
                "number": _NUMBERS[name],
                "field_length": lengths.get(name, 0),
                "n": paragraph.n,
            }
            for paragraph, tokens, name in zip(
                article.paragraphs, doc.passages, doc.fields, strict=True
            )
        ],
        LINES: [
            {
                **_nested(tokens, doc.language),
                "field": name,
                "number": _NUMBERS[name],
                "field_length": lengths.get(name, 0),
            }
            for name, values in doc.lines.items()
            for tokens in values
        ],
    }


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


def _nested(tokens: Tokens, language: str) -> dict[str, Any]:
    """What a nested document has of its text."""
    text = indexed_text(tokens, language)
    return {
        "t": text.terms,
        "f": text.forms,
        "irregular": text.irregular,
        "places": base64.b64encode(text.places.encode()).decode(),
        "length": tokens.length,
    }
