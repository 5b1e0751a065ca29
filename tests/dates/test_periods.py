"""Periods and instants: days of a zone, relative dates, text that is not a date."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dates import from_micros, instant, iso, micros, period, zone
from index.dates.instants import to_utc

NOW = datetime(2016, 9, 29, 14, 30, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
ANY_INSTANT = st.datetimes(timezones=st.just(UTC))


def span(text: str, tz: str = "UTC", now: datetime = NOW) -> list[str]:
    return [iso(each) for each in period(text, tz=zone(tz), now=now)]


@pytest.mark.slow
@given(ANY_INSTANT)
def test_microseconds_stand_for_exactly_one_instant(moment: datetime) -> None:
    assert from_micros(micros(moment)) == moment


@pytest.mark.slow
@given(ANY_INSTANT, ANY_INSTANT)
def test_microseconds_keep_the_order(one: datetime, other: datetime) -> None:
    assert (one < other) == (micros(one) < micros(other))


@given(ANY_INSTANT)
def test_a_written_instant_is_read_back(moment: datetime) -> None:
    assert instant(iso(moment)) == moment


def test_instants_are_written_in_utc() -> None:
    assert iso(NOW) == "2016-09-29T14:30:00Z"
    assert iso(NOW.astimezone(zone("Asia/Colombo"))) == "2016-09-29T14:30:00Z"
    assert iso(NOW.replace(microsecond=500_000)) == "2016-09-29T14:30:00.500000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2016-09-29T14:30:00Z",
        "2016-09-29T14:30:00+00:00",
        "2016-09-29T20:00:00+05:30",
        "2016-09-29 14:30",
        " 20160929T143000Z ",
        "20160929T1630+0200",
        "2016-09-29t14:30z",
    ],
)
def test_an_instant_is_read_with_its_offset(text: str) -> None:
    assert instant(text) == NOW
    assert instant(text).tzinfo is UTC


def test_a_time_without_an_offset_is_in_the_given_zone() -> None:
    colombo = zone("Asia/Colombo")
    assert instant("2016-09-29T20:00", colombo) == NOW
    assert iso(instant("2016-09-29", colombo)) == "2016-09-28T18:30:00Z"
    assert instant("2016-09-29T14:30Z", colombo) == NOW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2016",
        "2016-13-01",
        "2016-02-30",
        "29/09/2016",
        "0000-01-01",
        "1475159400",
        "1310121530000",  # milliseconds: not the year 1310
        "2016-09-2914:30",
        "2016-09-29X14:30:00Z",
        "2016-09-29T14:30:00+25:00",
        "2016-W39-4",
        "Thu, 29 Sep 2016 14:30:00 GMT",
        "1 Jan 2016 00:00 +99999999999999999999",
        "1 Jan 99999999999 00:00 +0000",
        "0001-01-01T00:00+05:30",
        "9999-12-31T23:59-01:00",
    ],
)
def test_text_that_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a date such as|the years 1 to 9999"):
        instant(text)


@pytest.mark.slow
@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9TZWzhdwmy:.+ -]{1,30}", fullmatch=True)
    | st.from_regex(r"\d{1,3} (Jan|Sep|xyz) \d{1,9} \d{1,3}:\d\d [+-]?\d{1,30}")
)
def test_any_other_text_is_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert instant(text).tzinfo is UTC
    with contextlib.suppress(ValueError):
        start, after = period(text, tz=zone("Asia/Colombo"), now=NOW)
        assert start <= after


def test_a_naive_moment_is_in_the_given_zone() -> None:
    naive = datetime(2016, 9, 29, 20)
    assert to_utc(naive, zone("Asia/Colombo")) == NOW
    assert to_utc(NOW) is not None
    with pytest.raises(ValueError, match="years 1 to 9999"):
        to_utc(datetime.min, zone("Asia/Colombo"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016", ["2016-01-01T00:00:00Z", "2017-01-01T00:00:00Z"]),
        ("2016-09", ["2016-09-01T00:00:00Z", "2016-10-01T00:00:00Z"]),
        ("2016-12", ["2016-12-01T00:00:00Z", "2017-01-01T00:00:00Z"]),
        ("2016-02-29", ["2016-02-29T00:00:00Z", "2016-03-01T00:00:00Z"]),
        ("today", ["2016-09-29T00:00:00Z", "2016-09-30T00:00:00Z"]),
        ("Yesterday", ["2016-09-28T00:00:00Z", "2016-09-29T00:00:00Z"]),
        ("0001", ["0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z"]),
        ("9999", ["9999-01-01T00:00:00Z", iso(LAST)]),
    ],
)
def test_a_date_is_the_whole_period(text: str, expected: list[str]) -> None:
    assert span(text) == expected


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("-6h", "2016-09-29T08:30:00Z"),
        ("-7d", "2016-09-22T14:30:00Z"),
        ("-2w", "2016-09-15T14:30:00Z"),
        ("-1m", "2016-08-29T14:30:00Z"),
        ("-7m", "2016-02-29T14:30:00Z"),
        ("-9m", "2015-12-29T14:30:00Z"),
        ("+1Y", "2017-09-29T14:30:00Z"),
        ("now", "2016-09-29T14:30:00Z"),
        ("2016-09-29T14:30:00+02:00", "2016-09-29T12:30:00Z"),
    ],
)
def test_an_instant_is_a_span_of_one_microsecond(text: str, start: str) -> None:
    first, after = period(text, tz=UTC, now=NOW)
    assert (iso(first), after - first) == (start, timedelta(microseconds=1))


def test_the_last_instant_has_an_empty_span() -> None:
    assert period(iso(LAST), tz=UTC, now=NOW) == (LAST, LAST)


def test_a_month_before_the_31st_ends_with_its_month() -> None:
    late = datetime(2016, 3, 31, 12, tzinfo=UTC)
    assert span("-1m", now=late)[0] == "2016-02-29T12:00:00Z"


def test_a_day_is_local_even_if_clocks_change() -> None:
    assert span("2016-09-29", "Asia/Colombo")[0] == "2016-09-28T18:30:00Z"
    spring = period("2016-03-27", tz=zone("Europe/London"), now=NOW)
    autumn = period("2016-10-30", tz=zone("Europe/London"), now=NOW)
    assert spring[1] - spring[0] == timedelta(hours=23)
    assert autumn[1] - autumn[0] == timedelta(hours=25)


def test_today_is_the_local_day() -> None:
    evening = datetime(2016, 9, 29, 20, tzinfo=UTC)
    assert span("today", "Asia/Colombo", evening)[0] == "2016-09-29T18:30:00Z"


def test_days_ago_keep_the_local_hour() -> None:
    after_change = datetime(2016, 10, 31, 9, tzinfo=UTC)
    assert span("-7d", "Europe/London", after_change)[0] == "2016-10-24T08:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow-ish",
        "2016-9-29",
        "2016-13",
        "2016-00",
        "2016-09-00",
        "2016-02-30",
        "0000",
        "20160929",
        "-7",
        "-7x",
        "-99999y",
        "+99999y",
        "-99999m",
        "２０１６",
    ],
)
def test_text_that_is_not_a_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        period(text, tz=UTC, now=NOW)


# Days that a zone left out, and midnights that a clock was set forward over.
@pytest.mark.parametrize(
    ("text", "tz", "expected"),
    [
        ("2011-12-30", "Pacific/Apia", ["2011-12-30T10:00:00Z"] * 2),
        (
            "2011-12-29",
            "Pacific/Apia",
            ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"],
        ),
        (
            "2011-12-31",
            "Pacific/Apia",
            ["2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"],
        ),
        ("1994-12-31", "Pacific/Kiritimati", ["1994-12-31T10:00:00Z"] * 2),
        ("1993-08-21", "Pacific/Kwajalein", ["1993-08-21T12:00:00Z"] * 2),
        (
            "2018-11-04",
            "America/Sao_Paulo",
            ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
        ),
        # At 23:30 on 30 March the clock was set to 00:30.
        (
            "1919-03-31",
            "America/Toronto",
            ["1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"],
        ),
        (
            "1919-03-30",
            "America/Toronto",
            ["1919-03-30T05:00:00Z", "1919-03-31T04:30:00Z"],
        ),
    ],
)
def test_a_day_begins_when_its_zone_first_shows_it(
    text: str, tz: str, expected: list[str]
) -> None:
    assert span(text, tz) == expected


@pytest.mark.slow
@given(
    st.dates(min_value=date(1, 1, 2), max_value=date(9999, 12, 30)),
    st.sampled_from(sorted(available_timezones())),
)
def test_days_follow_each_other_without_a_gap(day: date, name: str) -> None:
    following = day + timedelta(days=1)
    one = period(day.isoformat(), tz=zone(name), now=NOW)
    other = period(following.isoformat(), tz=zone(name), now=NOW)
    assert one[0] <= one[1] == other[0] <= other[1]


@pytest.mark.parametrize("tz", ["Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("now", [datetime.min, datetime.max])
@pytest.mark.parametrize(
    "text", ["today", "yesterday", "-1d", "+1d", "-1m", "+1y", "-0h"]
)
def test_a_relative_date_at_either_end_of_time_is_a_period_or_refused(
    text: str, now: datetime, tz: str
) -> None:
    with contextlib.suppress(ValueError):
        start, after = period(text, tz=zone(tz), now=now.replace(tzinfo=UTC))
        assert start <= after


@pytest.mark.parametrize("name", ["UTC", "Europe/London", "America/Argentina/Salta"])
def test_zones_go_by_their_iana_name(name: str) -> None:
    assert str(zone(name)) == name


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Atlantis", "../../etc/passwd", "/etc/passwd", "a\0b"]
)
def test_text_that_is_not_a_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an IANA time zone"):
        zone(name)
