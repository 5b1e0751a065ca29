"""A store whose schema changes while releases have it open."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from articles import sent_article as article
from checkout import ROOT
from sqlalchemy import Column, Index, Text, inspect

from index import cli
from index.access import Scope
from index.archive import Archive
from index.errors import MigrationNeeded, ReleaseOutdated, StoreUnavailable
from index.jobs import Indexer
from index.settings import Settings
from index.store import Store, migration, schema, tables
from index.store.migration import STEPS, Step
from index.store.tables import SCHEMA

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 'data' / 'nutgraf.db'}")) as store:
        store.put([article("a")])
        yield store


def run_sql(store: Store, *statements: str) -> None:
    """Change a store as another process does, without a look at its schema."""
    with closing(sqlite3.connect(store.path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def migrated_by_a_newer_release(store: Store, *, breaks: bool) -> None:
    """Leave a store as the next release does, after a step that breaks or adds."""
    run_sql(
        store,
        "ALTER TABLE versions ADD COLUMN desk TEXT",
        f"UPDATE state SET value = {SCHEMA + 1} WHERE name = 'schema'",
        f"UPDATE state SET value = {SCHEMA + 1 if breaks else SCHEMA}"
        " WHERE name = 'oldest_writer'",
    )


def test_the_last_step_leads_to_the_schema_of_this_release() -> None:
    assert [step.schema for step in STEPS] == list(range(2, SCHEMA + 1))


def test_a_new_store_says_who_may_use_it(store: Store) -> None:
    with store._database.reading() as connection:
        stored = schema.schema_of(connection)
    last_break = max(step.schema for step in STEPS if step.breaks)
    oldest = max(last_break, schema.FIRST_THAT_LOOKS)
    assert (stored.number, stored.oldest_writer) == (SCHEMA, oldest)


@pytest.mark.parametrize("before", range(1, schema.FIRST_THAT_LOOKS))
def test_a_release_that_does_not_look_is_never_told_to_go_on(
    store: Store,
    tmp_path: Path,
    before: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_sql(
        store,
        "DROP TABLE superseded",
        *(["DROP TABLE secrets"] if before < 4 else []),
        "DELETE FROM state WHERE name = 'oldest_writer'",
        f"UPDATE state SET value = {before} WHERE name = 'schema'",
        *(["DELETE FROM state WHERE name = 'epoch'"] if before < 2 else []),
    )
    store.close()
    copy = tmp_path / "copy.db"
    shutil.copyfile(store.path, copy)
    environ = {"NUTGRAF_STORE": store.url, "NUTGRAF_ENGINE": "memory:"}
    assert cli.main(["migrate"], environ) == 0
    assert capsys.readouterr().out == (
        f"migrated from schema {before} to {SCHEMA}; releases of schema"
        f" {schema.FIRST_THAT_LOOKS} and newer may go on\n"
    )
    assert recorded(store.path) == schema.FIRST_THAT_LOOKS
    restored = Store.open(f"sqlite:///{tmp_path / 'restored.db'}")
    restored.restore_backup(copy)
    assert recorded(restored.path) == schema.FIRST_THAT_LOOKS
    restored.close()


def test_a_store_that_lets_too_old_a_release_go_on_is_corrected(store: Store) -> None:
    run_sql(store, "UPDATE state SET value = 4 WHERE name = 'oldest_writer'")
    assert Store.migrate(store.url).oldest_writer == schema.FIRST_THAT_LOOKS


def recorded(file: Path) -> int:
    """The oldest writer that a store's file names."""
    with closing(sqlite3.connect(file)) as connection:
        ((value,),) = connection.execute(
            "SELECT value FROM state WHERE name = 'oldest_writer'"
        )
    return int(value)


def test_an_older_release_goes_on_after_an_addition(store: Store) -> None:
    migrated_by_a_newer_release(store, breaks=False)
    store.put([article("b")])
    store.kill("a")
    store.keys.add("desk", frozenset({Scope.SEARCH}))
    assert [each.id for each in store.changes(0, 9)] == ["a", "b", "a"]
    assert store.check() == []
    with closing(Store(store.url)) as again:
        assert again.seq() == 3
    done = Store.migrate(store.url)
    assert (done.before, done.after) == (SCHEMA + 1, SCHEMA + 1)


