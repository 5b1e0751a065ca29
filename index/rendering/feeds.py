"""Feeds: a page of a search as the items that every format of feed has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from index.archive import ArticleHit, FeedPage, Removal
from index.dates import instant
from index.rendering.links import permalink
from index.settings import Settings

# The fields of an article that feeds are written from.
FEED_FIELDS = (
    *("headline", "byline", "published", "language"),
    *("section", "subjects", "keywords", "source", "url"),
)
# RFC 3987, near enough: a scheme, and no character that an IRI cannot have.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20<>\"{}|\\^`\x7f-\x9f]+\Z")
_ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_URN = "urn:x-nutgraf:"  # of ids that are no IRIs
_TITLE = "Nutgraf"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLinks:
    """Addresses of a feed, all absolute.

    :param page: of this page.
    :param feed: of its first page.
    :param next: of the next page; ``None`` on the last.
    :param description: of the search, for OpenSearch.
    """

    page: str
    feed: str
    next: str | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article in a feed.

    :param id: an IRI.
    :param link: where people read it; ``None`` if nobody said where.
    :param html: its best passage, with the matches marked.
    :param updated: when the version that shows was stored.
    """

    id: str
    title: str
    link: str | None
    html: str
    published: datetime | None
    updated: datetime
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    language: str | None
    source: str | None
    rights: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A page of a search, ready to be written in a format of feeds.

    :param removals: what disappeared, each with an IRI for its id.
    """

    title: str
    links: FeedLinks
    updated: datetime
    total: int
    items: tuple[Item, ...]
    removals: tuple[Removal, ...]


def feed_of(page: FeedPage, links: FeedLinks, settings: Settings) -> Feed:
    """Feed of a page of a search whose hits have :data:`FEED_FIELDS`."""
    items = tuple(_item(hit, page, settings) for hit in page.answer.hits)
    removals = tuple(
        Removal(id=iri_of(removal.id), at=removal.at) for removal in page.removals
    )
    instants = [item.updated for item in items] + [each.at for each in removals]
    text = page.answer.text.strip()
    return Feed(
        title=f"{_TITLE}: {text}" if text else _TITLE,
        links=links,
        updated=max(instants, default=page.changed),
        total=page.answer.articles,
        items=items,
        removals=removals,
    )


def iri_of(article_id: str) -> str:
    """IRI of an article: its id where that is one, else a URN that contains it.

    ::

        iri_of("tag:news.example,2026:a-1")  # "tag:news.example,2026:a-1"
        iri_of("a/1")  # "urn:x-nutgraf:a%2F1"
    """
    is_iri = _IRI.match(article_id) and not _ESCAPES.search(article_id)
    if is_iri and not article_id.startswith(_URN):
        return article_id
    return _URN + quote(article_id, safe="")


def _item(hit: ArticleHit, page: FeedPage, settings: Settings) -> Item:
    article = hit.article
    published = article["published"]
    link = permalink(article["id"], article["url"], settings)
    rights = [article[name] for name in ("copyright", "usage_terms") if name in article]
    section = [article["section"]] if article["section"] else []
    concepts = [*(article["subjects"] or ()), *(article["keywords"] or ())]
    return Item(
        id=iri_of(article["id"]),
        title=article["headline"] or article["id"],
        # Readers follow it: no script, and no file of theirs.
        link=link if link is not None and _WEB.match(link) else None,
        html=_summary(hit),
        published=None if published is None else instant(published),
        updated=page.stored[article["id"]],
        authors=(article["byline"],) if article["byline"] else (),
        tags=tuple(dict.fromkeys([*section, *map(_name, concepts)])),
        language=article["language"],
        source=article["source"],
        rights="\n".join(rights) or None,
    )


def _summary(hit: ArticleHit) -> str:
    """Best passage; the headline of an article that has nothing else."""
    for passage in hit.passages:
        return passage.html
    return hit.headline_html or escape(hit.article["id"])


def _name(concept: str | dict[str, Any]) -> str:
    return concept if isinstance(concept, str) else str(concept["name"])
