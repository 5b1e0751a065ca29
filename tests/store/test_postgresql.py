"""What a store on PostgreSQL does beyond the tests that run on both kinds."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from articles import sent_article as article
from real import postgresql
from real.postgresql import Server
from real.proxy import Wire, _reset
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from stores import behind
from waiting import until

from index.access import Scope
from index.cli import main
from index.engines import open_engine
from index.errors import (
    IndexerRunning,
    InvalidArticle,
    InvalidValue,
    MigrationNeeded,
    ReleaseOutdated,
    ServiceError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from index.jobs import Indexer
from index.store import Store

pytestmark = pytest.mark.slow
NOWHERE = "postgresql+psycopg://lab:secret@127.0.0.1:1/nutgraf"


@pytest.fixture
def store(postgresql_server: Server) -> Iterator[Store]:
    """A store of a test's own, which is empty."""
    with postgresql_server.lent() as url, closing(Store(url)) as store:
        yield store


@pytest.fixture(scope="module")
def fragile() -> Iterator[Server]:
    """A server that the tests of this file may stop and kill."""
    with postgresql.running() as server:
        yield server


@pytest.fixture
def on_fragile(fragile: Server) -> Iterator[Store]:
    with closing(Store(fragile.url(fragile.new_database()))) as store:
        yield store


def by_way_of(wire: Any, server: Server) -> str:
    """URL of a new store that is reached through a proxy."""
    url = server.url(server.new_database())
    return url.replace(f":{server.port}/", f":{wire.port}/")


def put(store: Store, *ids: str, text: str = "Words.") -> list[Any]:
    return list(store.put([article(each, text=text) for each in ids]))


