"""The change feed: a copy kept by it holds what its reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from archives import index, put
from faults.amounts import amount
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from index import dates
from index.access import Validity
from index.archive import Archive, Carriage
from index.archive.subscription import removals_from
from index.errors import (
    ArticleKilled,
    ArticleNotFound,
    HistoryChanged,
    InputError,
)
from index.history import ChangeType, Entry
from index.jobs import verification
from index.query import PUBLIC, All, Filter, Reader, Request, Search
from index.settings import Settings

START = datetime(2030, 1, 1, tzinfo=UTC)
HELD = Reader(held=True)
WIRE = Reader(filters=(Filter(field="source", values=("wire",)),))
NOT_WIRE = Reader(
    held=True, filters=(Filter(field="source", values=("Wire",), exclude=True),)
)
RINK = Reader(filters=(Filter(field="keywords", values=("rink",)),))
NOT_RINK = Reader(
    filters=(Filter(field="keywords", values=("Rink",), missing=True, exclude=True),)
)
READERS = {
    "public": PUBLIC,
    "held": HELD,
    "wire": WIRE,
    "not wire": NOT_WIRE,
    "rink": RINK,
    "not rink": NOT_RINK,
}


class Clock:
    """One clock for writes, questions and ended embargoes; each look advances it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def archive(empty_archive: Archive) -> Archive:
    """An empty archive over each engine in turn."""
    return empty_archive


def types(
    archive: Archive, reader: Reader = PUBLIC, since: int = 0
) -> list[tuple[str, str]]:
    index(archive)
    page = archive.changes(since, limit=1_000, reader=reader)
    return [(each.type.value, each.id) for each in page.entries]


def test_writes_are_listed_in_their_order(archive: Archive) -> None:
    put(archive)
    put(archive, "b")
    put(archive, headline="Another")
    put(archive, headline="Right", correction="The name was wrong.")
    archive.delete("b")
    assert types(archive) == [
        ("created", "a"),
        ("created", "b"),
        ("updated", "a"),
        ("corrected", "a"),
        ("deleted", "b"),
    ]


def test_a_removal_has_neither_text_nor_version(archive: Archive) -> None:
    put(archive)
    archive.kill("a", note="Wrong.")
    index(archive)
    killed = archive.changes(1).entries[0]
    assert killed == Entry(
        seq=2,
        type=ChangeType.KILLED,
        id="a",
        version=None,
        at=killed.at,
        removed=True,
    )


def test_an_older_version_is_not_listed(archive: Archive) -> None:
    put(archive, version="2")
    put(archive, version="1", headline="Late")
    assert types(archive, HELD) == [("created", "a")]
    assert archive.changes(0).next == 2


def test_an_embargoed_article_first_appears_when_its_embargo_ends(
    archive: Archive, clock: Clock
) -> None:
    put(archive, embargoed_until=dates.iso(START + timedelta(hours=1)))
    put(archive, headline="Still held")
    assert types(archive) == []
    assert types(archive, HELD) == [("created", "a"), ("updated", "a")]
    clock.now += timedelta(hours=2)
    assert types(archive) == [("embargo_lifted", "a")]
    assert types(archive) == [("embargo_lifted", "a")], "it is logged once"
    entry = archive.changes(0).entries[0]
    assert (entry.seq, entry.version) == (3, "2")


def test_an_embargo_that_is_shortened_to_the_past_ends_with_that_version(
    archive: Archive, clock: Clock
) -> None:
    put(archive, embargoed_until=dates.iso(START + timedelta(hours=1)))
    put(archive, embargoed_until=None)
    assert types(archive) == [("embargo_lifted", "a")]
    clock.now += timedelta(hours=2)
    assert types(archive) == [("embargo_lifted", "a")]


def test_an_article_expires_once(archive: Archive, clock: Clock) -> None:
    put(archive, expires=dates.iso(START + timedelta(hours=1)))
    clock.now += timedelta(hours=2)
    assert types(archive) == [("created", "a"), ("expired", "a")]


