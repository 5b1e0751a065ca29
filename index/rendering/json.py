"""JSON documents of answers, the same for the HTTP API and the command line."""

from __future__ import annotations

from typing import Any

from index.archive import Answer, ArticleHit, ArticleView, Excerpt
from index.article import RIGHTS_FIELDS, Article, Paragraph, document_of, paragraph_json
from index.dates import iso
from index.engines import Facet
from index.errors import NutgrafError
from index.history import Difference, ParagraphChange
from index.query import QueryWarning, Request
from index.text import Span

Document = dict[str, Any]


def answer_document(answer: Answer, request: Request) -> Document:
    """Answer to a search, without the links, which only the API can make.

    Facets have the names of the request, such as ``published:month``.
    """
    hit_document = article_hit if answer.unit == "article" else paragraph_hit
    return {
        "query": {
            "text": answer.text,
            "understood": answer.understood,
            "warnings": [warning_document(warning) for warning in answer.warnings],
            "did_you_mean": answer.did_you_mean,
            "terms": [
                {"text": term.text, "articles": term.articles} for term in answer.terms
            ],
            "applied": answer.applied,
        },
        "total": {"articles": answer.articles, "paragraphs": answer.paragraphs},
        "took_ms": answer.took_ms,
        "index": {"seq": answer.seq, "behind": answer.behind},
        "hits": [hit_document(hit) for hit in answer.hits],
        "facets": {
            name: facet_document(facet)
            for name, facet in zip(request.facets, answer.facets, strict=True)
        },
        "next": answer.next,
    }


def warning_document(warning: QueryWarning) -> Document:
    """Warning about the text of the query."""
    return {
        "code": warning.code,
        "detail": warning.detail,
        "position": warning.position,
        "length": warning.length,
    }


def article_hit(hit: ArticleHit) -> Document:
    """Hit that is an article, with its best passages."""
    return {
        "unit": "article",
        **_article(hit),
        "score": hit.score,
        "passages_total": hit.passages_total,
        "passages": [excerpt_document(passage) for passage in hit.passages],
        **_explanation(hit),
    }


def paragraph_hit(hit: ArticleHit) -> Document:
    """Hit that is a paragraph, with its article inside."""
    (passage,) = hit.passages
    return {
        "unit": "paragraph",
        **excerpt_document(passage),
        "article": _article(hit),
    } | _explanation(hit)


def excerpt_document(excerpt: Excerpt, *, marked: bool = True) -> Document:
    """Paragraph, without the members that have no value.

    :param marked: whether to include its marks and its HTML.
    """
    excerpt_id, n, role, text, html, marks, score, credit, key = excerpt
    document: Document = {"id": excerpt_id, "n": n, "role": role}
    if score is not None:
        document["score"] = score
    document["text"] = text
    if marked:
        document["html"] = html
        document["marks"] = marks
    if credit is not None:
        document["credit"] = credit
    if key is not None:
        document["key"] = key
    return document


def article_document(view: ArticleView, q: str) -> Document:
    """Article with all its paragraphs."""
    document = document_of(view.article)
    document["paragraphs"] = [
        excerpt_document(excerpt, marked=view.marked) for excerpt in view.excerpts
    ]
    document |= {"current": view.current, "seq": view.seq, "at": iso(view.at)}
    if view.marked:
        document["query"] = {
            "text": q,
            "understood": view.understood,
            "warnings": [warning_document(warning) for warning in view.warnings],
        }
        if view.excerpts[0].n == 0:
            document["headline_html"] = view.excerpts[0].html
    return document


def rights_document(article: Article) -> Document:
    """Rights in an article: the fields about them that have a value."""
    rights = {name: getattr(article, name) for name in RIGHTS_FIELDS}
    return {name: text for name, text in rights.items() if text is not None}


def difference_document(difference: Difference) -> Document:
    """Differences between two versions of an article."""
    return {
        "id": difference.id,
        "from": difference.old,
        "to": difference.new,
        "coarse": difference.coarse,
        "fields": [
            {"name": change.name, "from": change.old, "to": change.new}
            for change in difference.fields
        ],
        "paragraphs": [_change_document(change) for change in difference.paragraphs],
    }


def error_document(error: NutgrafError) -> Document:
    """Error with its facts, as in a problem document."""
    return {"code": error.code, "detail": str(error), **error.facts}


def facet_document(facet: Facet) -> Document:
    """Facet: its listed values, and the articles that have none of them."""
    document: Document = {
        "values": [
            {"value": row.value, "count": row.count, "active": row.active}
            for row in facet.values
        ],
        "missing": facet.missing,
        "other": facet.other,
        "distinct": facet.distinct,
    }
    if facet.interval is not None:
        document["interval"] = facet.interval
    return document


def _article(hit: ArticleHit) -> Document:
    document: Document = {"id": hit.article["id"], "version": hit.article["version"]}
    if "headline" in hit.article:
        # Right after the plain headline.
        document["headline"] = hit.article["headline"]
        document["headline_html"] = hit.headline_html
    return document | hit.article


def _change_document(change: ParagraphChange) -> Document:
    document: Document = {
        "type": change.kind.value,
        "from": _marked_document(change.old, change.removed),
        "to": _marked_document(change.new, change.added),
        "html": change.html,
    }
    if change.moved is not None:
        document["moved"] = change.moved
    return document


def _marked_document(
    paragraph: Paragraph | None, marks: tuple[Span, ...]
) -> Document | None:
    if paragraph is None:
        return None
    return paragraph_json(paragraph) | {"marks": [[*mark] for mark in marks]}


def _explanation(hit: ArticleHit) -> Document:
    if hit.parts is None:
        return {}
    return {
        "explain": [
            {"text": part.text, "article": part.article, "paragraph": part.paragraph}
            for part in hit.parts
        ]
    }
