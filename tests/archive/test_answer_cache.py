"""Kept answers: given out only while they are what a search would answer now."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from archives import index, put

from index.access import Validity
from index.archive import Archive, answer_cache
from index.archive.answer_cache import AnswerCache
from index.archive.tags import Tag
from index.dates import Clock, iso
from index.query import PUBLIC, Filter, Reader, Request

START = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATE = (1, 7, 7, "commit")
READERS = (
    PUBLIC,
    Reader(held=True),
    Reader(filters=(Filter(field="source", values=("Desk",)),)),
)


@pytest.fixture
def clock() -> Clock:
    return lambda: START


def tag_of(bound: str, now: datetime = START, *, state: object = STATE) -> Tag:
    return Tag(bound, state, Validity(now), b"")  # type: ignore[arg-type]


def ask(archive: Archive, request: Request, now: datetime, reader: Reader) -> bool:
    """Ask as the service does; check what is kept, and return whether it was."""
    with archive.asking(request, now=now, reader=reader) as question:
        tag = question.tag("")
        kept = archive.answers.get(tag, "")
        held = (tag.validity.first, tag.validity.end)
        answer = repr(replace(question.answer(), took_ms=0.0)).encode()
        if kept is None:
            archive.answers.put(tag, "", (answer,))
            return False
        assert kept == (answer,)
        # The tag that is given out is that of the answer.
        assert held == (tag.validity.first, tag.validity.end)
        return True


def test_a_kept_answer_is_the_one_that_a_search_gives_at_any_instant(
    empty_archive: Archive,
) -> None:
    archive = empty_archive
    at = [iso(START + n * HOUR) for n in range(1, 6)]
    put(archive, "a", headline="First words", expires=at[1], source="Desk")
    put(archive, "b", headline="More words", embargoed_until=at[2])
    put(archive, "c", headline="Held words", status="withheld")
    picture = {"headline": "Rink", "embargoed": at[0], "expires": at[3]}
    extra = {"associations": {"picture": picture}}
    put(archive, "d", headline="Words", extra=extra, source="Desk")
    index(archive)
    request = Request(q="words", fields=("headline", "extra"))
    rng = random.Random(15)
    moments = [START + n * HOUR / 4 for n in range(24)]
    kept = 0
    for _ in range(150):
        kept += ask(archive, request, rng.choice(moments), rng.choice(READERS))
    assert kept > 30


def test_a_write_a_kill_and_a_commit_of_the_index_end_a_kept_answer(
    empty_archive: Archive,
) -> None:
    archive, request = empty_archive, Request(q="words")
    put(archive, "a", headline="First words")
    put(archive, "b", headline="More words")
    index(archive)
    assert [ask(archive, request, START, PUBLIC) for _ in range(3)] == [0, 1, 1]
    for change in (
        lambda: archive.kill("a"),
        lambda: index(archive),
        lambda: archive.delete("b"),
        lambda: put(archive, "c", headline="New words"),
        lambda: index(archive),
    ):
        change()
        assert not ask(archive, request, START, PUBLIC)


def test_nothing_is_kept_while_the_index_is_behind(empty_archive: Archive) -> None:
    archive = empty_archive
    put(archive, "a", headline="First words")
    index(archive)
    put(archive, "b", headline="More words")
    for _ in range(3):
        assert not ask(archive, Request(q="words"), START, PUBLIC)
    assert archive.answers.bytes == 0


def test_a_worker_that_nobody_asks_drops_what_was_killed(
    empty_archive: Archive,
) -> None:
    archive = empty_archive
    put(archive, "a", headline="First words")
    index(archive)
    ask(archive, Request(q="words"), START, PUBLIC)
    archive.tend()
    assert archive.answers.bytes > 0
    archive.kill("a")
    archive.tend()
    assert archive.answers.bytes == 0
    assert not archive.answers._entries


def test_an_answer_of_an_earlier_state_that_comes_late_is_dropped() -> None:
    cache = AnswerCache()
    cache.put(tag_of("old"), "", (b"killed",))
    cache.let_go(1, 8)
    cache.put(tag_of("old"), "", (b"killed",))
    cache.let_go(1, 8)
    assert (cache.bytes, len(cache._entries)) == (0, 0)
    # Of another history, the same number is another state.
    cache.put(tag_of("old"), "", (b"killed",))
    cache.let_go(2, 7)
    assert cache.bytes == 0


def test_kept_answers_never_take_more_bytes_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer_cache, "CACHE_BYTES", 100_000)
    cache = AnswerCache()
    for n in range(100):
        cache.put(tag_of(str(n)), "form", (b"x" * 5_000, b"y"))
        cache.get(tag_of("0"), "form")
        assert cache.bytes <= 100_000
    # The one that is used stays, of the others the latest.
    assert cache.get(tag_of("0"), "form") == (b"x" * 5_000, b"y")
    assert cache.get(tag_of("99"), "form") is not None
    assert cache.get(tag_of("50"), "form") is None
    sizes = [entry.size for entry in cache._entries.values()]
    assert sum(sizes) == cache.bytes


def test_a_large_answer_drops_no_others() -> None:
    cache = AnswerCache()
    cache.put(tag_of("a"), "", (b"x",))
    cache.put(tag_of("b"), "", (bytes(answer_cache.CACHE_BYTES),))
    assert cache.get(tag_of("b"), "") is None
    assert cache.get(tag_of("a"), "") == (b"x",)


def test_the_same_answer_in_another_form_is_another_entry() -> None:
    cache = AnswerCache()
    cache.put(tag_of("a"), "one", (b"x",))
    assert cache.get(tag_of("a"), "other") is None
    assert cache.get(tag_of("a"), "one") == (b"x",)
