"""More hits: the next page of a list, for a link and for the script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from archives import index, put
from flask.testing import FlaskClient
from page_markup import Page

from index.archive import Archive, Question
from index.query import Request


@pytest.fixture
def ferries(archive: Archive, client: FlaskClient) -> FlaskClient:
    """A client of an archive with seven articles about ferries."""
    for number in range(7):
        put(archive, f"n{number}", "A word about ferries.", headline=f"N {number}")
    index(archive)
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    """The searches that are answered."""
    requests: list[Request] = []
    answer = Question.answer

    def noting(self: Question) -> object:
        requests.append(self._request)
        return answer(self)

    monkeypatch.setattr(Question, "answer", noting)
    return requests


def test_the_script_gets_the_hits_that_the_link_leads_to(ferries: FlaskClient) -> None:
    for query in ("q=ferries&limit=3", "q=ferries&limit=3&unit=paragraph", "limit=2"):
        link = Page(ferries.get(f"/?{query}")).one("a[@rel='next']")
        page = Page(ferries.get(link.get("href")))
        hits = Page(ferries.get(link.get("data-hits")))
        for path in ("article//h2", "article//p"):
            assert hits.texts(path) == page.texts(path)
        assert [each.get("id") for each in hits.all("article")] == [
            each.get("id") for each in page.all("article")
        ]
        assert [each.attrib for each in hits.all("a")] == [
            each.attrib for each in page.all("section//article//a")
        ] + [each.attrib for each in page.all("a[@rel='next']")]


def test_a_later_page_says_so_and_leads_to_the_first(ferries: FlaskClient) -> None:
    first = Page(ferries.get("/?q=ferries&limit=3"))
    assert first.by_class("continued") == []
    assert Page(ferries.get("/?q=ferries&page=1")).by_class("continued") == []
    for later in (first.link("More"), "/?q=ferries&limit=3&page=2"):
        (note,) = Page(ferries.get(later)).by_class("continued")
        assert note.find("a").get("href") == "/?q=ferries&limit=3"


def test_hits_by_themselves_count_no_facets(
    ferries: FlaskClient, asked: list[Request]
) -> None:
    hits = Page(ferries.get("/hits?q=ferries&facet=section&limit=3"))
    assert len(hits.all("article")) == 3
    assert [each.facets for each in asked] == [()]


def test_the_empty_page_asks_once(ferries: FlaskClient, asked: list[Request]) -> None:
    page = Page(ferries.get("/"))
    assert len(page.by_class("examples", "p")) == 1
    assert len(asked) == 1


def test_hits_that_have_not_changed_are_not_sent_again(ferries: FlaskClient) -> None:
    first = ferries.get("/hits?q=ferries")
    sent = {"If-None-Match": first.headers["ETag"]}
    assert ferries.get("/hits?q=ferries", headers=sent).status_code == 304
    assert ferries.get("/?q=ferries", headers=sent).status_code == 200


def test_a_faulty_cursor_is_a_problem(ferries: FlaskClient) -> None:
    assert ferries.get("/hits?q=ferries&cursor=x").status_code == 400


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("q=harbour&from=&to=", "/?q=harbour"),
        ("from=&q=a%20b&section=&section=x", "/?q=a%20b&section=x"),
        ("q=", "/"),
        ("exclude.people=&q=%C3%A4+%26", "/?q=%C3%A4+%26"),
        ("q=a&missing%2Egenre=", "/?q=a"),
    ],
)
def test_empty_fields_of_a_form_leave_the_address(
    reading: FlaskClient, sent: str, kept: str
) -> None:
    answer = reading.get(f"/?{sent}")
    assert (answer.status_code, answer.headers["Location"]) == (303, kept)
    assert reading.get(kept).status_code == 200
    prefix = {"X-Forwarded-Prefix": "/desk"}
    assert reading.get(f"/?{sent}", headers=prefix).headers["Location"] == (
        f"/desk{kept}"
    )


def test_an_empty_field_that_no_form_has_is_a_mistake(reading: FlaskClient) -> None:
    assert reading.get("/?nope=&q=harbour").status_code == 400
    assert reading.get("/?q=harbour&fields=").status_code == 400


def test_no_address_leads_away_by_its_empty_fields(reading: FlaskClient) -> None:
    answer = reading.get("/?from=&//evil.example\r\nX-Evil:%201")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/?")
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("q", ["harbour " * 40, "x" * 500, "港" * 300, "a\n\tb " * 50])
def test_a_long_query_has_a_short_title(reading: FlaskClient, q: str) -> None:
    title = Page(reading.get("/", query_string={"q": q})).text("head/title")
    name = title.removesuffix(" – Nutgraf")
    assert len(name) <= 71
    assert name.endswith("…")
    assert q.split()[0][:40] in name
