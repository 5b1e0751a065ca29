"""Showing answers and articles to people: hits, passages, facets, metadata."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.text import Text

from index.archive import Answer, ArticleHit, ArticleView, Excerpt
from index.article import CONCEPT_FIELDS, Article
from index.cli.terminal import Screen, count, printable
from index.dates import iso
from index.engines import Facet
from index.query import QueryWarning
from index.text import Span

MATCH = "bold yellow"
_TAGS = re.compile("(</?mark>)")
# Fields of the article in a hit's line of metadata, in this order.
_META = ("published", "source", "section", "byline")
# Fields of a whole article, in this order; concepts, URL and rights follow.
_SHOWN = ("published", "updated", "source", "section", "byline", "dateline", "language")


def marked(text: str, marks: Iterable[Span]) -> Text:
    """Text for a terminal, with its matching spans highlighted."""
    shown = Text(printable(text))
    for start, end in marks:
        shown.stylize(MATCH, start, end)
    return shown


def marked_html(source: str) -> Text:
    """HTML of an answer as text for a terminal, with its ``<mark>`` highlighted."""
    shown, style = Text(), ""
    for part in _TAGS.split(source):
        if _TAGS.fullmatch(part):
            style = "" if part.startswith("</") else MATCH
        else:
            shown.append(printable(html.unescape(part)), style)
    return shown


def show_answer(screen: Screen, answer: Answer, names: Sequence[str]) -> None:
    """Print the answer to a search.

    :param names: of the facets, as requested.
    """
    show_warnings(screen, answer.text, answer.warnings)
    if answer.did_you_mean is not None:
        screen.line(f"did you mean: {answer.did_you_mean}", style="cyan")
    for number, hit in enumerate(answer.hits, 1):
        _show_hit(screen, number, hit, answer.unit)
    for name, facet in zip(names, answer.facets, strict=True):
        show_facet(screen, name, facet)
    behind = f"; the index is {answer.behind:,} behind" if answer.behind else ""
    screen.line(
        f"{count(answer.articles, 'article')}, {count(answer.paragraphs, 'paragraph')}"
        f" in {answer.took_ms:.1f} ms{behind}",
        style="bold",
    )
    if answer.next is not None:
        screen.line(f"more: --cursor {answer.next}", style="dim", wrap=False)


def show_warnings(screen: Screen, text: str, warnings: Iterable[QueryWarning]) -> None:
    """Print the warnings about a query: where it is not searched as it was typed."""
    for warning in warnings:
        part = text[warning.position : warning.position + warning.length]
        where = f" ({part!r}, at {warning.position})" if part else ""
        screen.line(f"warning: {warning.detail}{where}", style="magenta")


def _show_hit(screen: Screen, number: int, hit: ArticleHit, unit: str) -> None:
    headline = marked_html(hit.headline_html or "") or Text("(no headline)")
    headline.stylize_before("bold")
    screen.line(Text(f"{number}. ") + headline)
    article = hit.article
    meta = [str(article[name]) for name in _META if article.get(name)]
    meta += [article["id"], f"version {article['version']}", f"score {hit.score:g}"]
    screen.line(" · ".join(meta), indent=3, style="dim")
    for part in hit.parts or ():
        screen.line(
            f"{part.text}: article {part.article:g}, paragraph {part.paragraph:g}",
            indent=3,
            style="dim",
        )
    for passage in hit.passages:
        show_paragraph(screen, passage)
    left_out = hit.passages_total - len(hit.passages)
    if unit == "article" and hit.passages and left_out > 0:
        screen.line(f"and {count(left_out, 'paragraph')} more", indent=3, style="dim")
    screen.line()


def show_paragraph(screen: Screen, excerpt: Excerpt) -> None:
    """Print one paragraph with its number and role, matches highlighted."""
    kind = "" if excerpt.role == "body" else f" [{excerpt.role}]"
    shown = Text()
    shown.append(f"¶{excerpt.n}{kind} ", "dim")
    shown.append_text(marked(excerpt.text, excerpt.marks))
    if excerpt.credit:
        shown.append(f" ({printable(excerpt.credit)})", "dim")
    screen.line(shown, indent=3)


def show_facet(screen: Screen, name: str, facet: Facet) -> None:
    """Print a facet: its values and their counts."""
    screen.line(name, style="bold")
    rows = [
        (f"{value.value} ✓" if value.active else value.value, f"{value.count:,}")
        for value in facet.values
    ]
    for label in ("other", "missing"):
        if articles := getattr(facet, label):
            rows.append((f"({label})", f"{articles:,}"))
    screen.table(rows)
    screen.line()


def show_article(screen: Screen, view: ArticleView, q: str) -> None:
    """Print a whole article, with the matches of ``q`` highlighted."""
    show_warnings(screen, q, view.warnings)
    article = view.article
    headline = next((part for part in view.excerpts if part.n == 0), None)
    if headline is not None:
        title = marked(headline.text, headline.marks)
        title.stylize_before("bold")
        screen.line(title)
    current = "" if view.current else ", not current"
    rows = [("id", article.id), ("version", f"{article.version}{current}")]
    rows += [("status", article.status.value)]
    screen.table([*rows, *_metadata(article)])
    for excerpt in view.excerpts:
        if excerpt.n > 0:
            screen.line()
            show_paragraph(screen, excerpt)


def _metadata(article: Article) -> Iterator[tuple[str, str]]:
    for name in (*_SHOWN, *CONCEPT_FIELDS, "url", "usage_terms", "copyright"):
        value = getattr(article, name)
        if isinstance(value, datetime):
            yield name, iso(value)
        elif isinstance(value, tuple) and value:
            yield name, ", ".join(concept.name for concept in value)
        elif isinstance(value, str):
            yield name, value
