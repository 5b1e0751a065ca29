"""A query is parsed once: kept within bytes, and never what depends on now."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from index.errors import InvalidQuery
from index.memo import Memo
from index.query import Parsed, grammar
from index.settings import Settings

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SETTINGS = Settings()
PARSED = grammar._PARSED


@pytest.fixture(autouse=True)
def parsed_queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are parsed from now on; nothing is kept from before."""
    texts: list[str] = []
    clean = grammar.clean

    def noted(text: str) -> tuple[str, list[int]]:
        texts.append(text)
        return clean(text)

    monkeypatch.setattr(grammar, "clean", noted)
    empty: Memo[object, Parsed] = Memo(
        grammar._never,  # type: ignore[arg-type]
        grammar._bytes_of,  # type: ignore[arg-type]
        limit=100_000_000,
    )
    monkeypatch.setattr(grammar, "_PARSED", empty)
    return texts


def parse(text: str, **other: object) -> Parsed:
    options = {"settings": SETTINGS, "tz": UTC, "now": NOW, **other}
    return grammar.parse(text, **options)  # type: ignore[arg-type]


def test_the_same_query_is_parsed_once(parsed_queries: list[str]) -> None:
    first = parse("kerry (talks")
    later = parse(
        "kerry (talks", now=NOW + timedelta(days=9), tz=ZoneInfo("Asia/Tokyo")
    )
    assert later is first
    assert parsed_queries == ["kerry (talks"]


def test_what_a_query_means_depends_on_settings_and_strictness() -> None:
    parse("kerry (talks")
    with pytest.raises(InvalidQuery):
        parse("kerry (talks", strict=True)
    with pytest.raises(InvalidQuery):
        parse("kerry (talks", settings=Settings(query_clauses=1))


@pytest.mark.parametrize(
    "text",
    [
        *("published:>-7d", "published:today", "kerry OR NOT (published:>now)"),
        *("-published:[-7d TO -1d]", "published:yesterday^2"),
    ],
)
def test_dates_that_count_from_now_are_read_anew_each_time(text: str) -> None:
    first, later = parse(text), parse(text, now=NOW + timedelta(days=3))
    assert first.query != later.query


def test_dates_of_another_zone_are_read_anew() -> None:
    text = "published:2016-09-29"
    assert parse(text).query != parse(text, tz=ZoneInfo("Asia/Tokyo")).query


def test_parsed_queries_are_bounded_by_bytes() -> None:
    assert PARSED.limit == grammar.PARSED_BYTES


def test_a_wrong_query_is_refused_each_time(parsed_queries: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(InvalidQuery):
            parse("(" * 30 + "kerry")
    assert len(parsed_queries) == 2
    assert not grammar._PARSED


@pytest.mark.parametrize(
    "text",
    [
        *("kerry {}", "a b c d e f g h {}", '"one two three {}" OR talks*', "1,500 {}"),
        *("( ( ( ( {}", "{} and or not and or", "nope:{} sorce:{} peple:{}", "жук {}"),
        *(
            "中文新闻{}",
            "don't wi-fi o'brien-{}",
            "a/b/c/d {}~2 NEAR/3 b",
            "{} -{} +{}",
        ),
    ],
)
def test_a_parsed_query_takes_no_more_memory_than_is_counted(text: str) -> None:
    texts = [text.replace("{}", str(number)) for number in range(100_000, 100_200)]
    for each in texts:
        parse(each)  # words are analysed, and that is kept elsewhere
    assert len(grammar._PARSED) == len(texts)
    grammar._PARSED.clear()
    grammar._PARSED.bytes = 0
    tracemalloc.start()
    try:
        for each in texts:
            parse(each)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 1.1 * grammar._PARSED.bytes
