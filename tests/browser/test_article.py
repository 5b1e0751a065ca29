"""The page of an article: stepping, finding, citing, versions, and print."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.amounts import each_theme, each_width, in_every_run
from browser.archive import (
    ARABIC,
    CHINESE,
    EMBARGOED,
    FERRY,
    FERRY_INQUIRY,
    LIGHTHOUSE,
    TAMIL,
)
from browser.looks import layout_shift, overflow, violations
from browser.site import Site
from browser.test_pages import article

LAMP = article(LIGHTHOUSE, q="lamp")
LAMPS = 32  # marks of "lamp" in the lighthouse's article
STEPS = '[data-steps="m"]'
CURRENT = "mark.current"
VERSIONS = f"/versions?id={FERRY}"


def copied(page: Page) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def allow_clipboard(context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])


def found(page: Page) -> list[str]:
    """Texts of the places that the script has found."""
    texts = page.evaluate("() => [...(CSS.highlights.get('found') ?? [])].map(String)")
    return [str(text) for text in texts]


# Stepping.


@in_every_run
def test_keys_step_from_mark_to_mark_and_round(page: Page) -> None:
    page.goto(LAMP)
    expect(page.locator(STEPS)).to_contain_text(f"{LAMPS} matches")
    page.keyboard.press("n")
    expect(page.locator(STEPS)).to_contain_text(f"1 of {LAMPS}")
    expect(page.locator(CURRENT)).to_have_id("m1")
    for _ in range(2):
        page.keyboard.press("n")
    expect(page.locator(CURRENT)).to_have_id("m3")
    expect(page.locator(CURRENT)).to_be_in_viewport()
    expect(page).to_have_url(re.compile(r"q=lamp#m3$"))
    page.keyboard.press("p")
    expect(page.locator(CURRENT)).to_have_id("m2")
    for _ in range(2):
        page.keyboard.press("p")
    expect(page.locator(CURRENT)).to_have_id(f"m{LAMPS}")
    expect(page.locator(CURRENT)).to_be_in_viewport()
    expect(page.locator("#said")).to_have_text(f"Match {LAMPS} of {LAMPS}")


def test_buttons_step_and_the_address_leads_to_the_mark(page: Page) -> None:
    page.goto(LAMP)
    after = page.get_by_role("link", name="Next: matches of the search")
    after.click()
    after.click()
    expect(page.locator(CURRENT)).to_have_id("m2")
    expect(page).to_have_url(re.compile("#m2$"))
    page.reload()
    expect(page.locator(STEPS)).to_contain_text(f"2 of {LAMPS}")
    expect(page.locator(CURRENT)).to_have_id("m2")


def test_the_first_step_is_from_where_the_reader_is(page: Page) -> None:
    page.goto(f"{LAMP}#p30")
    page.keyboard.press("n")
    expect(page.locator(f".block:has({CURRENT})")).to_have_id(re.compile("p(2|3).$"))


def test_the_current_mark_differs_by_more_than_colour(page: Page) -> None:
    page.goto(LAMP)
    page.keyboard.press("n")
    expect(page.locator(CURRENT)).to_have_css("outline-style", "solid")
    expect(page.locator("#m2")).to_have_css("outline-style", "none")


@in_every_run
@pytest.mark.parametrize("scripts", [False])
def test_without_scripts_links_step_from_mark_to_mark(page: Page) -> None:
    page.goto(LAMP)
    after = page.get_by_role("link", name="Next: matches of the search")
    for number in (1, 2, 3):
        after.click()
        expect(page).to_have_url(re.compile(f"#m{number}$"))
        expect(page.locator(STEPS)).to_contain_text(f"{number} of {LAMPS}")
        expect(page.locator(CURRENT)).to_have_id(f"m{number}")
        expect(page.locator(CURRENT)).to_be_in_viewport()
    page.get_by_role("link", name="Previous: matches of the search").click()
    expect(page.locator(STEPS)).to_contain_text(f"2 of {LAMPS}")


def test_stepping_leaves_no_steps_on_the_way_back(page: Page) -> None:
    page.goto("/?q=lamp")
    page.get_by_role("link", name=re.compile("last keeper")).first.click()
    expect(page.locator(STEPS)).to_be_visible()
    expect(page.locator("html.scripted")).to_be_attached()
    for _ in range(3):
        page.keyboard.press("n")
    expect(page).to_have_url(re.compile("#m3$"))
    page.get_by_role("link", name="Paragraph 4", exact=True).click()
    expect(page).to_have_url(re.compile("#p4$"))
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(r"/\?q=lamp(#.*)?$"))


# Finding.


@in_every_run
def test_what_is_typed_is_marked_in_a_second_colour(page: Page) -> None:
    page.goto(LAMP)
    page.keyboard.press("f")
    page.keyboard.type("FOG  came")
    expect(page.locator('[data-steps="f"], .find .steps')).to_contain_text("10 matches")
    assert found(page) == ["fog came"] * 10
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".find .steps")).to_contain_text("2 of 10")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".find .steps")).to_contain_text("1 of 10")
    expect(page.locator("mark#m1")).to_be_attached()
    page.keyboard.press("Escape")
    expect(page.locator(".find .steps")).to_be_hidden()
    assert found(page) == []


def test_places_may_cross_marks_and_the_headline_counts(page: Page) -> None:
    page.goto(LAMP)
    page.get_by_label("Find in this article").fill("second lamp was")
    expect(page.locator(".find .steps")).to_contain_text("10 matches")
    assert set(found(page)) == {"second lamp was"}
    page.get_by_label("Find in this article").fill("last keeper")
    expect(page.locator(".find .steps")).to_contain_text("1 match")
    page.get_by_label("Find in this article").fill("xyzzy")
    expect(page.locator(".find")).to_contain_text("Not in this article")


@pytest.mark.parametrize(
    ("article_id", "typed"),
    [(ARABIC, "السفينة إلى"), (TAMIL, "கப்பல்"), (CHINESE, "船上装有")],
)
def test_every_script_can_be_found(page: Page, article_id: str, typed: str) -> None:
    page.goto(article(article_id))
    page.get_by_label("Find in this article").fill(typed)
    expect(page.locator(".find .steps")).to_contain_text("match")
    assert set(found(page)) == {typed}


def test_a_browser_without_highlights_marks_elements(
    page: Page, context: BrowserContext
) -> None:
    context.add_init_script("delete CSS.highlights")
    page.goto(LAMP)
    before = page.locator(".story").inner_text()
    page.get_by_label("Find in this article").fill("second lamp was")
    expect(page.locator(".find .steps")).to_contain_text("10 matches")
    expect(page.locator(f"mark.found:not({STEPS})").first).to_have_text("second ")
    page.keyboard.press("Enter")
    expect(page.locator("mark.found.current")).to_have_count(1)
    assert page.locator(".story").inner_text() == before
    page.get_by_label("Find in this article").fill("")
    expect(page.locator("mark.found")).to_have_count(0)
    assert page.locator("mark").count() == LAMPS


@pytest.mark.parametrize("scripts", [False])
def test_without_scripts_a_form_finds_words(page: Page) -> None:
    page.goto(LAMP)
    page.get_by_label("Find in this article").fill("fog")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page).to_have_url(re.compile("find=fog"))
    expect(page.locator("mark.found").first).to_have_text("fog")
    steps = page.locator('[data-steps="f"]')
    expect(steps).to_contain_text("10 matches")
    steps.get_by_role("link", name=re.compile("^Next")).click()
    expect(steps).to_contain_text("1 of 10")
    expect(page.locator("mark.found.current")).to_be_in_viewport()
    expect(page.locator(STEPS)).to_contain_text(f"{LAMPS} matches")


def test_what_the_server_found_can_be_stepped_and_replaced(page: Page) -> None:
    page.goto(f"{LAMP}&find=fog")
    page.keyboard.press("n")
    expect(page.locator('[data-steps="f"]')).to_contain_text("1 of 10")
    expect(page.locator("mark.found.current")).to_have_text("fog")
    page.get_by_label("Find in this article").fill("midnight")
    expect(page.locator("mark.found")).to_have_count(0)
    assert set(found(page)) == {"midnight"}


# Links and citations.


def test_a_link_to_a_paragraph_is_copied(page: Page, context: BrowserContext) -> None:
    allow_clipboard(context)
    page.goto(LAMP)
    page.get_by_role("link", name="Paragraph 3", exact=True).click()
    expect(page.locator(".toast")).to_have_text("Link to paragraph 3 copied")
    expect(page).to_have_url(re.compile("#p3$"))
    assert copied(page).endswith(f"{article(LIGHTHOUSE)}#p3")


@in_every_run
def test_a_key_copies_a_citation(page: Page, context: BrowserContext) -> None:
    allow_clipboard(context)
    page.goto(LAMP)
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_have_text("Citation of the article copied")
    words = "The last keeper of Northtown lighthouse (City Desk, 3 May 2019)"
    assert copied(page).splitlines()[0] == words
    page.get_by_role("link", name="Paragraph 12", exact=True).focus()
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_have_text("Citation of paragraph 12 copied")
    first, link = copied(page).splitlines()
    assert first == words
    assert f"{article(LIGHTHOUSE)}#p12:~:text=" in link
    assert "It was the year 1960." in unquote(link)


def test_a_citation_leads_to_its_text(page: Page, context: BrowserContext) -> None:
    allow_clipboard(context)
    page.goto(article(LIGHTHOUSE))
    page.get_by_role("link", name="Paragraph 30", exact=True).focus()
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_be_visible()
    link = copied(page).splitlines()[1]
    # Without the id only the text itself can lead there.
    other = context.new_page()
    other.goto(link.replace("#p30:~:", "#:~:"))
    expect(other.locator("#p30")).to_be_in_viewport()


def test_where_nothing_can_be_copied_the_citation_is_shown(page: Page) -> None:
    page.goto(LAMP)
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(); }")
    page.get_by_role("link", name="Paragraph 2", exact=True).focus()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("cite=2#cite$"))
    expect(page.locator(".citation")).to_contain_text("#p2:~:text=")


@pytest.mark.parametrize("scripts", [False])
def test_without_scripts_a_form_cites_a_paragraph(page: Page) -> None:
    page.goto(LAMP)
    page.get_by_text("Cite", exact=True).first.click()
    expect(page.locator(".citation")).to_contain_text("(City Desk, 3 May 2019)")
    page.get_by_label("Paragraph", exact=True).fill("3")
    page.get_by_role("button", name="Cite").click()
    expect(page).to_have_url(re.compile("q=lamp.*cite=3#cite$"))
    expect(page.locator(".citation")).to_contain_text("#p3:~:text=")
    expect(page.locator(".citation")).to_be_in_viewport()


# Versions.


@in_every_run
@each_theme
@each_width
def test_two_versions_stand_side_by_side(
    page: Page, picture: Callable[[str], Path]
) -> None:
    page.goto(article(FERRY))
    page.get_by_role("link", name="Versions and what changed").click()
    expect(page.get_by_role("radio", name="From version 2")).to_be_checked()
    page.get_by_role("radio", name="From version 1").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#compared")).to_have_text("From version 1 to 3")
    expect(page.locator("main ins").first).to_be_visible()
    expect(page.locator("main del").first).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0
    assert layout_shift(page) == 0
    picture("difference")


def test_articles_lead_along_their_chain(page: Page) -> None:
    page.goto(article(FERRY_INQUIRY))
    page.get_by_role("link", name="Ferry runs aground off Eastport").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("aground"))
    page.locator(".notice", has_text="Superseded by").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("captain"))


# Looks.


@each_theme
@each_width
@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("stepping", f"{LAMP}&match=3&find=fog&found=1&cite=3"),
        ("reading-arabic", article(ARABIC, q="السفينة", cite="1")),
        ("reading-tamil", article(TAMIL, q="கப்பல்")),
        ("reading-chinese", article(CHINESE, q="港口")),
    ],
)
def test_an_article_with_all_its_tools_has_no_barriers(
    page: Page, picture: Callable[[str], Path], name: str, address: str
) -> None:
    page.goto(address)
    expect(page.locator("mark").first).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0
    assert layout_shift(page) == 0
    picture(name)


@pytest.mark.parametrize("width", [320])
@pytest.mark.parametrize("address", [f"{LAMP}&find=fog&cite=3", VERSIONS])
def test_tools_and_versions_fit_a_phone(page: Page, address: str) -> None:
    page.goto(address)
    assert overflow(page) == 0


def test_in_print_an_article_has_its_address_and_no_controls(page: Page) -> None:
    page.goto(f"{LAMP}&find=fog&cite=3")
    page.emulate_media(media="print")
    for text in ("By Ana Berg", "City Desk", article(LIGHTHOUSE)):
        expect(page.locator(".reader").get_by_text(text)).to_be_visible()
    for control in ("button", "input", "summary", ".tools", ".anchor", ".facts"):
        for each in page.locator(control).all():
            expect(each).to_be_hidden()
    assert page.pdf().startswith(b"%PDF-")


# Keys that may and may not.


def test_only_a_key_that_may_sees_the_badge(page: Page, keyed_site: Site) -> None:
    for name, seen in (("reader", 0), ("editor", 1)):
        page.context.set_extra_http_headers({"X-API-Key": keyed_site.keys[name]})
        page.goto(f"{keyed_site.url}{article(EMBARGOED)}")
        expect(page.locator(".badge")).to_have_count(seen)
        if seen:
            expect(page.locator(".badge")).to_have_text(
                "Embargoed until 1 January 2199 00:00 UTC"
            )


@pytest.fixture
def looked_at(request: pytest.FixtureRequest, site: Site) -> Site:
    """The open site, but for the test that sends keys."""
    if "keyed_site" in request.fixturenames:
        keyed: Site = request.getfixturevalue("keyed_site")
        return keyed
    return site