# URLs


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://lab@host/name", "postgresql+psycopg://"),
        ("postgresql+psycopg2://lab@host/name", "postgresql+psycopg://"),
        ("postgresql+psycopg://lab@host", "names no database"),
        ("postgresql+psycopg://lab:p@secret@host/name", "write %40 for @"),
        ("postgresql+psycopg://lab:p@12/secret@host/name", "write %40 for @"),
        (f"{NOWHERE}?target_session_attrs=any", "killed articles"),
        (f"{NOWHERE}?target_session_attrs=prefer-standby", "killed articles"),
        (f"{NOWHERE}?colour=blue", "invalid connection option"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_with_the_way_out(
    url: str, says: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        Store(url)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "index.store.postgresql", None)
    with pytest.raises(InvalidValue, match=r"pip install 'nutgraf\[postgresql\]'"):
        Store(NOWHERE)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        Store(NOWHERE)
    assert "secret" not in str(caught.value)


def test_the_first_of_several_hosts_that_is_a_primary_is_used(
    postgresql_server: Server,
) -> None:
    port = postgresql_server.port
    with postgresql_server.lent() as url:
        name = url.rpartition("/")[2]
        hosts = f"host=127.0.0.1:1&host=127.0.0.1:{port}"
        several = f"postgresql+psycopg://lab@/{name}?{hosts}"
        with closing(Store(several)) as store:
            assert put(store, "a")[0].seq == 1


# Creation and migration


def test_processes_that_create_a_store_at_once_create_one(
    postgresql_server: Server,
) -> None:
    url = postgresql_server.url(postgresql_server.new_database())
    errors: list[BaseException] = []

    def create() -> None:
        try:
            Store(url).close()
        except BaseException as error:  # noqa: BLE001 - whatever it is
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with closing(Store(url)) as store:
        assert store.check() == []


def test_another_programs_database_is_left_alone(postgresql_server: Server) -> None:
    name = postgresql_server.new_database()
    postgresql_server.sql("CREATE TABLE theirs (x int)", name)
    with pytest.raises(StoreUnavailable, match="another program"):
        Store(postgresql_server.url(name))
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert postgresql_server.sql(tables, name) == [("theirs",)]


def test_a_store_may_share_its_database_in_a_schema_of_its_own(
    postgresql_server: Server,
) -> None:
    name = postgresql_server.new_database()
    postgresql_server.sql("CREATE TABLE theirs (x int)", name)
    postgresql_server.sql("CREATE SCHEMA news", name)
    url = f"{postgresql_server.url(name)}?options=-csearch_path%3Dnews"
    with closing(Store(url)) as store, store.indexer_lock():
        put(store, "a")
        assert store.indexer_running()
        assert store.size() > 0
        assert store.check() == []


def test_an_older_schema_is_migrated_in_one_transaction(store: Store) -> None:
    put(store, "a")
    store.close()
    with behind(store.url) as connection:
        connection.execute("DROP TABLE sessions")
        connection.execute("UPDATE state SET value = 6 WHERE name = 'schema'")
    with pytest.raises(MigrationNeeded):
        Store(store.url)
    assert Store.migrate(store.url).before == 6
    with closing(Store(store.url)) as again:
        key = again.keys.add("desk", frozenset({Scope.SEARCH})).key
        assert again.sessions.find(again.sessions.begin(key)) is not None
        assert again.check() == []


def test_a_process_stops_when_a_newer_release_migrates_its_store(store: Store) -> None:
    put(store, "a")
    with behind(store.url) as connection:
        connection.execute(
            "UPDATE state SET value = 99 WHERE name IN ('schema', 'oldest_writer')"
        )
    with pytest.raises(ReleaseOutdated):
        store.seq()
    with pytest.raises(ReleaseOutdated):
        put(store, "b")


# What is stored


def test_ids_and_stories_of_any_length_that_is_allowed_are_stored(store: Store) -> None:
    ids = [chr(0x1F600 + n) * 400 for n in range(3)]
    story = os.urandom(4_000).hex()
    store.put([article(each, story=story, evolved_from=story + "x") for each in ids])
    assert {each.id for each in store.kill(ids[0], cascade=True)} >= set(ids)
    assert store.check() == []


def test_ids_are_told_apart_by_case_and_ordered_by_code_points(store: Store) -> None:
    ids = ["B", "a", "A", "é", "z", "Z", "ß", "\U0001f600", "0"]
    put(store, *ids)
    with store.reading() as view:
        assert [each.id for each in view.iterate()] == sorted(ids)


@pytest.mark.parametrize("text", ["wrong\0", "\ud800"])
def test_a_note_that_no_database_can_hold_is_refused(store: Store, text: str) -> None:
    put(store, "a")
    with pytest.raises(InvalidArticle, match="note"):
        store.kill("a", note=text)
    with pytest.raises(InvalidArticle, match="replacement"):
        store.kill("a", replacement=text)
    assert store.seq() == 1


# Errors


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("53100", StoreFull),
        ("25006", StoreReadOnly),
        ("53200", StoreUnavailable),
        ("53300", StoreUnavailable),
        ("40001", StoreUnavailable),
        ("40P01", StoreUnavailable),
        ("57014", StoreUnavailable),
        ("58030", StoreUnavailable),
        ("XX001", StoreUnavailable),
    ],
)
def test_a_failure_of_the_server_is_an_error_of_the_store_and_heals(
    store: Store, state: str, expected: type[ServiceError]
) -> None:
    put(store, "a")
    with behind(store.url) as connection:
        connection.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE 'it failed' USING ERRCODE = '{state}'; END $$"
        )
        connection.execute(
            "CREATE TRIGGER fail BEFORE INSERT ON changes EXECUTE FUNCTION fail()"
        )
    with pytest.raises(ServiceError) as caught:
        put(store, "b")
    assert type(caught.value) is expected
    assert store.writable() is (expected is not StoreReadOnly)
    with behind(store.url) as connection:
        connection.execute("DROP FUNCTION fail CASCADE")
    store.try_to_write()
    assert store.writable()
    assert put(store, "b")[0].seq == 2
    assert store.check() == []


