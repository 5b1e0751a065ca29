"""The mapping: how an article is indexed.

An article is one document. Its paragraphs (``p``) and the values of its own fields that
queries can search (``l``) are nested documents. All of them have one text field, ``t``,
of tokens that Nutgraf has made: see :mod:`index.engines.opensearch.tokens`. The scores
of its terms are their plain frequencies, which scripts make scores of.
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

# Search analyzers: the terms of ``a|b`` at one position, and terms that follow.
ALTERNATIVES, SEQUENCE = "alternatives", "sequence"

_LONGEST = 1_000_000  # characters of all the terms at one position
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


_TEXT: dict[str, Any] = {
    "t": {
        "type": "text",
        "analyzer": "tokens",
        "search_analyzer": ALTERNATIVES,
        "similarity": "frequency",
        "norms": False,
    },
    "irregular": _NAME,
    "places": {"type": "binary", "doc_values": True},
    "field": _NAME,
    "number": _column("byte"),
    "field_length": _column("integer"),
}
_PARAGRAPH: dict[str, Any] = {
    **_TEXT,
    "n": {"type": "integer"},
    "length": _column("integer"),
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
            "tokenizer": {
                "positions": {"type": "whitespace", "max_token_length": _LONGEST}
            },
            "filter": {
                "alternatives": {
                    "type": "pattern_capture",
                    "preserve_original": False,
                    "patterns": ["([^|]+)"],
                }
            },
            "analyzer": {
                "tokens": {"tokenizer": "positions", "filter": ["alternatives"]},
                ALTERNATIVES: {"tokenizer": "keyword", "filter": ["alternatives"]},
                SEQUENCE: {"tokenizer": "positions"},
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
        "_source": {"excludes": [f"{PARAGRAPHS}.*", f"{LINES}.*", "words"]},
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
            "tokens": {"type": "object", "enabled": False},
            PARAGRAPHS: {"type": "nested", "properties": _PARAGRAPH},
            LINES: {"type": "nested", "properties": _TEXT},
        },
    },
}
