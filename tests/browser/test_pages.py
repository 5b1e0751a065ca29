"""The search page and the pages of articles in a browser: each view in every look."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from browser.amounts import amount, each_theme, each_width, in_every_run
from browser.archive import (
    ARABIC,
    BIDI,
    CHINESE,
    FERRY,
    HEBREW,
    KILL_NOTE,
    KILLED,
    LIGHTHOUSE,
    LONG,
    MARKUP,
    ODD_ID,
    TAMIL,
)
from browser.looks import compressed_bytes, layout_shift, overflow, violations


def article(article_id: str, **query: str) -> str:
    """Address of an article's page."""
    more = "".join(f"&{name}={quote(value)}" for name, value in query.items())
    return f"/articles/{quote(article_id, safe=':')}" + more.replace("&", "?", 1)


# Each kind of view, by name, with its address and status.
VIEWS = {
    "front": ("/", 200),
    "results": ("/?q=harbour", 200),
    "filtered": ("/?q=harbour&section=Business&exclude.source=City%20Desk", 200),
    "nothing": ("/?q=harbour%20xyzzyplugh", 200),
    "mistake": ("/?q=published:%5Bnever%20TO%5D", 400),
    "hostile": ("/?q=title%20script%20alert", 200),
    "scripts": ("/?q=%D8%A7%D9%84%D9%85%D9%8A%D9%86%D8%A7%D8%A1", 200),
    "article": (article(LIGHTHOUSE, q="lamp"), 200),
    "several": (article(FERRY), 200),
    "versions": (f"/versions?id={FERRY}", 200),
    "long": (article(LONG), 200),
    "markup": (article(MARKUP), 200),
    "bidi": (article(BIDI), 200),
    "arabic": (article(ARABIC), 200),
    "hebrew": (article(HEBREW), 200),
    "tamil": (article(TAMIL), 200),
    "chinese": (article(CHINESE), 200),
    "killed": (article(KILLED), 410),
    "missing": (article("urn:pages:none"), 404),
}
_SMOKE = ("front", "results", "nothing", "mistake", "article", "arabic", "killed")
each_view = pytest.mark.parametrize("view", amount(_SMOKE, tuple(VIEWS)))


@in_every_run
@each_view
@each_theme
@each_width
def test_a_view_has_no_barriers_and_nothing_on_it_moves(
    page: Page, picture: Callable[[str], Path], view: str
) -> None:
    address, status = VIEWS[view]
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == status
    assert violations(page) == []
    assert overflow(page) == 0
    assert layout_shift(page) == 0
    picture(view)


@in_every_run
@pytest.mark.parametrize("width", [320])
@pytest.mark.parametrize("view", ["results", "long", "article"])
def test_a_view_fits_a_phone(page: Page, view: str) -> None:
    page.goto(VIEWS[view][0])
    assert overflow(page) == 0


@in_every_run
@pytest.mark.parametrize("scripts", [False])
def test_a_walk_without_scripts_leads_from_the_box_to_a_paragraph_and_back(
    page: Page,
) -> None:
    page.goto("/")
    page.get_by_role("searchbox").fill("lamp fog")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"/\?q=lamp(\+|%20)fog$"))
    page.locator("#filters").get_by_role("link", name=re.compile("Culture")).click()
    expect(page).to_have_url(re.compile("section=Culture"))
    page.get_by_role("link", name=re.compile("last keeper")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("last keeper"))
    expect(page.locator("mark").first).to_be_visible()
    page.get_by_role("link", name="Paragraph 3", exact=True).click()
    expect(page).to_have_url(re.compile("#p3$"))
    expect(page.locator("#p3")).to_be_in_viewport()
    page.get_by_role("link", name="Back to the results").click()
    expect(page.get_by_role("searchbox")).to_be_visible()


@pytest.mark.parametrize("scripts", [False])
def test_more_articles_come_by_a_link_without_scripts(page: Page) -> None:
    page.goto("/?q=harbour&limit=5")
    headlines = page.locator("article").get_by_role("heading")
    first = headlines.all_inner_texts()
    page.get_by_role("link", name="More", exact=True).click()
    expect(page).to_have_url(re.compile("cursor="))
    second = headlines.all_inner_texts()
    assert (len(first), len(second)) == (5, 5)
    assert not set(first) & set(second)


@in_every_run
def test_an_article_is_printed_without_what_surrounds_it(page: Page) -> None:
    page.goto(article(LIGHTHOUSE))
    assert page.pdf().startswith(b"%PDF-")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#p40")).to_be_visible()
    expect(page.locator("#q")).to_be_hidden()
    expect(page.get_by_role("link", name="Back to the results")).to_be_hidden()


@in_every_run
@pytest.mark.parametrize("view", ["front", "results", "article"])
def test_a_first_view_takes_less_than_60_kb(page: Page, view: str) -> None:
    sizes = compressed_bytes(page, VIEWS[view][0])
    assert len(sizes) >= 3, "a page, its style and its script"
    assert sum(sizes.values()) < 60_000, sizes


@pytest.mark.parametrize("view", ["hostile", "markup", "bidi"])
def test_markup_in_values_is_shown_as_it_was_written(page: Page, view: str) -> None:
    page.goto(VIEWS[view][0], wait_until="networkidle")
    if view != "bidi":
        expect(page.locator("main")).to_contain_text("</title><script>")
    assert page.locator("main").locator("script, img, svg[onload]").count() == 0
    expect(page.locator("footer")).to_contain_text("Everything here")


@pytest.mark.parametrize(
    ("article_id", "lang", "dir_"),
    [(ARABIC, "ar", "rtl"), (HEBREW, "he", "rtl"), (TAMIL, "ta", "ltr")],
)
def test_an_article_is_set_in_the_direction_of_its_script(
    page: Page, article_id: str, lang: str, dir_: str
) -> None:
    page.goto(article(article_id))
    story = page.locator("main article")
    expect(story).to_have_attribute("lang", lang)
    expect(story).to_have_css("direction", dir_)


@in_every_run
def test_a_killed_article_is_a_notice(page: Page) -> None:
    page.goto(article(KILLED))
    expect(page.locator("main")).to_contain_text(KILL_NOTE)
    expect(page.locator("body")).not_to_contain_text("periwinkle")


def test_an_id_of_any_characters_is_an_address(page: Page) -> None:
    page.goto("/?q=headline:address")
    page.get_by_role("link", name="An address that needs care").click()
    expect(page).to_have_url(re.compile(re.escape(article(ODD_ID))))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("needs care"))
