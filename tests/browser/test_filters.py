"""Filters and dates in a browser: by mouse, touch, keyboard, and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.amounts import each_theme, each_width, in_every_run
from browser.looks import layout_shift, overflow, violations

without_scripts = pytest.mark.parametrize("scripts", [False])
with_or_without = pytest.mark.parametrize("scripts", [True, False])


def facet(page: Page, name: str) -> Locator:
    """The box of a facet."""
    heading = page.get_by_role("heading", name=name, exact=True)
    return page.locator("#filters .facet").filter(has=heading).last


def ticked(page: Page) -> list[str]:
    return page.locator("#filters .facet-row.selected .facet-value").all_inner_texts()


def asked(page: Page) -> dict[str, list[str]]:
    """The parameters of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def found(page: Page) -> int:
    """Number of articles that the page says it found."""
    text = page.locator(".tally [role=status] strong").inner_text()
    return int(text.split()[0].replace(",", ""))


def follow(page: Page, link: Locator) -> None:
    """Click a link, and wait for the page that it leads to."""
    address = link.get_attribute("href") or ""
    link.click()
    page.wait_for_url(re.compile(f"{re.escape(address)}$"))


def drag(page: Page, start: float, end: float, *, drop: bool = True) -> None:
    """Drag with the mouse from one place of the chart to another, from 0 to 1."""
    box = page.locator(".chart").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, y, steps=5)
    if drop:
        page.mouse.up()


@with_or_without
def test_several_values_are_ticked_and_unticked(page: Page) -> None:
    page.goto("/?q=harbour")
    source = facet(page, "Source")
    source.get_by_role("link", name=re.compile("City Desk")).click()
    expect(page).to_have_url(re.compile("source=City%20Desk"))
    first = found(page)
    source.get_by_role("link", name=re.compile("Weather Desk")).click()
    expect(page).to_have_url(re.compile("source=Weather%20Desk"))
    assert set(ticked(page)) == {"City Desk", "Weather Desk"}
    assert found(page) > first
    source.get_by_role("link", name=re.compile("City Desk")).click()
    expect(page).not_to_have_url(re.compile("City%20Desk"))
    assert ticked(page) == ["Weather Desk"]


@in_every_run
@with_or_without
def test_a_chip_turns_to_not_and_back_and_goes(page: Page) -> None:
    page.goto("/?q=harbour&section=Business")
    selected = found(page)
    chip = page.locator(".chip")
    chip.get_by_role("link", name=re.compile("Business")).first.click()
    expect(page).to_have_url(re.compile("exclude.section=Business"))
    expect(chip).to_contain_text("not Section Business")
    expect(page.locator(".facet-row.excluded")).to_contain_text("Business")
    others = found(page)
    chip.get_by_role("link", name=re.compile("Business")).first.click()
    expect(page).to_have_url(re.compile("[?&]section=Business"))
    assert found(page) == selected
    page.get_by_role("link", name="Remove Section Business").click()
    expect(page).to_have_url(re.compile(r"\?q=harbour$"))
    assert found(page) == selected + others


def test_the_filter_box_finds_what_is_typed_in_place(page: Page) -> None:
    page.goto("/?q=harbour&people=Resident%2000")
    people = facet(page, "People")
    values = people.locator(".facet-value:visible")
    whole = values.all_inner_texts()
    assert "Resident 27" not in whole
    box = people.get_by_role("textbox")
    box.fill("résident 2")
    expect(people.get_by_text("Resident 27", exact=True)).to_be_visible()
    expect(people.get_by_role("status")).to_have_text(re.compile(r"^\d+ values? that"))
    texts = values.all_inner_texts()
    # What is ticked stays in sight, whatever is typed.
    assert "Resident 00" in texts
    assert all(text.startswith("Resident 2") for text in texts if text != "Resident 00")
    assert urlsplit(page.url).query == "q=harbour&people=Resident%2000"
    box.fill("")
    expect(values).to_have_text(whole)
    box.fill("resident 2")
    people.get_by_role("link", name=re.compile("Resident 27")).click()
    expect(page).to_have_url(re.compile("people=Resident%2000&people=Resident%2027"))


@with_or_without
def test_the_filter_box_leads_to_a_page_of_its_values(page: Page) -> None:
    page.goto("/?q=harbour")
    people = facet(page, "People")
    people.get_by_role("textbox").fill("resident 2")
    people.get_by_role("button", name="Find").click()
    expect(page).to_have_url(re.compile("/facets/people.*prefix=resident"))
    expect(page.get_by_role("heading", level=1)).to_have_text("People")
    names = page.locator(".facet-value").all_inner_texts()
    assert names
    assert all(name.startswith("Resident 2") for name in names)
    page.get_by_role("link", name=re.compile("Resident 24")).click()
    expect(page).to_have_url(re.compile(r"/\?q=harbour&people=Resident%2024$"))
    assert found(page) == 1


