"""The index as Whoosh sees it: its documents and fields.

A document is a paragraph. An article is a run of documents in reading order, always
added and deleted as a whole. The words of its own fields (byline, keywords …), its
values and dates belong to each of its documents, but are stored once per article.

Words are indexed in their surface form, with positions. What a form stands for (its
stem, its folded form) is stored beside it, in :mod:`.posting_lists`.
"""

from __future__ import annotations

from typing import Any

from whoosh import fields as whoosh_fields
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.columns import NumericColumn

from index.article import DATE_FIELD_NAMES, FIELDS, Article, Kind

# Increase this with any change here or to how segments are written: an index of another
# version is not read, but rebuilt from the store.
SCHEMA_VERSION = 3

PARAGRAPH_WORDS = "text"
ID = "id"
VERSION = "version"
LINE_FIELDS = tuple(
    field.name for field in FIELDS if field.kind in (Kind.TEXT, Kind.KEYWORD)
)
VALUE_FIELDS = tuple(
    field.name for field in FIELDS if field.kind in (Kind.KEYWORD, Kind.INTEGER)
)
WORD_FIELDS = (PARAGRAPH_WORDS, *LINE_FIELDS)
# Positions between two values of a field: more than the grammar's largest distance, so
# that no phrase or NEAR matches across values.
VALUE_GAP = 2_000
WIDTH_MARK = "\x1f"


def whoosh_schema() -> whoosh_fields.Schema:
    """Whoosh schema, of stock classes only: it is pickled into the index.

    Keyword fields are sortable, by their first value; dates are columns of microseconds
    since 1970 UTC.
    """
    words = {
        name: whoosh_fields.TEXT(
            analyzer=SpaceSeparatedTokenizer(),
            phrase=True,
            sortable=name in VALUE_FIELDS,
        )
        for name in WORD_FIELDS
    }
    dates = {
        name: whoosh_fields.COLUMN(NumericColumn("q")) for name in DATE_FIELD_NAMES
    }
    return whoosh_fields.Schema(
        **{
            ID: whoosh_fields.ID(stored=True, unique=True),
            VERSION: whoosh_fields.STORED(),
            "n": whoosh_fields.STORED(),
            **words,
            **dates,
        }
    )


def term_of(form: str, width: int) -> str:
    """Indexed term of a form and its width in positions."""
    return form if width == 1 else f"{form}{WIDTH_MARK}{width}"


def form_of(term: str) -> tuple[str, int]:
    """Form and width in positions of an indexed term."""
    form, mark, width = term.partition(WIDTH_MARK)
    return (form, int(width)) if mark else (form, 1)


def values_of(article: Article, name: str) -> list[str]:
    """Values of a field as text, empty if the article has none."""
    value: Any = getattr(article, name)
    if value is None:
        return []
    if isinstance(value, tuple):
        return [concept.name for concept in value]
    return [str(value)]
