"""Backups: their contents, their restore, and who notices it."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from articles import sent_article as article
from commands import nutgraf
from faults.amounts import amount
from stores import on_a_file
from waiting import until

from index import cli
from index.access import Scope, restrictions_of
from index.archive import Archive
from index.archive.feed import may_read, page_of_changes
from index.article import (
    Article,
    Status,
    content_digest,
    content_json,
)
from index.dates import Clock
from index.engines import open_engine
from index.errors import (
    HistoryChanged,
    IndexUnavailable,
    InvalidValue,
    StoreFull,
    StoreUnavailable,
)
from index.jobs import Indexer, store_problems
from index.query import PUBLIC, Request
from index.settings import Settings
from index.store import Store, carryover
from index.store.sqlite import backup, connections
from index.store.tables import SCHEMA

pytestmark = pytest.mark.slow


def ids(store: Store) -> list[str]:
    with store.reading() as view:
        return [each.id for each in view.iterate()]


def run_sql(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def left_over(store: Store) -> list[Path]:
    """The hidden files beside a store."""
    return list(store.path.parent.glob(".*"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'data' / 'nutgraf.db'}")
    yield store
    store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def test_a_backup_is_one_file_of_its_owner_and_nothing_of_the_index(
    store: Store, file: Path, tmp_path: Path
) -> None:
    store.put([article("a"), article("b")])
    store.put([article("a", "Two.")])
    taken = store.take_backup(file)
    assert (taken.seq, taken.articles, taken.versions) == (3, 2, 3)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(tmp_path.iterdir()) == [file, store.path.parent]
    with closing(Store(f"sqlite:///{file}")) as copy:
        assert copy.check() == []
        assert ids(copy) == ["a", "b"]


def test_a_file_that_is_there_is_replaced_only_on_demand(
    store: Store, file: Path
) -> None:
    file.write_text("precious")
    with pytest.raises(InvalidValue, match="--force"):
        store.take_backup(file)
    assert file.read_text() == "precious"
    store.take_backup(file, replace=True)
    assert store.restore_backup(file).backup.articles == 0


def test_the_store_itself_and_a_folder_are_never_replaced(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(store.path)
    for target in (store.path, tmp_path / "link", tmp_path):
        with pytest.raises(InvalidValue, match="not a file that a backup replaces"):
            store.take_backup(target, replace=True)
    with pytest.raises(InvalidValue, match="the store itself"):
        store.restore_backup(tmp_path / "link")


def test_a_backup_that_cannot_be_written_leaves_nothing(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(InvalidValue, match="cannot be written"):
        store.take_backup(tmp_path / "nowhere" / "backup.db")
    store.put([article("a", "x" * 1_000_000)])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(StoreUnavailable, match="the disk is full and no backup"):
            store.take_backup(tmp_path / "backup.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == [store.path.parent]


def test_a_restore_brings_back_what_was_and_takes_away_what_came_since(
    store: Store, file: Path
) -> None:
    store.put([article("a"), article("b")])
    store.take_backup(file)
    store.put([article("a", "Two."), article("c")])
    store.delete("b")
    done = store.restore_backup(file)
    assert (done.backup.seq, done.before) == (2, 5)
    assert ids(store) == ["a", "b"]
    assert store.check() == []
    assert store.put([article("d")])[0].seq == 3  # type: ignore[union-attr]
    assert left_over(store) == []


def test_a_restore_reaches_processes_that_have_the_store_open(
    store: Store, file: Path
) -> None:
    store.put([article("a")])
    store.take_backup(file)
    store.put([article("b")])
    with closing(Store(store.url)) as other:
        assert ids(other) == ["a", "b"]
        with other.reading() as view:
            store.restore_backup(file)
            # A reader that has begun goes on with the old state.
            assert [each.id for each in view.iterate()] == ["a", "b"]
        assert ids(other) == ["a"]
        other.put([article("c")])
        assert ids(store) == ["a", "c"]


def test_a_restored_store_is_of_another_history(store: Store, file: Path) -> None:
    store.put([article("a")])
    store.take_backup(file)
    seen = set()
    for _ in range(3):
        with store.reading() as view:
            seen.add(view.epoch)
        store.restore_backup(file)
        assert store.rebuild_requested() > store.rebuild_finished()
        store.finish_rebuild(store.rebuild_requested())
    assert len(seen) == 3


STATE = (  # another program may have a table of that name
    "CREATE TABLE state (name, value)",
    "INSERT INTO state VALUES (1, 2), (NULL, x'00'), ('schema', 'twelve')",
)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda file: file.write_bytes(b""), "no SQLite database"),
        (lambda file: file.write_text("<html>" * 999), "no SQLite database"),
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: os.truncate(file, file.stat().st_size - 8192), "damaged"),
        (lambda file: file.write_bytes(file.read_bytes()[:50_000]), "damaged"),
        (lambda file: run_sql(file, "DROP TABLE versions"), "another program's"),
        (
            lambda file: run_sql(
                file, "UPDATE state SET value = 999 WHERE name = 'schema'"
            ),
            "newer than",
        ),
        (lambda file: run_sql(file, "DELETE FROM state"), "no number for schema"),
        (
            lambda file: run_sql(file, "DELETE FROM state WHERE name = 'epoch'"),
            "no number for epoch",
        ),
        (
            lambda file: run_sql(
                file, "UPDATE state SET value = 'x' WHERE name = 'rebuild'"
            ),
            "no number for rebuild",
        ),
        (
            lambda file: run_sql(
                file, "UPDATE state SET value = 0 WHERE name = 'schema'"
            ),
            "no schema 0",
        ),
        (lambda file: run_sql(file, "DROP TABLE notices"), "no table notices"),
        (lambda file: run_sql(file, "DROP TABLE state", *STATE), "no store"),
        (
            lambda file: run_sql(
                file,
                "DROP TABLE versions",
                "CREATE TABLE versions (id)",
                "UPDATE state SET value = 1 WHERE name = 'schema'",
            ),
            "no store",
        ),
    ],
)
def test_what_is_no_sound_backup_leaves_the_store_as_it_is(
    store: Store, file: Path, harm: Callable[[Path], object], said: str
) -> None:
    store.put([article("a", "x" * 100_000)])
    store.take_backup(file)
    store.put([article("b")])
    with store.reading() as view:
        before = view.epoch
    harm(file)
    with pytest.raises(InvalidValue, match=said):
        store.restore_backup(file)
    assert ids(store) == ["a", "b"]
    with store.reading() as view:
        assert view.epoch == before
    assert left_over(store) == []


def test_a_restore_for_which_there_is_no_room_leaves_the_store_as_it_is(
    store: Store, file: Path
) -> None:
    store.put([article("a", "x" * 1_000_000)])
    store.take_backup(file)
    store.put([article("b")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(StoreFull):
            store.restore_backup(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert ids(store) == ["a", "b"]
    assert store.check() == []


def test_what_a_killed_restore_left_is_removed_by_the_next(
    store: Store, file: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    store.take_backup(file)
    folder = store.path.parent
    gone = folder / f".nutgraf.db-restored.{ended.pid}.part-wal"
    at_work = folder / f".nutgraf.db-restored.{os.getppid()}.part"
    for each in (gone, at_work):
        each.touch()
    store.restore_backup(file)
    assert left_over(store) == [at_work]


# The tables of a store before kills, keys and the feed of changes.
SCHEMA_1 = """
CREATE TABLE articles (id TEXT NOT NULL, version TEXT NOT NULL, seq INTEGER NOT NULL,
  status SMALLINT NOT NULL, embargoed_until BIGINT NOT NULL, expires BIGINT NOT NULL,
  PRIMARY KEY (id)) WITHOUT ROWID;
