"""How articles lie in a Whoosh index.

An article is a run of Whoosh documents: one for the article itself, with its stored row
and the words of its own lines (byline, keywords …), then one a paragraph, in reading
order. Whoosh keeps the order of documents when it merges segments, and an article is
always deleted whole, so a run never breaks.

Words are indexed in their surface form only, with positions. Stems, folds and
expansions are groups of forms, made when a segment is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whoosh import fields as whoosh_fields
from whoosh.analysis import SpaceSeparatedTokenizer

from index.article import Article
from index.dates import micros
from index.fields import FIELD_OF_ROLE, FIELDS, PASSAGE_FIELDS, Kind
from index.text import analyse
from index.visibility import restrictions

# A change of anything here makes every index written before it unreadable: it is
# rebuilt from the store.
SCHEMA_VERSION = 1

PARAGRAPH_WORDS = "text"
ROW = "row"
ID = "id"
LINE_FIELDS = tuple(
    each.name for each in FIELDS if each.kind in (Kind.TEXT, Kind.KEYWORD)
)
VALUE_FIELDS = tuple(
    each.name for each in FIELDS if each.kind in (Kind.KEYWORD, Kind.INTEGER)
)
# Between the values of a field, so that no phrase or nearness reaches across: more than
# the grammar's largest distance.
VALUE_GAP = 2_000
_WIDTH_MARK = "\x1f"

Postings = Mapping[str, list[int]]  # term to its positions, ascending


def whoosh_schema() -> whoosh_fields.Schema:
    """Return the schema, of stock Whoosh classes only: it is pickled into the index."""
    words = {
        name: whoosh_fields.TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=True)
        for name in (PARAGRAPH_WORDS, *LINE_FIELDS)
    }
    return whoosh_fields.Schema(
        **{ROW: whoosh_fields.STORED(), ID: whoosh_fields.ID(unique=True), **words}
    )


def term_of(form: str, width: int) -> str:
    """Return the indexed term of a form that covers so many positions."""
    return form if width == 1 else f"{form}{_WIDTH_MARK}{width}"


def form_of(term: str) -> tuple[str, int]:
    """Return the form and the width of an indexed term."""
    form, mark, width = term.partition(_WIDTH_MARK)
    return (form, int(width)) if mark else (form, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An article, analysed and ready to be written: nothing after this can refuse it.

    :param row: what is stored, as JSON.
    :param lines: (field, postings, length in words) of the article's own fields.
    :param paragraphs: (postings, length in words) in reading order.
    """

    id: str
    row: str
    lines: tuple[tuple[str, Postings, int], ...]
    paragraphs: tuple[tuple[Postings, int], ...]


def run_of(article: Article, *, language: str) -> Run:
    """Return an article as it is written.

    :param language: for an article without one.
    """
    lines = []
    for name in LINE_FIELDS:
        postings: dict[str, list[int]] = {}
        length = start = 0
        for value in values_of(article, name):
            words = _add(postings, value, start)
            length += words
            start += words + VALUE_GAP
        if postings:
            lines.append((name, postings, length))
    paragraphs = []
    for paragraph in article.paragraphs:
        postings = {}
        length = _add(postings, paragraph.text, 0)
        paragraphs.append((postings, length))
    row = {
        "id": article.id,
        "version": article.version,
        "language": article.language or language,
        "restrictions": restrictions(article),
        "published": None if article.published is None else micros(article.published),
        "updated": None if article.updated is None else micros(article.updated),
        "urgency": article.urgency,
        "values": {
            name: values
            for name in VALUE_FIELDS
            if (values := list(dict.fromkeys(values_of(article, name))))
        },
        "first": article.paragraphs[0].n,
        "fields": [
            PASSAGE_FIELDS.index(FIELD_OF_ROLE[each.role])
            for each in article.paragraphs
        ],
        "lengths": [length for _, length in paragraphs],
        "lines": {name: length for name, _, length in lines},
    }
    return Run(
        id=article.id,
        row=json.dumps(row, ensure_ascii=False, separators=(",", ":")),
        lines=tuple(lines),
        paragraphs=tuple(paragraphs),
    )


def values_of(article: Article, name: str) -> list[str]:
    """Return the values of a field as text: one for each of several."""
    value: Any = getattr(article, name)
    if value is None:
        return []
    if isinstance(value, tuple):
        return [concept.name for concept in value]
    return [str(value)]


def _add(postings: dict[str, list[int]], text: str, start: int) -> int:
    tokens = analyse(text)
    for form, position, width in zip(
        tokens.forms, tokens.positions, tokens.widths, strict=True
    ):
        term = form if width == 1 else term_of(form, width)
        postings.setdefault(term, []).append(start + position)
    return tokens.length
