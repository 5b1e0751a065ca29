"""The store: versions, the change log, snapshots, durability, errors, locks."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from articles import sent_article as article
from checkout import ROOT
from hypothesis import given
from hypothesis import strategies as st
from stores import behind, on_a_file

from index.access import CANCELED, WITHHELD, Standing, restrictions_of, values_of
from index.article import Article, Status
from index.errors import (
    ArticleNotFound,
    ArticlePurged,
    IndexerRunning,
    InputError,
    InvalidArticle,
    InvalidValue,
    StoreFull,
    StoreUnavailable,
    VersionConflict,
)
from index.history import Outcome, Written, version_key
from index.history.numbers import next_version
from index.store import Store
from index.store.sqlite import SQLite, connections

SPAWN = multiprocessing.get_context("spawn")
LATER = datetime(2100, 1, 1, tzinfo=UTC)
EARLIER = datetime(2000, 1, 1, tzinfo=UTC)
DATABASE = "nutgraf.db"


def standing(stored: Article) -> Standing:
    return Standing(restrictions_of(stored), values_of(stored))


@pytest.fixture
def url(store_url: str) -> str:
    return store_url


def connections_of(store: Store) -> connections.Connections:
    database = store._database
    assert isinstance(database, SQLite)
    return database.connections()


@on_a_file
def test_a_view_takes_one_statement_for_what_every_answer_needs(url: str) -> None:
    store = Store.open(url)
    with store.reading():
        pass
    statements: list[str] = []
    (lent,) = connections_of(store)._idle
    lent.connection.driver_connection.set_trace_callback(statements.append)
    with store.reading() as view:
        assert (view.seq, view.epoch, len(view.cursor_key)) == (0, view.epoch, 64)
    # The second looks at the schema.
    begin, _, state, rollback = statements
    assert (begin, rollback) == ("BEGIN", "ROLLBACK")
    assert "secrets" in state
    store.close()


def put(store: Store, *batch: Article) -> tuple[str, ...]:
    """Put articles; return ``outcome version`` of each."""
    return tuple(f"{each.outcome} {each.version}" for each in puts(store, *batch))


def puts(store: Store, *batch: Article) -> tuple[Written, ...]:
    written = []
    for each in store.put(batch):
        assert isinstance(each, Written)
        written.append(each)
    return tuple(written)


def put_error(store: Store, each: Article) -> InputError:
    (error,) = store.put([each])
    assert isinstance(error, InputError)
    return error


def log(store: Store) -> list[tuple[int, str, str, str | None, bool]]:
    return [
        (each.seq, each.type, each.id, each.version, each.hides)
        for each in store.changes(0, 1_000_000)
    ]


def current_text(store: Store, article_id: str = "a") -> str:
    with store.reading() as view:
        return view.get(article_id).article.paragraphs[-1].text


# Versions


def test_the_first_version_is_1(store: Store) -> None:
    assert put(store, article()) == ("created 1",)


def test_a_first_version_may_be_given(store: Store) -> None:
    assert put(store, article(version="2016-09-29")) == ("created 2016-09-29",)


def test_the_same_content_again_is_unchanged_and_not_logged(store: Store) -> None:
    put(store, article())
    (again,) = puts(store, article())
    assert (again.outcome, again.version, again.seq) == (Outcome.UNCHANGED, "1", None)
    assert store.seq() == 1


def test_other_content_without_a_version_is_the_next_version(store: Store) -> None:
    assert put(store, article()) == ("created 1",)
    assert put(store, article(text="Two.")) == ("updated 2",)
    assert put(store, article(text="One.")) == ("updated 3",)


def test_a_version_is_taken_once_with_one_content(store: Store) -> None:
    put(store, article(version="7"))
    assert put(store, article(version="7")) == ("unchanged 7",)
    error = put_error(store, article(version="7", text="Two."))
    assert isinstance(error, VersionConflict)
    assert (error.id, error.version) == ("a", "7")
    assert current_text(store) == "One."


@pytest.mark.parametrize("version", ["7", "8"])
def test_a_forced_version_takes_the_place_of_the_one_that_is_there(
    store: Store, version: str
) -> None:
    put(store, article(version="7", text="Seven."), article(version="8", text="Eight."))
    forced = article(version=version, text="Forced.")
    for outcome, seq in (("replaced", 3), ("unchanged", None)):
        (written,) = store.put([forced], force=True)
        assert isinstance(written, Written)
        assert (written.outcome, written.version, written.seq) == (
            *(outcome, version, seq),
        )
    with store.reading() as view:
        texts = {
            each.version: view.get("a", each.version).article.paragraphs[-1].text
            for each in view.versions("a")
        }
    assert texts == {"7": "Seven.", "8": "Eight.", version: "Forced."}
    kind = "updated" if version == "8" else "stored"
    assert log(store)[2:] == [(3, kind, "a", version, True)]
    assert store.check() == []


def test_forcing_changes_nothing_where_no_version_is_there(store: Store) -> None:
    batch = [article(), article(text="Two."), article(version="1", text="Again.")]
    written = store.put(batch, force=True)
    assert [isinstance(each, Written) and each.outcome for each in written] == [
        *("created", "updated", "replaced"),
    ]
    assert current_text(store) == "Two."
    assert store.check() == []


def test_a_forced_version_keeps_an_embargo_and_the_date(store: Store) -> None:
    put(store, article(version="1", embargoed_until=LATER, published=EARLIER))
    store.put([article(version="1", text="Forced.")], force=True)
    with store.reading() as view:
        stored = view.get("a").article
    assert (stored.embargoed_until, stored.published) == (LATER, EARLIER)
    assert current_text(store) == "Forced."


def test_force_lifts_no_kill_and_no_withholding(store: Store) -> None:
    for article_id in ("killed", "withheld", "purged"):
        put(store, article(article_id, version="1"))
    store.kill("killed")
    store.withhold("withheld")
    store.kill("purged")
    store.purge("purged")
    batch = [
        article(each, version="1", text="Forced.")
        for each in ("killed", "withheld", "purged")
    ]
    *written, purged = store.put(batch, force=True)
    assert isinstance(purged, ArticlePurged)
    assert all(isinstance(each, Written) for each in written)
    with store.reading() as view:
        assert view.indexable("killed") is None
        for each, status in (("killed", CANCELED), ("withheld", WITHHELD)):
            own = view.standing(each)
            assert own is not None
            assert own.restrictions.status == status
    assert store.check() == []


def test_versions_compare_as_numbers(store: Store) -> None:
    put(store, article(version="9"))
    assert put(store, article(version="10", text="Ten.")) == ("updated 10",)
    assert put(store, article(version="8", text="Eight.")) == ("stored 8",)
    assert current_text(store) == "Ten."


@pytest.mark.parametrize("stray", ["rc1", "v99", "draft", "日"])
def test_a_version_without_a_number_in_front_does_not_outrank_numbers(
    store: Store, stray: str
) -> None:
    put(store, article(version="10"))
    assert put(store, article(version=stray, text="Stray.")) == (f"stored {stray}",)
    assert put(store, article(version="11", text="Eleven.")) == ("updated 11",)
    assert put(store, article("b", version=stray)) == (f"created {stray}",)
    assert put(store, article("b", version="0", text="Zero.")) == ("updated 0",)


@pytest.mark.parametrize("version", ["-1", "-0", "-1.5"])
def test_a_version_below_0_is_refused(store: Store, version: str) -> None:
    error = put_error(store, article(version=version))
    assert isinstance(error, InvalidArticle)
    assert error.field == "version"
    assert store.seq() == 0


def test_equal_whole_numbers_are_one_version(store: Store) -> None:
    assert put(store, article(version="007")) == ("created 7",)
    assert put(store, article(version="7")) == ("unchanged 7",)
    assert isinstance(
        put_error(store, article(version="07", text="X")), VersionConflict
    )
    assert put(store, article(version="000", text="Zero.")) == ("stored 0",)
    assert put(store, article(text="Eight.")) == ("updated 8",)
    with store.reading() as view:
        assert view.get("a", "0007").article.version == "7"
    assert store.check() == []


def test_an_older_version_is_history_only(store: Store) -> None:
    put(store, article(version="3", text="Three."))
    older = article(version="2", text="Two.", status=Status.CANCELED)
    assert put(store, older) == ("stored 2",)
    assert put(store, older) == ("unchanged 2",)
    changed = article(version="2", text="Other.")
    assert isinstance(put_error(store, changed), VersionConflict)
    assert log(store)[-1] == (2, "stored", "a", "2", False)
    with store.reading() as view:
        assert [(v.version, v.current) for v in view.versions("a")] == [
            ("3", True),
            ("2", False),
        ]
        assert view.standing("a") == standing(article())
        assert view.get("a", "2").article == older
        assert not view.get("a", "2").current


def test_one_batch_may_hold_an_article_more_than_once(store: Store) -> None:
    assert put(
        store,
        article(),
        article(text="Two."),
        article(text="Two."),
        article(text="Nine.", version="9"),
        article(text="Four.", version="4"),
        article(text="Ten."),
    ) == (
        "created 1",
        "updated 2",
        "unchanged 2",
        "updated 9",
        "stored 4",
        "updated 10",
    )
    assert current_text(store) == "Ten."
    assert [entry[0] for entry in log(store)] == [1, 2, 3, 4, 5]
    assert store.check() == []


def test_a_conflict_spoils_only_itself(store: Store) -> None:
    put(store, article("b", version="1"))
    first, second, third = store.put(
        [article("a"), article("b", text="Other.", version="1"), article("c")]
    )
    assert isinstance(first, Written)
    assert isinstance(second, VersionConflict)
    assert isinstance(third, Written)
    assert (first.seq, third.seq, store.seq()) == (2, 3, 3)


@pytest.mark.parametrize(
    "extra",
    [{"x": float("nan")}, {"x": object()}, {"x": "\ud800"}, {1: "a", "b": "c"}],
    ids=["not finite", "no JSON", "a surrogate", "mixed keys"],
)
def test_an_article_that_is_no_json_spoils_only_itself(
    store: Store, extra: dict[Any, Any]
) -> None:
    first, second, third = store.put(
        [article("a"), article("b", extra=extra), article("c")]
    )
    assert isinstance(first, Written)
    assert isinstance(second, InvalidArticle)
    assert second.field == "extra"
    assert isinstance(third, Written)


def test_no_next_version_can_be_made_of_the_longest_one(store: Store) -> None:
    put(store, article(version="9" * 100))
    error = put_error(store, article(text="Two."))
    assert isinstance(error, InvalidArticle)
    assert error.field == "version"
    assert store.counts().versions == 1


def test_nothing_is_written_for_an_empty_batch(store: Store) -> None:
    assert store.put([]) == ()
    assert store.seq() == 0


@pytest.mark.parametrize(
    ("version", "following"),
    [
        ("1", "2"),
        ("9", "10"),
        ("099", "100"),
        ("2.9", "2.10"),
        ("v3", "v4"),
        ("draft", "draft.1"),
        ("20160929T100000Z", "20160929T100000Z.1"),
    ],
)
def test_the_next_version_counts_on(version: str, following: str) -> None:
    assert next_version(version) == following


ANY_VERSION = st.text(st.sampled_from("0019.-vZ日"), min_size=1, max_size=8) | st.text(
    st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8
)


@given(ANY_VERSION)
def test_the_next_version_is_always_higher(version: str) -> None:
    assert version_key(next_version(version)) > version_key(version)


@pytest.mark.slow
@given(ANY_VERSION, ANY_VERSION)
def test_the_order_of_versions_is_total(one: str, other: str) -> None:
    assert (version_key(one) == version_key(other)) == (one == other)
    assert (version_key(one) < version_key(other)) != (
        version_key(one) >= version_key(other)
    )


@pytest.mark.slow
@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_whole_numbers_are_versions_in_their_own_order(one: int, other: int) -> None:
    assert (version_key(str(one)) < version_key(str(other))) == (one < other)


# Deletions, and changes that hide


def test_delete_removes_every_version(store: Store) -> None:
    put(store, article(), article(text="Two."))
    assert store.delete("a") == 3
    assert (store.counts().articles, store.counts().versions) == (0, 0)
    assert log(store)[-1] == (3, "deleted", "a", None, True)
    with store.reading() as view:
        assert view.standing("a") is None
        assert view.hidden_since(2) == {"a"}
        for read in (view.get, view.versions):
            with pytest.raises(ArticleNotFound):
                read("a")


def test_a_put_after_a_delete_starts_anew(store: Store) -> None:
    put(store, article(version="7"))
    store.delete("a")
    assert put(store, article(text="New.")) == ("created 1",)
    assert log(store)[-1] == (3, "created", "a", "1", False)


def test_deleting_what_is_not_there_changes_nothing(store: Store) -> None:
    with pytest.raises(ArticleNotFound) as caught:
        store.delete("a")
    assert caught.value.id == "a"
    assert store.seq() == 0


@pytest.mark.parametrize(
    ("before", "after", "hides"),
    [
        ({}, {}, False),
        ({}, {"status": Status.WITHHELD}, True),
        ({}, {"status": Status.CANCELED}, True),
        ({"status": Status.CANCELED}, {}, False),
        ({}, {"embargoed_until": LATER}, True),
        ({"embargoed_until": LATER}, {"embargoed_until": EARLIER}, False),
        ({}, {"expires": LATER}, True),
        ({"expires": LATER}, {"expires": LATER - timedelta(days=1)}, True),
        ({"expires": LATER}, {}, False),
    ],
)
def test_a_change_that_shows_less_hides(
    store: Store, before: dict[str, Any], after: dict[str, Any], hides: bool
) -> None:
    put(
        store,
        article("other"),
        article(version="1", **before),
        article(text="Two.", version="2", **after),
    )
    with store.reading() as view:
        assert view.hidden_since(2) == ({"a"} if hides else set())
        assert view.hidden_since(3) == set()
        assert view.standing("a") == standing(article(**after))


@on_a_file
def test_hidden_ids_are_found_by_index_alone(store: Store) -> None:
    rows = (
        sqlite3.connect(store.path)
        .execute(
            "EXPLAIN QUERY PLAN"
            " SELECT id FROM changes WHERE seq > 5 AND changes.hides = 1"
        )
        .fetchall()
    )
    assert "INDEX changes_hiding (seq>?)" in rows[0][3]


@on_a_file
def test_the_newest_notices_are_read_from_an_index_alone(store: Store) -> None:
    rows = (
        sqlite3.connect(store.path)
        .execute(
            "EXPLAIN QUERY PLAN SELECT * FROM notices"
            " WHERE seq < 5 AND over = 0 AND status = 2 ORDER BY seq DESC LIMIT 1"
        )
        .fetchall()
    )
    assert [row[3] for row in rows] == [
        "SEARCH notices USING INDEX notices_seq (seq<?)"
    ]


# Reading


def test_an_article_is_read_back_as_it_was_put(store: Store) -> None:
    whole = article(
        version="4",
        language="si",
        published=datetime(1, 1, 1, tzinfo=UTC),
        expires=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        extra={"nested": {"ශ්‍රී": [1, None, 2.5, True]}},
    )
    before = datetime.now(UTC)
    put(store, whole)
    with store.reading() as view:
        stored = view.get("a")
    assert stored.article == whole
    assert (stored.current, stored.seq) == (True, 1)
    assert before <= stored.at <= datetime.now(UTC)
    assert store.changes(0, 1)[0].at == stored.at


def test_a_missing_version_is_named(store: Store) -> None:
    put(store, article())
    with store.reading() as view, pytest.raises(ArticleNotFound) as caught:
        view.get("a", "5")
    assert (caught.value.id, caught.value.version) == ("a", "5")


def test_versions_come_highest_first_with_what_they_say(store: Store) -> None:
    for version in ("9", "10", "2"):
        put(store, article(version=version, text=version, status=Status.WITHHELD))
    with store.reading() as view:
        versions = view.versions("a")
    assert [each.version for each in versions] == ["10", "9", "2"]
    assert [each.seq for each in versions] == [2, 1, 3]
    assert {(each.status, each.headline) for each in versions} == {
        (Status.WITHHELD, "Head")
    }


@pytest.mark.slow
def test_all_current_versions_are_walked_by_id(store: Store) -> None:
    ids = [f"urn:{n:04}" for n in range(1_203)]
    put(store, *(article(each) for each in reversed(ids)))
    put(store, article(ids[7], text="Two."))
    with store.reading() as view:
        walked = list(view.iterate())
        assert [each.id for each in walked] == ids
        assert walked[7].version == "2"
        assert view.count() == len(ids)
        assert [each.id for each in view.current(after=ids[4], limit=2)] == ids[5:7]


def test_changes_are_read_in_pages(store: Store) -> None:
    put(store, *(article(str(n)) for n in range(5)))
    assert [each.seq for each in store.changes(0, 2)] == [1, 2]
    assert [each.seq for each in store.changes(2, 9)] == [3, 4, 5]
    assert store.changes(5, 9) == ()


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    put(store, article(), article("b"))
    with store.reading() as view:
        put(store, article(text="Two.", status=Status.CANCELED))
        store.delete("b")
        assert view.seq == 2
        assert view.get("a").article.paragraphs[-1].text == "One."
        assert view.get("b").current
        assert view.hidden_since(0) == frozenset()
        assert len(list(view.iterate())) == 2
    with store.reading() as view:
        assert view.seq == 4
        assert view.hidden_since(2) == {"a", "b"}


def test_a_rebuild_is_asked_for_by_number(url: str, store: Store) -> None:
    assert store.rebuild_requested() == 0
    assert store.request_rebuild() == 1
    assert Store(url).request_rebuild() == 2
    assert store.rebuild_requested() == 2
    assert store.seq() == 0


# Opening


def test_a_store_is_there_again_after_closing(url: str, store: Store) -> None:
    put(store, article())
    store.close()
    with Store.open(url).reading() as view:
        assert view.get("a").seq == 1
    assert store.seq() == 1


def test_only_its_owner_may_read_a_new_store(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/new/folder/{DATABASE}")
    put(store, article())
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    for file in store.path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "sqlite:///file:a",
        "postgresql://user:secret@host/name",
        "unheard-of://user:secret@host/name",
    ],
)
def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Store(url)
    assert caught.value.parameter == "store"
    assert "secret" not in f"{caught.value} {caught.value.got}"


@on_a_file
def test_commits_are_synced_and_references_checked(store: Store) -> None:
    put(store, article())
    with connections_of(store).engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


@on_a_file
def test_another_programs_database_is_left_alone(tmp_path: Path, url: str) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreUnavailable, match="another program"):
        Store(url)
    with sqlite3.connect(tmp_path / DATABASE) as database:
        names = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("theirs",)]


# Errors


@on_a_file
def test_a_file_that_is_no_database_is_called_damaged(tmp_path: Path, url: str) -> None:
    (tmp_path / DATABASE).write_bytes(b"no database at all " * 500)
    with pytest.raises(StoreUnavailable, match="damaged"):
        Store(url)


@on_a_file
def test_a_store_that_was_removed_is_not_made_anew(store: Store) -> None:
    put(store, article())
    store.close()
    store.path.unlink()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.seq()
    assert not store.path.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file/sub"):
        Store(f"sqlite:///{tmp_path}/file/sub/{DATABASE}")


@on_a_file
def test_a_full_disk_is_not_called_a_missing_folder(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull):
        Store(url)


@on_a_file
def test_a_locked_store_says_so_and_recovers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    store.close()
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="busy"):
        store.put([article()])
    assert store.seq() == 0  # reading goes on
    other.execute("ROLLBACK")
    assert put(store, article()) == ("created 1",)


@on_a_file
def test_a_full_database_answers_store_full_and_heals(store: Store) -> None:
    put(store, article())
    with connections_of(store).engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 20")
    # The pool lends the same connection again, with its limit.
    with pytest.raises(StoreFull):
        store.put([article("b", text="x" * 200_000)])
    assert current_text(store) == "One."
    with connections_of(store).engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert puts(store, article("b", text="x" * 200_000))[0].seq == 2
    assert store.check() == []


@on_a_file
def test_a_file_that_may_not_grow_answers_store_full_and_heals(store: Store) -> None:
    put(store, article())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(StoreFull):
            store.put([article("b", text="x" * 1_000_000)])
        assert current_text(store) == "One."
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert puts(store, article("b", text="x" * 1_000_000))[0].seq == 2
    assert store.check() == []


@on_a_file
def test_a_process_keeps_no_page_of_the_store_after_a_purge(store: Store) -> None:
    put(store, article())
    other = Store(store.url)  # of another process
    other.forget_erased()
    for _ in range(2):
        assert current_text(other) == "One."
        assert connections_of(other)._idle
        other.forget_erased()
        assert connections_of(other)._idle  # nothing was purged
    store.kill("a")
    store.purge("a")
    with other.reading() as view:  # whoever reads goes on
        other.forget_erased()
        assert not connections_of(other)._idle
        assert view.count() == 0
    other.close()


@on_a_file
def test_a_failed_commit_is_no_acknowledgement(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, article())

    class Broken(sqlite3.OperationalError):
        sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC

    def fail(_connection: object) -> None:
        raise Broken("disk I/O error")

    def driver() -> object:
        with connections_of(store).engine.connect() as connection:
            return connection.connection.driver_connection

    before = driver()
    with monkeypatch.context() as patch:
        patch.setattr(connections_of(store).engine.dialect, "do_commit", fail)
        with pytest.raises(StoreUnavailable, match="disk I/O error"):
            store.put([article("b")])
    assert driver() is not before
    assert store.seq() == 1
    assert puts(store, article("b"))[0].seq == 2


def test_check_finds_nothing_wrong_with_a_sound_store(store: Store) -> None:
    put(store, article(version="2"), article(text="Old.", version="1"), article("b"))
    store.delete("b")
    assert store.check() == []


@pytest.mark.parametrize(
    ("harm", "finding"),
    [
        ("UPDATE state SET value = 9 WHERE name = 'seq'", "counter stands at 9"),
        ("DELETE FROM changes WHERE seq = 2", "2 entries from 1 to 3"),
        ("UPDATE versions SET content = '{}'", "its digest differs"),
        ("UPDATE versions SET headline = 'x'", "differs from its own columns"),
        ("UPDATE articles SET version = '7'", "current, but is not stored"),
        ("UPDATE articles SET version = '1'", "higher than 1, the current version"),
        (
            "UPDATE articles SET status = 1",
            "current, but the article has other restrictions",
        ),
    ],
)
def test_check_finds(store: Store, harm: str, finding: str) -> None:
    put(store, article(), article(text="Two."), article(text="Three."))
    with behind(store.url) as database:
        database.execute(harm)
    assert any(finding in problem for problem in store.check()), store.check()


@on_a_file
def test_check_tells_of_damage_instead_of_failing(store: Store) -> None:
    put(store, *(article(str(n), text=str(n) * 500) for n in range(200)))
    store.close()
    content = bytearray(store.path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    store.path.write_bytes(content)
    assert store.check()


def test_an_unreadable_document_is_the_stores_fault(store: Store) -> None:
    put(store, article())
    with behind(store.url) as database:
        database.execute("UPDATE versions SET content = '{'")
    with store.reading() as view, pytest.raises(StoreUnavailable, match="verify"):
        view.get("a")


# Several writers


def write_some(url: str, name: str, count: int) -> None:
    store = Store(url)
    for n in range(count):
        puts(store, article(f"{name}-{n}"), article("shared", text=f"{name} {n}"))


@pytest.mark.slow
def test_threads_leave_no_gap_and_lose_nothing(url: str, store: Store) -> None:
    threads = [
        threading.Thread(target=write_some, args=(url, f"t{n}", 8)) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_all_written(store, writers=4, count=8)


@pytest.mark.slow
def test_threads_share_one_store(store: Store) -> None:
    failed: list[object] = []

    def work(name: str) -> None:
        for n in range(8):
            failed.extend(
                each
                for each in store.put([article(f"{name}-{n}"), article("shared", name)])
                if isinstance(each, InputError)
            )
            with store.reading() as view:
                if view.count() < 1 or view.get(f"{name}-{n}").seq > view.seq:
                    failed.append(name)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert store.counts().articles == 33
    assert store.check() == []


@pytest.mark.slow
def test_processes_create_one_store_and_leave_no_gap(url: str) -> None:
    children = [fork(partial(write_some, url, f"p{n}", 10)) for n in range(3)]
    assert [exit_code(child) for child in children] == [0] * 3
    assert_all_written(Store(url), writers=3, count=10)


def assert_all_written(store: Store, *, writers: int, count: int) -> None:
    total = writers * count * 2
    assert [entry[0] for entry in log(store)] == list(range(1, total + 1))
    assert store.counts().articles == writers * count + 1
    with store.reading() as view:
        assert len(view.versions("shared")) == writers * count
    assert store.check() == []


@pytest.mark.slow
def test_a_forked_child_makes_its_own_connections(url: str, store: Store) -> None:
    put(store, article())

    def work() -> None:
        with store.reading() as view:
            assert view.get("a").current
        puts(store, article("child"))

    with store.reading() as view:  # held open across the fork
        child = fork(work)
        assert view.count() == 1
        assert exit_code(child) == 0
        assert view.count() == 1
    assert puts(store, article("parent"))[0].seq == 3
    assert store.check() == []


def fork(work: Any) -> int:
    """Run a function in a forked child; return the child's process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start another Python, with pipes to its input and from its output."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


