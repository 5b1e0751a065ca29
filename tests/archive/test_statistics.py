"""Nobody can count the hidden articles with a word, whenever they were hidden."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from archives import index, put

from index.archive import Archive
from index.dates import Clock, iso
from index.query import Request, Unit

START = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Clock:
    return lambda: START


@pytest.fixture
def archive(empty_archive: Archive) -> Archive:
    """Three public articles over each engine in turn."""
    put(empty_archive, "a", "Acme and its harbour.")
    put(empty_archive, "b", "Acme, at length: a harbour, a wall.", "The wall.")
    put(empty_archive, "c", "Something else.")
    index(empty_archive)
    return empty_archive


def told(archive: Archive, now: datetime = START) -> list[Any]:
    """All that answers tell of the words of articles."""
    answers: list[Any] = []
    for q in ("acme", "acme wall", "acm*", '"a wall"', "acne", "wharf"):
        for unit in Unit:
            answer = archive.search(Request(q=q, explain=True, unit=unit), now=now)
            answers.append((answer.hits, answer.terms, answer.did_you_mean))
    answers += [archive.suggest(q, now=now) for q in ("ac", "wal", "wha")]
    return answers


def withhold(archive: Archive, article_id: str) -> None:
    archive.withhold(article_id)


def kill(archive: Archive, article_id: str) -> None:
    archive.kill(article_id)


def delete(archive: Archive, article_id: str) -> None:
    archive.delete(article_id)


def embargo(archive: Archive, article_id: str) -> None:
    put(archive, article_id, "Acme.", embargoed_until=iso(START + HOUR))


def expire(archive: Archive, article_id: str) -> None:
    put(archive, article_id, "Acme.", expires=iso(START - HOUR))


@pytest.mark.slow
@pytest.mark.parametrize("hide", [withhold, kill, delete, embargo, expire])
def test_answers_are_the_same_whether_what_is_hidden_is_indexed_or_not(
    archive: Archive, hide: Callable[[Archive, str], None]
) -> None:
    before = told(archive)
    for n in range(3):
        put(archive, f"x{n}", "Acme, Acme: the wharf and a wall.", keywords=["Wharf"])
    index(archive)
    assert told(archive) != before
    for n in range(3):
        hide(archive, f"x{n}")
        if n == 1:
            index(archive)
    assert told(archive) == before, "one of them is hidden since the index was written"
    index(archive)
    assert told(archive) == before


def test_answers_change_when_an_embargo_ends(archive: Archive) -> None:
    before = told(archive)
    put(archive, "x", "Acme.", embargoed_until=iso(START + HOUR))
    index(archive)
    assert told(archive) == before
    assert told(archive, START + HOUR) != before
    assert told(archive) == before
