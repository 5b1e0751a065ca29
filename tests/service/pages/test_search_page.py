"""The search page: what a search shows, as links that work without a script."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from archives import index, put
from checkout import ROOT
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from page_markup import Page, plain

from index.access import Scope
from index.archive import Archive
from index.errors import IndexUnavailable
from service import create_app
from service.pages import articles, edition, policy, remarks, search


def show(client: FlaskClient, path: str = "/", **query: Any) -> Page:
    """The page of an address."""
    return Page(client.get(path, query_string=urlencode(query, doseq=True)))


def headlines(page: Page) -> list[str]:
    return page.texts("article//h2")


def test_a_page_shows_what_the_api_answers(reading: FlaskClient) -> None:
    for query in ("q=harbour", "q=talks&sort=oldest", "section=Business", "from=2017"):
        hits = reading.get(f"/v1/search?{query}").json["hits"]
        page = Page(reading.get(f"/?{query}"))
        assert headlines(page) == [hit["headline"] for hit in hits]


def test_a_hit_has_its_marks_and_where_it_comes_from(reading: FlaskClient) -> None:
    page = show(reading, q="harbour dockers")
    hit = page.one("article")
    assert plain(hit.find(".//h2")) == "Harbour strike enters second week"
    assert [plain(mark) for mark in hit.findall(".//mark")] == [
        *("Harbour", "Dockers", "harbour"),
    ]
    words = plain(hit)
    assert "Business" in words
    assert "Harbour Desk" in words
    time = hit.find(".//time")
    assert time.get("datetime") == "2016-09-29T10:00:00Z"
    assert plain(time) == "29 September 2016"


def test_a_headline_that_matches_is_not_counted_as_a_further_paragraph(
    archive: Archive, client: FlaskClient
) -> None:
    numbered = [f"Quay number {n} is open." for n in range(5)]
    put(archive, "a", "It is dry.", *numbered, headline="Quay reopens")
    put(archive, "b", "It is dry, too.", headline="Quay closes")
    index(archive)
    page = show(client, q="quay")
    assert page.texts("p[@class='more-passages']") == ["2 more paragraphs"]


def test_dates_are_those_of_the_time_zone(reading: FlaskClient) -> None:
    page = show(reading, q="dockers", tz="Pacific/Kiritimati")
    assert page.text("article//time") == "30 September 2016"
    assert page.one("article//time").get("title").endswith("Pacific/Kiritimati")


def test_each_passage_leads_to_its_paragraph(reading: FlaskClient) -> None:
    page = show(reading, q="night shifts")
    (link,) = page.by_class("passage", "a")
    assert link.get("href") == "/articles/urn:test:harbour?q=night%20shifts#p2"
    article = Page(reading.get(link.get("href").partition("#")[0]))
    paragraph = article.one("*[@id='p2']")
    assert [plain(mark) for mark in paragraph.findall(".//mark")] == ["night", "shifts"]


def test_the_counts_are_told_to_screen_readers(reading: FlaskClient) -> None:
    status = show(reading, q="harbour").text("*[@role='status']")
    assert re.fullmatch(r"2 articles, 3 paragraphs (under 1|\d+) ms", status), status
    status = show(reading, q="museum").text("*[@role='status']")
    assert status.startswith("1 article, 1 paragraph ")


def test_the_form_keeps_the_rest_of_the_search(reading: FlaskClient) -> None:
    page = show(reading, q="harbour", section="Business", sort="oldest", page=1)
    (form,) = page.by_class("ask", "form")
    sent = [(each.get("name"), each.get("value")) for each in form.findall(".//input")]
    assert sent == [("q", "harbour"), ("section", "Business"), ("sort", "oldest")]
    assert form.get("action") == "/"
    assert form.get("method", "get") == "get"


def test_order_and_scope_are_links(reading: FlaskClient) -> None:
    page = show(reading, q="harbour talks")
    assert page.link("Oldest") == "/?q=harbour%20talks&sort=oldest"
    assert page.link("Best match") == "/?q=harbour%20talks"
    assert page.link("In one paragraph") == "/?q=harbour%20talks&scope=paragraph"
    narrow = Page(reading.get(page.link("In one paragraph")))
    assert headlines(narrow) == []
    assert narrow.link("Look for the words anywhere in the article") == (
        "/?q=harbour%20talks"
    )


def test_hits_may_be_paragraphs_with_their_scores(reading: FlaskClient) -> None:
    page = show(reading, q="harbour", unit="paragraph", explain=1)
    passages = [link.get("href") for link in page.by_class("passage", "a")]
    assert len(passages) == len(page.all("article")) == 3
    assert all("&unit=paragraph#p" in href for href in passages)
    for score in page.by_class("score", "p"):
        assert re.search(r"harbour \d+\.\d\d \+ \d+\.\d\d$", plain(score))


def test_without_words_there_is_no_best_match(reading: FlaskClient) -> None:
    page = show(reading, section="Business")
    current = page.texts("nav//a[@aria-current]")
    assert current == ["Newest"]
    assert "Best match" not in page.texts("a")


def test_more_leads_through_all_hits(archive: Archive, client: FlaskClient) -> None:
    for number in range(25):
        put(archive, f"n{number:02}", "A word about ferries.")
    index(archive)
    seen: list[str] = []
    address: str | None = "/?q=ferries&limit=10"
    while address:
        page = Page(client.get(address))
        seen += [each.get("id") for each in page.all("article")]
        links = page.all("a[@rel='next']")
        address = links[0].get("href") if links else None
    assert len(seen) == len(set(seen)) == 25


def test_a_facet_value_is_a_link_that_selects_it(reading: FlaskClient) -> None:
    page = show(reading, q="harbour")
    rows = {plain(row): row for row in page.by_class("facet-row", "a")}
    assert rows["ports 2"].get("href") == "/?q=harbour&subjects=ports"
    chosen = Page(reading.get(rows["food 1"].get("href")))
    (row,) = chosen.by_class("selected", "a")
    assert plain(row) == "food 1"
    assert row.get("href") == "/?q=harbour"
    assert row.get("aria-current") == "true"


def test_a_date_facet_selects_its_period(reading: FlaskClient) -> None:
    page = show(reading, facet="published:year")
    rows = {plain(row): row.get("href") for row in page.by_class("facet-row", "a")}
    address = rows["2016 2"]
    assert address == "/?facet=published:year&from=2016&to=2016"
    (row,) = Page(reading.get(address)).by_class("selected", "a")
    assert row.get("href") == "/?facet=published:year"


def test_filters_in_effect_can_be_removed_and_turned(reading: FlaskClient) -> None:
    query = {"q": "harbour", "section": "Business", "exclude.source": "City Desk"}
    page = show(reading, **query, **{"from": "2016", "missing.genre": "1"})
    chips = [plain(chip) for chip in page.by_class("chip", "li")]
    assert chips == [
        *("Section Business ×", "not Source City Desk ×"),
        *("Genre none ×", "Published from 2016 ×"),
    ]
    removed, turned = (
        page.by_class("chip-remove", "a"),
        page.by_class("chip-value", "a"),
    )
    assert removed[0].get("aria-label") == "Remove Section Business"
    assert "section=" not in removed[0].get("href")
    assert "exclude.section=Business" in turned[0].get("href")
    assert "&source=City%20Desk" in turned[1].get("href")
    assert "from=" not in removed[3].get("href")
    assert page.link("Clear all") == "/?q=harbour"


def test_warnings_underline_the_part_that_they_are_about(reading: FlaskClient) -> None:
    page = show(reading, q="harbour (talks")
    (notice,) = page.by_class("notice", "p")
    assert plain(notice).startswith("This ( has no closing bracket")
    assert plain(notice.find(".//q")) == "harbour (talks"
    assert [plain(part) for part in notice.findall(".//u")] == ["("]


def test_a_warning_begins_with_a_word_as_it_was_typed(reading: FlaskClient) -> None:
    page = show(reading, q="harbour or talks")
    (notice,) = page.by_class("notice", "p")
    assert plain(notice).startswith(
        "or was searched for as a word; the operator is OR."
    )


def test_a_warning_with_several_parts_is_said_once(reading: FlaskClient) -> None:
    page = show(reading, q="harbour and talks or pay and (dockers")
    first, second, third = page.by_class("notice", "p")
    assert plain(first).startswith("and was searched for as a word;")
    assert [plain(part) for part in first.findall(".//u")] == ["and", "and"]
    assert plain(first).count("It is about and in") == 1
    assert [plain(part) for part in second.findall(".//u")] == ["or"]
    assert [plain(part) for part in third.findall(".//u")] == ["("]


def test_a_misspelt_query_is_offered_corrected(reading: FlaskClient) -> None:
    page = show(reading, q="harbuor", section="Business")
    (notice,) = page.by_class("suggestion", "a")
    assert plain(notice) == "harbour"
    assert notice.get("href") == "/?q=harbour&section=Business"
    assert headlines(Page(reading.get(notice.get("href"))))


def test_a_search_without_hits_says_why(reading: FlaskClient) -> None:
    page = show(reading, q="harbour xylophone", section="Business")
    (nothing,) = page.by_class("nothing", "div")
    assert plain(nothing) == (
        "Nothing found No article has xylophone. harbour is in 2 articles"
        " What has results Search for harbour 2 articles"
    )


def test_an_empty_box_offers_queries_that_have_hits(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, people=['Ana "Doc" O\'Hara'], published="2018-01-01T00:00:00Z")
    index(archive)
    page = show(client)
    assert headlines(page)[0] == "Head"
    (examples,) = page.by_class("examples", "p")
    links = [link.get("href") for link in examples.findall(".//a")]
    assert len(set(links)) == 3
    for link in links:
        assert headlines(Page(client.get(link))), link


def test_an_empty_archive_has_an_empty_page(settings: Any) -> None:
    page = show(create_app(settings).test_client())
    assert headlines(page) == []
    assert page.by_class("examples", "p") == []
    assert "0 articles" in page.text("*[@role='status']")


def test_a_page_shows_no_more_than_its_key_may_see(
    archive: Archive, index_now: Callable[[], None]
) -> None:
    held = {"embargoed_until": "2999-01-01T00:00:00Z", "people": ["Secret Person"]}
    put(archive, "held", "A ferry in the harbour.", headline="Hidden", **held)
    index_now()
    client = create_app(archive.settings, archive).test_client()

    def pages(*scopes: Scope) -> str:
        key = archive.keys.add("-".join(scopes), frozenset(scopes)).secret
        headers = {"X-API-Key": key}
        paths = ("/", "/?q=ferry", "/?q=ferri", "/articles/held?q=ferry")
        return "".join(client.get(path, headers=headers).text for path in paths)

    public = pages(Scope.SEARCH)
    assert "Hidden" not in public
    assert "Secret" not in public
    editors = pages(Scope.SEARCH, Scope.READ_EMBARGOED)
    assert "Secret Person" in editors
    assert "Embargoed until 1 January 2999" in editors


def test_every_page_has_the_policy(reading: FlaskClient) -> None:
    for path in ("/", "/?limit=x", "/articles/urn:test:grain", "/articles/none"):
        headers = reading.get(path).headers
        policy_sent = headers["Content-Security-Policy"]
        assert policy_sent == policy.CONTENT_SECURITY_POLICY
        assert "unsafe" not in policy_sent
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_that_has_not_changed_is_not_sent_again(
    archive: Archive, client: FlaskClient
) -> None:
    for path in ("/?q=harbour", "/articles/urn:test:grain?q=harbour"):
        first = client.get(path)
        sent = {"If-None-Match": first.headers["ETag"]}
        assert first.headers["Cache-Control"] == "private, no-cache"
        assert client.get(path, headers=sent).status_code == 304
        assert client.get(f"{path}&sort=oldest", headers=sent).status_code == 200
    put(archive)
    assert client.get("/?q=harbour", headers=sent).status_code == 200


def test_a_page_is_another_one_once_its_templates_have_changed(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, module in (("/", search), ("/articles/urn:test:grain", articles)):
        sent = {"If-None-Match": reading.get(path).headers["ETag"]}
        monkeypatch.setattr(module, "edition", lambda: "another")
        assert reading.get(path, headers=sent).status_code == 200


def test_an_edition_is_that_of_code_and_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, templates = tmp_path / "pages", tmp_path / "templates"
    seen = set()
    for folder, name in ((pages, "a.py"), (templates, "b.html"), (templates, "c.html")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("text")
        monkeypatch.setattr("service.pages.edition._PAGES", pages)
        monkeypatch.setattr("service.pages.edition._TEMPLATES", templates)
        seen.add(edition.edition.__wrapped__())
    assert len(seen) == 3


def test_every_address_has_the_prefix_of_a_proxy(reading: FlaskClient) -> None:
    forwarded = {"X-Forwarded-Prefix": "/archive"}
    for path in (
        "/",
        "/?q=harbour&section=Business",
        "/articles/urn:test:grain",
        "/?x",
    ):
        page = Page(reading.get(path, headers=forwarded))
        for link in page.links():
            assert link.startswith(("/archive/", "#", "data:,")), link


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("limit: must be a number", "Limit: must be a number."),
        ("a range is written so", "A range is written so."),
        ("a* matches too many words", "a* matches too many words."),
        ("urgency:[ has no end", "urgency:[ has no end."),
        ("Done.", "Done."),
    ],
)
def test_a_message_is_a_sentence_that_begins_as_it_was_typed(
    detail: str, expected: str
) -> None:
    assert remarks.sentence(detail) == expected


@given(
    q=st.text(max_size=12),
    parts=st.lists(
        st.tuples(st.none() | st.integers(-2, 14), st.integers(0, 14)), max_size=4
    ),
)
def test_the_pieces_of_a_query_are_the_query(
    q: str, parts: list[tuple[int | None, int]]
) -> None:
    pieces = remarks.pieces_of(q, parts)
    if pieces:
        assert "".join(piece.text for piece in pieces) == q
        assert 1 <= sum(piece.flawed for piece in pieces) <= len(parts)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/?q=harbour", "search"),
        ("/?q=xylophone", "search"),
        ("/hits?q=harbour", "search"),
        ("/facets", "search"),
        ("/facets/section", "search"),
        ("/articles/urn:test:grain", "read"),
    ],
)
def test_a_page_says_how_long_its_parts_took(
    reading: FlaskClient, path: str, part: str
) -> None:
    timing = Page(reading.get(path)).headers["Server-Timing"]
    assert re.fullmatch(rf"{part};dur=[\d.]+, write;dur=[\d.]+", timing)


def test_the_first_page_of_a_server_waits_for_no_template(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUTGRAF_STORE", archive.settings.store)
    monkeypatch.setenv("NUTGRAF_ENGINE", "memory:")
    app = runpy.run_path(str(ROOT / "wsgi.py"))["app"]
    app.jinja_env.bytecode_cache = None
    compiled: list[str] = []
    monkeypatch.setattr(app.jinja_env, "compile", compiled.append)
    for path in ("/", "/docs", "/articles/none", "/facets"):
        Page(app.test_client().get(path))
    assert compiled == []


# Mistakes.


@pytest.mark.parametrize("path", ["/nope", "/nope/%3Cb%3E", "/search", "/v10"])
def test_a_browser_gets_a_page_for_an_unknown_address(
    reading: FlaskClient, path: str
) -> None:
    page = Page(reading.get(path, headers={"Accept": "text/html,*/*;q=0.8"}))
    assert page.status == 404
    assert page.text("h1") == "No such resource"
    assert path in page.text("main")
    assert page.link("Search the archive") == "/"
    assert page.headers["Content-Security-Policy"] == policy.CONTENT_SECURITY_POLICY
    assert page.headers["Cache-Control"] == "no-store"
    assert "Accept" in page.headers["Vary"]


def test_while_the_index_is_built_a_page_says_so(
    archive: Archive, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise IndexUnavailable("the index is being built: /srv/index")

    monkeypatch.setattr(archive.engine, "snapshot", unavailable)
    page = show(client, q="harbour")
    assert page.status == 503
    seconds = page.headers["Retry-After"]
    assert page.link("Try again") == "/?q=harbour"
    assert f"in {seconds} second" in page.text("main")
    assert page.one("main").get("data-code") == "index_unavailable"
    assert "is being built" in page.text("main")
    assert "/srv" not in page.source


def test_a_mistake_of_ours_has_a_number_and_no_details(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(search, "results_of", broken)
    page = show(client, q="harbour")
    assert page.status == 500
    assert page.text("main//code") == page.headers["X-Request-Id"]
    assert "secret" not in page.source


def test_a_faulty_query_says_where_and_keeps_the_form(reading: FlaskClient) -> None:
    page = show(reading, q="harbour a*", section="Business")
    assert page.status == 400
    assert page.one("input[@id='q']").get("value") == "harbour a*"
    assert page.one("input[@name='section']").get("value") == "Business"
    (mistake,) = page.by_class("mistake", "div")
    assert mistake.get("id") == page.one("input[@id='q']").get("aria-describedby")
    assert [plain(part) for part in mistake.findall(".//u")] == ["a*"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "cursor=x",
        "from=soon",
        "nope=1",
        "sort=a&sort=b",
        "fields=id",
        "guard=0",
    ],
)
def test_a_faulty_parameter_is_not_sent_again(reading: FlaskClient, query: str) -> None:
    page = Page(reading.get(f"/?q=harbour&{query}"))
    name = query.partition("=")[0]
    assert page.status == 400
    assert name in page.text("*[@role='alert']").lower()
    sent = {each.get("name") for each in page.all("form//input")}
    assert sent == {"q"}


def test_the_api_keeps_its_problem_documents(reading: FlaskClient) -> None:
    for path in ("/v1/search?limit=x", "/v1/articles/none", "/nowhere", "/articles"):
        answer = reading.get(path)
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_are_only_read(reading: FlaskClient, method: str) -> None:
    assert reading.open("/", method=method).status_code == 405