CREATE TABLE changes (seq INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
  version TEXT, at BIGINT NOT NULL, hides BOOLEAN NOT NULL, PRIMARY KEY (seq));
CREATE TABLE state (name TEXT NOT NULL, value BIGINT NOT NULL, PRIMARY KEY (name));
INSERT INTO state VALUES ('schema', 1), ('seq', 2), ('rebuild', 0), ('rebuilt', 0);
CREATE TABLE versions (id TEXT NOT NULL, version TEXT NOT NULL, seq INTEGER NOT NULL,
  at BIGINT NOT NULL, digest TEXT NOT NULL, status TEXT NOT NULL, headline TEXT,
  content TEXT NOT NULL, PRIMARY KEY (id, version),
  FOREIGN KEY(id) REFERENCES articles (id));
CREATE INDEX articles_embargoed_until ON articles (embargoed_until)
  WHERE embargoed_until != -9223372036854775808;
CREATE INDEX articles_expires ON articles (expires)
  WHERE expires != 9223372036854775807;
CREATE INDEX changes_hiding ON changes (seq, id) WHERE hides = 1;
"""


def write_schema_1(file: Path, articles: list[Article]) -> None:
    """Write a store as the release with schema 1 did."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(SCHEMA_1)
        for seq, stored in enumerate(articles, 1):
            text = content_json(stored)
            connection.execute(
                "INSERT INTO articles VALUES (?, '1', ?, ?, ?, ?)",
                (stored.id, seq, *restrictions_of(stored)),
            )
            connection.execute(
                "INSERT INTO versions VALUES (?, '1', ?, 7, ?, ?, ?, ?)",
                (
                    *(stored.id, seq, content_digest(text)),
                    *(stored.status.value, stored.headline, text),
                ),
            )
            connection.execute(
                "INSERT INTO changes VALUES (?, 'created', ?, '1', 7, 0)",
                (seq, stored.id),
            )
        connection.commit()