WRITER = """
import itertools, sys
from index.article import article_of
from index.store import Store
store = Store(sys.argv[1])
for n in itertools.count(int(sys.argv[2])):
    batch = [
        article_of({"id": f"{n}-{m}", "paragraphs": [f"{n} {m} " * 200]})
        for m in range(3)
    ]
    written = store.put(batch)
    # In one write, also where Python does not buffer: a kill must not cut a line.
    print(f"{n} {written[-1].seq}\\n", end="", flush=True)
"""


@pytest.mark.slow
def test_kill_9_loses_nothing_acknowledged(url: str) -> None:
    acknowledged: dict[int, int] = {}
    for cycle in range(3):
        with python(WRITER, url, str(cycle * 100_000)) as process:
            assert process.stdout is not None
            for line in process.stdout:
                n, seq = map(int, line.split())
                acknowledged[n] = seq
                if len(acknowledged) >= 15 * (cycle + 1):
                    process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    store = Store(url)
    assert store.check() == []
    with store.reading() as view:
        for n, seq in acknowledged.items():
            assert view.get(f"{n}-2").seq == seq
            assert view.get(f"{n}-0").article.paragraphs[0].text == f"{n} 0 " * 200
        # A batch is stored as a whole or not at all.
        assert view.count() % 3 == 0


