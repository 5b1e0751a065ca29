"""Tags: a client is told 304 only while its answer is the current one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from archives import index, put

from index.archive import Archive, Tag
from index.dates import iso
from index.errors import ArticleNotFound
from index.query import PUBLIC, Reader, Request

START = datetime(2030, 1, 1, tzinfo=UTC)
HELD = Reader(held=True)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
# Each ends or begins something in another place of the answer.
INSTANTS = [START + n * HOUR for n in range(1, 9)]


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: START


@pytest.fixture
def archive(empty_archive: Archive) -> Archive:
    """Articles of which something begins or ends at each of the instants."""
    archive = empty_archive
    at = [iso(instant) for instant in INSTANTS]
    put(archive, headline="First words", expires=at[1])
    put(archive, headline="Second words", embargoed_until=at[0])
    put(
        archive,
        headline="Third words",
        embargoed_until=None,
        expires=None,
        extra={
            "associations": {
                "picture": {
                    "headline": "Rink",
                    "expires": at[3],
                    "associations": [{"uri": "x", "embargoed": at[2]}],
                },
                "text": {"headline": "Secret", "embargoed": at[4], "expires": at[5]},
                "withheld": {"pubstatus": "withheld", "embargoed": at[6]},
            }
        },
    )
    put(archive, "b", headline="Other words", expires=at[7])
    index(archive)
    return archive


def article(archive: Archive, now: datetime, reader: Reader, **of: Any) -> Any:
    with archive.moment(now=now, reader=reader) as moment:
        answer = None
        with suppress(ArticleNotFound):
            answer = moment.article("a", **of)
        return answer, moment.tag(str(of))


def difference(archive: Archive, now: datetime, reader: Reader, **of: Any) -> Any:
    with archive.moment(now=now, reader=reader) as moment:
        answer = None
        with suppress(ArticleNotFound):
            answer = moment.difference("a", **of)
        return answer, moment.tag(str(of))


def search(archive: Archive, now: datetime, reader: Reader, **of: Any) -> Any:
    request = Request(q="words", **of)
    with archive.asking(request, now=now, reader=reader) as question:
        answer = replace(question.answer(), took_ms=0.0)
        return answer, question.tag(str(of))


@pytest.mark.slow
@pytest.mark.parametrize("reader", [PUBLIC, HELD], ids=["public", "held"])
@pytest.mark.parametrize(
    ("ask", "of"),
    [
        (article, {}),
        (article, {"version": "1"}),
        (article, {"version": "2"}),
        (difference, {}),
        (difference, {"new": "2"}),
        (difference, {"old": "1", "new": "3"}),
        (search, {}),
        (search, {"fields": ("headline", "extra")}),
    ],
)
def test_a_tag_fits_only_where_the_answer_is_the_same(
    archive: Archive, ask: Any, of: dict[str, Any], reader: Reader
) -> None:
    moments = [START, *(at - tick for at in INSTANTS for tick in (TICK, 0 * TICK))]
    asked = [ask(archive, now, reader, **of) for now in moments]
    for (answer, known), (later, tag) in product(asked, repeat=2):
        assert not tag.fits(known.text) or answer == later
    # What is still the same is not sent again: nothing ends within most of an hour.
    for (_, known), now in zip(asked[::2], moments[::2], strict=True):
        _, tag = ask(archive, now + HOUR / 2, reader, **of)
        assert tag.fits(known.text)


def test_nobody_learns_of_an_instant_from_a_tag(archive: Archive) -> None:
    put(archive, headline="Fourth words", extra={})
    index(archive)
    plain = article(archive, START, PUBLIC)[1].text
    ends = article(archive, START, PUBLIC, version="3")[1].text
    assert len(plain) == len(ends)
    # Also the same span, of two answers, is not the same text.
    assert not set(chunks(plain)) & set(chunks(article(archive, START, HELD)[1].text))


def chunks(text: str) -> list[str]:
    return [text[at : at + 4] for at in range(len(text) - 3)]


@pytest.mark.parametrize("text", ["", "x", "é" * 43, "A" * 43, "*", "A" * 5_000])
def test_what_is_no_tag_of_ours_fits_nothing(archive: Archive, text: str) -> None:
    tag: Tag = article(archive, START, PUBLIC)[1]
    assert not tag.fits(text)
