"""The page of an article: its text, its marks, and the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from archives import index, put
from flask.testing import FlaskClient
from page_markup import Page, plain

from index.archive import Archive
from index.rendering import REPRESENTATIONS

HARBOUR = "/articles/urn:test:harbour"


def test_a_page_has_the_text_with_the_words_marked(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=dockers+harbour"))
    assert page.text("h1") == "Harbour strike enters second week"
    assert [plain(mark) for mark in page.all("mark")] == [
        *("Harbour", "Dockers", "harbour"),
    ]
    paragraphs = page.by_class("block", "div")
    assert [each.get("id") for each in paragraphs] == ["p1", "p2", "p3"]
    assert plain(paragraphs[2]) == "Cranes stand still. Desk/Ana Berg"


def test_each_paragraph_has_a_link_to_itself(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=dockers"))
    links = [link.get("href") for link in page.by_class("anchor", "a")]
    assert links == ["#p1", "#p2", "#p3"]


def test_values_are_searches_for_them(reading: FlaskClient) -> None:
    page = Page(reading.get(HARBOUR))
    for text, address in (
        ("Business", "/?section=Business"),
        ("Harbour Desk", "/?source=Harbour%20Desk"),
        ("labour", "/?subjects=labour"),
        ("2", "/?urgency=2"),
        ("English", "/?language=en"),
    ):
        assert page.link(text) == address
        found = Page(reading.get(address))
        assert "Harbour strike enters second week" in found.texts("article//h2")


def test_the_way_back_is_the_search_at_its_place(
    archive: Archive, client: FlaskClient
) -> None:
    for number in range(5):
        put(archive, f"a/{number}", "A word about ferries.")
    index(archive)
    page = Page(client.get("/?q=ferries&tz=Asia/Tokyo&sort=oldest"))
    hit = page.all("article")[3]
    article = Page(client.get(hit.find(".//h2/a").get("href")))
    back = article.one("a[@data-back]").get("href")
    address, _, anchor = back.partition("#")
    assert address == "/?q=ferries&tz=Asia%2FTokyo&sort=oldest"
    assert anchor == quote(hit.get("id"), safe=":")
    again = Page(client.get(address))
    assert hit.get("id") in [each.get("id") for each in again.all("article")]


def test_without_a_search_the_way_back_is_to_all_articles(reading: FlaskClient) -> None:
    page = Page(reading.get(HARBOUR))
    assert page.all("a[@data-back]") == []
    assert page.link("← All articles") == "/"


def test_every_format_is_linked(reading: FlaskClient) -> None:
    page = Page(reading.get(HARBOUR))
    (formats,) = page.by_class("formats", "div")
    links = {plain(link): link.get("href") for link in formats.findall(".//a")}
    assert list(links) == ["json", *REPRESENTATIONS]
    for name, address in links.items():
        answer = reading.get(address)
        api = reading.get(f"/v1{HARBOUR}?format={name}")
        assert (answer.status_code, answer.data) == (200, api.data)
        assert answer.content_type == api.content_type
        assert "script-src" in answer.headers["Content-Security-Policy"] or (
            answer.headers["Content-Security-Policy"]
            == api.headers["Content-Security-Policy"]
        )


@pytest.mark.parametrize(
    "article_id",
    [
        "a/b",
        "a//b",
        "/",
        "a/versions",
        "..",
        ".",
        "a?b#c",
        "50%25",
        "é😀",
        "a&b=c",
        '"<x>',
    ],
)
def test_an_id_may_be_anything(
    archive: Archive, client: FlaskClient, article_id: str
) -> None:
    put(archive, article_id, "A word about ferries.", headline="Ferries")
    index(archive)
    page = Page(client.get("/?q=ferries"))
    hit = page.one("article")
    assert hit.get("id") == f"a:{article_id}"
    for link in hit.findall(".//a"):
        address = link.get("href").partition("#")[0]
        article = Page(client.get(address))
        assert (article.status, article.text("h1")) == (200, "Ferries")
    assert all(
        part not in (".", "..") for part in hit.find(".//a").get("href").split("/")
    )


def test_plain_slashes_in_a_path_are_those_of_an_id(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "https://news.example/a")
    assert client.get("/articles/https://news.example/a").status_code == 200


def test_a_killed_article_has_its_notice(archive: Archive, client: FlaskClient) -> None:
    put(archive, "a", "Wrong words.")
    archive.kill("a", note="Wrong <b>person</b>", replacement="b/c")
    page = Page(client.get("/articles/a"))
    assert page.status == 410
    assert page.text("h1") == "This article was killed"
    words = page.text("main")
    assert "Wrong <b>person</b>" in words
    assert page.link("b/c") == "/articles/b%2Fc"
    assert page.all("main//time")
    assert "Wrong words" not in page.source


def test_an_article_that_is_not_there_is_not_found(reading: FlaskClient) -> None:
    for path in ("/articles/none", "/article?id=none", f"{HARBOUR}?version=9"):
        page = Page(reading.get(path))
        assert (page.status, page.one("main").get("data-code")) == (
            404,
            "article_not_found",
        )


def test_an_older_version_leads_to_the_current_one(
    archive: Archive, client: FlaskClient
) -> None:
    for text in ("Old words.", "New words."):
        put(archive, "a", text)
    page = Page(client.get("/articles/a?version=1&q=words"))
    assert "Old words." in page.text("article")
    assert page.link("Read the current version") == "/articles/a?q=words"
    assert page.link("json") == "/articles/a?version=1&format=json"


@pytest.mark.parametrize(
    ("language", "direction"),
    [
        *(("ar", "rtl"), ("fa-AF", "rtl"), ("he", "rtl"), ("ur", "rtl")),
        *(("az-Arab", "rtl"), ("ar-Latn", "ltr"), ("ku", "ltr"), ("ckb-IQ", "rtl")),
        *(("en", "ltr"), ("ta", "ltr"), ("zh-Hans", "ltr"), ("pa-Arab-PK", "rtl")),
        (None, "auto"),
    ],
)
def test_a_text_has_its_language_and_direction(
    archive: Archive, client: FlaskClient, language: str | None, direction: str
) -> None:
    given: dict[str, Any] = {} if language is None else {"language": language}
    put(archive, "a", "A word about ferries.", **given)
    index(archive)
    article = Page(client.get("/articles/a")).one("article")
    assert (article.get("lang"), article.get("dir")) == (language, direction)
    hit = Page(client.get("/?q=ferries")).one("article")
    assert (hit.get("lang"), hit.get("dir")) == (language, direction)


def test_only_web_addresses_are_links_to_other_sites(
    archive: Archive, client: FlaskClient
) -> None:
    for number, url in enumerate(("javascript:alert(1)", "data:text/html,x", "//x.y")):
        put(archive, f"a{number}", url=url)
        page = Page(client.get(f"/articles/a{number}"))
        assert url not in page.links()
    put(archive, "b", url="https://news.example/b")
    (link,) = Page(client.get("/articles/b")).all("a[contains(@rel, 'external')]")
    assert link.get("href") == "https://news.example/b"
