"""The box and the list of hits in a browser: what the script adds to them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    Route,
    expect,
)

from browser.amounts import each_theme, each_width, in_every_run
from browser.looks import layout_shift, overflow, violations
from browser.site import Site
from browser.watch import Watch

HARBOUR = "/?q=harbour&limit=5"


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search the archive")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def type_in(page: Page, text: str) -> None:
    """Type into the box, and wait until something is suggested."""
    box(page).press_sequentially(text)
    expect(options(page).first).to_be_visible()


def started(page: Page) -> None:
    """Wait until the script of a page has begun, after a link or a form."""
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()


def active(page: Page) -> Locator:
    return page.locator("[role=option][aria-selected=true]")


def focused(page: Page) -> Locator:
    return page.locator(":focus")


# Suggestions.


@each_theme
@each_width
def test_suggestions_have_no_barriers_and_move_nothing(page: Page) -> None:
    page.goto("/?q=lamp")
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    box(page).fill("")
    type_in(page, "har")
    page.keyboard.press("ArrowDown")
    assert violations(page) == []
    assert overflow(page) == 0
    assert layout_shift(page) == 0


@in_every_run
def test_arrows_choose_a_suggestion_and_enter_opens_it(page: Page) -> None:
    page.goto("/")
    type_in(page, "harb")
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    expect(active(page)).to_have_count(0)
    number = options(page).count()
    page.keyboard.press("ArrowUp")
    last = options(page).nth(number - 1)
    expect(last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")  # the box itself
    expect(active(page)).to_have_count(0)
    page.keyboard.press("ArrowDown")
    first = options(page).first
    expect(box(page)).to_have_attribute(
        "aria-activedescendant", str(first.get_attribute("id"))
    )
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("harb")
    href = str(first.get_attribute("href"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(href)))


def test_enter_without_a_choice_searches_for_what_was_typed(page: Page) -> None:
    page.goto("/")
    type_in(page, "harb")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    expect(active(page)).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?q=harb$"))


def test_escape_closes_the_list_and_then_leaves_the_box(page: Page) -> None:
    page.goto("/")
    type_in(page, "harb")
    page.keyboard.press("Escape")
    expect(options(page).first).to_be_hidden()
    expect(box(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(box(page)).not_to_be_focused()
    expect(box(page)).to_have_value("harb")


def test_leaving_the_box_closes_the_list(page: Page) -> None:
    page.goto("/")
    type_in(page, "harb")
    page.keyboard.press("Tab")
    expect(options(page).first).to_be_hidden()


def test_a_click_opens_a_suggestion(page: Page) -> None:
    page.goto("/?section=Business")
    type_in(page, "harb")
    page.get_by_role("option", name=re.compile("^harbour ")).click()
    expect(page).to_have_url(re.compile(r"section=Business"))
    expect(page).to_have_url(re.compile(r"q=harbour"))


def test_a_tap_opens_a_suggestion(
    browser: Browser, looked_at: Site, watch: Watch
) -> None:
    with browser.new_context(
        base_url=looked_at.url, has_touch=True, viewport={"width": 320, "height": 640}
    ) as context:
        watch.attach(context)
        page = context.new_page()
        page.goto("/")
        box(page).tap()
        type_in(page, "harb")
        page.get_by_role("option", name=re.compile("^harbour ")).tap()
        expect(page).to_have_url(re.compile(r"/\?q=harbour$"))


def test_an_answer_that_comes_late_is_not_shown(
    page: Page, context: BrowserContext
) -> None:
    held: list[Route] = []
    context.route(re.compile("/suggest.*q=sto$"), lambda route: held.append(route))
    page.goto("/")
    with page.expect_request(re.compile("/suggest.*q=sto$")):
        box(page).press_sequentially("sto")
    page.keyboard.press("Control+A")
    type_in(page, "lighth")
    (late,) = held
    late.fulfill(
        json={
            "groups": [
                {
                    "name": "Late",
                    "options": [{"text": "late", "count": "", "href": "/"}],
                }
            ]
        }
    )
    expect(
        page.get_by_role("option", name=re.compile("lighthouse")).first
    ).to_be_visible()
    expect(page.get_by_role("option", name="late", exact=True)).to_have_count(0)


def test_fast_typing_asks_once(page: Page) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/suggest" in request.url:
            asked.append(request.url)

    page.goto("/")
    page.on("request", note)
    page.evaluate(
        """() => {
          const box = document.getElementById("q");
          for (const text of ["h", "ha", "har", "harb"]) {
            box.value = text;
            box.dispatchEvent(new InputEvent("input"));
          }
        }"""
    )
    expect(options(page).first).to_be_visible()
    assert [url.partition("?")[2] for url in asked] == ["q=harb"]


def test_an_input_method_keeps_its_keys(page: Page, context: BrowserContext) -> None:
    page.goto("/")
    type_in(page, "harb")
    method = context.new_cdp_session(page)
    composing = {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}
    method.send("Input.imeSetComposition", composing)
    for key in ("ArrowDown", "Enter", "Escape"):
        prevented = page.evaluate(
            """key => !document.getElementById("q").dispatchEvent(new KeyboardEvent(
              "keydown", {key, isComposing: true, bubbles: true, cancelable: true}))""",
            key,
        )
        assert not prevented
    expect(active(page)).to_have_count(0)
    expect(box(page)).to_be_focused()
    with page.expect_request(re.compile("/suggest")) as asked:
        method.send("Input.insertText", {"text": "日本"})
    assert asked.value.url.endswith("q=harb%E6%97%A5%E6%9C%AC")


def test_markup_and_turned_text_in_suggestions_stay_text(page: Page) -> None:
    page.goto("/")
    type_in(page, "bold quotes")
    expect(options(page).first).to_contain_text("</title><script>alert(1)</script>")
    assert page.locator("[role=listbox] script, [role=listbox] b").count() == 0
    box(page).fill("")
    type_in(page, "الم")
    expect(options(page).locator("bdi").first).to_be_visible()


@in_every_run
@pytest.mark.parametrize("scripts", [False])
def test_without_scripts_the_box_is_a_plain_one(page: Page) -> None:
    page.goto("/?q=harbour")
    expect(page.get_by_role("searchbox", name="Search the archive")).to_be_visible()
    expect(page.get_by_role("combobox")).to_have_count(0)
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_have_count(0)
    page.get_by_text("As API call").click()
    expect(page.get_by_text("curl 'http://")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Copy"))).to_have_count(0)


# Keys.


@in_every_run
def test_a_walk_by_keyboard_alone(page: Page) -> None:
    page.goto("/?q=grain")
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    page.keyboard.type("lamp fog")  # in place of the selected text
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=lamp\+fog$"))
    started(page)
    page.keyboard.press("j")
    expect(focused(page)).to_have_text(re.compile("last keeper"))
    expect(focused(page)).to_be_in_viewport()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("last keeper"))
    started(page)
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(r"q=lamp\+fog$"))
    expect(focused(page)).to_have_text(re.compile("last keeper"))
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_class("passage")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#p[0-9]+$"))


def test_j_and_k_step_through_all_hits_to_the_next_page(page: Page) -> None:
    page.goto(HARBOUR)
    headlines = page.locator(".hit .headline a")
    for number in range(5):
        page.keyboard.press("j")
        expect(headlines.nth(number)).to_be_focused()
        expect(headlines.nth(number)).to_be_in_viewport()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="More", exact=True)).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="More", exact=True)).to_be_focused()
    page.keyboard.press("k")
    expect(headlines.nth(4)).to_be_focused()


def test_no_key_works_while_somebody_types_or_with_another_key(page: Page) -> None:
    page.goto(HARBOUR)
    box(page).fill("")
    page.keyboard.type("jk?/uo")
    expect(box(page)).to_have_value("jk?/uo")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(box(page)).not_to_be_focused()
    for keys in ("Alt+j", "Control+j", "Shift+J"):
        page.keyboard.press(keys)
    assert page.locator(".hit a:focus").count() == 0


@each_theme
@each_width
def test_the_window_of_keys_has_no_barriers(page: Page) -> None:
    page.goto(HARBOUR)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    assert violations(page) == []
    assert overflow(page) == 0
    page.keyboard.press("j")  # nothing behind it
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_single_keys_can_be_switched_off_and_on(page: Page) -> None:
    page.goto(HARBOUR)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.get_by_role("button", name="Close").click()
    page.goto("/?q=lamp")  # it is kept
    for key in ("j", "?", "/"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.locator(".hit a:focus, #q:focus").count() == 0
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single-key shortcuts").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".hit .headline a").first).to_be_focused()


def test_every_key_of_the_table_is_named_once(page: Page) -> None:
    page.goto(HARBOUR)
    page.keyboard.press("?")
    names = page.locator("dialog kbd").all_inner_texts()
    assert len(names) == len(set(names))
    assert {"/", "j", "k", "o", "u", "Esc", "?", "Enter"} <= set(names)


# More results, in place.


@in_every_run
def test_more_results_come_into_the_list(page: Page) -> None:
    page.goto(HARBOUR)
    hits = page.locator(".hit")
    first = hits.locator(".headline").all_inner_texts()
    page.get_by_role("link", name="More", exact=True).click()
    expect(hits).to_have_count(10)
    texts = hits.locator(".headline").all_inner_texts()
    assert texts[:5] == first
    assert len(set(texts)) == 10
    expect(hits.nth(5).locator(".headline a")).to_be_focused()
    expect(hits.nth(5)).to_be_in_viewport()
    expect(
        page.get_by_role("status").filter(has_text="10 articles shown")
    ).to_have_count(1)
    expect(page).to_have_url(re.compile(re.escape(HARBOUR) + "$"))
    assert violations(page) == []


def test_back_leads_to_the_same_place_in_a_longer_list(page: Page) -> None:
    page.goto(HARBOUR)
    hits = page.locator(".hit")
    for number in (10, 15):
        page.get_by_role("link", name="More", exact=True).click()
        expect(hits).to_have_count(number)
    chosen = hits.nth(12).locator(".headline a")
    headline = chosen.inner_text()
    chosen.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(headline)
    page.get_by_role("link", name="Back to the results").click()
    expect(hits).to_have_count(15)
    expect(chosen).to_have_text(headline)
    expect(chosen).to_be_focused()
    expect(chosen).to_be_in_viewport()
    expect(page).to_have_url(re.compile(re.escape(HARBOUR) + "$"))


def test_where_more_results_fail_their_page_says_why(page: Page) -> None:
    page.route(re.compile("/hits"), lambda route: route.abort("aborted"))
    page.goto(HARBOUR)
    page.get_by_role("link", name="More", exact=True).click()
    expect(page).to_have_url(re.compile("cursor="))
    expect(page.locator(".hit")).to_have_count(5)


# The rest of the page.


@each_theme
@each_width
def test_the_api_call_can_be_copied(
    page: Page, context: BrowserContext, width: int
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/?q=harbour 'x' -grain")
    page.get_by_text("As API call").click()
    assert violations(page) == []
    assert overflow(page) == 0
    page.get_by_role("button", name="Copy the call").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".api-call code").inner_text()
    assert copied.startswith("curl 'http://")


def test_what_is_said_about_a_query_can_be_heard(page: Page) -> None:
    page.goto("/?q=harbour (ships -grain")
    expect(page.get_by_text("Read as: harbour and ships and not grain")).to_be_visible()
    notice = page.locator(".notice")
    expect(notice).to_contain_text("It is about ( in")
    expect(notice.locator("u")).to_have_css("text-decoration-style", "wavy")
    page.goto("/?q=harbour a*")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_accessible_description(
        re.compile("matches too many words")
    )


def test_what_is_offered_without_results_has_some(page: Page) -> None:
    page.goto("/?q=harbour xyzzyplugh&section=Business")
    page.get_by_role("link", name="Search for harbour").click()
    expect(page.locator(".hit").first).to_be_visible()
    page.goto("/?q=lamp&section=Sport&source=Nobody")
    page.get_by_role("link", name="Search without any filter").click()
    expect(page).to_have_url(re.compile(r"/\?q=lamp$"))
    expect(page.locator(".hit").first).to_be_visible()


@each_width
def test_a_hit_from_right_to_left_lines_up_at_the_right(page: Page) -> None:
    page.goto("/?q=الميناء&passages=1")
    hit = page.locator(".hit").first
    expect(hit).to_have_css("direction", "rtl")

    def right(part: str) -> float:
        place = hit.locator(part).first.bounding_box()
        assert place is not None
        return round(place["x"] + place["width"])

    edge = right(".headline")
    for part in (".headline a", ".kicker bdi", ".passage", ".more-passages a"):
        assert abs(right(part) - edge) <= 1, part


@pytest.mark.parametrize("scripts", [False, True])
def test_the_skip_link_leads_past_the_box(page: Page) -> None:
    page.goto(HARBOUR)
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