def test_a_store_that_is_locked_by_a_writer_says_so_and_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.postgresql.driver.BUSY_SECONDS", 0.1)
    with behind(store.url) as other:
        other.execute("SELECT * FROM state FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="busy"):
            put(store, "a")
        assert store.seq() == 0
    assert put(store, "a")[0].seq == 1


def test_a_process_takes_no_more_connections_than_it_may(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.postgresql.connections.READERS", 1)
    monkeypatch.setattr("index.store.postgresql.connections.BUSY_SECONDS", 0.05)
    store.close()
    with store.reading(), pytest.raises(StoreUnavailable, match="all 1 connections"):
        store.seq()
    assert store.seq() == 0


def test_connections_that_the_server_closed_are_replaced(store: Store) -> None:
    put(store, "a")
    with store.reading():
        store.seq()  # two that read, now
    terminate(store)
    assert put(store, "b")[0].seq == 2
    assert store.seq() == 2


def terminate(store: Store) -> None:
    """Close all connections to a store from the side of the server."""
    with behind(store.url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_view_whose_connection_is_lost_ends_with_an_error(store: Store) -> None:
    put(store, "a")
    with pytest.raises(StoreUnavailable), store.reading() as view:
        terminate(store)
        view.get("a")
    with pytest.raises(StoreUnavailable), store.reading() as view:
        terminate(store)
        with suppress(DBAPIError):
            view.get("a")
        view.get("a")  # also for who goes on
    with store.reading() as view:
        assert view.get("a").seq == 1


def test_after_a_restart_the_next_call_is_answered(
    fragile: Server, on_fragile: Store
) -> None:
    store = on_fragile
    put(store, "a")
    store.rates.touch("key")
    fragile.stop()
    with pytest.raises(StoreUnavailable):
        store.seq()
    with pytest.raises(StoreUnavailable):
        put(store, "b")
    fragile.start()
    assert store.seq() == 1
    assert put(store, "b")[0].seq == 2


def test_writers_of_a_server_that_is_killed_lose_nothing_acknowledged(
    fragile: Server, on_fragile: Store
) -> None:
    url = on_fragile.url
    acknowledged: dict[str, int] = {}
    stop = threading.Event()

    def write(name: str) -> None:
        with closing(Store(url)) as store:
            for n in range(100_000):
                if stop.is_set():
                    return
                with suppress(ServiceError):
                    (written,) = put(store, f"{name}-{n}")
                    acknowledged[written.id] = written.seq

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            before = len(acknowledged)
            until(lambda: len(acknowledged) > before + 20, "writes")  # noqa: B023
            fragile.kill()
            fragile.start()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    with on_fragile.reading() as view:
        for article_id, seq in acknowledged.items():
            assert view.get(article_id).seq == seq
        changes = view.changes(0, 100_000)
        assert [each.seq for each in changes] == list(range(1, view.seq + 1))
    assert on_fragile.check() == []


class Meddler(Wire):
    """A proxy that may change what the server says, or cut at what it is told."""

    def __init__(self, target: int, *, cut_at: bytes = b"", after: bool = False):
        self.cut_at, self.after, self.pooled = cut_at, after, False
        super().__init__(target)

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                if self.pooled and b"K\x00\x00\x00\x0c" in piece:
                    at = piece.index(b"K\x00\x00\x00\x0c") + 5
                    (process,) = struct.unpack("!i", piece[at : at + 4])
                    made_up = struct.pack("!i", process + 1)
                    piece = piece[:at] + made_up + piece[at + 4 :]
                # The server's answer to a COMMIT names it, too.
                if piece[:1] in (b"P", b"Q") and self.cut_at and self.cut_at in piece:
                    self.cut_at = b""
                    _reset(source)  # who asked hears nothing of the answer
                    if self.after:
                        sink.sendall(piece)
                        time.sleep(0.3)  # the server commits
                    _reset(sink)
                    return
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_commit_whose_outcome_is_unknown_is_no_acknowledgement(
    postgresql_server: Server, after: bool
) -> None:
    with (
        Meddler(postgresql_server.port, after=after) as wire,
        closing(Store(by_way_of(wire, postgresql_server))) as store,
    ):
        put(store, "a")
        wire.cut_at = b"COMMIT\0"
        with (
            pytest.raises(StoreUnavailable, match="nobody knows"),
            store._database.writing() as connection,
        ):
            count(connection)
        wire.cut_at = b"COMMIT\0"
        with pytest.raises(StoreUnavailable):
            put(store, "b")
        time.sleep(0.3 * after)
        (again,) = put(store, "b")
        assert again.outcome.value == ("unchanged" if after else "created")
        assert store.seq() == 2
        assert store.check() == []


def count(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT count(*) FROM changes").all()


def test_a_pooler_between_is_noticed_and_refused(postgresql_server: Server) -> None:
    with Meddler(postgresql_server.port) as wire:
        wire.pooled = True
        with pytest.raises(StoreUnavailable, match="pooler such as PgBouncer"):
            Store(by_way_of(wire, postgresql_server))


def test_a_server_that_falls_silent_is_given_up_and_comes_back(
    postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Wire(postgresql_server.port) as wire,
        closing(Store(by_way_of(wire, postgresql_server))) as store,
    ):
        put(store, "a")
        assert store.seq() == 1
        monkeypatch.setattr("index.store.postgresql.driver.SILENCE_SECONDS", 0.3)
        monkeypatch.setattr("index.store.postgresql.driver.BUSY_SECONDS", 0.1)
        wire.lose()
        with store_that_fails("has not answered"):
            store.seq()
        with store_that_fails("has not answered"):
            put(store, "b")
        wire.reset()
        wire.mend()
        assert store.seq() == 1


def store_that_fails(says: str) -> Any:
    return pytest.raises(StoreUnavailable, match=says)


def test_a_standby_is_neither_read_nor_written(
    fragile: Server, on_fragile: Store, tmp_path: Path
) -> None:
    put(on_fragile, "a")
    assert not [each for each in on_fragile.warnings() if "standby" in each]
    standby = Server(fragile.folder / "standby", fragile.settings)
    postgresql.run(
        *("pg_basebackup", "-h", "127.0.0.1", "-p", str(fragile.port), "-U", "lab"),
        *("-D", str(standby.data), "-R", "-c", "fast"),
    )
    standby.start()
    try:
        url = on_fragile.url.replace(f":{fragile.port}/", f":{standby.port}/")
        with pytest.raises(StoreReadOnly, match="standby"):
            Store(url)
        until(
            lambda: any(
                "no standby is synchronous" in w for w in on_fragile.warnings()
            ),
            "a warning",
        )
    finally:
        standby.stop("immediate")


def test_a_write_that_no_standby_has_confirmed_is_not_acknowledged(
    fragile: Server, on_fragile: Store
) -> None:
    """A wait for the standby that is canceled ends with a commit, and a warning."""
    put(on_fragile, "a")
    fragile.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    fragile.sql("SELECT pg_reload_conf()")
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    errors: list[BaseException] = []

    def write() -> None:
        try:
            put(on_fragile, "b")
        except StoreUnavailable as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(lambda: fragile.sql(waiting), "a write waits")
        assert any("writes wait" in each for each in on_fragile.warnings())
        fragile.sql(f"SELECT pg_cancel_backend(pid) FROM ({waiting}) AS waiting")
        writer.join(15)
    finally:
        fragile.sql("ALTER SYSTEM RESET synchronous_standby_names")
        fragile.sql("SELECT pg_reload_conf()")
        writer.join()
    assert [str(each)[-42:] for each in errors] == [
        "no standby has confirmed it; send it again"
    ]
    assert put(on_fragile, "b")[0].outcome.value == "unchanged"


def test_settings_that_may_cost_articles_are_warned_of(on_fragile: Store) -> None:
    warnings = " ".join(on_fragile.warnings())
    assert "fsync = off" in warnings
    assert "full_page_writes = off" in warnings


# The indexer


def test_the_indexer_whose_session_ends_stops_and_another_takes_over(
    store: Store,
) -> None:
    engine = open_engine("memory:")
    with closing(Store(store.url)) as second:
        ended: list[BaseException] = []

        def run() -> None:
            try:
                Indexer(store, engine).run(threading.Event())
            except StoreUnavailable as error:
                ended.append(error)

        first = threading.Thread(target=run)
        first.start()
        until(second.indexer_running, "the indexer runs")
        with pytest.raises(IndexerRunning) as caught, second.indexer_lock():
            pass
        assert str(os.getpid()) in str(caught.value.holder)
        terminate(second)
        first.join(10)
        assert [str(each)[:14] for each in ended] == ["the connection"]
        with second.indexer_lock() as lock:
            lock.check()


def test_a_lock_whose_server_falls_silent_counts_as_lost(
    postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.postgresql.indexer_lock._ANSWER_SECONDS", 0.3)
    with (
        Wire(postgresql_server.port) as wire,
        closing(Store(by_way_of(wire, postgresql_server))) as store,
    ):
        with store.indexer_lock() as lock:
            lock.check()
            wire.lose()
            time.sleep(0.15)  # what was seen just now still holds
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match="lock was lost"):
                    lock.check()
        wire.reset()
        wire.mend()


# Waiting


def test_who_waits_is_woken_by_the_write_of_another_process(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a")
    monkeypatch.setattr("index.store.postgresql.notifications.LOOK_SECONDS", 3_600.0)
    seen: list[int] = []
    waiter = threading.Thread(
        target=lambda: seen.append(store.wait_for_change(1, 3_600.0))
    )
    waiter.start()
    with closing(Store(store.url)) as other:
        time.sleep(0.3)
        put(other, "b")
    waiter.join(10)
    assert seen == [2]
    assert store.wait_for_change(1, 3_600.0) == 2
    assert store.wait_for_change(2, 0.0) == 2


def test_who_waits_finds_a_change_although_no_notification_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(_: object) -> None:
        raise StoreUnavailable("no connection is left")

    monkeypatch.setattr(
        "index.store.postgresql.notifications.Notifications._follow", deaf
    )
    later = threading.Timer(0.2, put, (store, "a"))
    later.start()
    assert store.wait_for_change(0, 10.0) == 1
    later.join()


# Rates


def test_web_machines_count_together_and_each_alone_without_the_server(
    fragile: Server, on_fragile: Store
) -> None:
    with closing(Store(on_fragile.url)) as other:
        first = on_fragile.rates.take("key", 2)
        second = other.rates.take("key", 2)
        assert (first.left, second.left) == (1, 0)
        assert not on_fragile.rates.take("key", 2).taken
        fragile.stop("immediate")
        assert [on_fragile.rates.take("key", 2).taken for _ in range(3)] == [
            *(True, True, False)
        ]
        fragile.start()


def test_addresses_whose_allowance_is_full_again_are_forgotten(store: Store) -> None:
    for n in range(5):
        store.rates.fail(f"10.0.0.{n}", 5, now=1_000_000)
    store.rates.take("key", 5, now=1_000_000)
    with closing(Store(store.url)) as other:
        other.rates.fail("10.1.1.1", 5)
    with behind(store.url) as connection:
        rows = connection.execute("SELECT kind FROM rates ORDER BY kind").fetchall()
    assert rows == [(0,), (1,)]


# Erasing, copying


def test_a_purge_frees_the_room_of_the_text_once_nobody_reads_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.postgresql.erasure.BUSY_SECONDS", 0.2)
    put(store, "a", "b")
    store.kill("a")
    with store.reading() as view:
        assert view.seq == 3
        with pytest.raises(StoreUnavailable, match="purge it again later"):
            store.purge("a")
    store.purge("a")
    assert store.check() == []


def test_backups_are_left_to_the_tools_of_postgresql(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(InvalidValue, match="pg_dump"):
        store.take_backup(tmp_path / "copy")
    with pytest.raises(InvalidValue, match="pg_restore"):
        store.restore_backup(tmp_path / "copy")


def test_a_dump_that_was_restored_is_used_once_a_new_history_has_begun(
    postgresql_server: Server, tmp_path: Path
) -> None:
    name = postgresql_server.new_database()
    with closing(Store(postgresql_server.url(name))) as store:
        put(store, "a", "b")
        store.kill("b")
        store.keys.add("desk", frozenset({Scope.SEARCH}))
        with store.reading() as view:
            epoch = view.epoch
    copy = postgresql_server.new_database()
    port = str(postgresql_server.port)
    to = ("-h", "127.0.0.1", "-p", port, "-U", "lab")
    folder = postgresql_server.folder / f"dump-{name}"
    postgresql.run("pg_dump", *to, "-Fd", "-f", str(folder), name)
    postgresql.run("pg_restore", *to, "-d", copy, str(folder))
    url = postgresql_server.url(copy)
    with pytest.raises(StoreUnavailable, match="run nutgraf restored"):
        Store(url)
    environ = {"NUTGRAF_STORE": url, "NUTGRAF_ENGINE": f"whoosh:{tmp_path}/index"}
    assert main(["restored"], environ) == 1
    assert main(["restored", "--yes"], environ) == 0
    with closing(Store(url)) as restored, restored.reading() as view:
        assert view.epoch != epoch
        assert view.notice("b") is not None
        assert restored.rebuild_requested() != restored.rebuild_finished()
        assert restored.keys.ever()
        assert restored.check() == []
    with closing(Store(postgresql_server.url(name))) as store:
        assert store.seq() == 3


# Speed: what is asked most is read from indexes.


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM changes WHERE seq > 1999 AND hides",
        "SELECT max(expires) FROM articles WHERE expires <> 9223372036854775807"
        " AND expires <= 5",
        "SELECT min(turns) FROM articles WHERE turns <> 9223372036854775807",
        "SELECT id FROM articles WHERE evolved_from = 'a5'",
        "SELECT * FROM notices WHERE seq < 50 AND NOT over AND status = 2"
        " ORDER BY seq DESC LIMIT 10",
        "SELECT v.content FROM (VALUES ('a5', '1'), ('a6', '1')) AS k (id, version)"
        " JOIN versions v ON v.id = k.id AND v.version = k.version",
    ],
)
def test_what_is_asked_most_reads_no_whole_table(filled: Store, statement: str) -> None:
    with behind(filled.url) as connection:
        plan = connection.execute(f"EXPLAIN {statement}").fetchall()
    assert not [row for row in plan if "Seq Scan" in row[0]], plan


@pytest.fixture(scope="module")
def filled(fragile: Server) -> Iterator[Store]:
    """A store of 2,000 articles, whose tables PostgreSQL has analysed."""
    with closing(Store(fragile.url(fragile.new_database()))) as store:
        store.put([article(f"a{n}", evolved_from=f"a{n // 2}") for n in range(2_000)])
        store.kill("a1", cascade=True)
        with behind(store.url) as connection:
            connection.execute("ANALYZE")
        yield store
