"""What a test measures of a page in the browser."""

from __future__ import annotations

import gzip

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

_AXE = Axe()
_FORCED = "() => matchMedia('(forced-colors: active)').matches"

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
    # All rules that are on by default, and the one of WCAG 2.2 AA that is not. Forced
    # colours are the reader's own: axe compares them with those that they replace.
    rules = {
        "target-size": {"enabled": True},
        "color-contrast": {"enabled": not page.evaluate(_FORCED)},
    }
    options = {"resultTypes": ["violations"], "rules": rules}
    found = _AXE.run(page, options=options).response["violations"]
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
