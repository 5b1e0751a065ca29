"""The box on a page behind keys: the script asks with the session of the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from browser.amounts import in_every_run
from browser.archive import EMBARGOED, SECRET_WORDS
from browser.site import Site

SECRET = SECRET_WORDS[EMBARGOED]


@pytest.fixture
def looked_at(keyed_site: Site) -> Site:
    return keyed_site


@in_every_run
@pytest.mark.parametrize(("name", "sees"), [("reader", False), ("editor", True)])
def test_suggestions_are_those_that_the_key_may_see(
    page: Page, keyed_site: Site, name: str, sees: bool
) -> None:
    page.goto("/")
    page.locator("input[name=key]").fill(keyed_site.keys[name])
    page.get_by_role("button", name=re.compile("Log in")).click()
    box = page.get_by_role("combobox", name="Search the archive")
    with page.expect_response(re.compile(f"/suggest.*q={SECRET}$")) as answer:
        box.press_sequentially(SECRET)
    expect(page.locator("#q")).to_have_value(SECRET)
    found = answer.value.json()["groups"]
    assert bool(found) is sees
    assert page.get_by_text("YOUR-KEY").count() == 1
    assert keyed_site.keys[name] not in page.content()
