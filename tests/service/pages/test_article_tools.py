"""The tools of an article's page: steps, words that are looked for, and citations."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from archives import index, put
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from page_markup import Page, plain

from index.archive import Archive
from index.archive.marking import Marker
from index.deadline import Check
from service import create_app
from service.pages.marked import MarkWriter

HARBOUR = "/articles/urn:test:harbour"
spans = st.lists(st.integers(0, 20), max_size=10, unique=True).map(
    lambda places: list(zip(sorted(places)[::2], sorted(places)[1::2], strict=False))
)


def steps(page: Page, kind: str) -> list[str]:
    """Addresses of the step before and the next one."""
    (group,) = page.all(f"*[@data-steps='{kind}']")
    return [link.get("href") for link in group.findall(".//a")]


def place(page: Page, kind: str) -> str:
    (group,) = page.all(f"*[@data-steps='{kind}']")
    return plain(group.find(".//span[@class='steps-at']"))


# Marks of two kinds.


@given(st.text(st.sampled_from("ab <&>\"'é😀"), min_size=21, max_size=21), spans, spans)
def test_both_kinds_of_marks_are_where_they_belong(
    text: str, marks: list[tuple[int, int]], found: list[tuple[int, int]]
) -> None:
    writer = MarkWriter()
    written = html.fragment_fromstring(f"<p>{writer.html(text, marks, found)}</p>")
    assert "".join(written.itertext()) == text
    assert writer.counts == [len(marks), len(found)]
    shown = {
        mark.get("id"): "".join(mark.itertext())
        for mark in written.iter("mark")
        if (mark.get("id") or "").startswith("m")
    }
    assert list(shown.values()) == [text[start:end] for start, end in marks]
    looked_for = "".join(
        "".join(mark.itertext()) for mark in written.find_class("found")
    )
    assert looked_for == "".join(text[start:end] for start, end in found)
    firsts = [mark.get("id") for mark in written.find_class("found") if mark.get("id")]
    assert firsts == [f"f{number}" for number in range(1, len(found) + 1)]


def test_marks_are_numbered_from_the_headline_on(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=dockers+harbour"))
    assert [mark.get("id") for mark in page.all("mark")] == ["m1", "m2", "m3"]
    assert page.one("h1/mark").get("id") == "m1"
    assert place(page, "m") == "3 matches"


def test_links_step_through_the_marks_and_round(reading: FlaskClient) -> None:
    address = f"{HARBOUR}?q=dockers+harbour&sort=oldest"
    seen = []
    for _ in range(4):
        page = Page(reading.get(address))
        address = steps(page, "m")[1]
        anchor = urlsplit(address).fragment
        page = Page(reading.get(address))
        (current,) = page.by_class("current", "mark")
        assert current.get("id") == anchor
        seen.append(place(page, "m"))
    assert seen == ["1 of 3", "2 of 3", "3 of 3", "1 of 3"]
    assert steps(page, "m")[0].endswith("match=3#m3")
    assert (
        page.one("a[@data-back]")
        .get("href")
        .startswith("/?q=dockers%20harbour&sort=oldest#")
    )


def test_steps_keep_the_place_in_the_list(
    archive: Archive, client: FlaskClient
) -> None:
    for number in range(12):
        put(archive, f"n{number:02}", "A word about ferries.")
    index(archive)
    more = Page(client.get("/?q=ferries&limit=5")).one("a[@rel='next']").get("href")
    hit = Page(client.get(more)).all("article//h2/a")[0].get("href")
    back = Page(client.get(hit)).one("a[@data-back]").get("href")
    assert "cursor=" in back
    stepped = Page(client.get(steps(Page(client.get(hit)), "m")[1]))
    assert stepped.one("a[@data-back]").get("href") == back


def test_a_number_above_the_last_mark_is_the_last(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=dockers&match=99"))
    assert place(page, "m") == "1 of 1"


def test_without_matches_there_is_no_stepper(reading: FlaskClient) -> None:
    for query in ("", "?q=xylophone", "?match=2"):
        assert Page(reading.get(f"{HARBOUR}{query}")).all("*[@data-steps]") == []


# Words that are looked for.


def test_words_that_are_looked_for_have_marks_of_their_own(
    reading: FlaskClient,
) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=harbour&find=shift&tz=Asia/Tokyo"))
    (found,) = page.by_class("found", "mark")
    assert (plain(found), found.get("id")) == ("shifts", "f1")
    assert place(page, "m") == "2 matches"
    assert place(page, "f") == "1 match"
    stepped = Page(reading.get(steps(page, "f")[1]))
    assert "current" in stepped.one("mark[@id='f1']").get("class")
    assert stepped.one("input[@id='find']").get("value") == "shift"


def test_the_form_that_looks_keeps_the_search(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=harbour&section=Business&find=x&found=1"))
    (form,) = page.by_class("find", "form")
    sent = [(each.get("name"), each.get("value")) for each in form.findall(".//input")]
    assert sent == [("q", "harbour"), ("section", "Business"), ("find", "x")]
    assert form.get("action") == HARBOUR


def test_words_that_are_nowhere_are_told(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?find=xylophone"))
    (form,) = page.by_class("find", "form")
    assert "Not in this article" in plain(form)


def test_both_kinds_of_marks_take_no_longer_than_one_search(
    client: FlaskClient, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("2", "3"):
        put(archive, "urn:test:harbour", "harbour grain", version=version)
    # The clock jumps over the deadline before the first text is marked.
    jump = 0.0
    monotonic, marks = time.monotonic, Marker.marks

    def late(marker: Marker, texts: Any, check: Check) -> Any:
        nonlocal jump
        jump = 60.0
        return marks(marker, texts, check)

    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + jump)
    monkeypatch.setattr(Marker, "marks", late)
    page = Page(client.get(f"{HARBOUR}?q=harbour&find=grain"))
    assert page.status == 200
    assert page.all("mark") == []
    assert page.link("Versions and what changed")
    assert page.headers["Cache-Control"] == "no-store"


def test_words_that_cannot_be_read_leave_the_article(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?find=a*&q=harbour"))
    assert page.status == 200
    assert place(page, "m") == "2 matches"
    (notice,) = page.by_class("notice", "p")
    assert "a*" in plain(notice)
    assert page.one("input[@id='find']").get("value") == "a*"


# Citations.


def citation(page: Page) -> list[str]:
    text = "".join(page.by_class("citation", "pre")[0].itertext())
    return str(text).splitlines()


def test_an_article_is_cited(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=harbour"))
    assert citation(page) == [
        "Harbour strike enters second week (Harbour Desk, 29 September 2016)",
        f"http://localhost{HARBOUR}",
    ]
    assert page.one("details[@id='cite']").get("open") is None


def test_a_paragraph_is_cited_with_its_text(reading: FlaskClient) -> None:
    page = Page(reading.get(f"{HARBOUR}?q=harbour&cite=3"))
    assert citation(page)[1] == (
        f"http://localhost{HARBOUR}#p3:~:text=Cranes%20stand%20still."
    )
    assert page.one("details[@id='cite']").get("open") is not None
    assert page.one("input[@id='cited']").get("value") == "3"


def test_a_citation_is_a_text_as_well(reading: FlaskClient) -> None:
    answer = reading.get(f"{HARBOUR}?cite=3&format=citation")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == citation(Page(reading.get(f"{HARBOUR}?cite=3")))


def test_a_citation_has_the_link_of_feeds(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "a", url="https://news.example/a")
    put(archive, "b")
    assert citation(Page(client.get("/articles/a?cite=1")))[1] == (
        "https://news.example/a#:~:text=Words."
    )
    assert citation(Page(client.get("/articles/b?cite=1")))[1] == (
        "http://localhost/articles/b#p1:~:text=Words."
    )


def test_a_citation_of_an_older_version_leads_to_it(
    archive: Archive, client: FlaskClient
) -> None:
    for text in ("Old words.", "New words."):
        put(archive, "a", text)
    cited = citation(Page(client.get("/articles/a?version=1&cite=1")))
    assert cited[1].startswith("http://localhost/articles/a?version=1#p1:~:text=Old")


def test_links_and_citations_have_the_prefix_and_host_of_the_request(
    reading: FlaskClient,
) -> None:
    headers = {"X-Forwarded-Prefix": "/desk", "Host": "127.0.0.1:8000"}
    page = Page(reading.get(HARBOUR, headers=headers))
    assert citation(page)[1] == f"http://127.0.0.1:8000/desk{HARBOUR}"
    assert page.one("link[@rel='canonical']").get("href") == f"/desk{HARBOUR}"
    # Not the answer to somebody who asked at another address.
    sent = {"If-None-Match": page.headers["ETag"]}
    assert reading.get(HARBOUR, headers=headers | sent).status_code == 304
    assert reading.get(HARBOUR, headers=sent).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("cite=4", 404, "paragraph_not_found"),
        ("cite=4&format=citation", 404, "paragraph_not_found"),
        ("cite=-1", 400, "invalid_value"),
        ("cite=p3", 400, "invalid_value"),
        ("match=0", 400, "invalid_value"),
        ("found=x", 400, "invalid_value"),
    ],
)
def test_a_faulty_number_is_a_problem(
    reading: FlaskClient, query: str, status: int, code: str
) -> None:
    page = Page(reading.get(f"{HARBOUR}?{query}"))
    assert (page.status, page.one("main").get("data-code")) == (status, code)


def test_an_id_that_no_path_can_hold_has_all_tools(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "..", "A word about ferries.")
    address = "/article?id=..&q=ferries"
    page = Page(client.get(address))
    assert parse_qs(urlsplit(steps(page, "m")[1]).query)["id"] == [".."]
    for name in ("find", "cite"):
        form = page.by_class(name)[0]
        hidden = {each.get("name"): each.get("value") for each in form.iter("input")}
        assert hidden["id"] == ".."
    assert citation(page)[1] == "http://localhost/article?id=.."
    assert page.link("json") == "/article?id=..&format=json"


# Large articles.


def test_many_paragraphs_each_have_an_anchor(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "a", *(f"A word about ferry {n}." for n in range(500)))
    page = Page(client.get("/articles/a?q=ferry&find=word&cite=400"))
    assert len(page.by_class("anchor", "a")) == 500
    assert place(page, "m") == "500 matches"
    assert place(page, "f") == "500 matches"
    assert citation(page)[1].endswith("A%20word%20about%20ferry%20399.")
    text = sum(len(plain(block)) for block in page.by_class("block", "div"))
    assert len(page.source) < 30_000 + text + 500 * 500


def test_a_very_long_paragraph_is_sent_once(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "a", "ferry " + "harbour " * 110_000 + "ferry")
    page = Page(client.get("/articles/a?q=ferry&cite=1"))
    assert place(page, "m") == "2 matches"
    assert len(page.source) < 900_000
    assert len(citation(page)[1]) < 600


# Notes to editors, rights and what else is told.


def test_a_note_to_editors_is_on_no_page(
    archive: Archive, reading: FlaskClient
) -> None:
    put(archive, "a", ed_note="Hidden remark")
    put(archive, "a", "Other words.", ed_note="Another remark")
    for path in ("/articles/a", "/versions?id=a", HARBOUR):
        page = Page(reading.get(path)).source
        assert "remark" not in page
        assert "foreman" not in page


def test_rights_corrections_and_codes_are_shown(
    archive: Archive, client: FlaskClient
) -> None:
    subject = {"name": "labour", "scheme": "medtop", "code": "20000533"}
    put(
        archive,
        "a",
        copyright="© Desk",
        usage_terms="Not for <resale>",
        correction="Not forty-one.",
        subjects=[subject],
        authors=["Ana Berg"],
        byline='By "Ana" Berg',
        expires="2999-03-01T00:00:00Z",
    )
    index(archive)
    page = Page(client.get("/articles/a"))
    (rights,) = page.by_class("rights", "div")
    assert plain(rights) == "© Desk Not for <resale>"
    assert "Correction Not forty-one." in page.text("article")
    assert "Expires 1 March 2999" in page.text("article")
    assert [plain(code) for code in page.by_class("code", "span")] == [
        "medtop 20000533"
    ]
    for text in ("labour", "Ana Berg", 'By "Ana" Berg'):
        found = Page(client.get(page.link(text)))
        assert "Head" in found.texts("article//h2"), text


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_date_is_the_search_for_its_day(
    archive: Archive, client: FlaskClient, zone: str
) -> None:
    put(archive, "a", published="1999-09-29T23:30:00Z", updated="1999-10-02T01:00:00Z")
    index(archive)
    page = Page(client.get(f"/articles/a?tz={zone}"))
    (facts,) = page.all("aside//dl")
    links = [link.get("href") for link in facts.findall(".//a")][:2]
    for link in links:
        assert Page(client.get(link)).texts("article//h2") == ["Head"], link


def test_articles_that_evolved_are_linked_both_ways(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "a", headline="First")
    put(archive, "b", headline="Second", evolved_from="a")
    put(archive, "c", headline="Third", evolved_from="gone")
    first = Page(client.get("/articles/a"))
    assert first.link("Second") == "/articles/b"
    assert plain(first.by_class("notice", "p")[0]) == "Superseded by Second"
    assert Page(client.get("/articles/b")).link("First") == "/articles/a"
    assert Page(client.get("/articles/c")).link("gone") == "/articles/gone"


def test_the_permalink_of_settings_is_cited(archive: Archive) -> None:
    settings = replace(archive.settings, permalink="https://news.example/{id}")
    put(archive, "a")
    client = create_app(settings).test_client()
    assert citation(Page(client.get("/articles/a?cite=1")))[1] == (
        "https://news.example/a#:~:text=Words."
    )
