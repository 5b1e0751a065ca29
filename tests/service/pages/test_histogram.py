"""The histogram of dates: bars lead into their periods, and the way leads out again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from archives import index, put
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from page_markup import Page, plain

from index.archive import Archive
from index.settings import Settings
from service import create_app

# Around the changes of the clock of London, Apia (which left out a day) and São Paulo,
# around ends of years, and in another century.
INSTANTS = (
    *("1899-12-31T23:59:59Z", "1900-01-01T00:00:00Z", "1955-07-01T12:00:00Z"),
    *("2011-12-29T23:00:00Z", "2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"),
    *("2018-11-04T02:30:00Z", "2018-11-04T03:00:00Z", "2020-12-31T13:59:59Z"),
    *("2020-12-31T14:00:00Z", "2020-12-31T23:59:59Z", "2021-01-01T00:00:00Z"),
    *("2021-03-28T00:59:59Z", "2021-03-28T01:00:00Z", "2021-03-27T23:59:59Z"),
    *("2021-10-31T00:30:00Z", "2021-10-31T01:30:00Z", "2021-10-31T23:30:00Z"),
    *("2021-03-31T22:59:59Z", "2021-03-31T23:00:00Z", "2021-04-01T00:00:00Z"),
)
ZONES = ("UTC", "Europe/London", "Pacific/Apia", "America/Sao_Paulo")


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of an archive with an article at each of INSTANTS, and one without."""
    folder = tmp_path_factory.mktemp("dated")
    own = Settings(
        store=f"sqlite:///{folder}/store.db", engine=f"whoosh:{folder}/index"
    )
    archive = Archive.open(own)
    for number, instant in enumerate(INSTANTS):
        put(archive, f"d{number:02}", published=instant, updated=instant)
    put(archive, "undated")
    index(archive)
    yield create_app(own, archive).test_client()
    archive.close()


def total(page: Page) -> int:
    """Number of articles that a page says it found."""
    match = re.match(r"(?:Newest of )?([\d,]+)", page.text("main//p[@role='status']"))
    assert match is not None
    return int(match[1].replace(",", ""))


def bars(page: Page) -> list[Any]:
    """The links of the bars."""
    return page.by_class("slot", "a")


def counts(page: Page) -> list[int]:
    return [int(bar.get("data-count")) for bar in bars(page)]


def crumbs(page: Page) -> list[str]:
    return page.texts("nav[@class='crumbs']//li")


def show(client: FlaskClient, address: str) -> Page:
    page = Page(client.get(address))
    assert page.status == 200, address
    return page


@pytest.mark.parametrize("tz", ZONES)
@pytest.mark.parametrize("field", ["published", "updated"])
def test_every_bar_leads_to_just_as_many_articles_and_out_again(
    dated: FlaskClient, tz: str, field: str
) -> None:
    start = f"/?tz={quote(tz, safe='')}"
    start += "&date=updated" if field == "updated" else ""
    waiting, seen = [start], set()
    pages = cache(partial(show, dated))  # each is met several times
    while waiting:
        address = waiting.pop()
        seen.add(address)
        page = pages(address)
        if not bars(page):
            continue
        undated = 1 if address == start else 0
        assert sum(counts(page)) == total(page) - undated
        for bar in bars(page):
            inner = pages(bar.get("href"))
            assert total(inner) == int(bar.get("data-count")), bar.get("href")
            out = inner.all("nav[@class='crumbs']/ol//a")
            assert [plain(out[0]), out[0].get("href")] == ["All dates", start]
            outer = pages(out[-1].get("href"))
            assert bar.get("href") in [link.get("href") for link in bars(outer)]
            if bar.get("href") not in seen:
                waiting.append(bar.get("href"))
    assert len(seen) > 20


@settings(max_examples=40, deadline=None)
@given(
    ends=st.lists(st.sampled_from(INSTANTS), min_size=2, max_size=2).map(sorted),
    cut=st.sampled_from([None, 4, 7, 10]),
    sides=st.sampled_from(["both", "from", "to"]),
    tz=st.sampled_from(ZONES),
)
def test_bars_are_cut_off_at_the_ends_of_the_chosen_period(
    dated: FlaskClient, ends: list[str], cut: int | None, sides: str, tz: str
) -> None:
    period = {"from": ends[0][:cut], "to": ends[1][:cut]}
    if sides != "both":
        period = {sides: period[sides]}
    page = show(dated, f"/?{urlencode({**period, 'tz': tz})}")
    if bars(page):
        assert sum(counts(page)) == total(page)
    for bar in bars(page):
        assert total(show(dated, bar.get("href"))) == int(bar.get("data-count"))


def test_a_way_leads_from_a_century_to_a_day(dated: FlaskClient) -> None:
    names = []
    page = show(dated, "/?tz=Europe/London")
    assert "Articles by decade" in page.text("p[@class='by']")
    for label in ("2020 – 2029", "2021", "March 2021", "28 March 2021"):
        (bar,) = (bar for bar in bars(page) if bar.get("data-period") == label)
        page = show(dated, bar.get("href"))
        names.append(crumbs(page))
    assert names == [
        ["All dates", "2000–2099", "2020s"],
        ["All dates", "2020s", "2021"],
        ["All dates", "2020s", "2021", "March"],
        ["All dates", "2020s", "2021", "March", "28"],
    ]
    assert bars(page) == []
    chips = page.by_class("chip", "li")
    assert [plain(chip) for chip in chips] == ["Published 28 March 2021 ×"]
    assert [plain(link) for link in page.all("p[@class='beside']/a")] == [
        *("← 27 March 2021", "29 March 2021 →"),
    ]