def test_an_embargo_holds_again_if_the_clock_is_set_back(
    archive: Archive, clock: Clock
) -> None:
    put(archive, embargoed_until=dates.iso(START + timedelta(hours=2)))
    put(archive, "later", embargoed_until=dates.iso(START + timedelta(hours=9)))
    clock.now += timedelta(hours=3)
    assert types(archive) == [("embargo_lifted", "a")]
    clock.now -= timedelta(hours=2)
    assert types(archive, since=3) == [("withheld", "a")]
    assert types(archive, since=4) == [], "it is logged once"
    clock.now += timedelta(hours=1)
    assert types(archive, since=4) == [("embargo_lifted", "a")]


def test_an_article_shows_again_if_the_clock_is_set_back(
    archive: Archive, clock: Clock
) -> None:
    put(archive, expires=dates.iso(START + timedelta(hours=2)))
    clock.now += timedelta(days=300)
    assert types(archive, since=1) == [("expired", "a")]
    clock.now -= timedelta(days=300)
    assert types(archive, since=2) == [("created", "a")]
    clock.now += timedelta(hours=3)
    assert types(archive, since=3) == [("expired", "a")]


def test_what_was_written_before_the_clock_was_set_back_appears_in_its_time(
    archive: Archive, clock: Clock
) -> None:
    clock.now += timedelta(hours=3)
    put(archive, embargoed_until=dates.iso(START + timedelta(hours=2)))
    clock.now -= timedelta(hours=2)
    put(archive, "b")
    assert types(archive) == [("created", "a"), ("withheld", "a"), ("created", "b")]
    clock.now += timedelta(hours=2)
    assert types(archive, since=3) == [("embargo_lifted", "a")]


def test_nothing_is_lost_of_what_was_killed_when_the_clock_was_set_back(
    archive: Archive, clock: Clock
) -> None:
    put(archive, embargoed_until=dates.iso(START + timedelta(hours=2)))
    archive.kill("a")
    clock.now += timedelta(hours=3)
    assert types(archive) == []
    clock.now -= timedelta(hours=2)
    archive.reinstate("a")
    assert types(archive) == []
    clock.now += timedelta(hours=2)
    assert types(archive) == [("embargo_lifted", "a")]


def test_the_end_of_what_was_never_visible_is_not_listed(
    archive: Archive, clock: Clock
) -> None:
    put(archive, embargoed_until=dates.iso(START + timedelta(hours=1)))
    archive.kill("a")
    put(archive, "b", status="withheld")
    archive.delete("b")
    assert types(archive) == []
    clock.now += timedelta(hours=2)
    assert types(archive) == []


def test_an_article_that_leaves_a_filter_is_listed_as_removed(archive: Archive) -> None:
    put(archive, source="Wire")
    put(archive, source="Desk")
    put(archive, source="wire")
    assert types(archive, WIRE) == [
        ("created", "a"),
        ("withheld", "a"),
        ("created", "a"),
    ]
    assert [each.removed for each in archive.changes(0, reader=WIRE).entries] == [
        False,
        True,
        False,
    ]


def test_the_feed_waits_for_the_index(archive: Archive) -> None:
    put(archive)
    index(archive)
    put(archive, "b")
    page = archive.changes(0)
    assert [each.id for each in page.entries] == ["a"]
    assert (page.next, page.more) == (1, False)
    index(archive)
    assert [each.id for each in archive.changes(page.next).entries] == ["b"]


def test_removals_do_not_wait_for_the_index(archive: Archive) -> None:
    for article_id in ("a", "b", "c"):
        put(archive, article_id, source="Wire")
    index(archive)
    archive.kill("a")
    archive.withhold("b")
    put(archive, "d", source="Desk")
    archive.delete("c")
    page = archive.changes(3)
    expected = [("killed", "a"), ("withheld", "b")]
    assert [(each.type.value, each.id) for each in page.entries] == expected
    assert (page.next, page.more) == (5, False)
    assert archive.changes(page.next).entries == ()
    # Who is not to see what the index lacks is not kept waiting by it.
    page = archive.changes(3, reader=WIRE)
    expected = [*expected, ("deleted", "c")]
    assert [(each.type.value, each.id) for each in page.entries] == expected
    assert (page.next, page.more) == (7, False)
    index(archive)
    assert [each.seq for each in archive.changes(5).entries] == [6, 7]


