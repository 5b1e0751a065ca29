"""Articles to fill engines with, and short forms of searches."""

from __future__ import annotations

from typing import Any

from articles import article
from engines.kinds import NOW

from index.article import PLACES, Article
from index.engines import Engine, Facet, Page
from index.query import All, Query, Search, Sort


def fill(engine: Engine, *articles: Article, seq: int = 1) -> None:
    engine.apply(articles, (), seq=seq)


def search(engine: Engine, query: Query = All(), **options: Any) -> Page:  # noqa: B008
    options.setdefault("now", NOW)
    if "in_" in options:
        options["places"] = PLACES[options.pop("in_")]
    return engine.snapshot().search(Search(query=query, **options))


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


def matching_ids(engine: Engine, query: Query, **options: Any) -> list[str]:
    options.setdefault("sort", Sort.OLDEST)
    return sorted(ids(search(engine, query, limit=100, **options)))


def counts(facet: Facet) -> dict[str, int]:
    return {value.value: value.count for value in facet.values}


KERRY = article(
    "kerry",
    "Kerry spoke in Washington on the talks.",
    "Hospitals were hit in Aleppo.",
    {"role": "caption", "text": "A street in Aleppo", "credit": "Desk"},
    headline="Talks close to collapse over Aleppo",
    published="2016-09-29T10:00:00Z",
    source="World Desk",
    section="World",
    places=["Aleppo", "Washington"],
    people=["John Kerry"],
    byline="By Ada Reporter",
    urgency=2,
    language="en",
)
LAVROV = article(
    "lavrov",
    "Lavrov met Kerry in Geneva.",
    "The truce is running out, he said.",
    headline="Russia says truce holds",
    published="2016-09-12",
    source="world desk",
    section="World",
    places=["Geneva"],
    people=["Sergei Lavrov", "John Kerry"],
    language="en",
)
COCOA = article(
    "cocoa",
    "Cocoa prices ran up again.",
    headline="Cocoa at a new high",
    published="2017-01-05",
    source="Business Desk",
    section="Business",
    urgency=7,
    keywords=["cocoa", "commodities"],
    language="en-GB",
)
UNDATED = article("undated", "A note without a date about cocoa.", language="en")


def walk(engine: Engine, query: Query, size: int, **options: Any) -> list[Any]:
    rows: list[Any] = []
    after = None
    while True:
        page = search(engine, query, limit=size, after=after, **options)
        rows.extend((hit.id, hit.key.n) for hit in page.hits)
        if page.after is None:
            return rows
        after = page.after