def test_more_filters_come_when_they_are_opened(page: Page) -> None:
    page.goto("/?q=harbour")
    more = page.locator(".other-facets")
    more.locator("> summary").click()
    places = more.locator(".facet").filter(has_text="Places")
    expect(places).to_be_visible()
    places.get_by_role("link", name=re.compile("Saltmarsh")).click()
    expect(page).to_have_url(re.compile("places=Saltmarsh"))
    # A facet in use is among the first.
    expect(facet(page, "Places").locator(".selected")).to_contain_text("Saltmarsh")


@without_scripts
def test_more_filters_have_a_page_without_scripts(page: Page) -> None:
    page.goto("/?q=harbour")
    page.locator(".other-facets > summary").click()
    page.get_by_role("link", name="Show more filters").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("More filters")
    page.get_by_role("link", name=re.compile("Saltmarsh")).click()
    expect(page).to_have_url(re.compile(r"/\?q=harbour&places=Saltmarsh$"))


@with_or_without
def test_bars_lead_to_a_day_and_crumbs_out_again(page: Page) -> None:
    page.goto("/?q=harbour")
    everything = found(page)
    names = []
    while page.locator(".chart").count():
        bar = page.locator(".chart a").last
        label = bar.get_attribute("aria-label") or ""
        count = int(label.split(": ")[1].split()[0])
        names.append(label)
        follow(page, bar)
        assert found(page) == count
    assert len(names) == 3, names
    while page.locator(".crumbs li a").count():
        follow(page, page.locator(".crumbs li a").last)
    assert page.url.endswith("/?q=harbour")
    assert found(page) == everything


