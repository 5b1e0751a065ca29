"""Hostile texts: markup and direction marks in articles and queries stay text."""

from __future__ import annotations

import pytest
from archives import index, put
from flask.testing import FlaskClient
from page_markup import Page, plain

from index.archive import Archive

TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "<!--<b>",
    "&lt;script&gt;",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202eright to left\u202c",
    "\u2066isolated",
    "<mark>ferries</mark>",
)


@pytest.mark.parametrize("text", TEXTS)
def test_values_of_an_article_stay_text(
    archive: Archive, client: FlaskClient, text: str
) -> None:
    names = ("headline", "section", "source", "byline", "slugline", "dateline")
    put(
        archive,
        "hostile",
        f"ferries {text}",
        people=[text],
        keywords=[text],
        story=text,
        correction=text,
        copyright=text,
        url=text,
        **dict.fromkeys(names, text),
    )
    index(archive)
    seen = 0
    for path in ("/", "/?q=ferries", "/articles/hostile"):
        page = Page(client.get(path))
        assert page.status == 200
        assert list(page.foreign()) == []
        assert all(plain(mark) == "ferries" for mark in page.all("mark"))
        seen += len(
            [part for part in page.texts("bdi") if part == " ".join(text.split())]
        )
    assert seen > 3


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "name", ["q", "section", "exclude.people", "from", "nope", "tz"]
)
def test_what_is_asked_stays_text(reading: FlaskClient, name: str, text: str) -> None:
    for path in ("/", "/articles/urn:test:harbour", "/articles/none"):
        page = Page(reading.get(path, query_string={name: text}))
        assert list(page.foreign()) == []


@pytest.mark.parametrize("text", TEXTS)
def test_names_of_parameters_stay_text(reading: FlaskClient, text: str) -> None:
    page = Page(reading.get("/", query_string={text: "1", "q": "harbour"}))
    assert page.status == 400
    assert list(page.foreign()) == []


def test_the_form_of_a_faulty_search_has_no_names_but_those_of_a_search(
    reading: FlaskClient,
) -> None:
    names = ("dataset", "action", "elements", "addEventListener", "key", "submit")
    query = dict.fromkeys(names, "1")
    page = Page(reading.get("/", query_string={**query, "q": "(a", "section": "x"}))
    assert page.status == 400
    fields = page.all("form[contains(@class, 'ask')]//input/@name")
    assert fields == ["q", "section"]


def test_a_title_has_no_marks_that_turn_it(reading: FlaskClient) -> None:
    page = Page(reading.get("/", query_string={"q": "\u202eevil\u2066"}))
    assert page.text("title") == "evil – Nutgraf"


def test_typed_text_is_isolated(reading: FlaskClient) -> None:
    query = {"q": "xyl\u202e ophone", "section": "\u202eevil"}
    page = Page(reading.get("/", query_string=query))
    for element in page.root.iter():
        if not isinstance(element.tag, str) or element.tag in ("h1", "title"):
            continue
        if "\u202e" in (element.text or ""):
            assert element.tag == "bdi" or element.get("dir") == "auto"
