"""Tags: a client is told 304 only while its answer is the current one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from archives import index, put

from index.archive import Archive, Tag
from index.archive.release import release_of
from index.dates import iso
from index.errors import ArticleNotFound
from index.query import PUBLIC, Reader, Request
from index.settings import NOT_OF_ANSWERS, Settings

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


def test_a_tag_is_of_one_commit_of_the_index(archive: Archive) -> None:
    # Each commit is at the same seq, as that of an article which was set aside is.
    engine, other = archive.engine, archive.get("b", now=START).article
    seq, epoch = engine.snapshot().seq, engine.snapshot().epoch
    commits: list[Callable[[], None]] = [
        lambda: None,
        lambda: engine.apply([], ["b"], seq=seq),
        lambda: engine.apply([other], [], seq=seq),
        lambda: engine.rebuild([other], seq=seq, epoch=epoch, total=1),
    ]
    asked = []
    for commit in commits:
        commit()
        asked.append(search(archive, START, PUBLIC))
        assert asked[-1][1].fits(search(archive, START, PUBLIC)[1].text)
    assert [answer.articles for answer, _ in asked] == [2, 1, 2, 1]
    for (n, (_, known)), (m, (_, tag)) in product(enumerate(asked), repeat=2):
        assert tag.fits(known.text) == (n == m)


def test_an_empty_archive_has_one_tag(empty_archive: Archive) -> None:
    known = search(empty_archive, START, PUBLIC)[1].text
    assert search(empty_archive, START, PUBLIC)[1].fits(known)


OTHER_SETTINGS: dict[str, Any] = {
    "language": "de",
    "tz": "Asia/Kolkata",
    "zones": ("IST=Asia/Kolkata",),
    "dates": "dmy",
    "bind": "[::1]:8080",
    "cors": ("https://desk.example",),
    "hosts": ("desk.example",),
    "permalink": "https://desk.example/{id}",
    "rate": None,
}


@pytest.mark.slow
@pytest.mark.parametrize("ask", [article, difference, search])
def test_a_tag_is_of_the_settings_that_an_answer_depends_on(
    archive: Archive, ask: Any
) -> None:
    known = ask(archive, START, PUBLIC)[1].text
    kept = set()
    for field in dataclasses.fields(Settings):
        value = getattr(archive.settings, field.name)
        other = OTHER_SETTINGS.get(field.name, value * 2)
        settings = replace(archive.settings, **{field.name: other})
        if field.name == "push_secret":
            settings = replace(settings, push_secret="secret")
        assert settings != archive.settings
        changed = Archive(archive.store, archive.engine, settings)
        if ask(changed, START, PUBLIC)[1].fits(known):
            kept.add(field.name)
    assert kept == NOT_OF_ANSWERS


@pytest.mark.parametrize("ask", [article, difference, search])
@pytest.mark.parametrize(
    "name",
    [
        "index.archive.tags.RELEASE",
        "index.archive.tags.ANALYZER_VERSION",
        "index.engines.ranking.K1",
    ],
)
def test_a_tag_is_of_one_release(
    archive: Archive, ask: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ask(archive, START, PUBLIC)[1].text
    monkeypatch.setattr(name, 3)
    assert not ask(archive, START, PUBLIC)[1].fits(known)


def test_a_release_is_known_by_its_modules(tmp_path: Path) -> None:
    module = tmp_path / "service" / "api" / "links.py"
    module.parent.mkdir(parents=True)
    releases = [release_of(tmp_path)]
    for text in ("", "x = 1", "x = 2"):
        module.write_text(text)
        os.utime(module, ns=(0, len(releases)))
        releases.append(release_of(tmp_path))
    assert len(set(releases)) == 4
    (module.parent / "links.pyc").write_text("x")
    assert release_of(tmp_path) == releases[-1]