def test_a_bar_says_its_period_and_count(dated: FlaskClient) -> None:
    page = show(dated, "/?from=2021&to=2021")
    march = bars(page)[1]
    assert march.get("aria-label") == "March 2021: 5 articles"
    assert plain(march.find("title")) == "March 2021: 5 articles"
    rows = [" ".join(map(plain, row)) for row in page.all("table//tr")]
    assert rows[:3] == ["Month Articles", "January 2021 1", "March 2021 5"]
    for bar, link in zip(bars(page), page.all("table//a"), strict=True):
        assert bar.get("href") == link.get("href")


def test_empty_periods_keep_their_room(dated: FlaskClient) -> None:
    page = show(dated, "/?from=2021&to=2021")
    slots = page.by_class("slot")
    assert len(slots) == 12
    starts = [float(slot.find("rect").get("x").removesuffix("%")) for slot in slots]
    assert starts == pytest.approx([n * 100 / 12 for n in range(12)], abs=0.01)
    empty = [slot for slot in slots if slot.tag == "g"]
    assert len(empty) == 8
    assert all(slot.get("data-count") == "0" for slot in empty)


def test_a_bar_that_is_not_empty_can_be_seen(
    archive: Archive, client: FlaskClient
) -> None:
    for number in range(200):
        put(archive, f"n{number}", "ferries", published="2020-01-05T00:00:00Z")
    put(archive, "one", "ferries", published="2020-03-05T00:00:00Z")
    index(archive)
    page = show(client, "/?q=ferries&from=2020&to=2020")
    high, low = (bar.findall("rect")[1] for bar in bars(page))
    assert float(high.get("height")) == 64
    assert float(low.get("height")) >= 2
    assert float(low.get("y")) + float(low.get("height")) == 64


def test_articles_of_one_day_need_no_chart(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "one", "ferries", published="2020-03-05T00:00:00Z")
    put(archive, "two", "lanterns")
    index(archive)
    page = show(client, "/?q=ferries")
    assert bars(page) == []
    assert page.text("p[@class='by']") == "Published: 5 March 2020"
    assert page.by_class("timeline") != []
    # Nothing has a date, and none was asked for.
    assert show(client, "/?q=lanterns").by_class("timeline") == []
    # A period without articles can be left.
    empty = show(client, "/?q=ferries&from=2019&to=2019")
    assert bars(empty) == []
    assert crumbs(empty) == ["All dates", "2010s", "2019"]


def test_articles_without_a_date_are_counted(dated: FlaskClient) -> None:
    assert show(dated, "/").text("p[@class='undated']") == "1 article without a date"
    assert show(dated, "/?from=2020").by_class("undated") == []


def test_the_form_has_the_chosen_days_and_the_rest_of_the_search(
    dated: FlaskClient,
) -> None:
    page = show(
        dated, "/?q=words&from=2021-02&to=2021-03&tz=Europe/London&date=updated"
    )
    (form,) = page.by_class("period", "form")
    fields = {each.get("name"): each.get("value") for each in form.findall(".//input")}
    assert fields == {
        "q": "words",
        "tz": "Europe/London",
        "date": "updated",
        "from": "2021-02-01",
        "to": "2021-03-31",
    }
    sent = show(dated, f"{form.get('action')}?{urlencode(fields)}")
    assert total(sent) == total(page) == 4


def test_any_period_that_the_api_takes_has_a_page(dated: FlaskClient) -> None:
    for period in (
        *("from=-7d", "to=today", "from=yesterday&to=today", "from=0001&to=9999"),
        *("from=9999-12-31&to=9999-12-31", "from=%202021%20"),
        *("from=0001-01-01&to=0001-01-01&tz=Pacific/Kiritimati", "from=-3h&to=now"),
        "from=2011-12-30&to=2011-12-30&tz=Pacific/Apia",
    ):
        page = show(dated, f"/?{period}")
        assert crumbs(page)[0] == "All dates"
        assert (
            total(page) == dated.get(f"/v1/search?{period}").json["total"]["articles"]
        )


def test_a_period_that_cannot_be_read_is_a_mistake_of_the_search(
    dated: FlaskClient,
) -> None:
    for query in ("from=soon", "to=2021-13", "from=2021-02-30", "from=2021&to=2020"):
        page = Page(dated.get(f"/?{query}"))
        assert page.status == 400
        assert page.by_class("mistake") != []


def test_the_base_of_a_dragged_range_is_the_rest_of_the_search(
    dated: FlaskClient,
) -> None:
    page = show(dated, "/?q=words&from=2021&to=2021&sort=oldest&page=1")
    (dates,) = page.by_class("dates")
    assert dates.get("data-base") == "/?q=words&sort=oldest"
    slots = page.by_class("slot")
    assert [slots[0].get("data-first"), slots[-1].get("data-last")] == [
        *("2021-01", "2021-12"),
    ]


def test_a_page_that_names_all_facets_it_may_is_not_refused(
    dated: FlaskClient,
) -> None:
    units = ("day", "week", "month", "year", "decade", "century", "auto")
    names = [f"{field}:{unit}" for field in ("published", "updated") for unit in units]
    names += ["section", "source", "people", "places", "genre", "type"]
    query = urlencode({"facet": names, "from": "2021", "to": "2021"}, doseq=True)
    assert len(names) == 20
    page = show(dated, f"/?{query}")
    assert json.loads(dated.get(f"/v1/search?{query}").data)["facets"]
    assert page.by_class("facet") != []
