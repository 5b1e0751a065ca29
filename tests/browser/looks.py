"""What a test measures of a page in the browser."""

from __future__ import annotations

import gzip

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

_AXE = Axe()
# All rules that are on by default, among them those of WCAG 2.2 AA but one.
_RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

_SHIFTS = """
() => new Promise(resolve => {
  const shifts = [];
  new PerformanceObserver(list => shifts.push(...list.getEntries()))
    .observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => setTimeout(() => resolve(
    shifts.reduce((sum, shift) => sum + shift.value, 0)), 100));
})
"""
_OVERFLOW = """
() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth
"""


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with a page: its rule, where, and what to do."""
    found = _AXE.run(page, options=_RULES).response["violations"]
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def overflow(page: Page) -> int:
    """CSS pixels that a page is wider than its window."""
    pixels = page.evaluate(_OVERFLOW)
    assert isinstance(pixels, int)
    return pixels


def layout_shift(page: Page) -> float:
    """Sum of all layout shifts since a page was opened: 0 if nothing has moved."""
    return float(page.evaluate(_SHIFTS))


def compressed_bytes(page: Page, path: str) -> dict[str, int]:
    """Bytes of HTML, CSS and scripts that opening a path takes, compressed, by URL."""
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    page.on("response", keep)
    page.goto(path, wait_until="networkidle")
    page.remove_listener("response", keep)
    return {
        answer.url: len(gzip.compress(answer.body(), 6))
        for answer in answers
        if answer.request.resource_type in ("document", "stylesheet", "script")
    }
