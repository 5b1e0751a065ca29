"""The store's sessions: found by their id, and ended by time, by use and with a key."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from articles import sent_article as article
from stores import behind, on_a_file

from index.access import SESSION_IDLE, SESSION_LIFE, SESSIONS_PER_KEY, Key, Scope
from index.archive import Archive
from index.dates import utc_now
from index.query import Reader
from index.settings import Settings
from index.store import Store, sessions

SEARCH = frozenset({Scope.SEARCH})
MINUTE = timedelta(minutes=1)


class Clock:
    """The time of a test, which passes only when the test says so."""

    def __init__(self) -> None:
        self.instant = utc_now()

    def __call__(self):
        return self.instant

    def passes(self, time: timedelta) -> None:
        self.instant += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key(store: Store) -> Key:
    return store.keys.add("desk", SEARCH).key


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 'other' / 'nutgraf.db'}")) as other:
        yield other


def count(store: Store) -> int:
    """The rows that a store has for sessions, live or not."""
    with behind(store.url) as connection:
        ((number,),) = connection.execute("SELECT count(*) FROM sessions")
        return int(number)


def test_a_session_is_found_by_its_id_and_by_nothing_else(
    store: Store, key: Key
) -> None:
    session_id = store.sessions.begin(key)
    session = store.sessions.find(session_id)
    assert session is not None
    assert session.key == key
    for wrong in (session_id[:-1], session_id + "A", session_id.swapcase(), key.id, ""):
        assert store.sessions.find(wrong) is None
    assert store.sessions.find("\ud800") is None


@on_a_file
def test_the_database_holds_no_id_of_a_session(store: Store, key: Key) -> None:
    session_id = store.sessions.begin(key)
    files = list(store.path.parent.glob(f"{store.path.name}*"))
    assert store.path in files
    for file in files:
        assert session_id.encode() not in file.read_bytes(), file


def test_ids_have_256_random_bits(store: Store, key: Key) -> None:
    ids = {store.sessions.begin(key) for _ in range(20)}
    assert len(ids) == 20
    assert {len(each) for each in ids} == {43}  # of 6 bits each


def test_digests_of_sessions_are_compared_once_more(
    store: Store, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.sessions.begin(key)
    monkeypatch.setattr(sessions, "equal_digests", lambda one, other: False)
    assert store.sessions.find(session_id) is None


def test_a_session_that_is_not_used_ends(store: Store, key: Key, clock: Clock) -> None:
    session_id = store.sessions.begin(key)
    clock.passes(SESSION_IDLE - MINUTE)
    assert store.sessions.find(session_id) is not None
    clock.passes(MINUTE)
    assert store.sessions.find(session_id) is None


def test_a_session_that_is_used_ends_all_the_same(
    store: Store, key: Key, clock: Clock
) -> None:
    session_id = store.sessions.begin(key)
    begun = clock()
    while clock() + SESSION_IDLE - MINUTE < begun + SESSION_LIFE:
        clock.passes(SESSION_IDLE - MINUTE)
        session = store.sessions.find(session_id)
        assert session is not None
        store.sessions.use(session_id, session)
    clock.passes(SESSION_IDLE - MINUTE)
    assert clock() - begun > SESSION_LIFE - SESSION_IDLE
    clock.instant = begun + SESSION_LIFE
    assert store.sessions.find(session_id) is None


def test_few_uses_of_a_session_are_written(
    store: Store, key: Key, clock: Clock
) -> None:
    session_id = store.sessions.begin(key)
    recorded = set()
    for _ in range(60):
        clock.passes(MINUTE)
        session = store.sessions.find(session_id)
        assert session is not None
        recorded.add(session.seen)
        store.sessions.use(session_id, session)
    assert len(recorded) == 6


def test_a_session_ends_with_its_key(store: Store, key: Key, clock: Clock) -> None:
    session_id = store.sessions.begin(key)
    others = store.sessions.begin(store.keys.add("other", SEARCH).key)
    store.keys.revoke("desk")
    assert store.sessions.find(session_id) is None
    assert store.sessions.find(others) is not None


def test_a_session_ends_when_its_key_expires(store: Store, clock: Clock) -> None:
    key = store.keys.add("guest", SEARCH, expires=clock() + timedelta(hours=1)).key
    session_id = store.sessions.begin(key)
    session = store.sessions.find(session_id)
    assert session is not None
    assert session.expires == key.expires
    clock.passes(timedelta(hours=1))
    assert store.sessions.find(session_id) is None


def test_a_session_ends_when_a_rotation_ends_its_key(
    store: Store, key: Key, clock: Clock
) -> None:
    session_id = store.sessions.begin(key)
    store.keys.rotate("desk", overlap=timedelta(hours=2))
    assert store.sessions.find(session_id) is not None
    clock.passes(timedelta(hours=2))
    assert store.sessions.find(session_id) is None


def test_a_session_ends_when_its_key_is_removed(store: Store, key: Key) -> None:
    session_id = store.sessions.begin(key)
    with behind(store.url) as connection:  # without foreign keys
        connection.execute("DELETE FROM keys")
    assert store.sessions.find(session_id) is None


@pytest.mark.slow
def test_a_key_that_another_process_revokes_ends_its_sessions_at_once(
    store: Store, key: Key
) -> None:
    session_id = store.sessions.begin(key)
    assert store.sessions.find(session_id) is not None
    code = (
        "import sys; from index.store import Store;"
        " Store(sys.argv[1]).keys.revoke('desk')"
    )
    subprocess.run([sys.executable, "-c", code, store.url], check=True)
    assert store.sessions.find(session_id) is None


def test_a_session_that_somebody_ends_is_over(store: Store, key: Key) -> None:
    session_id, stays = store.sessions.begin(key), store.sessions.begin(key)
    store.sessions.end(session_id)
    store.sessions.end(session_id)
    store.sessions.end("nothing")
    assert store.sessions.find(session_id) is None
    assert store.sessions.find(stays) is not None


def test_a_key_has_so_many_sessions_and_then_the_oldest_ends(
    store: Store, key: Key, clock: Clock
) -> None:
    others = store.sessions.begin(store.keys.add("other", SEARCH).key)
    ids = []
    for _ in range(SESSIONS_PER_KEY + 2):
        ids.append(store.sessions.begin(key))
        clock.passes(timedelta(seconds=1))
    live = [store.sessions.find(each) is not None for each in ids]
    assert live == [False] * 2 + [True] * SESSIONS_PER_KEY
    assert store.sessions.find(others) is not None
    assert count(store) == SESSIONS_PER_KEY + 1


@pytest.mark.parametrize("how", ["idle", "revoked", "expired"])
def test_upkeep_removes_sessions_that_have_ended(
    store: Store, key: Key, clock: Clock, how: str
) -> None:
    store.sessions.begin(key)
    clock.passes(timedelta(hours=1))
    stays = store.sessions.begin(store.keys.add("other", SEARCH).key)
    if how == "idle":
        clock.passes(SESSION_IDLE - timedelta(hours=1))
    elif how == "revoked":
        store.keys.revoke("desk")
    else:
        store.keys.rotate("desk", overlap=timedelta(hours=1))
        clock.passes(timedelta(hours=1))
    assert count(store) == 2
    settings = Settings(store=store.url, engine="memory:")
    with closing(Archive.open(settings, clock=clock)) as archive:
        archive.tend()
    assert count(store) == 1
    assert store.sessions.find(stays) is not None


def test_upkeep_writes_nothing_while_all_sessions_live(
    store: Store, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.sessions.begin(key)
    with monkeypatch.context() as patch:
        patch.setattr(store.sessions, "_writing", None)
        store.sessions.tend()
    assert store.sessions.find(session_id) is not None


def test_a_log_in_removes_sessions_that_have_ended(
    store: Store, key: Key, clock: Clock
) -> None:
    store.sessions.begin(key)
    clock.passes(SESSION_IDLE)
    store.sessions.begin(store.keys.add("other", SEARCH).key)
    assert count(store) == 1


@on_a_file
@pytest.mark.parametrize("with_keys", [False, True])
def test_no_backup_holds_a_session_and_no_restore_brings_one_back(
    store: Store, key: Key, other: Store, tmp_path: Path, with_keys: bool
) -> None:
    session_id = store.sessions.begin(key)
    file = tmp_path / "backup.db"
    store.take_backup(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT * FROM sessions").fetchall() == []
    digest = sessions.secret_digest(session_id)
    assert digest not in file.read_bytes()
    other.restore_backup(file, with_keys=with_keys)
    assert other.sessions.find(session_id) is None
    assert count(other) == 0


@on_a_file
def test_sessions_of_a_copied_store_stay_behind(
    store: Store, key: Key, other: Store, tmp_path: Path
) -> None:
    session_id = store.sessions.begin(key)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    other.restore_backup(copy, with_keys=True)
    assert other.keys.known(key.id) == key
    assert other.sessions.find(session_id) is None
    assert count(other) == 0


@on_a_file
def test_a_restore_ends_the_sessions_of_the_store(
    store: Store, key: Key, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    store.take_backup(file)
    session_id = store.sessions.begin(key)
    store.restore_backup(file)
    assert store.keys.known(key.id) == key
    assert store.sessions.find(session_id) is None


@on_a_file
def test_a_store_of_schema_6_gets_sessions_and_its_releases_go_on(
    store: Store,
) -> None:
    store.put([article("a")])
    store.close()
    with behind(store.url) as connection:
        connection.execute("DROP TABLE sessions")
        connection.execute("UPDATE state SET value = 6 WHERE name = 'schema'")
    migration = Store.migrate(store.url)
    assert migration.before == 6
    assert migration.oldest_writer <= 6
    with closing(Store(store.url)) as again:
        key = again.keys.add("desk", SEARCH).key
        session = again.sessions.find(again.sessions.begin(key))
        assert session is not None
        assert session.key.reader == Reader()
        assert again.check() == []
