"""The bed of the browser tests itself: what it must notice on a page."""

from __future__ import annotations

import pytest
from faults.cluster import path_of
from playwright.sync_api import Page

from browser.amounts import in_every_run
from browser.archive import KILLED, SECRET_WORDS
from browser.looks import compressed_bytes, layout_shift, overflow, violations
from browser.site import Site
from browser.watch import Watch

POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
SOUND = "<!doctype html><html lang=en><title>T</title><main><h1>T</h1></main></html>"


def show(page: Page, html: str, *, status: int = 200, policy: str = "") -> None:
    """Open a made-up page of the site."""
    headers = {"Content-Security-Policy": policy} if policy else {}
    page.route(
        "**/made-up",
        lambda route: route.fulfill(
            status=status, body=html, headers=headers, content_type="text/html"
        ),
    )
    page.goto("/made-up", wait_until="networkidle")


def with_script(script: str) -> str:
    return SOUND.replace("</main>", f"</main><script>{script}</script>")


@in_every_run
@pytest.mark.parametrize("scripts", [True, False])
def test_a_violated_policy_is_a_fault_also_without_scripts(
    page: Page, watch: Watch
) -> None:
    html = SOUND.replace("<h1>", "<h1 style='color: red'>")
    show(page, html, policy=POLICY)
    page.wait_for_timeout(0)
    assert watch.take("Content Security Policy")
    watch.take("policy violated")  # the event, which only scripts can hear


def test_the_event_of_a_violated_policy_is_a_fault(page: Page, watch: Watch) -> None:
    show(page, with_script("0"), policy=POLICY)
    (fault,) = watch.take("policy violated")
    assert "script-src-elem" in fault
    assert watch.take("console error")


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("console.error('oh dear')", "console error: oh dear"),
        ("console.warn('oh dear')", "console warning: oh dear"),
        ("throw new Error('oh dear')", "uncaught error: oh dear"),
        ("Promise.reject(new Error('oh dear'))", "uncaught error: oh dear"),
        ("fetch('/v1/search?sort=up')", "answer 400: "),
        ("fetch('/v1/articles/none')", "answer 404: "),
        ("fetch('https://example.org/').catch(() => {})", "another origin: "),
        ("new Image().src = '//example.org/pixel'", "another origin: "),
    ],
)
def test_what_goes_wrong_in_a_script_is_a_fault(
    page: Page, watch: Watch, script: str, fault: str
) -> None:
    show(page, with_script(script))
    page.wait_for_timeout(0)
    assert len(watch.take(fault)) == 1


def test_an_error_page_and_a_request_taken_back_are_no_faults(page: Page) -> None:
    taken_back = (
        "const c = new AbortController(); fetch('/v1/search', {signal: c.signal})"
    )
    html = with_script(f"{taken_back}.catch(() => {{}}); c.abort()")
    show(page, html, status=404)


@in_every_run
def test_barriers_are_violations(page: Page) -> None:
    show(page, SOUND)
    assert violations(page) == []
    grey = "<p style='color: #aaa; background: #fff'>Faint words</p><img src='data:,'>"
    small = "<button style='width: 9px; height: 9px; padding: 0'>x</button>"
    show(page, SOUND.replace("</main>", f"{grey}{small}{small}</main>"))
    rules = {violation.partition(":")[0] for violation in violations(page)}
    assert {"color-contrast", "image-alt", "target-size"} <= rules


def test_axe_itself_violates_no_policy(page: Page) -> None:
    show(page, SOUND, policy=POLICY)
    assert violations(page) == []


@pytest.mark.parametrize("width", [320])
def test_what_is_too_wide_overflows(page: Page) -> None:
    show(page, SOUND.replace("<h1>", "<h1 style='margin: 0; width: 400px'>"))
    assert overflow(page) > 0


def test_what_moves_by_itself_is_a_layout_shift(page: Page) -> None:
    show(page, SOUND)
    assert layout_shift(page) == 0
    late = "const p = document.createElement('p'); p.textContent = 'late'; "
    moved = f"setTimeout(() => {{{late}document.body.prepend(p)}}, 200)"
    show(page, with_script(moved))
    page.wait_for_selector("text=late")
    assert layout_shift(page) > 0


def test_bytes_are_counted_compressed_and_with_styles_and_scripts(page: Page) -> None:
    sizes = compressed_bytes(page, "/docs")
    assert {url.rpartition("/")[2] for url in sizes} == {
        *("docs", "page.css", "page.js", "reference.css", "reference.js")
    }
    assert all(0 < size < 60_000 for size in sizes.values())


def test_the_site_hides_what_is_withdrawn_and_an_editor_sees_the_embargo(
    site: Site, keyed_site: Site
) -> None:
    with site.cluster.client() as client:
        assert client.ask("GET", path_of(KILLED)).status == 410
        for word in SECRET_WORDS.values():
            assert client.search(word)["total"]["articles"] == 0
    with keyed_site.cluster.client() as client:
        for name, seen in (("reader", 0), ("editor", 2)):
            headers = {"X-API-Key": keyed_site.keys[name]}
            total = 0
            for word in SECRET_WORDS.values():
                answer = client.ask("GET", "/v1/search", q=word, headers=headers)
                assert answer.status == 200
                total += answer.json["total"]["articles"]
            assert total == seen
