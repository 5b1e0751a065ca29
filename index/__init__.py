"""Nutgraf's library: articles in, ranked paragraphs out. It knows nothing of HTTP.

::

    from index import Archive, Request, Settings

    archive = Archive.open(Settings(store="sqlite:///data/nutgraf.db"))
    for hit in archive.search(Request(q="kerry talks")).hits:
        print(hit.article["headline"], hit.passages)

The names below are stable; everything else may move.
"""

from index.archive import Answer, Archive, ArticleHit, ArticleView, Excerpt
from index.article import (
    Article,
    Concept,
    Draft,
    Paragraph,
    Role,
    Status,
    article_of,
    document_of,
    draft_of,
)
from index.errors import InputError, NutgrafError, ServiceError
from index.query import Filter, Request, Scope, Sort, Unit
from index.settings import Settings

__all__ = [
    "Answer",
    "Archive",
    "Article",
    "ArticleHit",
    "ArticleView",
    "Concept",
    "Draft",
    "Excerpt",
    "Filter",
    "InputError",
    "NutgrafError",
    "Paragraph",
    "Request",
    "Role",
    "Scope",
    "ServiceError",
    "Settings",
    "Sort",
    "Status",
    "Unit",
    "article_of",
    "document_of",
    "draft_of",
]