def test_a_backup_of_an_older_release_is_brought_up_to_date_and_stays_as_it_is(
    store: Store, file: Path
) -> None:
    write_schema_1(file, [article("a"), article("b", status=Status.CANCELED)])
    before = file.read_bytes()
    store.put([article("new")])
    store.kill("a")
    done = store.restore_backup(file)
    assert (done.backup.schema, done.killed_again) == (1, ("a",))
    assert store.check() == []
    assert ids(store) == []
    with store.reading() as view:
        assert view.notice("b") is not None
    assert file.read_bytes() == before


def test_a_restore_waits_for_a_writer_only_so_long(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put([article("a")])
    store.take_backup(file)
    store.put([article("b")])
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="nothing was changed"):
            store.restore_backup(file)
        assert ids(store) == ["a", "b"]
        other.execute("ROLLBACK")
    store.restore_backup(file)
    assert ids(store) == ["a"]


def test_a_file_that_was_copied_with_its_log_beside_it_can_be_put_back(
    store: Store, tmp_path: Path
) -> None:
    store.put([article("a")])
    for ending in ("", "-wal"):
        from_ = store.path.with_name(store.path.name + ending)
        (tmp_path / f"copied.db{ending}").write_bytes(from_.read_bytes())
    store.delete("a")
    store.restore_backup(tmp_path / "copied.db")
    assert ids(store) == ["a"]


def test_a_backup_where_nothing_may_be_written_can_be_put_back(
    store: Store, tmp_path: Path
) -> None:
    store.put([article("a")])
    folder = tmp_path / "medium"
    folder.mkdir()
    store.take_backup(folder / "backup.db")
    folder.chmod(0o500)
    store.delete("a")
    store.restore_backup(folder / "backup.db")
    assert list(folder.iterdir()) == [folder / "backup.db"]
    folder.chmod(0o700)
    assert ids(store) == ["a"]


