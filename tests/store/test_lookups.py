"""Lookups: the versions that hits show, read ten at a time and one by one."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from articles import sent_article as article
from stores import behind, on_a_file

from index.access import Validity
from index.article import Status
from index.errors import SearchTimeout, StoreUnavailable
from index.store import Store, View
from index.store.lookups import CONTENT, EFFECTIVE, Lookup

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 25


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Articles 00 to 24 in two versions each; every third is withheld."""
    store = Store(store_url)
    for text in ("First.", "Second, an ‘é’."):
        store.put([article(f"{n:02}", text=text) for n in range(COUNT)])
    for n in range(0, COUNT, 3):
        store.withhold(f"{n:02}")
    yield store
    store.close()


def driver_of(view: View) -> sqlite3.Connection:
    driver = view._connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@contextmanager
def statements(view: View) -> Iterator[list[str]]:
    """The statements that a view runs in a block."""
    run: list[str] = []
    driver_of(view).set_trace_callback(run.append)
    yield run
    driver_of(view).set_trace_callback(None)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, COUNT])
def test_each_version_that_is_asked_for_is_read_once(store: Store, count: int) -> None:
    keys = [(f"{n:02}", str(1 + n % 2)) for n in range(count)]
    strangers = [("00", "9"), ("nobody", "1")]
    with store.reading() as view:
        clippings = dict(view.clippings([*keys, *strangers, *reversed(keys)]))
        assert sorted(clippings) == keys
        for key, clipping in clippings.items():
            whole = view.get(*key).article
            assert (clipping.id, clipping.version) == key
            assert clipping.opening(1) == whole.paragraphs[1:]


@on_a_file
@pytest.mark.parametrize("fields", [(), ("status",)])
def test_a_page_of_ten_is_one_statement(store: Store, fields: tuple[str, ...]) -> None:
    keys = [(f"{n:02}", "2") for n in range(10)]
    with store.reading() as view, statements(view) as run:
        assert len(dict(view.clippings(keys, fields))) == 10
    assert len(run) == 1


@on_a_file
@pytest.mark.parametrize(
    "lookup",
    [Lookup(CONTENT), Lookup(CONTENT, EFFECTIVE, of_article=True)],
    ids=["contents", "status"],
)
def test_versions_are_found_by_their_keys_and_not_by_reading_all(
    store: Store, lookup: Lookup
) -> None:
    with store.reading() as view:
        with statements(view) as run:
            list(lookup.rows(view._connection, [("01", "1")]))
        plan = driver_of(view).execute(f"EXPLAIN QUERY PLAN {run[0]}").fetchall()
    steps = [detail for *_, detail in plan]
    assert any(step.startswith("SEARCH versions USING INDEX") for step in steps)
    assert not [s for s in steps if s.startswith(("SCAN versions", "SCAN articles"))]


def test_the_status_is_that_in_force(store: Store) -> None:
    keys = [(f"{n:02}", version) for n in (0, 1) for version in "12"]
    with store.reading() as view:
        shown = {
            key: clipping.fields(Validity(NOW))["status"]
            for key, clipping in view.clippings(keys, ("headline", "status"))
        }
    # Of an older version the status is its own; nobody sees it while it is withheld.
    assert shown == {
        ("00", "1"): Status.USABLE.value,
        ("00", "2"): Status.WITHHELD.value,
        ("01", "1"): Status.USABLE.value,
        ("01", "2"): Status.USABLE.value,
    }


def peak_of(view: View, ids: Sequence[str]) -> int:
    """Bytes of memory that reading some versions takes at its peak."""
    tracemalloc.start()
    try:
        for _ in view.clippings((id_, "1") for id_ in ids):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_one_long_text_at_a_time_is_in_memory(store: Store) -> None:
    length = 400_000
    ids = [f"long-{n}" for n in range(10)]
    store.put([article(id_, text="x" * length) for id_ in ids])
    with store.reading() as view:
        list(view.clippings([("01", "1")]))
        # Beside the text that is being read there is the one before it.
        assert peak_of(view, ids) < peak_of(view, ids[:1]) + 3 * length


def test_an_answer_that_stops_half_way_keeps_no_state_of_the_store(
    store: Store,
) -> None:
    def stop() -> None:
        with store.reading() as view:
            for _ in view.clippings([(f"{n:02}", "1") for n in range(10)]):
                raise SearchTimeout(1)

    with pytest.raises(SearchTimeout) as kept:
        stop()
    # Whoever logs the error may hold it, and with it all that the answer was reading.
    store.kill("01")
    store.purge("01")  # waits until nobody reads an older state
    assert kept.value.seconds == 1


@on_a_file  # PostgreSQL knows which bytes are a text
@pytest.mark.parametrize("damage", ["'{'", "x'7b22ff'", "x''"])
def test_a_damaged_text_is_the_fault_of_the_store(store: Store, damage: str) -> None:
    with behind(store.url) as database:
        database.execute(f"UPDATE versions SET content = {damage} WHERE id = '02'")
    with (
        store.reading() as view,
        pytest.raises(StoreUnavailable, match=r"version 2 of 02 .*verify"),
    ):
        list(view.clippings([("01", "2"), ("02", "2")]))
