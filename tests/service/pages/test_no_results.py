"""No results: which word has none, and the searches nearby that have some."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from archives import index, put
from flask.testing import FlaskClient
from page_markup import Page, plain

from index.archive import Archive, Question
from index.engines.memory.engine import MemorySnapshot
from index.errors import SearchTimeout
from index.query import Request, Search


def nothing(client: FlaskClient, **query: Any) -> Page:
    page = Page(client.get("/?" + urlencode(query, doseq=True)))
    assert page.status == 200
    assert page.all("article") == []
    return page


def offers(page: Page) -> dict[str, tuple[str, str]]:
    """Count and address of each offer, by its text."""
    return {
        plain(row.find(".//a")): (
            plain(row.find("span")),
            row.find(".//a").get("href"),
        )
        for lists in page.by_class("offers", "ul")
        for row in lists
    }


def test_words_that_no_article_has_are_left_out_of_the_query(
    reading: FlaskClient,
) -> None:
    page = nothing(reading, q="harbour xylophone", section="Business")
    assert offers(page) == {
        "Search for harbour": ("2 articles", "/?q=harbour&section=Business")
    }


@pytest.mark.parametrize(
    "q", ['"harbour xylophone"', "harbour AND xylophone", "section:xylophone harbour"]
)
def test_a_query_with_signs_is_left_as_it_is(reading: FlaskClient, q: str) -> None:
    assert offers(nothing(reading, q=q)) == {}


def test_words_that_no_article_has_together_are_offered_one_by_one(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "a", "The ferry left.")
    put(archive, "b", "The train and the tram left.")
    index(archive)
    label = "Search for any of these words"
    assert offers(nothing(client, q="ferry and tram and ferry")) == {
        label: ("2 articles", "/?q=ferry%20OR%20tram")
    }
    assert label not in offers(nothing(client, q="ferry xylophone"))
    assert offers(nothing(client, q="ferry AND tram")) == {}


def test_the_filter_that_excludes_everything_is_offered_to_leave_out(
    reading: FlaskClient,
) -> None:
    page = nothing(reading, q="harbour", section=["Business", "x"], source="Nobody")
    assert offers(page) == {
        "Leave out the filter Source Nobody": (
            "2 articles",
            "/?q=harbour&section=Business&section=x",
        ),
        "Search without any filter": ("2 articles", "/?q=harbour"),
    }


def test_a_period_and_an_exclusion_are_filters_too(reading: FlaskClient) -> None:
    dated = {"from": "1990", "to": "1991"}
    assert offers(nothing(reading, q="harbour", **dated)) == {
        "Search in all years": ("2 articles", "/?q=harbour")
    }
    excluded = {"exclude.section": "Business"}
    assert offers(nothing(reading, q="dockers", **excluded)) == {
        "Leave out the filter not Section Business": ("1 article", "/?q=dockers")
    }
    assert offers(nothing(reading, q="dockers", **{"in": "headline"})) == {
        "Look for the words in the whole text": ("1 article", "/?q=dockers")
    }
    assert offers(nothing(reading, q="dockers", **{"missing.section": "1"})) == {
        "Leave out the filter Section none": ("1 article", "/?q=dockers")
    }


def test_words_of_several_paragraphs_are_offered_in_the_article(
    reading: FlaskClient,
) -> None:
    page = nothing(reading, q="harbour talks", scope="paragraph")
    assert offers(page) == {
        "Look for the words anywhere in the article": (
            "2 articles",
            "/?q=harbour%20talks",
        )
    }


def test_every_offer_has_as_many_articles_as_it_says(reading: FlaskClient) -> None:
    page = nothing(
        reading, q="harbour", section="Nowhere", scope="paragraph", **{"from": "2015"}
    )
    assert len(offers(page)) > 1
    for count, href in offers(page).values():
        status = Page(reading.get(href)).text("*[@role='status']")
        assert status.startswith(count)


def test_where_nothing_helps_nothing_is_offered(reading: FlaskClient) -> None:
    page = nothing(reading, q="xylophone", section="Business", source="Nobody")
    assert offers(page) == {}
    assert page.by_class("nothing-offers") == []


def test_offers_take_a_bounded_number_of_searches(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []
    count = Question.count

    def counting(question: Question, request: Request) -> int:
        asked.append(request)
        return count(question, request)

    monkeypatch.setattr(Question, "count", counting)
    fields = ("section", "source", "people", "places", "subjects", "genre", "story")
    filters = {name: ["x"] for field in fields for name in (field, f"exclude.{field}")}
    nothing(reading, q="harbour nowhere xylophone", scope="paragraph", **filters)
    assert 0 < len(asked) <= 10
    assert {(each.limit, each.facets) for each in asked} == {(0, ())}


def test_the_page_is_complete_without_offers_that_take_too_long(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(question: Question, request: Request) -> int:
        raise SearchTimeout(1.0)

    monkeypatch.setattr(Question, "count", slow)
    page = nothing(reading, q="harbour", section="Nowhere")
    assert offers(page) == {}
    assert "Nothing found" in page.text("main")


def test_offers_end_by_the_deadline_of_the_search_and_are_of_its_moment(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Search] = []
    search = MemorySnapshot.search

    def noting(snapshot: MemorySnapshot, request: Search) -> Any:
        asked.append(request)
        return search(snapshot, request)

    monkeypatch.setattr(MemorySnapshot, "search", noting)
    nothing(reading, q="harbour", section="Nowhere", source="Nobody")
    first, *offered = asked
    assert len(offered) > 2
    assert {(each.deadline, each.now) for each in offered} == {
        (first.deadline, first.now)
    }


def test_what_was_typed_stays_text_in_an_offer(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "x", "ferries")
    index(archive)
    hostile = "\u202e<img src=x onerror=alert(1)>"
    page = nothing(client, q="ferries", section=hostile)
    assert list(page.foreign()) == []
    (value,) = (each for each in page.by_class("word", "bdi") if "img" in plain(each))
    assert value.text == hostile