def test_what_was_killed_or_purged_since_the_backup_is_so_again(
    store: Store, file: Path
) -> None:
    store.put([article(each) for each in ("before", "since", "purged", "story")])
    store.kill("before")
    store.take_backup(file)
    store.kill("since", note="It was wrong.", replacement="other")
    store.kill("purged")
    store.purge("purged")
    store.kill("never-here")
    done = store.restore_backup(file)
    assert done.killed_again == ("since", "purged", "never-here")
    assert ids(store) == ["story"]
    with store.reading() as view:
        notice = view.notice("since")
        purged = view.notice("purged")
        assert notice is not None
        assert (notice.note, notice.replacement) == ("It was wrong.", "other")
        assert purged is not None
        assert purged.purged
        assert view.notice("never-here") is not None
    assert store.check() == []


def test_a_kill_since_the_backup_is_told_to_those_who_were_told_of_it(
    store: Store, file: Path
) -> None:
    past = datetime(2020, 2, 2, tzinfo=UTC)
    store.take_backup(file)
    store.put([article("unseen", expires=past), article("seen")])
    store.delete("unseen")
    for article_id in ("unseen", "seen", "never-here"):
        store.kill(article_id)
    store.restore_backup(file)
    with store.reading() as view:
        page = page_of_changes(view, 0, 100, PUBLIC, indexed=None)
        may = {each.id for each in view.notices(2**62, 100) if may_read(each, PUBLIC)}
    assert {each.id for each in page.entries} == may == {"seen", "never-here"}


def holds(file: Path, word: str) -> bool:
    """Whether a word is anywhere in a store's files."""
    names = (file, file.with_name(f"{file.name}-wal"))
    return any(word.encode() in each.read_bytes() for each in names if each.exists())


def test_what_was_killed_stays_so_although_a_newer_version_has_followed_since(
    store: Store, file: Path
) -> None:
    store.put([article("a", "Libel.", version="1"), article("b", "Libel.")])
    store.kill("b", note="It was wrong.")
    store.take_backup(file)
    store.put([article("a", "More libel.", version="2")])
    store.kill("a", note="So was this.")
    store.put(
        [article("a", "Fixed.", version="3"), article("b", "Fixed.", version="2")]
    )
    done = store.restore_backup(file)
    # The newer versions are gone with all that came since, so the kills are in force.
    assert done.killed_again == ("a",)
    assert ids(store) == []
    with store.reading() as view:
        assert (view.killed_until("a"), view.killed_until("b")) == ("2", "1")
        notice = view.notice("a")
        assert notice is not None
        assert notice.note == "So was this."
    store.put([article("a", "More libel.", version="2")])
    assert ids(store) == []
    store.put([article("a", "Fixed.", version="3")])
    assert ids(store) == ["a"]
    assert store.check() == []


@pytest.mark.parametrize("killed", [False, True])
def test_what_was_purged_stays_so_although_a_newer_version_has_followed_since(
    store: Store, file: Path, killed: bool
) -> None:
    store.put([article("a", "Unspeakable.", version="1")])
    if killed:
        store.kill("a")
    store.take_backup(file)
    store.kill("a")
    store.purge("a")
    with store.reading() as view:
        purged = view.notice("a")
    store.put([article("a", "Fixed.", version="2")])
    assert not holds(store.path, "Unspeakable")
    assert store.restore_backup(file).killed_again == ("a",)
    assert not holds(store.path, "Unspeakable")
    with store.reading() as view:
        notice = view.notice("a")
        assert notice is not None
        assert purged is not None
        assert (notice.at, notice.purged) == (purged.at, purged.purged)
        assert view.counts().versions == 0
    assert store.check() == []


def test_what_was_deleted_and_purged_does_not_come_back(
    store: Store, file: Path
) -> None:
    store.put([article("a", "Unspeakable.")])
    store.take_backup(file)
    store.delete("a")
    store.purge("a")
    assert store.restore_backup(file).killed_again == ("a",)
    assert not holds(store.path, "Unspeakable")
    assert ids(store) == []
    assert store.check() == []


