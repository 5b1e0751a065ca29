"""The mapping: how an article is indexed.

An article is one document. Its paragraphs (``p``) and the values of its own fields
that queries can search (``l``) are nested documents. Each has the terms (``t``) and the
forms (``f``) of the tokens that Nutgraf has made of a text: :mod:`.tokens` says what
they are. Scores of terms are their plain frequencies, which scripts make scores of.
"""

from __future__ import annotations

from typing import Any

from index.article import FIELDS, FILTERABLE, PASSAGE_FIELDS, Kind

VERSION = 1  # raised with every change to the mapping or to a document

PARAGRAPHS, LINES = "p", "l"  # paths of the nested documents
# Fields of the article with words of their own, in the order of their numbers.
LINE_FIELDS = tuple(
    field.name for field in FIELDS if field.kind in (Kind.TEXT, Kind.KEYWORD)
)
DATES = tuple(field.name for field in FIELDS if field.kind is Kind.DATE)

# What is read of the articles of a page.
SOURCE = ["id", "version", "language", "urgency", *DATES]
SOURCE += [f"{PARAGRAPHS}.{name}" for name in ("field", "length", "places")]
SOURCE += [f"{LINES}.{name}" for name in ("field", "length", "places")]

WORDS = "words"  # the analyzer of terms that follow each other
ALTERNATIVES = "alternatives"  # the analyzer of ``a|b``, terms at one position

_LONGEST = 10_000  # characters of a term; forms have fewer
_ANY_NUMBER = 2_000_000_000


def keys_field(field: str) -> str:
    """Name of the column with the :func:`index.text.field_key` of values of a field."""
    return f"keys.{field}"


def spellings_field(field: str) -> str:
    """Name of the column with the values of a field as they are spelled."""
    return f"spellings.{field}"


def seconds_field(field: str) -> str:
    """Name of the column of a date in whole seconds, rounded down.

    Aggregations compute with doubles, which hold no microseconds beyond the year 2255.
    """
    return f"seconds.{field}"


def length_field(field: str) -> str:
    """Name of the column with the length of a field in words, if it has any."""
    return f"lengths.{field}"


def paragraphs_field(field: str) -> str:
    """Name of the column with the number of paragraphs of a passage field, if any."""
    return f"paragraphs.{field}"


_STORED: dict[str, Any] = {"type": "keyword", "index": False, "doc_values": False}
_NAME: dict[str, Any] = {"type": "keyword", "doc_values": False}


def _column(kind: str) -> dict[str, Any]:
    """A column that scripts and aggregations read, and no query looks up."""
    return {"type": kind, "index": False}


def _columns(kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {"properties": {name: _column(kind) for name in names}}


def _keywords() -> dict[str, Any]:
    return {"properties": {name: {"type": "keyword"} for name in FILTERABLE}}


def _text(**options: Any) -> dict[str, Any]:
    return {
        "type": "text",
        "analyzer": WORDS,
        "similarity": "frequency",
        "norms": False,
        **options,
    }


_TEXT: dict[str, Any] = {
    "t": _text(),
    "f": _text(index_options="freqs"),
    "irregular": _NAME,
    "places": {"type": "binary", "doc_values": True},
    "field": _NAME,
    "number": _column("byte"),
    "field_length": _column("integer"),
    "length": _column("integer"),
}
_PARAGRAPH: dict[str, Any] = {
    **_TEXT,
    "n": {"type": "integer"},
}

ARTICLES: dict[str, Any] = {
    "settings": {
        "index": {
            "max_result_window": _ANY_NUMBER,
            "max_inner_result_window": _ANY_NUMBER,
            "max_terms_count": _ANY_NUMBER,
            "mapping": {"nested_objects": {"limit": _ANY_NUMBER}},
        },
        "analysis": {
            "tokenizer": {WORDS: {"type": "whitespace", "max_token_length": _LONGEST}},
            "filter": {
                ALTERNATIVES: {
                    "type": "pattern_capture",
                    "preserve_original": False,
                    "patterns": ["([^|]+)"],
                }
            },
            "analyzer": {
                WORDS: {"tokenizer": WORDS},
                ALTERNATIVES: {"tokenizer": "keyword", "filter": [ALTERNATIVES]},
            },
        },
        "similarity": {
            "frequency": {
                "type": "scripted",
                "script": {"source": "return doc.freq * query.boost;"},
            }
        },
    },
    "mappings": {
        "dynamic": "strict",
        "_source": {"includes": SOURCE},
        "properties": {
            "id": {"type": "keyword"},
            "version": _STORED,
            "seq": {"type": "long"},
            "language": _STORED,
            "stems": {"type": "keyword"},
            "status": {"type": "byte"},
            "embargoed_until": {"type": "long"},
            "expires": {"type": "long"},
            "urgency": {"type": "byte"},
            **{name: {"type": "long"} for name in DATES},
            "seconds": _columns("long", DATES),
            "keys": _keywords(),
            "spellings": _keywords(),
            "lengths": _columns("integer", (*PASSAGE_FIELDS, *LINE_FIELDS)),
            "paragraphs": _columns("integer", PASSAGE_FIELDS),
            "paragraph_count": _column("integer"),
            "words": _NAME,
            PARAGRAPHS: {"type": "nested", "properties": _PARAGRAPH},
            LINES: {"type": "nested", "properties": _TEXT},
        },
    },
}