OPERATIONS: dict[str, Callable[[Store], object]] = {
    "put": lambda store: store.put([article("b")]),
    "delete": lambda store: store.delete("a"),
    "kill": lambda store: store.kill("a"),
    "withhold": lambda store: store.withhold("a"),
    "reinstate": lambda store: store.reinstate("a"),
    "purge": lambda store: store.purge("a"),
    "log_ended_embargoes": lambda store: store.log_ended_embargoes(),
    "request_rebuild": lambda store: store.request_rebuild(),
    "finish_rebuild": lambda store: store.finish_rebuild(1),
    "seq": lambda store: store.seq(),
    "changes": lambda store: store.changes(0, 1),
    "counts": lambda store: store.counts(),
    "rebuild_requested": lambda store: store.rebuild_requested(),
    "keys.ever": lambda store: store.keys.ever(),
    "keys.add": lambda store: store.keys.add("x", frozenset({Scope.SEARCH})),
    "keys.find": lambda store: store.keys.find("ng_00000000_x"),
    "keys.revoke": lambda store: store.keys.revoke("x"),
    "open": lambda store: Store(store.url),
    "migrate": lambda store: Store.migrate(store.url),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_older_release_stops_at_a_step_that_breaks(store: Store, name: str) -> None:
    migrated_by_a_newer_release(store, breaks=True)
    with closing(sqlite3.connect(store.path)) as connection:
        before = list(connection.iterdump())
        with pytest.raises(
            ReleaseOutdated, match=f"schema {SCHEMA + 1}.*newer release"
        ):
            OPERATIONS[name](store)
        assert list(connection.iterdump()) == before


def test_a_writer_looks_after_it_has_the_lock(store: Store) -> None:
    """A migration that is committed while a writer waits for the lock stops it."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as newer:
        newer.execute("BEGIN IMMEDIATE")
        newer.execute("UPDATE state SET value = 999 WHERE name = 'oldest_writer'")
        begin = store._database.connections()._begun  # type: ignore[attr-defined]

        def begun(entered: object) -> object:
            newer.execute("COMMIT")
            return begin(entered)

        store._database.connections()._begun = begun  # type: ignore[attr-defined]
        with pytest.raises(ReleaseOutdated):
            store.put([article("b")])


def test_a_reader_that_has_begun_goes_on_with_what_it_sees(store: Store) -> None:
    with store.reading() as view:
        assert view.seq == 1
        migrated_by_a_newer_release(store, breaks=True)
        assert view.get("a").article.id == "a"


def test_a_store_that_does_not_say_whom_it_suits_suits_its_own_release(
    store: Store,
) -> None:
    run_sql(store, "DELETE FROM state WHERE name = 'oldest_writer'")
    assert store.seq() == 1
    run_sql(store, "UPDATE state SET value = value + 1 WHERE name = 'schema'")
    with pytest.raises(ReleaseOutdated):
        store.seq()


def test_a_store_without_a_schema_is_not_used(store: Store) -> None:
    run_sql(store, "DELETE FROM state WHERE name = 'schema'")
    with pytest.raises(StoreUnavailable, match="does not say which schema"):
        store.seq()


def test_a_release_stops_at_a_store_that_became_older(store: Store) -> None:
    run_sql(store, f"UPDATE state SET value = {SCHEMA - 1} WHERE name = 'schema'")
    with pytest.raises(MigrationNeeded, match="nutgraf migrate"):
        store.put([article("b")])


def test_readiness_says_that_the_release_is_outdated(store: Store) -> None:
    settings = Settings(store=store.url, engine="memory:")
    with closing(Archive.open(settings)) as archive:
        Indexer(archive.store, archive.engine).catch_up()
        migrated_by_a_newer_release(store, breaks=True)
        with pytest.raises(ReleaseOutdated):
            archive.condition()


def test_a_step_that_adds_is_one_row(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next release in this process: a column, an index and a step."""
    desk = Column("desk", Text)
    tables.versions.append_column(desk)
    index = Index("versions_desk", desk)
    for module in (tables, migration, schema):
        monkeypatch.setattr(module, "SCHEMA", SCHEMA + 1)
    monkeypatch.setattr("index.store.sqlite.creation.SCHEMA", SCHEMA + 1)
    monkeypatch.setattr(migration, "STEPS", (*STEPS, Step(SCHEMA + 1, breaks=False)))
    try:
        with pytest.raises(MigrationNeeded):
            store.seq()
        done = Store.migrate(store.url)
        assert (done.before, done.after) == (SCHEMA, SCHEMA + 1)
        assert done.oldest_writer <= SCHEMA
        with store._database.reading() as connection:
            found = inspect(connection)
            assert "desk" in {each["name"] for each in found.get_columns("versions")}
            names = {each["name"] for each in found.get_indexes("versions")}
            assert "versions_desk" in names
        store.put([article("b")])
    finally:
        tables.versions.indexes.discard(index)
        tables.versions._columns.remove(desk)
    monkeypatch.undo()
    store.put([article("c")])  # the older release goes on
    assert store.seq() == 3


def test_only_the_command_migrates(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"NUTGRAF_STORE": store.url, "NUTGRAF_ENGINE": "memory:"}
    run_sql(
        store,
        "DROP TABLE secrets",
        "DELETE FROM state WHERE name = 'oldest_writer'",
        "UPDATE state SET value = 3 WHERE name = 'schema'",
    )
    store.close()
    refused = (
        *(["status"], ["verify"], ["search", "x"], ["export"], ["rebuild"]),
        *(["load", str(ROOT / "seeds")], ["get", "a"], ["delete", "a"], ["kill", "a"]),
        *(["keys", "list"], ["keys", "add", "x", "--scope", "search"]),
        *(["backup", f"{store.path}-backup"], ["restore", str(store.path)]),
    )
    with closing(sqlite3.connect(store.path)) as connection:
        before = list(connection.iterdump())
        for argv in refused:
            assert cli.main(argv, environ) == 1
            assert "run nutgraf migrate" in capsys.readouterr().err
        assert list(connection.iterdump()) == before
    assert cli.main(["migrate"], environ) == 0
    assert f"migrated from schema 3 to {SCHEMA};" in capsys.readouterr().out
    assert cli.main(["migrate", "--json"], environ) == 0
    assert json.loads(capsys.readouterr().out) == {
        "before": SCHEMA,
        "after": SCHEMA,
        "oldest_writer": schema.FIRST_THAT_LOOKS,
    }
    assert cli.main(["get", "a"], environ) == 0