def test_a_newer_version_that_was_there_stays_when_an_older_backup_was_tried_before(
    store: Store, file: Path
) -> None:
    older = file.with_name("older.db")
    store.put([article("a", "Libel.", version="1")])
    store.take_backup(older)
    store.kill("a")
    store.purge("a")
    store.put([article("a", "Fixed.", version="2")])
    store.take_backup(file)
    assert store.restore_backup(older).killed_again == ("a",)
    assert store.restore_backup(file).killed_again == ()
    assert ids(store) == ["a"]
    assert store.check() == []


def test_what_was_reinstated_of_a_killed_story_is_not_killed_again(
    store: Store, file: Path
) -> None:
    store.put([article("x", story="s"), article("y", story="s")])
    store.take_backup(file)
    store.kill("x", cascade=True)
    store.reinstate("y")
    assert store.restore_backup(file).killed_again == ("x",)
    assert ids(store) == ["y"]
    # Articles of the story that arrive later are killed as before.
    store.put([article("z", story="s")])
    assert ids(store) == ["y"]


def test_what_was_withheld_stays_so_although_a_newer_version_has_followed_since(
    store: Store, file: Path
) -> None:
    store.put([article("a", version="1")])
    store.take_backup(file)
    store.withhold("a")
    store.put([article("a", "Two.", version="2")])
    store.withhold("late", unknown=True)
    assert store.restore_backup(file).restricted_again == ("a", "late")
    store.put([article("late")])
    with store.reading() as view:
        assert [each.status for each in view.iterate()] == [Status.WITHHELD] * 2
    store.put([article("a", "Two.", version="2")])
    with store.reading() as view:
        assert view.get("a").article.status is Status.USABLE
    assert store.check() == []


def test_a_kill_that_was_taken_back_is_not_done_again_and_an_earlier_one_holds(
    store: Store, file: Path
) -> None:
    first = file.with_name("first.db")
    store.put([article("a", "Libel.", version="1"), article("b")])
    store.take_backup(first)
    store.kill("a")
    store.put([article("a", "Fixed.", version="2")])
    store.take_backup(file)
    for id_ in "ab":
        store.kill(id_)
        store.reinstate(id_)
    assert store.restore_backup(file).killed_again == ()
    assert ids(store) == ["a", "b"]
    with store.reading() as view:
        assert (view.killed_until("a"), view.killed_until("b")) == ("1", None)
    store.withhold("a")
    # The kill of the version in this backup was not undone.
    assert store.restore_backup(first).killed_again == ("a",)
    assert ids(store) == ["b"]
    assert store.check() == []


def test_what_was_held_back_since_the_backup_is_so_again(
    store: Store, file: Path
) -> None:
    year = 1 + datetime.now(UTC).year
    later, soon = (datetime(each, 1, 1, tzinfo=UTC) for each in (year + 1, year))
    past = datetime(2016, 1, 1, tzinfo=UTC)
    store.put([article(each) for each in ("by-hand", "by-version", "embargo", "free")])
    store.put(
        [
            article("lengthened", embargoed_until=soon),
            article("lifted", embargoed_until=soon),
            article("expired", expires=later),
            article("killed"),
        ]
    )
    store.take_backup(file)
    store.put([article("by-hand", "Two.", embargoed_until=past)])
    store.withhold("by-hand")
    store.put([article("by-version", "Two.", status=Status.WITHHELD)])
    store.put([article("embargo", "Two.", embargoed_until=soon)])
    store.put([article("lengthened", "Two.", embargoed_until=later)])
    store.put([article("lifted", "Two.", embargoed_until=past)])
    store.put([article("free", "Two.", embargoed_until=past)])
    store.put([article("expired", "Two.", expires=past)])
    store.put([article("killed", "Two.", embargoed_until=later)])
    store.kill("killed")
    done = store.restore_backup(file)
    held = ("by-hand", "by-version", "embargo", "expired", "killed", "lengthened")
    assert (done.restricted_again, done.killed_again) == (held, ("killed",))
    with store.reading() as view:
        shows = {
            each.id: (each.status, each.embargoed_until, each.expires)
            for each in view.iterate()
        }
        assert view.get("embargo").article.paragraphs == article("embargo").paragraphs
    usable, withheld = Status.USABLE, Status.WITHHELD
    assert shows == {
        "by-hand": (withheld, None, None),
        "by-version": (withheld, None, None),
        "embargo": (usable, soon, None),
        "expired": (usable, None, past),
        "free": (usable, None, None),
        "lengthened": (usable, later, None),
        "lifted": (usable, soon, None),
    }
    assert store.check() == []
    # The same article sent again is unchanged, and a call can undo the kill.
    assert store.put([article("embargo")])[0].seq is None  # type: ignore[union-attr]
    store.reinstate("killed")
    with store.reading() as view:
        assert view.get("killed").article.embargoed_until == later