@in_every_run
def test_a_range_is_picked_by_dragging_over_the_bars(page: Page) -> None:
    page.goto("/?q=harbour&sort=oldest")
    slots = page.locator(".slot")
    last = slots.count() - 1
    ends = [slots.nth(n).get_attribute("data-first") for n in (0, last // 2)]
    drag(page, 0.5 / (last + 1), (last // 2 + 0.5) / (last + 1), drop=False)
    expect(page.locator(".slot.in")).to_have_count(last // 2 + 1)
    note = page.locator(".picked").inner_text()
    assert note.startswith(f"Show {ends[0]} – {ends[1]}: ")
    page.mouse.up()
    expect(page).to_have_url(re.compile("from="))
    assert asked(page) == {
        "q": ["harbour"],
        "sort": ["oldest"],
        "from": [ends[0]],
        "to": [ends[1]],
    }
    assert found(page) == int(note.split(": ")[1].split()[0])
    page.go_back()
    expect(page.locator(".slot.in")).to_have_count(0)


def test_a_drag_is_given_up_with_escape_and_a_click_is_no_drag(page: Page) -> None:
    page.goto("/?q=harbour")
    address = page.url
    drag(page, 0.2, 0.7, drop=False)
    expect(page.locator(".picked")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".picked")).to_be_hidden()
    page.mouse.up()
    assert page.url == address
    expect(page.locator(".slot.out")).to_have_count(0)
    page.locator(".chart a").first.click()
    expect(page).to_have_url(re.compile("from=(\\d+)&to=\\1$"))


@pytest.mark.parametrize("width", [320])
def test_a_range_is_picked_by_touch(page: Page) -> None:
    page.goto("/?q=harbour")
    page.locator(".timeline > summary").click()
    box = page.locator(".chart").bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    y = box["y"] + box["height"] / 2

    def send(kind: str, *places: float) -> None:
        points = [{"x": box["x"] + box["width"] * x, "y": y} for x in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", 0.3)
    for step in (0.35, 0.4, 0.5, 0.6):
        send("touchMove", step)
    expect(page.locator(".picked")).to_be_visible()
    send("touchEnd")
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    assert asked(page)["from"] < asked(page)["to"]


@in_every_run
def test_a_range_is_picked_with_two_sliders_by_keyboard(page: Page) -> None:
    page.goto("/?q=harbour")
    slots = page.locator(".slot")
    count = slots.count()
    periods = [slots.nth(n).get_attribute("data-period") for n in range(count)]
    start = page.get_by_role("slider", name="First date")
    end = page.get_by_role("slider", name="Last date")
    expect(start).to_have_attribute("aria-valuetext", str(periods[0]))
    start.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(start).to_have_attribute("aria-valuetext", str(periods[2]))
    page.keyboard.press("Tab")
    expect(end).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(end).to_have_attribute("aria-valuetext", str(periods[-2]))
    # One never passes the other, and both can be put back.
    page.keyboard.press("Home")
    expect(end).to_have_attribute("aria-valuetext", str(periods[0]))
    expect(start).to_have_attribute("aria-valuetext", str(periods[0]))
    page.keyboard.press("Escape")
    expect(page.locator(".picked")).to_be_hidden()
    expect(end).to_have_attribute("aria-valuetext", str(periods[-1]))
    page.keyboard.press("ArrowLeft")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"from={periods[0]}&to={periods[-2]}$"))


def test_the_bars_are_one_stop_for_tab(page: Page) -> None:
    page.goto("/?q=harbour")
    bars = page.locator(".chart a")
    bars.first.focus()
    page.keyboard.press("ArrowRight")
    expect(bars.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(bars.last).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(bars.last).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("slider", name="First date")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(bars.last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("from="))


@with_or_without
def test_exact_dates_are_typed_into_a_form(page: Page) -> None:
    page.goto("/?q=harbour&sort=oldest")
    page.get_by_text("Exact dates").click()
    page.get_by_label("From").fill("2001-02-03")
    page.get_by_label("to", exact=True).fill("2019-12-31")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("from=2001-02-03&to=2019-12-31"))
    expect(page.locator(".chip")).to_contain_text("3 February 2001 – 31 December 2019")
    assert found(page) == sum(
        int(cell.replace(",", ""))
        for cell in page.locator(".numbers td").all_text_contents()
    )


def test_the_numbers_are_a_table_of_links(page: Page) -> None:
    page.goto("/?q=harbour")
    page.get_by_text("Exact dates and numbers").click()
    table = page.get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(page.locator(".chart a").count() + 1)
    assert violations(page) == []
    link = table.get_by_role("link").last
    year = link.inner_text()
    link.click()
    expect(page).to_have_url(re.compile(f"from={year}&to={year}$"))


@with_or_without
@pytest.mark.parametrize("width", [320])
def test_filters_of_a_phone_are_behind_a_disclosure_above_the_results(
    page: Page, scripts: bool
) -> None:
    page.goto("/?q=harbour&section=Business")
    row = facet(page, "Section").get_by_role("link", name=re.compile("Business"))
    expect(row).to_be_hidden()
    summary = page.locator("#filters > summary")
    box, hit = summary.bounding_box(), page.locator(".hit").first.bounding_box()
    assert box is not None
    assert hit is not None
    assert box["y"] < hit["y"]
    summary.click()
    expect(row).to_be_visible()
    page.locator(".timeline > summary").click()
    expect(page.locator(".chart")).to_be_visible()
    page.get_by_text("Exact dates").click()
    assert overflow(page) == 0
    if scripts:  # without them axe, a script itself, never ends
        assert violations(page) == []
    row.click()
    expect(page).to_have_url(re.compile(r"\?q=harbour$"))


@each_theme
@each_width
@pytest.mark.parametrize(
    "address",
    [
        "/?q=harbour&from=2010&to=2019&people=Nobody&exclude.source=City%20Desk"
        "&missing.genre=1",
        "/facets?q=harbour",
        "/facets/people?q=harbour&section=Business",
    ],
)
def test_filters_have_no_barriers_and_nothing_moves(
    page: Page, picture: Callable[[str], Path], address: str
) -> None:
    page.goto(address)
    assert violations(page) == []
    assert overflow(page) == 0
    assert layout_shift(page) == 0
    picture("filters-" + (re.sub(r"\W+", "-", urlsplit(address).path).strip("-")))


def test_on_paper_there_are_the_chart_and_the_filters_in_effect(page: Page) -> None:
    page.goto("/?q=harbour&section=Business")
    page.emulate_media(media="print")
    expect(page.locator(".chart")).to_be_visible()
    expect(page.locator(".chip")).to_be_visible()
    for name in ("#filters", ".exact", ".range"):
        expect(page.locator(name)).to_be_hidden()
    assert page.pdf().startswith(b"%PDF-")


def test_bars_do_not_differ_by_colour_alone_in_forced_colours(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.goto("/?q=harbour")
    drag(page, 0.2, 0.5, drop=False)
    fills = {
        name: page.locator(f".slot.{name} .bar").first.evaluate(
            "bar => getComputedStyle(bar).fill"
        )
        for name in ("in", "out")
    }
    assert fills["in"] != fills["out"]
    page.mouse.up()
