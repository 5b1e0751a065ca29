"""The page of an article: its text, with the words of the search that led to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, render_template, request
from marshmallow import fields

from index import dates
from index.archive import ArticleView, Excerpt
from index.article import Article, Concept
from index.rendering import REPRESENTATIONS
from service.api import article_answer
from service.authority import reader
from service.context import context
from service.exchange import (
    Choice,
    Text,
    checked_id,
    conditional_response,
    described,
    digest_of_request,
)
from service.pages.address import Address, Pair, article_address, fragment
from service.pages.edition import edition
from service.pages.remarks import Remark, remarks_of
from service.pages.results import (
    Zone,
    anchor_of,
    held_of,
    paragraph_anchor,
)
from service.pages.search import Form, SearchPageArguments, zone_of
from service.pages.writing import Instant, direction, title_of

FORMATS = ("json", *REPRESENTATIONS)
_OWN = ("id", "version", "format")  # parameters that are not of the search
_CONCEPTS = ("subjects", "people", "organisations", "places", "keywords", "genre")
_LINES = ("slugline", "dateline", "usage_terms", "copyright")


class ArticlePageArguments(SearchPageArguments):
    """Parameters of an article's page: those of the search that led to it, too."""

    version = Text(metadata=described("a version; by default the current one"))
    format = Choice(FORMATS, metadata=described("the article as a file"))


