"""Filters, facets and the buckets of dates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from articles import article
from engines.kinds import word
from engines.searches import counts, fill, ids, matching_ids, search

from index.dates import micros
from index.deadline import never
from index.engines import Engine, facets
from index.engines.whoosh.searching import facets as whoosh_facets
from index.engines.whoosh.searching import keyword_column
from index.engines.whoosh.searching.keyword_column import FoldedValues, KeywordColumn
from index.errors import LimitExceeded, SearchTimeout
from index.memo import Memo
from index.query import All, FacetRequest, Filter, Interval, Range, Reader
from index.text import folded_value


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((Filter(field="source", values=("World Desk",)),), ["kerry", "lavrov"]),
        ((Filter(field="source", values=("WORLD desk",)),), ["kerry", "lavrov"]),
        ((Filter(field="source", values=("World",)),), []),  # whole values
        (
            (Filter(field="source", values=("World Desk", "Business Desk")),),
            ["cocoa", "kerry", "lavrov"],
        ),
        (
            (
                Filter(field="source", values=("World Desk",)),
                Filter(field="places", values=("geneva",)),
            ),
            ["lavrov"],
        ),
        (
            (Filter(field="source", values=("World Desk",), exclude=True),),
            ["cocoa", "undated"],
        ),
        ((Filter(field="source", missing=True),), ["undated"]),
        (
            (Filter(field="source", missing=True, exclude=True),),
            ["cocoa", "kerry", "lavrov"],
        ),
        (
            (Filter(field="source", values=("Business Desk",), missing=True),),
            ["cocoa", "undated"],
        ),
        ((Filter(field="urgency", values=("2",)),), ["kerry"]),
        ((Filter(field="people", values=("nobody",)),), []),
    ],
    ids=str,
)
def test_filters_compare_whole_values_without_case(
    news: Engine, filters: tuple[Filter, ...], expected: list[str]
) -> None:
    assert matching_ids(news, All(), filters=filters) == expected


SPELLINGS = (
    "New York",
    "NEW YORK",
    "New\u00a0York",
    "New  Yo\u00adrk\u200b",
    "Ｎew York",
)


@pytest.mark.parametrize("value", [*SPELLINGS, "new york"], ids=ascii)
def test_a_value_is_one_in_all_its_spellings(engine: Engine, value: str) -> None:
    fill(
        engine,
        *(article(f"a{n}", "x", places=[each]) for n, each in enumerate(SPELLINGS)),
        article("both", "x", places=SPELLINGS),
        article("other", "x", places=["Newark"]),
    )
    facet = (FacetRequest(field="places"),)
    page = search(
        engine, filters=(Filter(field="places", values=(value,)),), facets=facet
    )
    assert page.articles == 6
    assert counts(page.facets[0]) == {"NEW YORK": 6, "Newark": 1}
    assert [each.active for each in page.facets[0].values] == [True, False]
    rest = (Filter(field="places", values=(value,), exclude=True),)
    assert matching_ids(engine, All(), filters=rest) == ["other"]
    assert matching_ids(engine, All(), reader=Reader(filters=rest)) == ["other"]
    (facet_,) = search(
        engine, facets=(FacetRequest(field="places", prefix="nEw\u00a0 "),)
    ).facets
    assert counts(facet_) == {"NEW YORK": 6}


def test_a_range_of_dates_narrows(news: Engine) -> None:
    bounds = Range("published", micros(datetime(2016, 9, 20, tzinfo=UTC)), None)
    assert matching_ids(news, All(), dates=bounds) == ["cocoa", "kerry"]


def test_facets_count_articles(engine: Engine) -> None:
    fill(
        engine,
        article("a", "truce", "truce", places=["usa", "uk", "usa"]),
        article("b", "truce", places=["USA"]),
        article("c", "truce", places=["usa"]),
        article("d", "truce"),
        article("e", "other", places=["japan"]),
    )
    page = search(
        engine, word("truce"), facets=(FacetRequest(field="places"),), limit=0
    )
    (facet,) = page.facets
    assert counts(facet) == {"usa": 3, "uk": 1}
    assert (facet.missing, facet.other, facet.distinct) == (1, 0, 2)


def test_a_facet_counts_what_it_does_not_list(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", places=["one", "two"]),
        article("b", "x", places=["one", "three"]),
        article("c", "x", places=["two", "three", "four"]),
    )
    request = (FacetRequest(field="places"),)
    (facet,) = search(engine, facets=request, facet_size=1).facets
    assert counts(facet) == {"one": 2}
    assert (facet.other, facet.distinct) == (3, 4)
    (facet,) = search(engine, facets=request, facet_size=3).facets
    assert (list(counts(facet)), facet.other) == (["one", "three", "two"], 1)
    (facet,) = search(engine, facets=request, facet_size=0).facets
    assert (facet.values, facet.other) == ((), 3)


def test_a_facet_ignores_its_own_filter_only(news: Engine) -> None:
    requests = (FacetRequest(field="section"), FacetRequest(field="source"))
    page = search(
        news,
        filters=(
            Filter(field="section", values=("business",)),
            Filter(field="source", values=("none such",)),
        ),
        facets=requests,
    )
    section, source = page.facets
    assert page.articles == 0
    assert counts(section) == {"business": 0}
    assert counts(source) == {"Business Desk": 1, "none such": 0}
    assert [value.active for value in source.values] == [False, True]


def test_exclusions_hold_for_their_own_facet(news: Engine) -> None:
    page = search(
        news,
        filters=(Filter(field="section", values=("World",), exclude=True),),
        facets=(FacetRequest(field="section"),),
    )
    assert counts(page.facets[0]) == {"Business": 1}


def test_a_selected_value_stays_listed_beyond_the_size(news: Engine) -> None:
    page = search(
        news,
        filters=(Filter(field="places", values=("washington",)),),
        facets=(FacetRequest(field="places"),),
        facet_size=1,
    )
    assert counts(page.facets[0]) == {"Aleppo": 1, "Washington": 1}
    assert [value.active for value in page.facets[0].values] == [False, True]


def test_facet_values_can_be_limited_to_a_prefix(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", people=["Zoë Adams", "Bo"]),
        article("b", "x", people=["zoe baker"]),
    )
    (facet,) = search(
        engine, facets=(FacetRequest(field="people", prefix="ZOE"),)
    ).facets
    assert list(counts(facet)) == ["Zoë Adams", "zoe baker"]


def test_facets_do_not_depend_on_the_page(crowd: Engine) -> None:
    request = (FacetRequest(field="published", interval=Interval.DAY),)
    whole = search(crowd, facets=request)
    after = search(crowd, facets=request, after=whole.after)
    assert after.facets == whole.facets
    assert after.articles == whole.articles == 60


def test_a_date_facet_fills_empty_buckets(news: Engine) -> None:
    request = FacetRequest(field="published", interval=Interval.MONTH)
    (facet,) = search(news, facets=(request,)).facets
    assert counts(facet) == {
        "2016-09-01": 2,
        "2016-10-01": 0,
        "2016-11-01": 0,
        "2016-12-01": 0,
        "2017-01-01": 1,
    }
    assert (facet.missing, facet.interval) == (1, "month")


def test_a_date_facet_covers_the_range_of_the_search(news: Engine) -> None:
    request = FacetRequest(field="published", interval=Interval.DAY)
    low = micros(datetime(2016, 9, 10, tzinfo=UTC))
    high = micros(datetime(2016, 9, 14, tzinfo=UTC)) - 1

    def days(bounds: Range) -> dict[str, int]:
        return counts(search(news, facets=(request,), dates=bounds).facets[0])

    assert days(Range("published", low, high)) == {
        "2016-09-10": 0,
        "2016-09-11": 0,
        "2016-09-12": 1,
        "2016-09-13": 0,
    }
    assert days(Range("published", high, high)) == {"2016-09-13": 0}
    assert days(Range("published", low, None))["2016-09-12"] == 1
    assert len(days(Range("published", None, high))) == 1  # open: what there is
    assert len(days(Range("updated", low, high))) == 1  # about another field


def test_dates_are_counted_in_the_time_zone_of_the_search(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", published="2021-03-28T00:30:00Z"),
        article("b", "x", published="2021-03-27T23:30:00Z"),
    )
    request = (FacetRequest(field="published", interval=Interval.DAY),)
    utc = search(engine, facets=request).facets[0]
    assert counts(utc) == {"2021-03-27": 1, "2021-03-28": 1}
    paris = search(engine, facets=request, tz="Europe/Paris").facets[0]
    assert counts(paris) == {"2021-03-28": 2}


def test_a_range_of_no_instants_has_no_hits_and_no_buckets(engine: Engine) -> None:
    # 30 December 2011, which Samoa left out, in the time of Samoa.
    after = micros(datetime(2011, 12, 30, 10, tzinfo=UTC))
    fill(engine, article("a", "x", published="2011-12-30T10:00:00Z"))
    for field, interval in (("published", Interval.DAY), ("updated", Interval.AUTO)):
        request = FacetRequest(field=field, interval=interval)
        page = search(
            engine,
            dates=Range("published", after, after - 1),
            facets=(request,),
            tz="Pacific/Apia",
        )
        assert (ids(page), page.facets[0].values) == ([], ())
    assert matching_ids(engine, Range("published", after, after - 1)) == []


@pytest.mark.parametrize(
    ("tz", "before", "first", "days"),
    [
        # The day began at 01:00.
        (
            "America/Sao_Paulo",
            "2018-11-04T02:59:59Z",
            "2018-11-04T03:00:00Z",
            {"2018-11-03": 1, "2018-11-04": 1},
        ),
        # The day began at 00:30.
        (
            "America/Toronto",
            "1919-03-31T04:29:59Z",
            "1919-03-31T04:30:00Z",
            {"1919-03-30": 1, "1919-03-31": 1},
        ),
    ],
)
def test_a_day_whose_midnight_was_skipped_has_its_own_bucket(
    engine: Engine, tz: str, before: str, first: str, days: dict[str, int]
) -> None:
    fill(engine, article("a", "x", published=before))
    fill(engine, article("b", "x", published=first))
    request = FacetRequest(field="published", interval=Interval.DAY)
    (facet,) = search(engine, facets=(request,), tz=tz).facets
    assert counts(facet) == days


@pytest.mark.parametrize("interval", Interval)
@pytest.mark.parametrize("tz", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31"]
)
def test_dates_at_the_ends_of_time_are_counted(
    engine: Engine, interval: Interval, tz: str, instant: str
) -> None:
    fill(engine, article("a", "x", published=instant))
    request = FacetRequest(field="published", interval=interval)
    (facet,) = search(engine, facets=(request,), tz=tz).facets
    assert [value.count for value in facet.values] == [1]


def test_a_junk_date_only_makes_automatic_buckets_wider(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", published="0101-01-01"),
        article("b", "x", published="2020-01-01"),
    )
    request = FacetRequest(field="published", interval=Interval.AUTO)
    (facet,) = search(engine, facets=(request,)).facets
    assert facet.interval == "century"
    assert (facet.values[0].value, facet.values[-1].value) == (
        "0100-01-01",
        "2000-01-01",
    )


def test_too_many_buckets_are_refused(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", published="1900-01-01"),
        article("b", "x", published="2020-01-01"),
    )
    with pytest.raises(LimitExceeded) as caught:
        search(engine, facets=(FacetRequest(field="published", interval=Interval.DAY),))
    assert caught.value.code == "too_many_buckets"
    assert caught.value.facts == {"parameter": "facet", "limit": 1_000, "got": 43_830}
    assert str(caught.value).startswith("facet: published:day has 43,830 buckets")
    auto = FacetRequest(field="published", interval=Interval.AUTO)
    facet = search(engine, facets=(auto,)).facets[0]
    assert (facet.interval, len(facet.values)) == ("decade", 13)


def test_values_with_a_prefix_are_exact_whatever_their_spellings(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whoosh_facets, "_MANY_TIED", 0)
    people = ["Ánna B", "anna a", "ANNA A", "(Anna) C", "Bo", "anna", "Änne", "Ann A"]
    fill(
        engine,
        *(article(f"{n}", "x", people=[name]) for n, name in enumerate(people)),
        article("more", "x", people=["anna a", "Bo"]),
    )

    def listed(prefix: str, size: int, **options: Any) -> tuple[list[str], int | None]:
        page = search(
            engine,
            facets=(FacetRequest(field="people", prefix=prefix),),
            facet_size=size,
            **options,
        )
        return [value.value for value in page.facets[0].values], page.facets[0].distinct

    assert listed("anna", 2) == (["anna a", "anna"], 3)
    assert listed("ANNA ", 9) == (["anna a", "Ánna B"], 2)
    assert listed("(", 9) == (["(Anna) C"], 1)
    assert listed("ann", 9)[0] == ["anna a", "Ann A", "anna", "Ánna B", "Änne"]
    assert listed("zz", 9) == ([], 0)
    assert listed("", 3) == (["anna a", "Bo", "(Anna) C"], 7)
    bo = (Filter(field="people", values=("Bo",)),)
    assert listed("anna", 9, filters=bo)[0] == ["anna a", "anna", "Ánna B"]


def test_values_are_folded_once_and_not_for_each_request(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(
        engine,
        *(article(f"{n}", "x", people=[f"Náme {n:04}"]) for n in range(200)),
    )
    folded: list[str] = []

    def noted(value: str) -> str:
        folded.append(value)
        return folded_value(value)

    memo = Memo(noted, lambda value, form: len(value), limit=10_000_000)
    monkeypatch.setattr(facets, "FOLDED", memo)
    monkeypatch.setattr(keyword_column, "FOLDED", memo)
    for prefix in ("name", "náme 00", "", "name 1", "x"):
        search(engine, facets=(FacetRequest(field="people", prefix=prefix),))
    assert len(folded) <= 200


def test_folding_many_values_looks_at_the_deadline() -> None:
    values = [f"Náme {n}" for n in range(5_000)]
    column = KeywordColumn("people", [], [0], 0)
    column.spellings = values
    column.group_of_spelling = np.arange(5_000)
    column.groups_by_key = dict(zip(values, range(5_000), strict=True))
    checks = 0

    def stop() -> None:
        nonlocal checks
        checks += 1
        if checks == 3:
            raise SearchTimeout(2.0)

    with pytest.raises(SearchTimeout):
        FoldedValues(column, stop)
    assert FoldedValues(column, never).forms[0] == "name 0"
