"""The API reference at /docs in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.amounts import each_theme, each_width, in_every_run
from browser.looks import compressed_bytes, layout_shift, overflow, violations
from browser.site import Site
from browser.watch import Watch

SEARCH = "#operation-search"
ARTICLE = "#operation-getArticle"


@each_theme
@each_width
def test_the_reference_has_no_barriers(
    page: Page, picture: Callable[[str], Path]
) -> None:
    page.goto("/docs", wait_until="networkidle")
    assert layout_shift(page) == 0
    page.locator(f"{SEARCH} summary").first.click()
    page.locator(SEARCH).get_by_role("button", name="Try it").click()
    expect(page.locator(f"{SEARCH} .answer")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0
    assert picture("reference").stat().st_size > 0


@in_every_run
@pytest.mark.parametrize("width", [320])
def test_the_reference_fits_a_phone(page: Page) -> None:
    page.goto("/docs")
    for summary in page.locator("summary").all():
        summary.click()
    assert overflow(page) == 0


@in_every_run
@pytest.mark.parametrize("scripts", [False])
def test_without_scripts_the_reference_is_whole_and_has_no_dead_buttons(
    page: Page,
) -> None:
    page.goto("/docs")
    article = page.locator(ARTICLE)
    expect(article).to_contain_text("an older version")
    article.locator("summary").first.click()
    expect(article.get_by_text("evolved_from", exact=True)).to_be_visible()
    expect(page.locator("#wildcard_too_broad")).to_contain_text("too few letters")
    assert page.get_by_role("button").all_text_contents() == ["Search"]
    page.get_by_label("Search the archive").fill("harbour")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?q=harbour$"))


def test_the_box_narrows_the_contents_and_the_chapters_as_one_types(
    page: Page,
) -> None:
    page.goto("/docs")
    page.keyboard.press("/")
    box = page.get_by_label("Find an operation")
    expect(box).to_be_focused()
    links = page.locator(".chapters ul li:visible")
    all_links = links.count()
    for words, found in (
        ("killed notices", "operation-listNotices"),  # a summary
        ("/v1/facets", "operation-getFacet"),  # a path
        ("passage_length history", "operation-listChanges"),  # parameters
        ("getArticleByQuery", None),
        ("article?id", "operation-getArticle"),  # a twin
    ):
        box.fill(words)
        if found is None:
            expect(page.get_by_text("Nothing has these words")).to_be_visible()
            expect(links).to_have_count(0)
            continue
        expect(page.locator(f"#{found}")).to_be_visible()
        expect(page.locator("#operation-getHealth")).to_be_hidden()
        assert 0 < links.count() < all_links
    box.fill("wildcard broad")
    expect(page.locator("#wildcard_too_broad")).to_be_visible()
    expect(page.locator("#status-404")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(box).to_have_value("")
    expect(links).to_have_count(all_links)
    expect(page.locator("#query")).to_be_visible()


def test_what_a_link_leads_to_is_shown_also_if_it_was_hidden(page: Page) -> None:
    page.goto("/docs")
    page.get_by_label("Find an operation").fill("suggest")
    expect(page.locator("#problems")).to_be_hidden()
    page.locator("#operation-suggest").get_by_role("link", name="400").click()
    expect(page.locator("#status-400")).to_be_in_viewport()
    page.goto("/docs#operation-restoreArticle")  # within the deprecated ones
    expect(page.locator("#operation-restoreArticle")).to_be_in_viewport()


@pytest.mark.parametrize("fragment", ["%", "%ff", "'];x["])
def test_a_fragment_that_leads_nowhere_stops_nothing(page: Page, fragment: str) -> None:
    page.goto(f"/docs#{fragment}")
    button = page.locator(SEARCH).get_by_role("button", name="Try it")
    expect(button).to_be_attached()


def test_enter_leads_to_the_first_operation_that_fits(page: Page) -> None:
    page.goto("/docs")
    page.keyboard.press("/")
    page.keyboard.type("versions chain")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#operation-listVersions$"))


def test_a_slash_in_a_field_is_a_slash(page: Page) -> None:
    page.goto("/docs")
    box = page.get_by_label("Search the archive")
    box.press("/")
    expect(box).to_have_value("/")
    expect(box).to_be_focused()


def test_the_contents_show_what_is_being_read(page: Page) -> None:
    page.goto("/docs#operation-listChanges")
    current = page.locator(".chapters a[aria-current]")
    expect(current).to_have_attribute("href", "#operation-listChanges")
    expect(current).to_be_in_viewport()


@in_every_run
def test_an_example_runs_against_this_server(page: Page, watch: Watch) -> None:
    page.goto("/docs")
    page.locator(SEARCH).get_by_role("button", name="Try it").click()
    trial = page.locator(f"{SEARCH} form")
    expect(trial.get_by_role("status")).to_contain_text(re.compile(r"200 OK in \d+ ms"))
    expect(trial).to_contain_text("content-type: application/json")
    expect(trial.locator("pre")).to_contain_text('"understood": "kerry AND talks"')
    line = trial.get_by_label("GET")
    line.fill("/v1/search?lmit=1")
    line.press("Enter")
    expect(trial.locator("pre")).to_contain_text('"nearest": "limit"')
    assert watch.take("400")


def test_an_example_of_an_article_takes_one_that_is_there(page: Page) -> None:
    page.goto("/docs")
    for name in ("getArticle", "getParagraph"):
        operation = page.locator(f"#operation-{name}")
        operation.get_by_role("button", name="Try it").click()
        expect(operation.get_by_label("GET")).not_to_have_value(re.compile("/ID"))
        expect(operation.get_by_role("status")).to_contain_text("200 OK")


def test_an_answer_is_shown_as_text(page: Page) -> None:
    page.goto("/docs")
    page.locator("#query").get_by_label("Search the archive").fill("<b>harbour</b>")
    page.get_by_role("button", name="Show the answer in JSON").click()
    answer = page.locator("#query .answer")
    expect(answer).to_contain_text('"text": "<b>harbour</b>"')
    assert answer.locator("*").count() == 0


def test_only_this_service_is_called(page: Page) -> None:
    page.goto("/docs")
    page.locator(SEARCH).get_by_role("button", name="Try it").click()
    trial = page.locator(f"{SEARCH} form")
    for address in ("//example.org/v1/search", "https://example.org/", "v1/search"):
        trial.get_by_label("GET").fill(address)
        trial.get_by_role("button", name="Call").click()
        expect(trial.get_by_role("status")).to_contain_text("No answer")


def test_what_writes_is_not_tried(page: Page) -> None:
    page.goto("/docs")
    tried = page.locator(".operation", has=page.get_by_role("button", name="Try it"))
    methods = tried.locator("h3 .method")
    assert set(methods.all_text_contents()) == {"GET"}
    gets = page.locator(".operation h3 .method.get")
    expect(tried).to_have_count(gets.count())


def test_the_reference_is_light(page: Page) -> None:
    assert sum(compressed_bytes(page, "/docs").values()) < 60_000


def test_the_reference_prints_whole(page: Page) -> None:
    page.goto("/docs")
    page.emulate_media(media="print")
    expect(page.locator(".contents")).to_be_hidden()
    expect(page.get_by_role("button", name="Try it").first).to_be_hidden()
    assert len(page.pdf()) > 100_000


class TestBehindKeys:
    """A server that asks for keys."""

    @pytest.fixture
    def looked_at(self, keyed_site: Site) -> Site:
        return keyed_site

    def test_without_a_key_the_page_asks_for_one(
        self, page: Page, watch: Watch
    ) -> None:
        page.goto("/docs")
        page.locator(SEARCH).get_by_role("button", name="Try it").click()
        status = page.locator(f"{SEARCH} form").get_by_role("status")
        expect(status).to_contain_text("Enter a key and call again")
        assert watch.take("401")

    def test_a_key_is_sent_as_a_header_and_kept_nowhere(
        self, page: Page, context: BrowserContext, keyed_site: Site
    ) -> None:
        secret = keyed_site.keys["reader"]
        page.goto("/docs")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        # This call needs no key; the next one takes over what is entered here.
        page.locator("#operation-getHealth").get_by_role(
            "button", name="Try it"
        ).click()
        health = page.locator("#operation-getHealth form")
        expect(health.get_by_role("status")).to_contain_text("200 OK")
        health.get_by_label("Key").fill(secret)
        page.locator(SEARCH).get_by_role("button", name="Try it").click()
        search = page.locator(f"{SEARCH} form")
        expect(search.get_by_role("status")).to_contain_text("200 OK")
        assert asked
        assert not any(secret in url for url in asked)
        assert context.cookies() == []
        kept = "() => JSON.stringify([localStorage, sessionStorage, history.state])"
        assert secret not in page.evaluate(kept)
        assert secret not in page.url
        page.reload()
        page.locator("#operation-getHealth").get_by_role(
            "button", name="Try it"
        ).click()
        expect(page.get_by_label("Key").first).to_have_value("")