def test_a_page_ends_at_its_limit_and_says_so(archive: Archive) -> None:
    for n in range(5):
        put(archive, str(n))
    index(archive)
    page = archive.changes(0, limit=2)
    assert ([each.id for each in page.entries], page.more) == (["0", "1"], True)
    page = archive.changes(page.next, limit=3)
    assert ([each.id for each in page.entries], page.more) == (["2", "3", "4"], False)


def test_another_history_is_refused(archive: Archive) -> None:
    put(archive)
    index(archive)
    page = archive.changes(0)
    assert archive.changes(1, history=page.history).entries == ()
    with pytest.raises(HistoryChanged):
        archive.changes(2)
    with pytest.raises(HistoryChanged):
        archive.changes(1, history="abc")


def test_the_kill_of_a_story_is_listed_for_each_article(archive: Archive) -> None:
    put(archive, "first")
    put(archive, "second", evolved_from="first")
    put(archive, "third", evolved_from="second")
    put(archive, "other")
    index(archive)
    archive.kill("second", cascade=True)
    assert types(archive, since=4) == [
        ("killed", "second"),
        ("killed", "first"),
        ("killed", "third"),
    ]
    put(archive, "fourth", evolved_from="third")
    assert types(archive, since=7) == []
    assert {each.id for each in archive.notices().notices} == {
        "first",
        "second",
        "third",
        "fourth",
    }


# A copy kept by the feed, through any sequence of writes, embargoes and looks.

IDS = ("a", "b", "c")
HOURS = st.integers(-2, 6)


@dataclass(frozen=True)
class Do:
    """One step of a sequence, on an article."""

    what: str
    id: str = "a"
    values: tuple[tuple[str, Any], ...] = ()

    def __repr__(self) -> str:
        return f"Do({self.what!r}, {self.id!r}, {self.values!r})"


PUTS = st.builds(
    lambda id_, values: Do("put", id_, tuple(sorted(values.items(), key=str))),
    st.sampled_from(IDS),
    st.fixed_dictionaries(
        {"headline": st.sampled_from(["One", "Two", "Three"])},
        optional={
            "version": st.sampled_from(["1", "2", "3", "4"]),
            "status": st.sampled_from(["usable", "withheld", "canceled"]),
            "embargo": st.none() | HOURS,
            "expires": HOURS,
            "source": st.sampled_from(["Wire", "Desk"]),
            "keywords": st.lists(st.sampled_from(["Rink", "ice"]), unique=True),
            "evolved_from": st.sampled_from(IDS),
        },
    ),
)
OTHERS = st.builds(
    Do,
    st.sampled_from(
        ["kill", "kill", "cascade", "withhold", "reinstate", "delete", "purge"]
    ),
    st.sampled_from(IDS),
)
# Purged before any reader could look.
ERASURES = st.builds(
    lambda what, id_: (Do(what, id_), Do("purge", id_)),
    st.sampled_from(["kill", "delete"]),
    st.sampled_from(IDS),
)
# Killed when the article is hidden already, or always was.
LATE_KILLS = st.builds(
    lambda put, ends: (put, *(Do(what, put.id) for what in ends), Do("kill", put.id)),
    PUTS,
    st.lists(st.sampled_from(["delete", "withhold", "+1", "purge"]), max_size=2),
)
LOOK = Do("look")  # when the lazy consumers look
# Clocks are also set back.
TIME = st.builds(lambda hours: Do(f"{hours:+}"), st.sampled_from([1, 2, 3, -1, -4]))
ONE_STEP = PUTS | OTHERS | TIME | st.sampled_from([Do("index"), LOOK])
STEPS = st.lists(
    ERASURES | LATE_KILLS | ONE_STEP.map(lambda each: (each,)), max_size=14
).map(lambda groups: [step for group in groups for step in group])


def do(archive: Archive, clock: Clock, step: Do) -> None:
    values = dict(step.values)
    with suppress(InputError):
        if step.what == "put":
            if "embargo" in values:
                hours = values.pop("embargo")
                values["embargoed_until"] = hours if hours is None else at(clock, hours)
            if "expires" in values:
                values["expires"] = at(clock, values["expires"])
            if values.get("evolved_from") == step.id:
                del values["evolved_from"]
            put(archive, step.id, **values)
        elif step.what in ("index", "look"):
            index(archive)
        elif step.what.startswith(("+", "-")):
            clock.now += timedelta(hours=int(step.what))
        elif step.what == "cascade":
            archive.kill(step.id, cascade=True)
        else:
            getattr(archive, step.what)(step.id)