def test_while_a_backup_takes_the_store_s_place_nobody_can_be_promised_anything(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put([article("a"), article("b"), article("c")])
    key = store.keys.add("guest", frozenset({Scope.SEARCH})).key
    store.take_backup(file)
    carry, place = backup._carry, backup._take_place
    times: list[int] = []

    def at_the_last_moment(part: Path, live: Path, clock: Clock) -> carryover.Carried:
        store.kill("a")
        store.keys.revoke("guest")
        return place(part, live, clock)

    def while_it_is_held(live: Path, copy: Path, clock: Clock) -> carryover.Carried:
        carried = carry(live, copy, clock)
        times.append(len(times))
        if len(times) == 1:  # while others may still write
            store.kill("c")
            return carried
        with monkeypatch.context() as patched:
            patched.setattr(connections, "BUSY_SECONDS", 0.05)
            with pytest.raises(StoreUnavailable, match="try again"):
                other.kill("b")
            assert ids(other) == ["b"]  # readers go on
        return carried

    monkeypatch.setattr(backup, "_take_place", at_the_last_moment)
    monkeypatch.setattr(backup, "_carry", while_it_is_held)
    with closing(Store(store.url)) as other:
        assert store.restore_backup(file).killed_again == ("a", "c")
    assert ids(store) == ["b"]
    known = store.keys.known(key.id)
    assert known is not None
    assert known.revoked is not None
    assert store.check() == []


def test_every_kill_and_withholding_that_is_acknowledged_during_restores_holds(
    store: Store, file: Path
) -> None:
    names = [f"a-{n}" for n in range(160)]
    store.put([article(each, "Words. " * 50) for each in names])
    store.take_backup(file)
    acknowledged: list[str] = []
    ended = threading.Event()

    def withdraw(names_: list[str], how: str) -> None:
        with closing(Store(store.url)) as own:
            for name in names_:
                if ended.is_set():
                    return
                getattr(own, how)(name)
                acknowledged.append(name)

    threads = [
        threading.Thread(target=withdraw, args=(names[::2], "kill")),
        threading.Thread(target=withdraw, args=(names[1::2], "withhold")),
    ]
    for thread in threads:
        thread.start()
    again: set[str] = set()
    try:
        for count in (10, 30):
            enough = count
            until(lambda: len(acknowledged) >= enough)  # noqa: B023
            done = store.restore_backup(file)
            again |= {*done.killed_again, *done.restricted_again}
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    with store.reading() as view:
        standings = {id_: view.standing(id_) for id_ in acknowledged}
    shown = [
        name
        for name, own in standings.items()
        if own is None or not own.restrictions.status
    ]
    assert shown == []
    assert len(again) >= 10
    assert store.check() == []


@pytest.mark.parametrize("number", range(amount(1, 20)))
def test_a_backup_under_load_holds_all_that_was_acknowledged_before_it(
    store: Store, file: Path, number: int
) -> None:
    acknowledged: list[str] = []
    ended = threading.Event()

    def write(name: str) -> None:
        with closing(Store(store.url)) as own:
            n = 0
            while not ended.is_set():
                own.put([article(f"{name}-{n}", f"Words of {n}.")])
                acknowledged.append(f"{name}-{n}")
                n += 1

    def more(count: int) -> None:
        enough = len(acknowledged) + count
        until(lambda: len(acknowledged) >= enough)

    threads = [threading.Thread(target=write, args=(name,)) for name in "xy"]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            more(20)
            before = set(acknowledged)
            taken = store.take_backup(file, replace=True)
            with closing(sqlite3.connect(file)) as copy:
                in_copy = {row[0] for row in copy.execute("SELECT id FROM articles")}
            assert before <= in_copy
            # One state of the store: no change before its last is missing.
            assert taken.seq == taken.articles == len(in_copy)
        more(20)
        # And back into the store, while both threads go on writing.
        done = store.restore_backup(file)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert done.before >= taken.seq
    assert in_copy <= set(ids(store))
    assert store.check() == []


# Searches, ETags and the indexer notice it.


@pytest.mark.parametrize("kind", ["memory:", "whoosh:{}"])
def test_after_a_restore_nothing_is_answered_from_the_old_index(
    tmp_path: Path, file: Path, kind: str
) -> None:
    settings = Settings(
        store=f"sqlite:///{tmp_path / 'nutgraf.db'}",
        engine=kind.format(tmp_path / "index"),
    )
    with closing(Archive.open(settings)) as archive:
        indexer = Indexer(archive.store, archive.engine)
        archive.store.request_rebuild()
        indexer.catch_up()
        archive.put([article("a", status=Status.WITHHELD), article("b")])
        archive.store.take_backup(file)
        archive.put([article("a", "Free now."), article("c")])
        indexer.catch_up()
        assert archive.search(Request()).articles == 3
        archive.store.restore_backup(file)
        # As many changes as before, so that the seq alone says nothing.
        archive.put([article("d"), article("e")])
        assert archive.state().behind == 0
        for ask in (
            lambda: archive.search(Request()),
            lambda: archive.suggest("head"),
        ):
            with pytest.raises(IndexUnavailable, match="before a backup was restored"):
                ask()
        assert "restored" in (archive.state().stale or "")
        assert any(
            "restored" in each for each in store_problems(archive.store, archive.engine)
        )
        assert not archive.wait_indexed(archive.seq(), 0)
        assert [each.id for each in archive.changes(0).entries] == ["b", "d", "e"]
        indexer.catch_up()
        assert archive.wait_indexed(archive.seq(), 0)
        assert archive.search(Request()).articles == 3  # b, d and e
        assert list(store_problems(archive.store, archive.engine)) == []


@on_a_file
def test_who_follows_the_changes_is_told_to_start_anew(
    archive: Archive, file: Path
) -> None:
    archive.store.take_backup(file)
    page = archive.changes(0)
    archive.store.restore_backup(file)
    Indexer(archive.store, archive.engine).catch_up()
    with pytest.raises(HistoryChanged):
        archive.changes(page.next, history=page.history)
    again = archive.changes(0)
    assert again.history != page.history
    assert [each.id for each in again.entries] == [each.id for each in page.entries]


@on_a_file
def test_a_tag_of_another_history_is_never_current(
    archive: Archive, file: Path
) -> None:
    now = datetime.now(UTC)

    def tag() -> str:
        with archive.moment(now=now) as moment:
            return moment.tag("q=x")

    seq = archive.seq()
    archive.store.take_backup(file)
    tags = {tag()}
    archive.store.restore_backup(file)
    Indexer(archive.store, archive.engine).catch_up()
    assert archive.seq() == seq
    tags.add(tag())
    assert len(tags) == 2


def test_an_indexer_at_work_builds_anew_although_new_changes_pass_the_old_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "NUTGRAF_STORE": f"sqlite:///{tmp_path / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": f"whoosh:{tmp_path / 'index'}",
    }
    file = str(tmp_path / "backup.db")
    engine = open_engine(environ["NUTGRAF_ENGINE"])
    with (
        closing(Store(environ["NUTGRAF_STORE"])) as store,
        closing(engine),
        nutgraf(environ, "indexer") as indexer,
    ):
        store.put([article("a"), article("b")])
        until(lambda: engine.state().seq == 2)
        assert cli.main(["backup", file], environ) == 0
        store.put([article("gone"), article("gone-too")])
        until(lambda: engine.state().seq == 4)
        # While stopped it cannot see that the seq falls before it rises again.
        indexer.send_signal(signal.SIGSTOP)
        assert cli.main(["restore", file, "--yes"], environ) == 0
        out, err = capsys.readouterr()
        assert "before it was change 4" in out
        assert err == ""
        store.put([article(each) for each in "cdefg"])
        indexer.send_signal(signal.SIGCONT)
        until(lambda: engine.state().seq == 7)
        until(lambda: store.rebuild_requested() == store.rebuild_finished())
        assert list(store_problems(store, engine)) == []
        assert engine.state().articles == 7
        indexer.terminate()
        log = indexer.communicate(timeout=20)[1]
    events = [json.loads(line) for line in log.splitlines()]
    # Stopped between two looks at the store, it sees the request to rebuild first.
    assert any(
        re.search("restored|requested", each.get("reason", "")) for each in events
    )


