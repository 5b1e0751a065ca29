"""Hits with their texts: read one by one, within the deadline, and bounded in bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from archives import index, put

from index.archive import Archive, hits, question, suggestions
from index.deadline import Check, Deadline
from index.engines.whoosh import WhooshEngine
from index.errors import LimitExceeded, SearchMemoryUsed, SearchTimeout
from index.query import Request, Unit
from index.rendering import answer_document
from index.store import Clipping

pytestmark = pytest.mark.slow

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
LETTERS = 1_600
COUNT = 20


@pytest.fixture
def long_texts(empty_archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """Twenty articles with a paragraph of 1,600 letters each, over each engine."""
    for n in range(COUNT):
        put(empty_archive, f"a{n:02}", "harbour " * (LETTERS // 8))
    index(empty_archive)
    monkeypatch.setattr(hits, "_LARGE", 4 * LETTERS)
    monkeypatch.setattr(hits, "_MARKED_AT_ONCE", 2 * LETTERS)
    return empty_archive


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the articles whose content was read, in order."""
    ids: list[str] = []
    init = Clipping.__init__

    def noted(clipping: Clipping, article_id: str, *rest: Any) -> None:
        ids.append(article_id)
        init(clipping, article_id, *rest)

    monkeypatch.setattr(Clipping, "__init__", noted)
    return ids


def limited(archive: Archive, size: int) -> None:
    archive.settings = replace(archive.settings, answer_bytes=size)


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("q", ["", "harbour"])
def test_an_answer_stops_reading_at_its_limit(
    long_texts: Archive, read: list[str], q: str, unit: Unit
) -> None:
    limited(long_texts, 8 * LETTERS)
    with pytest.raises(LimitExceeded, match="NUTGRAF_ANSWER_BYTES") as refused:
        long_texts.search(Request(q=q, limit=COUNT, unit=unit), now=NOW)
    assert (refused.value.parameter, refused.value.limit) == ("limit", 8 * LETTERS)
    assert len(read) <= 8


def test_short_passages_of_long_texts_are_within_the_limit(
    long_texts: Archive, read: list[str]
) -> None:
    limited(long_texts, 8 * LETTERS)
    request = Request(q="harbour", limit=COUNT, passage_length=80)
    answer = long_texts.search(request, now=NOW)
    assert len(answer.hits) == COUNT
    assert len(read) == COUNT


def test_long_fields_count_for_each_hit_that_has_them(empty_archive: Archive) -> None:
    put(empty_archive, "a", *["Short."] * 10, extra={"note": "x" * LETTERS})
    put(empty_archive, "b", "Short.", extra={"big": 2**70})
    index(empty_archive)
    request = Request(q="short", unit=Unit.PARAGRAPH, fields=("extra",), limit=COUNT)
    assert len(empty_archive.search(request, now=NOW).hits) == 11
    limited(empty_archive, 5 * LETTERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hits, "_LARGE", 0)
        with pytest.raises(LimitExceeded):
            empty_archive.search(request, now=NOW)


def test_what_is_counted_is_the_size_of_the_answer(
    long_texts: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(long_texts, "cyrillic", "гавань <" * 300, headline="Гавань & порт")
    index(long_texts)
    counted = 0
    count = hits.Hits._count

    def noted(made: hits.Hits, size: int) -> None:
        nonlocal counted
        counted += size
        count(made, size)

    monkeypatch.setattr(hits.Hits, "_count", noted)
    request = Request(q="harbour OR гавань", limit=COUNT)
    document = answer_document(long_texts.search(request, now=NOW), request)
    written = json.dumps(document["hits"], ensure_ascii=False, separators=(",", ":"))
    assert counted == pytest.approx(len(written.encode()), rel=0.2)


def test_the_deadline_is_checked_for_each_article_that_is_read(
    long_texts: Archive, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(deadline: Deadline | None) -> Check:
        assert deadline is not None

        def check() -> None:
            if len(read) == 5:
                raise SearchTimeout(deadline.seconds)

        return check

    monkeypatch.setattr(question, "until", expired)
    with pytest.raises(SearchTimeout):
        long_texts.search(Request(limit=COUNT), now=NOW)
    assert len(read) == 5


def test_hits_are_the_same_in_groups_of_any_size(
    long_texts: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for unit in Unit:
        request = Request(q="harbour", limit=COUNT, unit=unit)
        answers = []
        for size in (0, LETTERS * 3, LETTERS * 100):
            monkeypatch.setattr(hits, "_MARKED_AT_ONCE", size)
            answers.append(long_texts.search(request, now=NOW).hits)
        assert answers[0] == answers[1] == answers[2]


def test_a_large_answer_reserves_its_memory_until_it_is_written(
    long_texts: Archive,
) -> None:
    engine = long_texts.engine
    if not isinstance(engine, WhooshEngine):
        pytest.skip("the engine in memory has no budget")
    limited(long_texts, 100 * LETTERS)
    with long_texts.asking(Request(limit=1), now=NOW) as small:
        small.answer()
        assert engine.search_memory().reserved == 0
    with long_texts.asking(Request(limit=COUNT), now=NOW) as large:
        large.answer()
        assert engine.search_memory().reserved == 400 * LETTERS
    assert engine.search_memory().reserved == 0


def test_a_large_answer_waits_for_no_longer_than_a_search(long_texts: Archive) -> None:
    engine = long_texts.engine
    if not isinstance(engine, WhooshEngine):
        pytest.skip("the engine in memory has no budget")
    limit = engine.search_memory().limit
    with engine._budget.reserved(limit - 1024, None), pytest.raises(SearchMemoryUsed):
        long_texts.search(Request(limit=COUNT), now=NOW)


def test_headlines_are_suggested_within_the_deadline_and_without_their_texts(
    long_texts: Archive, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        put(long_texts, f"h{n}", "x", headline=f"Lighthouse {n}")
    index(long_texts)
    assert len(long_texts.suggest("lightho", now=NOW)) == 6  # and the word
    checks: list[str] = []

    def expired(deadline: Deadline | None) -> Check:
        def check() -> None:
            checks.append("of a headline")
            if len(checks) == 4:
                raise SearchTimeout(2.0)

        return check

    monkeypatch.setattr(suggestions, "until", expired)
    with pytest.raises(SearchTimeout):
        long_texts.suggest("lightho", now=NOW)
    assert len(checks) == 4
    assert read == []