def at(clock: Clock, hours: int) -> str:
    # Between two whole hours, as events of the same instant have no order.
    return dates.iso(clock.now + timedelta(hours=hours, minutes=30))


def standings(
    archive: Archive, now: datetime, reader: Reader
) -> tuple[dict[str, str | None], set[str]]:
    """Version of each article that a reader sees; ids of those told to be killed."""
    versions: dict[str, str | None] = {}
    killed: set[str] = set()
    for article_id in IDS:
        try:
            view = archive.get(article_id, now=now, reader=reader)
        except ArticleKilled:
            killed.add(article_id)
        except ArticleNotFound:
            pass
        else:
            versions[article_id] = view.article.version
    return versions, killed


class Memory:
    """The articles that one reader ever saw: they may be told of the end of these."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.seen: set[str] = set()
        # Killed before they arrived: every reader may have them from elsewhere.
        self.in_advance: set[str] = set()

    def look(self, archive: Archive, clock: Clock, since: datetime) -> set[str]:
        """See what is visible now, and what was visible at any time since.

        :return: ids of the articles whose kill the reader is told of now.
        """
        while since < clock.now:
            self.seen |= standings(archive, since, self.reader)[0].keys()
            since += timedelta(hours=1)
        versions, killed = standings(archive, clock.now, self.reader)
        self.seen |= versions.keys()
        return killed


class Consumer:
    """A reader who keeps a copy up to date by the feed alone."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.since = self.last = 0
        self.copy: dict[str, str | None] = {}
        self.ended: set[str] = set()

    def follow(self, archive: Archive) -> None:
        more = True
        while more:
            page = archive.changes(self.since, limit=3, reader=self.reader)
            for entry in page.entries:
                assert entry.seq > self.last
                self.last = entry.seq
                if entry.removed:
                    self.ended.add(entry.id)
                    self.copy.pop(entry.id, None)
                else:
                    self.copy[entry.id] = entry.version
            self.since, more = page.next, page.more


