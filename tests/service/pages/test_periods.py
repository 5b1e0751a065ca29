"""Periods: the calendar around the dates of a search, in and out again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from index import dates
from index.query import Interval, Request
from service.api import bucket_period
from service.pages.periods import Span, span_of

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ZONES = (
    *("UTC", "Europe/London", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata"),
    *("Pacific/Kiritimati", "America/St_Johns"),
)
UNITS = (
    Interval.CENTURY,
    Interval.DECADE,
    Interval.YEAR,
    Interval.MONTH,
    Interval.DAY,
)
days = st.dates(date(2, 1, 1), date(9998, 12, 31))
zones = st.sampled_from(ZONES)


def span(since: str | None, until: str | None, tz: str = "UTC") -> Span:
    return span_of(Request(since=since, until=until, tz=tz), NOW)


@given(days, st.sampled_from(UNITS), zones)
def test_a_whole_period_is_in_all_wider_ones(
    day: date, unit: Interval, tz: str
) -> None:
    first, last = bucket_period(unit, day.isoformat())
    chosen = span(first, last, tz)
    assume(chosen.low != chosen.high)  # a day that the zone left out
    around = chosen.around()
    assert [period.unit for period in around] == list(UNITS[: len(around)])
    assert (around[-1].unit, around[-1].whole) == (unit, True)
    assert (around[-1].first, around[-1].last) == (first, last)
    for wider in around[:-1]:
        assert not wider.whole
        outer = span(wider.first, wider.last, tz)
        assert outer.low is not None
        assert chosen.low is not None
        assert outer.high is not None
        assert chosen.high is not None
        assert outer.low <= chosen.low < chosen.high <= outer.high


@given(days, st.sampled_from(UNITS[1:]), zones)
def test_the_period_after_the_one_before_is_the_same(
    day: date, unit: Interval, tz: str
) -> None:
    chosen = span(*bucket_period(unit, day.isoformat()), tz=tz)
    before = chosen.beside(-1)
    assume(before is not None)
    assert before is not None
    back = span(before.first, before.last, tz).beside(1)
    if back is not None:  # what is yet to come is not offered
        assert back.unit is unit
        assert span(back.first, back.last, tz).low == chosen.low


@given(days, st.integers(0, 400_000), zones)
def test_no_period_has_more_bars_than_a_chart_holds(
    day: date, length: int, tz: str
) -> None:
    try:
        last = day + timedelta(days=length)
    except OverflowError:
        last = date.max
    chosen = span(day.isoformat(), last.isoformat(), tz)
    years = last.year - day.year + 1
    most = {
        Interval.DAY: length + 1,
        Interval.WEEK: length // 7 + 2,
        Interval.MONTH: years * 12,
        Interval.YEAR: years,
        Interval.DECADE: years // 10 + 2,
        Interval.CENTURY: years // 100 + 2,
        Interval.AUTO: 0,
    }
    assert most[chosen.interval()] <= 102


@pytest.mark.parametrize(
    ("since", "until", "unit"),
    [
        ("1900", "1999", "decade"),
        ("1990", "1999", "year"),
        ("2016", "2016", "month"),
        ("2016-02", "2016-02", "day"),
        ("2016-02-29", "2016-02-29", "day"),
        ("2016-01", "2016-05", "week"),
        ("2015", None, "auto"),
        (None, "2015", "auto"),
        ("2017", "2016", "auto"),
    ],
)
def test_a_period_is_divided_into_the_next_smaller_ones(
    since: str | None, until: str | None, unit: str
) -> None:
    assert span(since, until).interval().value == unit


@pytest.mark.parametrize("tz", ["Europe/London", "America/New_York"])
def test_a_part_of_a_day_stays_a_part(tz: str) -> None:
    chosen = span("2021-03-28T00:30:00Z", "2021-10-31T01:30:00Z", tz)
    assert chosen.within("2021-03", "2021-03")[0] == "2021-03-28T00:30:00Z"
    assert chosen.within("2021-10", "2021-10")[1] == "2021-10-31T01:30:00Z"
    assert chosen.within("2021-06", "2021-06") == ("2021-06", "2021-06")


@given(days, st.integers(0, 5_000), zones, st.sampled_from(UNITS))
def test_a_bar_never_leads_beyond_the_chosen_period(
    day: date, length: int, tz: str, unit: Interval
) -> None:
    last = min(day.toordinal() + length, date.max.toordinal() - 1)
    chosen = span(day.isoformat(), date.fromordinal(last).isoformat(), tz)
    assume(chosen.low != chosen.high)
    zone = dates.zone(tz)
    for edge in (day, date.fromordinal(last)):
        start, end = chosen.within(*bucket_period(unit, edge.isoformat()))
        low, _ = dates.period(start, tz=zone, now=NOW)
        _, high = dates.period(end, tz=zone, now=NOW)
        assert chosen.low is not None
        assert chosen.high is not None
        assert chosen.low <= low <= high <= chosen.high


def test_the_first_and_the_last_year_have_nothing_beside_them() -> None:
    assert span("0001", "0001").beside(-1) is None
    assert span("9999", "9999").beside(1) is None
    assert span("0001", "0001").around()[0].name == "1–99"
    assert span("0001", "0009").around()[-1].name == "1–9"


def test_nothing_later_than_now_is_offered() -> None:
    assert span("2026", "2026").beside(1) is None
    later = span("2025", "2025").beside(1)
    assert later is not None
    assert later.full_name == "2026"


def test_a_period_that_cannot_be_read_is_none() -> None:
    for since, tz in (("soon", "UTC"), ("2016", "Nowhere/Here")):
        unread = span(since, None, tz)
        assert not unread.chosen
        assert unread.interval() is Interval.AUTO