# The indexer's lock


def test_a_second_indexer_is_refused_and_told_who_is_first(store: Store) -> None:
    assert not store.indexer_running()
    with store.indexer_lock():
        assert store.indexer_running()
        with pytest.raises(IndexerRunning) as caught, store.indexer_lock():
            pass
        assert str(os.getpid()) in str(caught.value.holder)
        assert store.place in caught.value.lock
        assert store.indexer_running()
    assert not store.indexer_running()
    with store.indexer_lock():
        pass


def refused(url: str) -> None:
    store = Store(url)
    assert store.indexer_running()
    with pytest.raises(IndexerRunning), store.indexer_lock():
        pass


@pytest.mark.slow
def test_an_indexer_in_another_process_is_refused(url: str, store: Store) -> None:
    with store.indexer_lock():
        process = SPAWN.Process(target=refused, args=(url,))
        process.start()
        process.join(60)
        assert process.exitcode == 0
        assert exit_code(fork(lambda: refused(url))) == 0
        assert store.indexer_running()


@pytest.mark.slow
def test_a_forked_child_does_not_go_on_holding_the_lock(url: str, store: Store) -> None:
    code = (
        "import os, sys, time; from index.store import Store\n"
        "with Store(sys.argv[1]).indexer_lock():\n"
        "    if os.fork() == 0:\n"
        "        print('forked', flush=True); sys.stdin.read(); os._exit(0)\n"
        "    time.sleep(60)"
    )
    with python(code, url) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "forked\n"
        assert store.indexer_running()
        parent.kill()
        parent.wait()
        assert not store.indexer_running()


def test_leaving_the_block_in_a_child_leaves_the_parents_lock(store: Store) -> None:
    with store.indexer_lock():
        child = os.fork()
        if child:
            assert exit_code(child) == 0
            assert store.indexer_running()
    if not child:
        os._exit(0)


@pytest.mark.slow
def test_the_lock_ends_with_its_process(url: str, store: Store) -> None:
    code = (
        "import sys; from index.store import Store\n"
        "with Store(sys.argv[1]).indexer_lock():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with python(code, url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert store.indexer_running()
        with pytest.raises(IndexerRunning, match=str(process.pid)):
            store.indexer_lock().__enter__()
        process.kill()
    assert not store.indexer_running()


def test_asking_does_not_disturb_an_indexer_that_starts(store: Store) -> None:
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            store.indexer_running()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(50):
            with store.indexer_lock():
                pass
    finally:
        stop.set()
        asking.join()


@on_a_file
def test_a_lock_that_cannot_be_made_is_no_indexer(store: Store) -> None:
    Path(f"{store.path}-indexer.lock").mkdir()
    with pytest.raises(StoreUnavailable), store.indexer_lock():
        pass