@pytest.mark.slow
@given(steps=STEPS)
@hypothesis_settings(max_examples=amount(20, 60))
@example(
    steps=[
        Do("put", "a", (("headline", "One"), ("embargo", 1))),
        Do("put", "a", (("headline", "Two"),)),
        Do("+2"),
        Do("kill", "a"),
    ]
)
@example(
    steps=[
        Do("put", "a", (("headline", "One"), ("version", "2"))),
        Do("kill", "a"),
        Do("put", "a", (("headline", "Two"), ("version", "1"))),
        Do("delete", "a"),
        Do("put", "a", (("headline", "Two"), ("version", "1"))),
        Do("put", "a", (("headline", "Two"), ("version", "3"))),
    ]
)
@example(
    steps=[
        Do("put", "a", (("expires", 0), ("headline", "One"), ("status", "withheld"))),
        Do("+1"),
    ]
)
@example(
    steps=[
        Do("put", "a", (("keywords", ["Rink"]),)),
        LOOK,
        Do("kill", "a"),
        Do("purge", "a"),
    ]
)
@example(
    steps=[
        Do("put", "a", (("keywords", ["Rink"]),)),
        LOOK,
        Do("put", "a", (("keywords", ["ice"]),)),
        Do("delete", "a"),
        Do("purge", "a"),
    ]
)
@example(
    steps=[
        Do("put", "a", (("embargo", 1),)),
        Do("delete", "a"),
        Do("purge", "a"),
        Do("+2"),
    ]
)
@example(steps=[Do("put", "a", (("embargo", 1),)), Do("kill", "a"), Do("+2")])
@example(steps=[Do("put", "a", (("embargo", 1),)), Do("+2"), LOOK, Do("-1"), Do("+2")])
@example(steps=[Do("put", "a", (("expires", 1),)), Do("+2"), LOOK, Do("-1")])
@example(
    steps=[
        Do("put", "a", (("embargo", 1), ("expires", 2))),
        Do("+3"),
        Do("-1"),
        Do("-1"),
        Do("kill", "a"),
        Do("+3"),
        Do("-1"),
        Do("reinstate", "a"),
        Do("+3"),
    ]
)
@example(steps=[Do("put", "a", (("status", "withheld"),)), Do("kill", "a")])
@example(
    steps=[
        Do("put", "a", (("status", "withheld"),)),
        Do("put", "a", (("status", "canceled"),)),
        Do("put", "a", (("headline", "Two"), ("status", "canceled"))),
    ]
)
@example(steps=[Do("put", "a", (("expires", -1),)), Do("kill", "a")])
@example(steps=[Do("put", "a", (("embargo", 1),)), Do("delete", "a"), Do("kill", "a")])
@example(
    steps=[
        Do("put", "a", (("source", "Desk"),)),
        Do("withhold", "a"),
        Do("put", "a", (("source", "Wire"), ("status", "withheld"))),
        Do("kill", "a"),
    ]
)
def test_a_copy_kept_by_the_feed_is_what_its_reader_sees(steps: list[Do]) -> None:
    clock = Clock()
    with TemporaryDirectory() as folder:
        archive = Archive.open(
            Settings(store=f"sqlite:///{folder}/store.db", engine="memory:"),
            clock=clock,
        )
        early = {name: Consumer(reader) for name, reader in READERS.items()}
        lazy = {name: Consumer(reader) for name, reader in READERS.items()}
        memories = {name: Memory(reader) for name, reader in READERS.items()}
        came: set[str] = set()  # what was ever here
        before: dict[str, set[str]] = {name: set() for name in READERS}
        for step in steps:
            since = clock.now
            do(archive, clock, step)
            for name, memory in memories.items():
                notices = memory.look(archive, clock, since)
                memory.in_advance |= notices - came
                assert notices <= memory.seen | memory.in_advance, name
                if step.what == "purge":
                    assert notices >= before[name], name
                before[name] = notices
            came |= {step.id} if step.what == "put" else set()
            for consumer in (*early.values(), *(lazy.values() if step == LOOK else ())):
                consumer.follow(archive)
        index(archive)
        for name, reader in READERS.items():
            late = Consumer(reader)
            expected, _ = standings(archive, clock.now, reader)
            memory = memories[name]
            for consumer in (early[name], lazy[name], late):
                consumer.follow(archive)
                assert consumer.copy == expected, name
                # Nobody hears of the end of what never showed to them.
                assert consumer.ended <= memory.seen | memory.in_advance, name
            answer = archive.search(Request(limit=100), now=clock.now, reader=reader)
            assert {
                hit.article["id"]: hit.article["version"] for hit in answer.hits
            } == expected, name
            assert answer.articles == len(expected)
        assert list(verification.store_problems(archive.store, archive.engine)) == []
        archive.close()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Statements that are sent to databases in a block."""
    sent: list[str] = []

    def note(*said: Any) -> None:
        sent.append(said[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_what_disappeared_is_read_in_few_statements(
    archive: Archive, clock: Clock
) -> None:
    many = 120
    for number in range(many):
        put(archive, f"a{number}", "Words.")
    for number in range(many):
        archive.delete(f"a{number}")
    now = archive.store.clock() + timedelta(seconds=1)
    with archive.store.reading() as view, statements() as sent:
        removals = removals_from(view, Search(query=All(), now=now), Validity(now))
    assert [each.id for each in removals] == [f"a{n}" for n in reversed(range(many))]
    assert len(sent) < many / 10


def test_articles_of_the_feed_take_one_statement_each(
    archive: Archive, clock: Clock
) -> None:
    counts = []
    for many in (20, 60):
        for number in range(many):
            put(archive, f"{many}-{number}", "Words.")
        index(archive)
        since = archive.store.seq() - many
        with statements() as sent:
            page = archive.changes(since, limit=1_000, carriage=Carriage())
        assert page.articles is not None
        assert len([each for each in page.articles if each]) == many
        counts.append(len(sent))
    assert counts[1] - counts[0] <= 40 + 2
