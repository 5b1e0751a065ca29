"""Embargoes that ended and articles that expired, before a withdrawal is logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from articles import article
from sqlalchemy import Connection

from index.article import Status
from index.history import ChangeType
from index.store import Store, embargoes, transactions

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = (START + timedelta(hours=1)).isoformat()
LATER = (START + timedelta(hours=2)).isoformat()
OTHERS = 30


class Desk:
    """A store whose clock is set by the test."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = START

    def entries_since(self, seq: int) -> list[tuple[str, ChangeType]]:
        return [
            (entry.id, entry.type) for entry in self.store.changes(seq, limit=1_000)
        ]


@pytest.fixture
def desk(store_url: str) -> Iterator[Desk]:
    """A desk whose articles were embargoed for an hour; ``a`` then expires, too."""
    store = Store(store_url, clock=lambda: desk.now)
    desk = Desk(store)
    story = [
        article(id_, "Words.", embargoed_until=SOON, expires=LATER, story="s")
        for id_ in ("a", "b")
    ]
    others = [
        article(f"other{n}", "Words.", embargoed_until=SOON) for n in range(OTHERS)
    ]
    store.put([*story, *others])
    yield desk
    store.close()


def cancel(store: Store) -> None:
    store.put([article("a", "Killed.", version="2", status=Status.CANCELED)])


WITHDRAWALS: dict[str, tuple[Callable[[Store], object], ChangeType]] = {
    "kill": (lambda store: store.kill("a"), ChangeType.KILLED),
    "withhold": (lambda store: store.withhold("a"), ChangeType.WITHHELD),
    "delete": (lambda store: store.delete("a"), ChangeType.DELETED),
    "cancel": (cancel, ChangeType.KILLED),
}


@pytest.mark.parametrize("kind", WITHDRAWALS)
def test_a_withdrawal_logs_what_is_due_of_its_own_articles_only(
    desk: Desk, kind: str
) -> None:
    withdraw, change = WITHDRAWALS[kind]
    desk.now = START + timedelta(hours=3)
    seq = desk.store.seq()
    withdraw(desk.store)
    own = desk.entries_since(seq)
    assert own == [("a", ChangeType.EXPIRED), ("a", change)]
    seq = desk.store.seq()
    assert desk.store.log_ended_embargoes() == OTHERS + 1
    rest = desk.entries_since(seq)
    assert {id_ for id_, _ in rest} == {"b", *(f"other{n}" for n in range(OTHERS))}
    assert desk.store.check() == []


def test_a_kill_of_a_story_logs_what_is_due_of_its_articles_first(desk: Desk) -> None:
    desk.now = START + timedelta(minutes=90)
    seq = desk.store.seq()
    desk.store.kill("a", cascade=True)
    assert desk.entries_since(seq) == [
        ("a", ChangeType.EMBARGO_LIFTED),
        ("a", ChangeType.KILLED),
        ("b", ChangeType.EMBARGO_LIFTED),
        ("b", ChangeType.KILLED),
    ]
    assert desk.store.log_ended_embargoes() == OTHERS


def test_a_withdrawal_logs_all_of_a_clock_that_was_set_back(desk: Desk) -> None:
    desk.now = START + timedelta(minutes=90)
    desk.store.log_ended_embargoes()
    desk.now = START
    seq = desk.store.seq()
    desk.store.kill("a")
    *set_back, last = desk.entries_since(seq)
    assert last == ("a", ChangeType.KILLED)
    assert {kind for _, kind in set_back} == {ChangeType.UPDATED}
    assert len(set_back) == OTHERS + 2
    assert desk.store.check() == []


def test_any_other_write_logs_all_that_is_due_first(desk: Desk) -> None:
    desk.now = START + timedelta(minutes=90)
    seq = desk.store.seq()
    desk.store.put([article("new", "Words.")])
    assert len(desk.entries_since(seq)) == OTHERS + 2 + 1


def test_a_write_logs_a_page_of_what_is_due_and_all_of_its_own_articles(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embargoes, "_DUE", embargoes._ALL_DUE.limit(5))
    desk.now = START + timedelta(hours=3)
    logged: list[tuple[str, ChangeType]] = []
    seq = desk.store.seq()
    desk.store.put([article("other29", "New words.", version="2")])
    for n in range(3):
        before, seq = seq, desk.store.seq()
        entries = desk.entries_since(before)
        assert len(entries) <= 5 + 2
        logged += entries
        desk.store.put([article(f"new{n}", "Words.")])
    own = [kind for id_, kind in logged if id_ == "other29"]
    assert own == [ChangeType.EMBARGO_LIFTED, ChangeType.UPDATED]
    desk.store.log_ended_embargoes()
    ended = [
        entry
        for entry in desk.entries_since(0)
        if entry[1] in (ChangeType.EMBARGO_LIFTED, ChangeType.EXPIRED)
    ]
    # Each once: of two articles both instants had passed, and the later one counts.
    assert len(ended) == len(set(ended)) == OTHERS + 2
    assert desk.store.check() == []


def test_all_that_is_due_is_logged_in_transactions_of_one_page_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embargoes, "_DUE", embargoes._ALL_DUE.limit(5))
    pages: list[int] = []
    log = embargoes.log_first_due

    def counted(connection: Connection, now: int) -> int:
        pages.append(log(connection, now))
        return pages[-1]

    monkeypatch.setattr(transactions, "log_first_due", counted)
    desk.now = START + timedelta(minutes=90)
    assert desk.store.log_ended_embargoes() == OTHERS + 2
    assert pages == [5] * 6 + [2]
