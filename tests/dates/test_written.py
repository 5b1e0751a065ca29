"""Written dates: a table of what is read, and properties of any text."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from checkout import GOLDEN, ROOT
from hypothesis import assume, given
from hypothesis import strategies as st

from index.dates import DateRules, Precision, date_rules, iso, notations, read_date
from index.dates.written import LONGEST

NONE = DateRules()
# No notation names this zone, so a zone that is overlooked changes the instant.
ODD = DateRules(tz=timezone(timedelta(hours=3, minutes=27)))


def rows() -> list[tuple[str, str, str]]:
    lines = (GOLDEN / "dates.tsv").read_text("utf-8").split("\n")
    cells = [line.split("\t") for line in lines if line and line[0] != "#"]
    assert all(len(row) == 3 for row in cells)
    return [(text, rules, meaning) for text, rules, meaning in cells]


def rules_of(text: str) -> DateRules:
    words = dict(word.split(":", 1) for word in text.split())
    zones = words["zone"].split(",") if "zone" in words else ()
    return date_rules(
        tz=words.get("tz", "UTC"), zones=tuple(zones), order=words.get("dates", "")
    )


def meaning_of(text: str, rules: DateRules) -> str:
    try:
        written = read_date(text, rules)
    except ValueError:
        return "no date"
    words = [iso(written.instant)]
    if written.precision is not Precision.INSTANT:
        words.append(written.precision.value)
    if written.last != written.instant:
        words += ["or", iso(written.last)]
    return " ".join([*words, *(["warned"] if written.warnings else [])])


@pytest.mark.parametrize(
    ("text", "rules", "meaning"), rows(), ids=lambda each: ascii(each)[1:-1]
)
def test_a_date_is_read_whole_or_not_at_all(
    text: str, rules: str, meaning: str
) -> None:
    sent = re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), text)
    assert meaning_of(sent, rules_of(rules)) == meaning


def documented() -> list[tuple[str, str]]:
    """Rows of the table of dates in docs/formats.md: the text, and what it is."""
    page = (ROOT / "docs" / "formats.md").read_text("utf-8")
    section = page.partition("\n## Dates\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([^`]+)` \|.*\| `?([^`|]+)`? \|$", section, re.MULTILINE)
    assert len(found) > 20
    return [(text, meaning) for text, meaning in found]


@pytest.mark.parametrize(("text", "meaning"), documented())
def test_dates_are_read_as_documented(text: str, meaning: str) -> None:
    assert meaning_of(text, NONE).removesuffix(" day").removesuffix(" month") == meaning


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1577880000, "2020-01-01T12:00:00Z"),
        (1577880000.25, "2020-01-01T12:00:00.250000Z"),
        (1577880000000, "2020-01-01T12:00:00Z"),
        (1577880000123.5, "2020-01-01T12:00:00.123500Z"),
        (2023, "2023-01-01T00:00:00Z"),
        (0, None),
        (1, None),
        (20261130, None),
        (-5, None),
        (2023.5, None),
        (10**30, None),
        (1e300, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        ({"year": 2026}, None),
        (["2026-11-30", "2026-12-01"], None),
    ],
)
def test_a_number_is_seconds_or_milliseconds(value: Any, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="is not a date"):
            read_date(value, NONE)
    else:
        assert iso(read_date(value, NONE).instant) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("noon", "'noon' is not a date such as 2016-09-29"),
        ("30 Nov 2026 10:00 IST", "the zone IST has several meanings"),
        ("30 Nov 2026 10:00 XYZ", "the zone XYZ is unknown"),
        ("29/03/2024", "--dates dmy or mdy"),
        ("2026-02-30", "day is out of range"),
        ("12345678", "below 9 digits"),
        ("30 Nov 2026 10:00 GMT-3 (GMT-4)", "names two zones"),
        ("2026-11-30T25:00:00Z", "a day has no 25:00"),
        ("x" * 500, "longer than 120 characters"),
    ],
)
def test_a_refusal_quotes_the_date_and_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="is not a date") as caught:
        read_date(text, NONE)
    assert says in str(caught.value)
    assert text[:40] in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("tz", "zones", "order", "says"),
    [
        ("Mars/Base", (), "", "not an IANA time zone"),
        ("UTC", ("IST",), "", "as in IST=Asia/Kolkata"),
        ("UTC", ("IST=Mars",), "", "not an IANA time zone"),
        ("UTC", ("I=Asia/Kolkata",), "", "as in IST=Asia/Kolkata"),
        ("UTC", ("I.S.T=Asia/Kolkata",), "", "as in IST=Asia/Kolkata"),
        ("UTC", (), "ymd", "write dmy or mdy"),
    ],
)
def test_rules_that_mean_nothing_are_refused(
    tz: str, zones: tuple[str, ...], order: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        date_rules(tz=tz, zones=zones, order=order)


# Any instant, in every notation

OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)
).flatmap(
    lambda moment: OFFSETS.map(lambda tz: moment.replace(tzinfo=tz, microsecond=0))
)
NOTATIONS = {
    "RFC 3339": lambda at: at.isoformat(),
    "with a space": lambda at: at.isoformat(" "),
    "basic": lambda at: f"{at:%Y%m%dT%H%M%S%z}".rjust(20, "0"),
    "RFC 5322": lambda at: f"{at:%a, %d %b} {at.year:04} {at:%H:%M:%S %z}",
    "JavaScript": lambda at: (
        f"{at:%a %b %d} {at.year:04} {at:%H:%M:%S} GMT{at:%z} (Some Standard Time)"
    ),
    "Twitter": lambda at: f"{at:%a %b %d %H:%M:%S %z} {at.year:04}",
    "git": lambda at: f"{at:%a %b %d %H:%M:%S} {at.year:04} {at:%z}",
    "12 hours": lambda at: f"{at:%B %d}, {at.year:04}, {at:%I:%M:%S %p} UTC{at:%z}",
    "with at": lambda at: f"{at:%B} {at.day}, {at.year:04} at {at:%H:%M:%S} {at:%z}",
    "day first": lambda at: f"{at:%A} {at.day} {at:%B} {at.year:04}, {at:%H:%M:%S%z}",
    "time first": lambda at: f"{at:%H:%M:%S} GMT{at:%z}, {at.day} {at:%b} {at.year:04}",
    "web server": lambda at: f"{at:%d/%b}/{at.year:04}:{at:%H:%M:%S %z}",
    "week date": lambda at: (
        "{:04}-W{:02}-{}".format(*at.isocalendar()) + f"T{at:%H:%M:%S%z}"
    ),
    "day of the year": lambda at: f"{at.year:04}-{at:%j}T{at:%H:%M:%S%z}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTATIONS)
@given(MOMENTS)
def test_an_instant_is_read_back_from_every_notation(name: str, at: datetime) -> None:
    if at.isocalendar().year == 10_000:
        return  # a week date cannot say it
    written = read_date(NOTATIONS[name](at), ODD)
    assert written.instant == at.astimezone(UTC)
    assert (written.precision, written.zoned) == (Precision.INSTANT, True)
    assert written.warnings == ()


@pytest.mark.slow
@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1974, 1, 1)))
def test_an_instant_is_read_back_from_its_seconds(at: datetime) -> None:
    at = min(at, datetime(2400, 1, 1, tzinfo=UTC))
    seconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    text = f"{seconds // 10**6}.{seconds % 10**6:06}"
    assert read_date(text, ODD).instant == at


KNOWN = [text for text, rules, meaning in rows() if meaning != "no date" and not rules]


@pytest.mark.slow
@given(
    st.sampled_from(KNOWN),
    st.integers(0, 130),
    st.sampled_from(
        ["?", "~", "!", "*", ";", "é", "=", "&", " or ", " not ", " x ", "\0", "½", "#"]
    ),
)
def test_no_text_is_read_in_part(text: str, place: int, foreign: str) -> None:
    # A name of a zone may be in any language: what its letters are is not known.
    in_comment = "(" in text[:place] and ")" in text[place:]
    assume(not (in_comment and foreign in (" x ", "é")))
    with pytest.raises(ValueError, match="is not a date"):
        read_date(text[:place] + foreign + text[place:], ODD)


@pytest.mark.slow
@given(
    st.sampled_from([text for text in KNOWN if "." not in text and "," not in text]),
    st.characters(min_codepoint=33, max_codepoint=126),
)
def test_one_character_more_is_never_overlooked(text: str, character: str) -> None:
    try:
        more = read_date(text + character, ODD)
    except ValueError:
        return
    less = read_date(text, ODD)
    assert (more.instant, more.precision) != (less.instant, less.precision) or (
        character == "." and text[-1] in "mM"  # p.m.
    )


@pytest.mark.slow
@given(
    st.sampled_from(KNOWN),
    st.sampled_from(KNOWN),
    st.sampled_from(["", " ", ", ", "/"]),
)
def test_two_dates_are_none(one: str, other: str, between: str) -> None:
    joined = one + between + other
    try:
        read = read_date(joined, ODD)
    except ValueError:
        return
    # A day and the time of another notation may make one date, never a part of two.
    assert len(re.findall(r"\d{4}(?!:)", joined)) <= 3, joined
    assert read.instant not in {read_date(each, ODD).instant for each in (one, other)}


@pytest.mark.slow
@given(
    st.text(max_size=60) | st.from_regex(r"[0-9TZWAMP:./,+ -]{1,40}", fullmatch=True)
)
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    assert meaning_of(text, ODD)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1:",
        "10:40 ",
        "a",
        "(",
        "()",
        "Mon ",
        "Mon, ",
        "1 Nov ",
        "+1",
        "a/b/",
        "\u202f",
        "1.",
    ],
)
def test_hostile_text_takes_no_time(piece: str) -> None:
    begun = time.process_time()
    for start in ("", "10:40 ", "Mon Nov 30 10:40 ", "30 Nov 2026 10:00 GMT+1 ("):
        for length in (LONGEST, 1_000_000):
            text = (start + piece * length)[:length]
            assert meaning_of(text, ODD) == "no date"
    assert time.process_time() - begun < 0.5


def test_only_the_notations_that_a_date_may_be_in_are_compiled() -> None:
    notations._patterns.cache_clear()
    for date in ("2026-11-30", "2026-11-30T06:54Z", "2026-W49"):
        read_date(date, NONE)
    assert notations._patterns.cache_info().currsize <= 1
    read_date("Monday, 30 November 2026", NONE)
    assert notations._patterns.cache_info().currsize <= 2
