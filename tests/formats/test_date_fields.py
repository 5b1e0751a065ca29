"""Date fields: what becomes of the dates of a record, in every format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index.article import LIFTED
from index.dates import DateRules, date_rules, iso
from index.formats import Read, ReadOptions, read

UTC_ONLY = DateRules()
RULES = date_rules(tz="America/New_York", zones=("ET=America/New_York",), order="dmy")
JAVASCRIPT = "Mon Nov 30 2026 06:54:26 GMT-0500 (Eastern Standard Time)"
FORMATS = ["jsonl", "ninjs", "text"]
# The names of each date in each format.
NAMES = {
    "published": {"jsonl": "pubDate", "ninjs": "firstcreated", "text": "date"},
    "updated": {"jsonl": "lastModified", "ninjs": "versioncreated", "text": "updated"},
    "embargoed_until": {"jsonl": "embargo", "ninjs": "embargoed", "text": "embargo"},
    "expires": {"jsonl": "expiry", "ninjs": "expires", "text": "expires"},
}


def record(
    form: str,
    rules: DateRules = UTC_ONLY,
    /,
    **values: Any,
) -> Read:
    """Record of an article with these properties."""
    if form == "text":
        lines = [f"{name}: {value}" for name, value in values.items()]
        data = "\n".join(["---", "id: a", *lines, "---", "Head"])
    else:
        ids = {"uri": "a"} if form == "ninjs" else {"id": "a"}
        data = json.dumps({**ids, "headline": "Head", **values})
    (result,) = read(form, data.encode(), options=ReadOptions(dates=rules))
    return result


def date_of(result: Read, field: str) -> str | None:
    assert result.article is not None, result.error
    value = getattr(result.article, field)
    return None if value is None else iso(value)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (JAVASCRIPT, "2026-11-30T11:54:26Z"),
        ("Mon, 30 Nov 2026 06:54:26 -05:00", "2026-11-30T11:54:26Z"),
        ("Nov 30, 2026 10:40 PM", "2026-12-01T03:40:00Z"),
        ("March 5, 2024, 3:04 p.m. ET", "2024-03-05T20:04:00Z"),
        ("29/03/2024 10:40", "2024-03-29T14:40:00Z"),
        ("2026-11-30T06:54:26", "2026-11-30T11:54:26Z"),
        ("1577880000", "2020-01-01T12:00:00Z"),
    ],
)
def test_every_format_reads_every_date_by_the_same_rules(
    form: str, field: str, sent: str, expected: str
) -> None:
    result = record(form, RULES, **{NAMES[field][form]: sent})
    assert date_of(result, field) == expected
    assert result.warnings == ()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("field", ["embargoed_until", "expires"])
@pytest.mark.parametrize(
    "sent",
    [
        "until noon",
        "2026",
        "2026-11",
        "2026-W48",
        "30 Nov 2026 10:00 IST",
        "29/03/2024",
        "20261130",
        "2026-11-30T10:00Z or later",
    ],
)
def test_an_article_whose_restriction_cannot_be_read_is_refused(
    form: str, field: str, sent: str
) -> None:
    result = record(form, **{NAMES[field][form]: sent})
    assert result.article is None
    assert str(result.error).startswith(f"{field}: '{sent}' is ")


@pytest.mark.parametrize("form", ["jsonl", "ninjs"])
@pytest.mark.parametrize("name", ["embargoed", "expires"])
@pytest.mark.parametrize(
    "sent", [0, True, False, 20261130, 1.5, {"until": "noon"}, ["a", "b"]]
)
def test_a_restriction_of_another_type_is_never_lost(
    form: str, name: str, sent: Any
) -> None:
    result = record(form, **{name: sent})
    assert result.article is None
    assert str(sent) in str(result.error)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("field", ["published", "updated"])
def test_an_unreadable_date_is_unknown_and_kept(form: str, field: str) -> None:
    name = NAMES[field][form]
    result = record(form, **{name: "not before 2026-12-05 nor 2025-01-01"})
    assert date_of(result, field) is None
    assert result.article is not None
    assert result.article.extra[name] == "not before 2026-12-05 nor 2025-01-01"
    assert len(result.warnings) == 1
    assert "'not before 2026-12-05 nor 2025-01-01' is not a date" in result.warnings[0]


@pytest.mark.parametrize("value", [0, 12, True, {"year": 2026}, ["a", "b"], 1e300])
def test_what_is_no_date_is_kept_as_it_came(value: Any) -> None:
    result = record("jsonl", date=value)
    assert date_of(result, "published") is None
    assert result.article is not None
    assert result.article.extra == {"date": value}
    assert len(result.warnings) == 1


def test_the_next_name_counts_if_the_first_is_no_date() -> None:
    result = record(
        "jsonl", publishedAt="soon", date_published="2026-11-30T10:00Z", date="2020"
    )
    assert date_of(result, "published") == "2026-11-30T10:00:00Z"
    assert result.article is not None
    assert result.article.extra == {"publishedAt": "soon", "date": "2020"}
    assert len(result.warnings) == 1


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("sent", "precision", "expected"),
    [
        ("2023", "year", "2023-01-01T05:00:00Z"),
        ("2023-05", "month", "2023-05-01T04:00:00Z"),
        ("May 2023", "month", "2023-05-01T04:00:00Z"),
        ("2023-W05", "week", "2023-01-30T05:00:00Z"),
        ("2023-05-04", None, "2023-05-04T04:00:00Z"),
        ("2023-05-04T10:00Z", None, "2023-05-04T10:00:00Z"),
    ],
)
def test_a_part_of_a_date_keeps_its_precision(
    form: str, sent: str, precision: str | None, expected: str
) -> None:
    result = record(form, RULES, **{NAMES["published"][form]: sent})
    assert date_of(result, "published") == expected
    assert result.article is not None
    assert result.article.extra.get("published_precision") == precision
    assert result.warnings == ()


@pytest.mark.parametrize("field", ["embargoed_until", "expires"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_restriction_without_a_time_is_midnight_with_a_warning(
    form: str, field: str
) -> None:
    result = record(form, RULES, **{NAMES[field][form]: "2026-12-01"})
    assert date_of(result, field) == "2026-12-01T05:00:00Z"
    assert result.warnings == (
        f"{field}: '2026-12-01' has no time; taken as 2026-12-01T05:00:00Z",
    )


def test_a_weekday_of_another_day_is_a_warning() -> None:
    result = record("jsonl", pubDate="Tue, 30 Nov 2026 06:54:26 GMT")
    assert date_of(result, "published") == "2026-11-30T06:54:26Z"
    assert result.warnings == (
        "pubDate: 'Tue, 30 Nov 2026 06:54:26 GMT' says Tue, but that day is a Monday",
    )


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("published", "2026-11-01T05:30:00Z"),
        ("embargoed_until", "2026-11-01T06:30:00Z"),
        ("expires", "2026-11-01T05:30:00Z"),
    ],
)
def test_of_a_time_that_came_twice_the_cautious_one_counts(
    field: str, expected: str
) -> None:
    result = record("jsonl", RULES, **{field: "2026-11-01T01:30"})
    assert date_of(result, field) == expected
    assert "came twice" in result.warnings[0]


@pytest.mark.parametrize("name", ["date_gmt", "published_utc"])
def test_a_name_may_say_that_its_times_are_in_utc(name: str) -> None:
    options = ReadOptions(dates=RULES, mapping={name: "published"})
    data = json.dumps({"id": "a", "headline": "h", name: "2026-11-30 06:54:26"})
    (result,) = read("jsonl", data.encode(), options=options)
    assert date_of(result, "published") == "2026-11-30T06:54:26Z"


# Embargoes that are taken off


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize(
    ("form", "name"),
    [
        *(
            ("jsonl", name)
            for name in ("embargoed_until", "embargo", "Embargoed", "embargoedUntil")
        ),
        *(("ninjs", name) for name in ("embargoed", "embargoedUntil", "EMBARGOED")),
    ],
)
def test_a_blank_embargo_takes_it_off(form: str, name: str, value: str | None) -> None:
    result = record(form, **{name: value})
    assert result.article is not None
    assert result.article.embargoed_until == LIFTED


@pytest.mark.parametrize("form", ["jsonl", "ninjs"])
def test_a_mapped_embargo_can_be_taken_off(form: str) -> None:
    options = ReadOptions(mapping={"hold": "embargoed_until"})
    data = json.dumps({"id": "a", "uri": "a", "headline": "h", "hold": None})
    (result,) = read(form, data.encode(), options=options)
    assert result.article is not None
    assert result.article.embargoed_until == LIFTED


@pytest.mark.parametrize("form", ["jsonl", "ninjs"])
@pytest.mark.parametrize(
    "values", [{}, {"expires": None}, {"embargoed": []}, {"embargoed": {}}]
)
def test_an_embargo_that_is_not_mentioned_stays(form: str, values: Any) -> None:
    result = record(form, **values)
    assert result.article is not None
    assert result.article.embargoed_until is None


@pytest.mark.parametrize("form", ["jsonl", "ninjs"])
@pytest.mark.parametrize("blank", [None, ""])
def test_a_blank_embargo_beside_one_is_ignored(form: str, blank: str | None) -> None:
    for one, other in (
        ("embargoed", "embargoedUntil"),
        ("embargoedUntil", "embargoed"),
    ):
        result = record(form, **{one: blank, other: "2099-01-01T00:00:00Z"})
        assert date_of(result, "embargoed_until") == "2099-01-01T00:00:00Z"


# Originals


@pytest.mark.parametrize(
    ("published", "is_kept"),
    [
        ("2026-11-30T06:54:26Z", False),
        ("2026-11-30T06:54:26+02:00", False),
        ("2026-11-30T06:54:26", True),
        ("2026-11-30", True),
        (JAVASCRIPT, True),
        (1577880000, True),
    ],
)
def test_the_original_of_a_date_that_the_rules_completed_is_kept(
    published: Any, is_kept: bool
) -> None:
    assert (record("jsonl", published=published).original is not None) is is_kept


@pytest.mark.parametrize("format_name", ["jsonl", "ninjs"])
@pytest.mark.parametrize("later", ["embargoed", "embargo"])
def test_of_several_embargoes_the_latest_counts(format_name: str, later: str) -> None:
    dates = {"embargoed": "2035-01-01T00:00:00Z", "embargo": "2035-01-01T00:00Z"}
    result = record(format_name, **{**dates, later: "2036-01-01T00:00:00Z"})
    assert date_of(result, "embargoed_until") == "2036-01-01T00:00:00Z"


@pytest.mark.parametrize("earlier", ["expires", "expiry"])
def test_of_several_expiries_the_earliest_counts(earlier: str) -> None:
    dates = {"expires": "2036-01-01T00:00:00Z", "expiry": "2036-01-01T00:00:00Z"}
    result = record("jsonl", **{**dates, earlier: "2035-01-01T00:00:00Z"})
    assert date_of(result, "expires") == "2035-01-01T00:00:00Z"
