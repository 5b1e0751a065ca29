"""Suggestions for the box: what is offered while somebody types, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from archives import index, put
from flask.testing import FlaskClient
from page_markup import Page

from index.access import Scope
from index.archive import Archive
from service import create_app


def suggested(client: FlaskClient, **query: Any) -> dict[str, list[dict[str, str]]]:
    """Options by the names of their groups."""
    answer = client.get("/suggest", query_string=query)
    assert answer.status_code == 200
    return {group["name"]: group["options"] for group in answer.json["groups"]}


def test_suggestions_are_those_of_the_api(reading: FlaskClient) -> None:
    for q in ("har", "harbour st", "food", "xyz", ""):
        offered = suggested(reading, q=q)
        texts = {each["text"] for options in offered.values() for each in options}
        answer = reading.get("/v1/suggest", query_string={"q": q, "limit": 8})
        assert texts == {each["text"] for each in answer.json["suggestions"]}


def test_a_word_becomes_the_query(reading: FlaskClient) -> None:
    (word,) = suggested(reading, q="harb", sort="oldest")["Words"]
    assert word["href"] == "/?q=harbour&sort=oldest"
    assert word["count"] == "2 articles"


def test_a_headline_leads_to_its_article(reading: FlaskClient) -> None:
    (first, *_) = suggested(reading, q="harbour str")["Articles"]
    assert first["text"] == "Harbour strike enters second week"
    assert Page(reading.get(first["href"])).text("h1") == first["text"]
    assert first["count"] == ""


def test_a_name_becomes_a_filter_beside_those_in_effect(reading: FlaskClient) -> None:
    (name,) = suggested(reading, q="busi", source="Harbour Desk")["Section"]
    assert name["href"] == "/?source=Harbour%20Desk&section=Business"
    assert Page(reading.get(name["href"])).all("article")


def test_every_suggestion_leads_to_something(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "..", "ferry", headline="Ferry <i> & more", people=['Fer "X" & <b>'])
    put(archive, "a/b?c#d", "ferry", headline="Ferry \u202eagain", places=["Ferrol/%"])
    index(archive)
    offered = suggested(client, q="fer")
    assert offered.keys() == {"Words", "Articles", "People", "Places"}
    for options in offered.values():
        for option in options:
            page = Page(client.get(option["href"]))
            assert page.status == 200
            assert page.all("article")


def test_suggestions_have_the_prefix_of_a_proxy(reading: FlaskClient) -> None:
    answer = reading.get("/suggest?q=harb", headers={"X-Forwarded-Prefix": "/archive"})
    for group in answer.json["groups"]:
        for option in group["options"]:
            assert option["href"].startswith("/archive/")


def test_suggestions_show_no_more_than_a_key_may_see(
    archive: Archive, index_now: Callable[[], None]
) -> None:
    held = {"embargoed_until": "2999-01-01T00:00:00Z", "people": ["Zelda Secret"]}
    put(archive, "held", "zeppelin", headline="Zebra hidden", **held)
    index_now()
    client = create_app(archive.settings, archive).test_client()

    def texts(*scopes: Scope) -> str:
        key = archive.keys.add("-".join(scopes), frozenset(scopes)).secret
        return "".join(
            client.get(path, headers={"X-API-Key": key}).text
            for path in ("/suggest?q=ze", "/suggest?q=zebra", "/hits?q=zeppelin")
        )

    public = texts(Scope.SEARCH)
    assert not any(word in public for word in ("Zelda", "zeppelin<", "Zebra"))
    editors = texts(Scope.SEARCH, Scope.READ_EMBARGOED)
    assert all(word in editors for word in ("Zelda", "Zebra hidden"))
    assert client.get("/suggest?q=ze").status_code in (303, 401)


@pytest.mark.parametrize("query", [{"q": "x" * 100_000}, {"q": "a", "nope": "1"}])
def test_a_faulty_request_for_suggestions_is_refused(
    reading: FlaskClient, query: dict[str, str]
) -> None:
    assert reading.get("/suggest", query_string=query).status_code in (400, 414)
