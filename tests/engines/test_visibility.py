"""Invisible articles show nowhere: not in hits, counts, facets or words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from articles import article
from engines.kinds import NOW, word
from engines.searches import fill, search

from index.access import visible
from index.engines import Engine
from index.query import All, FacetRequest, Filter, Interval, Reader, Search


def everywhere(engine: Engine, **options: Any) -> set[str]:
    """The parts of answers in which an article shows."""
    snapshot = engine.snapshot()
    asked = Search(
        query=word("secretword"),
        facets=(
            FacetRequest(field="source"),
            FacetRequest(field="published", interval=Interval.DAY),
        ),
        **{"now": NOW, **options},
    )
    page = snapshot.search(asked)
    seen = set()
    if page.hits:
        seen.add("hits")
    if page.articles or page.paragraphs:
        seen.add("totals")
    if any(value.count for facet in page.facets for value in facet.values):
        seen.add("facets")
    if any(facet.missing for facet in page.facets):
        seen.add("missing")
    if page.terms[0].articles:
        seen.add("terms")
    if snapshot.completions("secretw", asked, 10):
        seen.add("words")
    if list(snapshot.corrections("secretwurd", asked)):
        seen.add("spelling")
    return seen


EVERYWHERE = {"hits", "totals", "facets", "terms", "words", "spelling"}
HELD = {
    "withheld": {"status": "withheld"},
    "canceled": {"status": "canceled"},
    "embargoed": {"embargoed_until": "2024-06-01T12:00:01Z"},
    "expired": {"expires": "2024-06-01T12:00:00Z"},
}


@pytest.mark.parametrize("reason", HELD)
def test_an_invisible_article_shows_nowhere(engine: Engine, reason: str) -> None:
    values = {"source": "Desk", "published": "2020-01-01", **HELD[reason]}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    assert everywhere(engine) == set()


def test_a_visible_article_shows_everywhere(engine: Engine) -> None:
    values = {"source": "Desk", "published": "2020-01-01"}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    assert everywhere(engine) == EVERYWHERE


def test_an_embargo_ends_and_an_article_expires_at_their_instants(
    engine: Engine,
) -> None:
    values = {
        "source": "Desk",
        "published": "2020-01-01",
        "embargoed_until": "2024-06-01T12:00:00Z",
        "expires": "2024-06-01T13:00:00Z",
    }
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    second = timedelta(seconds=1)
    assert everywhere(engine, now=NOW - second) == set()
    assert everywhere(engine, now=NOW) == EVERYWHERE
    assert everywhere(engine, now=NOW + timedelta(hours=1) - second) == EVERYWHERE
    assert everywhere(engine, now=NOW + timedelta(hours=1)) == set()


@pytest.mark.parametrize("reason", HELD)
def test_a_held_article_shows_everywhere_to_readers_with_the_right(
    engine: Engine, reason: str
) -> None:
    values = {"source": "Desk", "published": "2020-01-01", **HELD[reason]}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    shows = EVERYWHERE if reason in ("withheld", "embargoed") else set()
    assert everywhere(engine, reader=Reader(held=True)) == shows
    assert everywhere(engine) == set(), "and nobody else does afterwards"


@pytest.mark.parametrize(
    ("wanted", "shows"),
    [
        (Filter(field="source", values=("desk", "else")), True),
        (Filter(field="source", values=("else",)), False),
        (Filter(field="source", values=("DESK",), exclude=True), False),
        (Filter(field="source", values=("else",), exclude=True), True),
        (Filter(field="section", missing=True), True),
        (Filter(field="section", missing=True, exclude=True), False),
        (Filter(field="urgency", values=("2",)), True),
    ],
    ids=str,
)
def test_a_readers_filter_applies_everywhere(
    engine: Engine, wanted: Filter, shows: bool
) -> None:
    values = {"source": "Desk", "published": "2020-01-01", "urgency": 2}
    a, b = article("a", "The secretword.", **values), article("b", "other")
    fill(engine, a, b)
    reader = Reader(filters=(wanted,))
    assert everywhere(engine, reader=reader) == (EVERYWHERE if shows else set())
    assert visible(a, NOW, reader) is shows
    assert everywhere(engine) == EVERYWHERE, "others see it as before"


def test_a_facet_does_not_ignore_the_readers_filter_on_its_field(
    engine: Engine,
) -> None:
    fill(
        engine, article("a", "One.", source="Desk"), article("b", "Two.", source="Wire")
    )
    page = search(
        engine,
        All(),
        filters=(Filter(field="source", values=("Desk",)),),
        facets=(FacetRequest(field="source"),),
        reader=Reader(filters=(Filter(field="source", values=("Desk",)),)),
    )
    assert [(each.value, each.count) for each in page.facets[0].values] == [("Desk", 1)]


def test_hidden_ids_show_nowhere(engine: Engine) -> None:
    values = {"source": "Desk", "published": "2020-01-01"}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    assert everywhere(engine, hidden=frozenset({"a", "unknown"})) == set()
