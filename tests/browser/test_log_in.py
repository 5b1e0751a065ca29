"""Logging in and out in a browser, with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.amounts import each_theme, each_width, in_every_run
from browser.archive import EMBARGOED
from browser.looks import overflow, violations
from browser.site import Site


@pytest.fixture
def looked_at(keyed_site: Site) -> Site:
    return keyed_site


def log_in(page: Page, key: str) -> None:
    page.locator("input[name=key]").fill(key)
    page.get_by_role("button", name="Log in").click()


@in_every_run
@each_theme
@each_width
def test_the_form_and_a_page_behind_it_have_no_barriers(
    page: Page, keyed_site: Site, picture: Callable[[str], Path]
) -> None:
    page.goto("/?q=harbour")
    expect(page.locator("input[name=key]")).to_be_visible()
    picture("log-in")
    assert violations(page) == []
    assert overflow(page) == 0
    log_in(page, keyed_site.keys["editor"])
    expect(page.locator("#q")).to_have_value("harbour")
    picture("logged-in")
    assert violations(page) == []
    assert overflow(page) == 0


def test_a_wrong_key_is_told_and_has_no_barriers(page: Page) -> None:
    page.goto("/")
    log_in(page, "nutgraf_wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert "nutgraf_wrong" not in page.content()
    assert violations(page) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_mailed_link_is_reached_and_left_again(
    page: Page, context: BrowserContext, keyed_site: Site
) -> None:
    page.goto(f"/articles/{EMBARGOED}?q=harbour#p1")
    log_in(page, keyed_site.keys["editor"])
    expect(page).to_have_url(re.compile(r"\?q=harbour#p1$"))
    (cookie,) = [each for each in context.cookies() if "form" not in each["name"]]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("input[name=key]")).to_be_visible()
    page.goto(f"/articles/{EMBARGOED}")
    expect(page.locator("input[name=key]")).to_be_visible()