# The commands.


@pytest.fixture
def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    environ = {"NUTGRAF_STORE": f"sqlite:///{tmp_path / 'data' / 'nutgraf.db'}"}

    def run(*argv: str) -> tuple[int, str, str]:
        return (cli.main(argv, environ), *capsys.readouterr())

    return run


def test_the_commands_say_what_they_did(
    run: Callable[..., Any], store: Store, file: Path
) -> None:
    store.put([article("a")])
    code, out, _ = run("backup", str(file))
    assert (code, out.startswith("1 article, 1 version up to change 1 in")) == (0, True)
    code, _, err = run("backup", str(file))
    assert (code, "--force" in err) == (1, True)
    code, out, _ = run("backup", "--force", "--json", str(file))
    assert code == 0
    assert json.loads(out) == {
        "file": str(file),
        "bytes": file.stat().st_size,
        "schema": SCHEMA,
        "seq": 1,
        "articles": 1,
        "versions": 1,
    }
    code, out, _ = run("restore", "--yes", "--json", str(file))
    assert code == 0
    assert json.loads(out)["before"] == json.loads(out)["seq"] == 1
    store.kill("a")
    code, out, _ = run("restore", "--yes", str(file))
    assert (code, out.splitlines()[1:]) == (
        0,
        ["killed since the backup, now killed again: a"],
    )
    store.put([article("b")])
    run("backup", "--force", str(file))
    store.withhold("b")
    code, out, _ = run("restore", "--yes", "--json", str(file))
    assert (code, json.loads(out)["killed_again"]) == (0, [])
    assert json.loads(out)["restricted_again"] == ["b"]
    code, out, _ = run("restore", "--yes", str(file))
    assert (code, out.splitlines()[1:]) == (
        0,
        ["restricted since the backup, now restricted again: b"],
    )


def test_a_store_that_holds_something_is_replaced_only_if_somebody_says_so(
    run: Callable[..., Any],
    store: Store,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run("backup", str(file))[0] == 0
    assert run("restore", str(file))[0] == 0  # an empty store has nothing to lose
    store.put([article("a")])
    code, _, err = run("restore", str(file))
    assert (code, "--yes" in err) == (1, True)
    for said, expected in (("no", ["a"]), ("", ["a"]), ("yes", [])):
        monkeypatch.setattr("sys.stdin", Terminal(said))
        assert run("restore", str(file))[0] == (0 if said == "yes" else 1)
        assert ids(store) == expected


class Terminal:
    """A terminal at which somebody types one line."""

    def __init__(self, said: str) -> None:
        self._said = said

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return f"{self._said}\n"
