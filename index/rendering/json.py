"""The JSON form of an answer, the same for the HTTP API and the command line."""

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


def answer_document(answer: Answer, asked: Request) -> Document:
    """Return an answer as the API gives it, without the addresses that only it knows.

    Facets go by the names they were asked for by, such as ``published:month``.
    """
    rendered = article_hit if answer.unit == "article" else paragraph_hit
    return {
        "query": {
            "text": answer.text,
            "understood": answer.understood,
            "warnings": [warning_document(each) for each in answer.warnings],
            "did_you_mean": answer.did_you_mean,
            "terms": [
                {"text": each.text, "articles": each.articles} for each in answer.terms
            ],
            "applied": answer.applied,
        },
        "total": {"articles": answer.articles, "paragraphs": answer.paragraphs},
        "took_ms": answer.took_ms,
        "index": {"seq": answer.seq, "behind": answer.behind},
        "hits": [rendered(hit) for hit in answer.hits],
        "facets": {
            name: facet_document(facet)
            for name, facet in zip(asked.facets, answer.facets, strict=True)
        },
        "next": answer.next,
    }


def warning_document(warned: QueryWarning) -> Document:
    """Return a warning about the query's text."""
    return {
        "code": warned.code,
        "detail": warned.detail,
        "position": warned.position,
        "length": warned.length,
    }


def article_hit(hit: ArticleHit) -> Document:
    """Return a hit that is an article with its best passages."""
    found = {**_article(hit), "score": hit.score, "passages_total": hit.passages_total}
    found["passages"] = [excerpt_document(each) for each in hit.passages]
    return found | _explained(hit)


def paragraph_hit(hit: ArticleHit) -> Document:
    """Return a hit that is a paragraph, with its article inside."""
    (passage,) = hit.passages
    return {**excerpt_document(passage), "article": _article(hit)} | _explained(hit)


def excerpt_document(excerpt: Excerpt, *, marked: bool = True) -> Document:
    """Return a paragraph; what is unknown of it is left out.

    :param marked: with its marks and its HTML.
    """
    found: Document = {"id": excerpt.id, "n": excerpt.n, "role": excerpt.role}
    if excerpt.score is not None:
        found["score"] = excerpt.score
    found["text"] = excerpt.text
    if marked:
        found["html"] = excerpt.html
        found["marks"] = [[start, end] for start, end in excerpt.marks]
    if excerpt.credit is not None:
        found["credit"] = excerpt.credit
    if excerpt.key is not None:
        found["key"] = excerpt.key
    return found


def article_document(view: ArticleView, q: str) -> Document:
    """Return an article with all its paragraphs."""
    found = document_of(view.article)
    found["paragraphs"] = [
        excerpt_document(each, marked=view.marked) for each in view.excerpts
    ]
    found |= {"current": view.current, "seq": view.seq, "at": iso(view.at)}
    if view.marked:
        found["query"] = {
            "text": q,
            "understood": view.understood,
            "warnings": [warning_document(each) for each in view.warnings],
        }
        if view.excerpts[0].n == 0:
            found["headline_html"] = view.excerpts[0].html
    return found


def rights_document(article: Article) -> Document:
    """Return what is known of what may be done with an article."""
    found = {name: getattr(article, name) for name in RIGHTS_FIELDS}
    return {name: text for name, text in found.items() if text is not None}


def difference_document(difference: Difference) -> Document:
    """Return what two versions differ in."""
    return {
        "id": difference.id,
        "from": difference.old,
        "to": difference.new,
        "coarse": difference.coarse,
        "fields": [
            {"name": each.name, "from": each.old, "to": each.new}
            for each in difference.fields
        ],
        "paragraphs": [_change_document(each) for each in difference.paragraphs],
    }


def error_document(error: NutgrafError) -> Document:
    """Return an error with its facts, as a problem document has them."""
    return {"code": error.code, "detail": str(error), **error.facts}


def facet_document(facet: Facet) -> Document:
    """Return one facet: its values as listed, and the articles that are in none."""
    found: Document = {
        "values": [
            {"value": each.value, "count": each.count, "active": each.active}
            for each in facet.values
        ],
        "missing": facet.missing,
        "other": facet.other,
        "distinct": facet.distinct,
    }
    if facet.interval is not None:
        found["interval"] = facet.interval
    return found


def _article(hit: ArticleHit) -> Document:
    found: Document = {"id": hit.article["id"], "version": hit.article["version"]}
    if "headline" in hit.article:
        # The marked headline stands right after the plain one.
        found["headline"] = hit.article["headline"]
        found["headline_html"] = hit.headline_html
    return found | hit.article


def _change_document(change: ParagraphChange) -> Document:
    found: Document = {
        "type": change.kind.value,
        "from": _marked_document(change.old, change.removed),
        "to": _marked_document(change.new, change.added),
        "html": change.html,
    }
    if change.moved is not None:
        found["moved"] = change.moved
    return found


def _marked_document(
    paragraph: Paragraph | None, marks: tuple[Span, ...]
) -> Document | None:
    if paragraph is None:
        return None
    return paragraph_json(paragraph) | {"marks": [[*mark] for mark in marks]}


def _explained(hit: ArticleHit) -> Document:
    if hit.parts is None:
        return {}
    return {
        "explain": [
            {"text": part.text, "article": part.article, "paragraph": part.paragraph}
            for part in hit.parts
        ]
    }
