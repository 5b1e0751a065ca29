"""Answers of the archive: an engine's page with the texts from the store.

Hits and excerpts are named tuples: an answer has some forty of them, and a named tuple
takes a third of the time to create that a frozen dataclass takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from index.article import Article
from index.engines import Facet, LeafScore, WordCount
from index.query import QueryWarning
from index.text import Span


class Excerpt(NamedTuple):
    """A paragraph, or part of one, with the matching words marked.

    :param id: of the paragraph, ``ARTICLE-ID#pN``.
    :param html: the text, escaped, with ``<mark>``.
    :param marks: spans of ``text``, in order, none touching another.
    """

    id: str
    n: int
    role: str
    text: str
    html: str
    marks: tuple[Span, ...]
    score: float | None = None
    credit: str | None = None
    key: str | None = None


class ArticleHit(NamedTuple):
    """A hit with its texts.

    :param article: the requested fields in their JSON form, always with ``id`` and
        ``version``.
    :param passages: the best matching paragraphs in reading order; if hits are
        paragraphs, that one paragraph.
    """

    article: dict[str, Any]
    headline_html: str | None
    score: float
    passages_total: int
    passages: tuple[Excerpt, ...]
    parts: tuple[LeafScore, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The whole answer to a search.

    :param understood: the query as it was read, in the grammar's full form.
    :param applied: what narrowed or ordered the answer besides ``q``.
    :param next: the cursor of the next page; ``None`` on the last.
    :param behind: accepted changes that the index does not include yet.
    """

    text: str
    understood: str
    warnings: tuple[QueryWarning, ...]
    did_you_mean: str | None
    terms: tuple[WordCount, ...]
    applied: dict[str, Any]
    articles: int
    paragraphs: int
    took_ms: float
    seq: int
    behind: int
    unit: str
    hits: tuple[ArticleHit, ...]
    facets: tuple[Facet, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleView:
    """One article, as a reader may see it.

    :param excerpts: every paragraph, whole, the headline included.
    :param marked: whether there was a query, whose words are marked.
    :param complete: whether marking ended in time; else no word is marked.
    :param state: name of the state that the article is in, for conditional writes.
    """

    article: Article
    current: bool
    seq: int
    at: datetime
    excerpts: tuple[Excerpt, ...]
    marked: bool
    understood: str
    warnings: tuple[QueryWarning, ...]
    state: str
    complete: bool = True