class ArticleByIdArguments(ArticlePageArguments):
    """The same with the id, for ids that no path can hold."""

    id: fields.Field[Any] = Text(required=True, metadata=described("the id"))


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph.

    :param kind: its role.
    :param html: escaped, with ``<mark>``.
    """

    n: int
    anchor: str
    href: str
    kind: str
    html: str
    credit: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the article; ``href`` is the search for it, blank if there is none."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A named group of values."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """Everything that the page of an article shows.

    :param headline_html: escaped, with ``<mark>``; blank if it has no headline.
    :param changed: when it was last changed, if that is not when it was published.
    :param back: the list of hits that it was found in, at its place; blank without one.
    :param current: the newest version, if this is an older one.
    :param held: why only some keys see it; blank if everybody does.
    :param original: where it was published first; blank if unknown.
    """

    title: str
    form: Form
    back: str
    headline_html: str
    kicker: Value | None
    source: Value | None
    byline: str
    published: Instant | None
    changed: Instant | None
    held: str
    version: str
    current: str
    correction: str
    note: str
    language: str
    direction: str
    blocks: tuple[Block, ...]
    rows: tuple[Row, ...]
    formats: tuple[Value, ...]
    original: str
    remarks: tuple[Remark, ...]


def article_by_id(arguments: dict[str, Any]) -> Response:
    """Page of an article whose id no path can hold."""
    return article(arguments, checked_id(arguments["id"]))


def article(arguments: dict[str, Any], article_id: str) -> Response:
    """Page of an article, or the article as a file."""
    q, name = arguments.get("q", ""), arguments.get("format")
    with context().archive.moment(reader=reader()) as moment:

        def answer() -> Response:
            view = moment.article(
                article_id,
                version=arguments.get("version"),
                q=q,
                within=arguments.get("in", "text"),
            )
            if name is not None:
                return article_answer(view, q, name)
            response = Response(
                render_template("article.html", page=_page_of(view, arguments)),
                content_type="text/html; charset=utf-8",
            )
            if not view.complete:
                response.cache_control.no_store = True  # the next one may have marks
            return response

        return conditional_response(
            moment.tag(
                f"{edition()} {request.script_root} {digest_of_request(arguments)}"
            ),
            answer,
        )


def _page_of(view: ArticleView, arguments: dict[str, Any]) -> ArticlePage:
    root, found = request.script_root, view.article
    searched = Address.of(f"{root}/", arguments).pairs
    pairs = tuple(pair for pair in searched if pair[0] not in _OWN)
    list_of_hits = Address(f"{root}/", pairs)
    zone = zone_of(arguments.get("tz", "UTC"))
    headline, blocks = _text_of(view, root, pairs)
    return ArticlePage(
        title=title_of(found.headline or found.id),
        form=Form(q=list_of_hits.value("q"), action=f"{root}/"),
        back=f"{list_of_hits}{fragment(anchor_of(found.id))}" if pairs else "",
        headline_html=headline,
        kicker=_search(root, "section", found.section),
        source=_search(root, "source", found.source),
        byline=found.byline or "",
        published=_instant(found.published, zone),
        changed=None
        if found.updated == found.published
        else _instant(found.updated, zone),
        held=held_of(
            found.status,
            None if found.embargoed_until is None else dates.iso(found.embargoed_until),
            zone,
        ),
        version=found.version or "",
        current="" if view.current else str(article_address(root, found.id, pairs)),
        correction=found.correction or "",
        note=found.ed_note or "",
        language=found.language or "",
        direction=direction(found.language),
        blocks=blocks,
        rows=tuple(_rows(found, root)),
        formats=tuple(_formats(view, root)),
        original=_web_address(found.url),
        remarks=remarks_of(arguments.get("q", ""), view.warnings),
    )


def _text_of(
    view: ArticleView, root: str, pairs: tuple[Pair, ...]
) -> tuple[str, tuple[Block, ...]]:
    """Headline and paragraphs, each with a link to itself."""
    here = str(article_address(root, view.article.id, pairs))
    headline, blocks = "", []
    for excerpt in view.excerpts:
        if excerpt.n == 0:
            headline = excerpt.html
        else:
            blocks.append(_block(excerpt, here))
    return headline, tuple(blocks)


def _block(excerpt: Excerpt, here: str) -> Block:
    anchor = paragraph_anchor(excerpt.n)
    return Block(
        n=excerpt.n,
        anchor=anchor,
        href=f"{here}{fragment(anchor)}",
        kind=str(excerpt.role),
        html=excerpt.html,
        credit=excerpt.credit or "",
    )


def _rows(article: Article, root: str) -> Iterator[Row]:
    for name in _CONCEPTS:
        concepts: tuple[Concept, ...] = getattr(article, name)
        if concepts:
            names = dict.fromkeys(concept.name for concept in concepts)
            yield Row(
                name.capitalize(),
                tuple(Value(text, _href(root, name, text)) for text in names),
            )
    for name in ("language", "type", "story", "urgency"):
        value = getattr(article, name)
        if value is not None:
            text = str(value)
            yield Row(name.capitalize(), (Value(text, _href(root, name, text)),))
    if article.evolved_from is not None:
        earlier = article_address(root, article.evolved_from)
        yield Row("Evolved from", (Value(article.evolved_from, str(earlier)),))
    for name in _LINES:
        text = getattr(article, name)
        if text is not None:
            yield Row(name.replace("_", " ").capitalize(), (Value(text),))
    yield Row("Id", (Value(article.id),))
    if article.version is not None:
        yield Row("Version", (Value(article.version),))


def _formats(view: ArticleView, root: str) -> Iterator[Value]:
    version = () if view.current else (("version", view.article.version or ""),)
    for name in FORMATS:
        pairs = (*version, ("format", name))
        yield Value(name, str(article_address(root, view.article.id, pairs)))


def _search(root: str, field: str, text: str | None) -> Value | None:
    return None if text is None else Value(text, _href(root, field, text))


def _href(root: str, field: str, text: str) -> str:
    return str(Address(f"{root}/", ((field, text),)))


def _instant(at: datetime | None, zone: Zone) -> Instant | None:
    return None if at is None else zone.instant(dates.iso(at))


def _web_address(url: str | None) -> str:
    """An address that may be a link: others could run a script."""
    is_web = url is not None and url.lower().startswith(("https://", "http://"))
    return url if is_web and url is not None else ""
