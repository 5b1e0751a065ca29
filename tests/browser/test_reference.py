"""The API reference at /docs in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.amounts import each_theme, each_width
from browser.looks import overflow, violations
from browser.site import Site


@each_theme
@each_width
def test_the_reference_has_no_barriers(
    page: Page, picture: Callable[[str], Path]
) -> None:
    page.goto("/docs", wait_until="networkidle")
    page.locator("summary").first.click()
    assert violations(page) == []
    assert overflow(page) == 0
    assert picture("reference").stat().st_size > 0


def test_the_reference_shows_every_operation_and_the_scope_it_needs(
    page: Page, site: Site
) -> None:
    with site.cluster.client() as client:
        document = client.ask("GET", "/openapi.json").json
    operations = [
        described.get("security", document["security"])
        for item in document["paths"].values()
        for method, described in item.items()
        if method != "parameters"
    ]
    page.goto("/docs")
    details = page.locator("#operations details")
    expect(details).to_have_count(len(operations))
    needs_none = details.filter(has_text="No key is needed.")
    expect(needs_none).to_have_count(operations.count([]))
    ingests = [each for each in operations if {"bearer": ["ingest"]} in each]
    expect(details.filter(has_text="Scope: ingest")).to_have_count(len(ingests))


def test_the_reference_tells_what_an_operation_takes_and_answers(page: Page) -> None:
    page.goto("/docs")
    search = page.locator("details", has_text="GET/v1/search ").first
    search.locator("summary").click()
    expect(search.get_by_role("row", name=re.compile("^scope "))).to_contain_text(
        "one paragraph"
    )
    write = page.locator("details", has_text="POST/v1/articles ").first
    write.locator("summary").click()
    expect(write).to_contain_text("Body: application/json, text/plain")
    expect(write.get_by_role("row", name="413")).not_to_have_text("413")


def test_a_search_can_be_tried_in_the_reference(page: Page) -> None:
    page.goto("/docs")
    page.get_by_label("Query").fill("harbour")
    page.keyboard.press("Enter")
    expect(page.locator("#request")).to_contain_text("q=harbour")
    expect(page.locator("#answer mark").first).to_have_text("harbour", ignore_case=True)


@pytest.mark.parametrize("scripts", [False])
def test_without_scripts_the_reference_leads_to_the_document(page: Page) -> None:
    page.goto("/docs")
    link = page.locator("noscript").get_by_role("link", name="openapi.json")
    assert link.get_attribute("href") == "openapi.json"


@pytest.mark.parametrize("width", [320])
def test_the_reference_fits_a_phone(page: Page) -> None:
    page.goto("/docs", wait_until="networkidle")
    summaries = page.locator("summary").all()
    assert summaries
    for summary in summaries:
        summary.click()
    assert overflow(page) == 0
