"""The search of a page as an API call, and in the other formats."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from page_markup import Page

from index.access import Scope
from index.archive import Archive
from service import create_app

QUERIES = (
    "",
    "q=harbour",
    "q=harbour%20%22strike%22%20it's%20%24(x)&section=Business&exclude.source=a",
    "q=harbour&unit=paragraph&explain=1&facet=section&facet_size=3&passages=1",
    "q=harbour&limit=1&page=2&passage_length=100&scope=paragraph&tz=Asia/Tokyo",
)


def call(page: Page) -> list[str]:
    return shlex.split(page.text("details//code"))


@pytest.mark.parametrize("query", QUERIES)
def test_the_line_asks_for_the_articles_of_the_page(
    reading: FlaskClient, query: str
) -> None:
    page = Page(reading.get(f"/?{query}"))
    program, address = call(page)
    assert program == "curl"
    assert address.startswith("http://localhost/v1/search")
    path = address.removeprefix("http://localhost")
    answer = reading.get(path)
    assert answer.status_code == 200
    if "page=" not in query:  # the call begins at the first hit
        hits = answer.json["hits"]
        found = [hit.get("headline") or hit["article"]["headline"] for hit in hits]
        assert page.texts("article//h2") == found


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("name", ["JSON", "Atom", "RSS", "CSV", "NDJSON"])
def test_every_format_answers(reading: FlaskClient, query: str, name: str) -> None:
    link = Page(reading.get(f"/?{query}")).link(name)
    assert urlsplit(link).path == f"/v1/search.{name.lower()}"
    answer = reading.get(link)
    assert answer.status_code == 200, answer.text


def test_a_page_shows_a_place_for_the_key_and_no_key(archive: Archive) -> None:
    secret = archive.keys.add("one", frozenset({Scope.SEARCH})).secret
    client = create_app(archive.settings, archive).test_client()
    page = Page(client.get("/?q=harbour", headers={"X-API-Key": secret}))
    assert call(page)[:3] == ["curl", "-H", "X-API-Key: YOUR-KEY"]
    assert secret not in page.source


def test_the_line_has_the_address_that_the_reader_used(reading: FlaskClient) -> None:
    page = Page(reading.get("/?q=harbour", headers={"X-Forwarded-Prefix": "/archive"}))
    assert call(page)[-1].endswith("/archive/v1/search?q=harbour")
    assert page.link("Atom") == "/archive/v1/search.atom?q=harbour"


def test_a_refused_search_is_no_call(reading: FlaskClient) -> None:
    assert Page(reading.get("/?q=a*")).all("details") == []
