"""Backups that somebody has changed, and keys: what a restore lets into a store."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from articles import sent_article as article
from faults.amounts import amount, chance

from index import cli
from index.access import NewKey, Scope
from index.archive import Archive
from index.errors import InvalidValue, StoreFull, StoreUnavailable
from index.jobs import Indexer
from index.settings import Settings
from index.store import Store
from index.store.sqlite import digest
from index.store.tables import SCHEMA, metadata
from service import create_app

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 'data' / 'nutgraf.db'}")) as store:
        yield store


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """A new store on another machine."""
    with closing(Store(f"sqlite:///{tmp_path / 'other' / 'nutgraf.db'}")) as store:
        yield store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


class Saved(NamedTuple):
    """A store and a backup of it, which tests share: each changes a copy of the backup.

    The store refuses it, and so stays as it is.
    """

    store: Store
    backup: Path


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    folder = tmp_path_factory.mktemp("saved")
    url = f"sqlite:///{folder / 'data' / 'nutgraf.db'}"
    with closing(Store(url)) as store:
        store.put([article("a", "Words."), article("b")])
        store.kill("b")
        add_key(store, "desk")
        store.take_backup(folder / "backup.db")
        yield Saved(store, folder / "backup.db")


def run_sql(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def without_digest(file: Path) -> None:
    """Make a backup one of a release that wrote no digest."""
    run_sql(file, f"DROP TABLE {digest.TABLE}")


def with_new_digest(file: Path) -> None:
    """Do what an attacker can: make the digest fit a changed backup."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        digest.write_digest(connection)


def content_of(store: Store) -> dict[str, list[Any]]:
    """Every row of a store, but for what a restore makes anew."""
    with closing(sqlite3.connect(store.path)) as connection:
        return {
            table.name: sorted(connection.execute(f"SELECT * FROM {table.name}"))
            for table in metadata.sorted_tables
            if table.name not in ("state", "secrets")
        }


def add_key(store: Store, name: str) -> NewKey:
    return store.keys.add(name, frozenset({Scope.SEARCH}))


def names_of_keys(store: Store) -> list[str]:
    return [key.name for key in store.keys.all()]


# Keys and secrets.


def test_keys_stay_those_of_the_store_whatever_is_put_back(
    store: Store, other: Store, file: Path
) -> None:
    foreign = add_key(other, "foreign")
    other.take_backup(file)
    own = [add_key(store, name) for name in ("stays", "ends")]
    own_backup = file.with_name("own.db")
    store.take_backup(own_backup)
    store.keys.revoke("ends")
    later = add_key(store, "later")
    for source in (file, own_backup):
        done = store.restore_backup(source)
        assert not done.keys_taken
        assert names_of_keys(store) == ["ends", "later", "stays"]
        assert store.keys.find(foreign.secret) is None
        (ended,) = [key for key in store.keys.all() if key.name == "ends"]
        assert ended.revoked is not None
        assert store.keys.find(later.secret) is not None
        assert store.keys.find(own[0].secret) is not None


def test_keys_of_a_backup_come_along_on_demand_and_revoked_ones_stay_revoked(
    store: Store, other: Store, file: Path
) -> None:
    kept, ended = add_key(store, "kept"), add_key(store, "ended")
    store.take_backup(file)
    store.keys.revoke("ended")
    own = add_key(other, "own")
    for target, names in (
        (other, ["ended", "kept", "own"]),
        (store, ["ended", "kept"]),
    ):
        done = target.restore_backup(file, with_keys=True)
        assert (done.keys, done.keys_taken) == (2, True)
        assert names_of_keys(target) == names
        assert target.keys.find(kept.secret) is not None
    assert other.keys.find(own.secret) is not None
    found = store.keys.find(ended.secret)
    assert found is not None
    assert found.revoked is not None


def test_no_restore_opens_a_store_that_asked_for_keys(
    store: Store, other: Store, file: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.db"
    other.take_backup(empty)
    add_key(store, "desk")
    store.take_backup(file)
    other.restore_backup(file)
    assert names_of_keys(other) == []
    assert other.keys.ever()
    # A backup without keys does not open it, and a copy of it is locked, too.
    other.restore_backup(empty)
    assert other.keys.ever()
    locked = tmp_path / "locked.db"
    other.take_backup(locked)
    with closing(Store(f"sqlite:///{tmp_path / 'third' / 'nutgraf.db'}")) as third:
        third.restore_backup(empty)
        assert not third.keys.ever()
        third.restore_backup(locked, with_keys=True)
        assert third.keys.ever()
    store.restore_backup(empty)
    assert store.keys.ever()
    assert names_of_keys(store) == ["desk"]


def test_a_service_restored_on_an_empty_machine_asks_for_a_key(
    store: Store, other: Store, file: Path
) -> None:
    old = add_key(store, "desk")
    store.put([article("a")])
    store.take_backup(file)
    settings = Settings(store=other.url, engine="memory:")
    with closing(Archive.open(settings)) as archive:
        client = create_app(settings, archive).test_client()
        assert client.get("/v1/articles/a").status_code == 404  # open, and empty
        other.restore_backup(file)
        Indexer(archive.store, archive.engine).catch_up()
        for headers in ({}, {"X-API-Key": old.secret}):
            answer = client.get("/v1/articles/a", headers=headers)
            assert answer.status_code == 401
        assert client.put("/v1/articles/b", json={"headline": "No"}).status_code == 401
        new = add_key(other, "desk")
        answer = client.get("/v1/articles/a", headers={"X-API-Key": new.secret})
        assert answer.status_code == 200
        other.restore_backup(file, with_keys=True)
        for key in (old, new):
            answer = client.get("/v1/articles/a", headers={"X-API-Key": key.secret})
            assert answer.status_code == 200


def test_the_command_says_what_became_of_the_keys(
    store: Store, other: Store, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_key(store, "desk")
    store.take_backup(file)
    environ = {"NUTGRAF_STORE": other.url, "NUTGRAF_ENGINE": "memory:"}

    def run(*argv: str) -> str:
        assert cli.main(argv, environ) == 0
        return capsys.readouterr().out

    said = run("restore", str(file))
    assert "1 key of the backup stayed behind" in said
    assert "needs a key, and this store has no live one" in said
    assert json.loads(run("status", "--json"))["keys"] == {
        "made": 0,
        "live": 0,
        "required": True,
    }
    assert "first key" not in run("keys", "add", "x", "--scope", "search")
    said = run("restore", "--with-keys", str(file))
    assert "stayed behind" not in said
    assert "no live one" not in said
    facts = json.loads(run("restore", "--with-keys", "--json", str(file)))
    assert (facts["keys"], facts["keys_taken"], facts["digest"]) == (1, True, True)


def test_secrets_stay_those_of_the_store_and_are_in_no_backup(
    store: Store, other: Store, file: Path
) -> None:
    def secret(of: Store) -> bytes:
        with of.reading() as view:
            return view.cursor_key

    before = secret(store)
    store.take_backup(file)
    assert before not in file.read_bytes()
    for with_keys in (False, True):
        store.restore_backup(file, with_keys=with_keys)
        assert secret(store) == before
    run_sql(file, "UPDATE secrets SET value = zeroblob(64)")
    with_new_digest(file)
    own = secret(other)
    other.restore_backup(file, with_keys=True)
    assert secret(other) == own


# What somebody has changed.

CODE: dict[str, tuple[str, ...]] = {
    "trigger": (
        "CREATE TRIGGER t AFTER INSERT ON changes BEGIN"
        " UPDATE articles SET status = 0; END",
    ),
    "trigger named like a table": (
        "CREATE TRIGGER articles AFTER INSERT ON changes BEGIN"
        " UPDATE articles SET status = 0; END",
    ),
    "trigger named like the digest": (
        f"CREATE TRIGGER {digest.TABLE} AFTER INSERT ON keys BEGIN"
        " DELETE FROM keys; END",
    ),
    "temporary name": ("CREATE VIEW sqlite AS SELECT 1",),
    "view": ("CREATE VIEW v AS SELECT * FROM articles",),
    "view in place of a table": (
        "ALTER TABLE notices RENAME TO hidden",
        "CREATE VIEW notices AS SELECT * FROM hidden WHERE 0",
    ),
    "view in place of a table that every store has": (
        "PRAGMA legacy_alter_table = ON",
        "ALTER TABLE changes RENAME TO hidden",
        "CREATE VIEW changes AS SELECT * FROM hidden",
    ),
    "virtual table": ("CREATE VIRTUAL TABLE f USING fts5(x)",),
    "table": ("CREATE TABLE more (x)",),
    "index with an expression": ("CREATE INDEX i ON articles (lower(id))",),
    "index of fewer rows": (
        "DROP INDEX articles_turns",
        "CREATE INDEX articles_turns ON articles (turns) WHERE turns = 7",
    ),
    "unique index": (
        "DROP INDEX articles_story",
        "CREATE UNIQUE INDEX articles_story ON articles (story)"
        " WHERE story IS NOT NULL",
    ),
    "no index": ("DROP INDEX articles_turns",),
    "generated column": ("ALTER TABLE notices ADD COLUMN g AS (upper(note))",),
    "column": ("ALTER TABLE articles ADD COLUMN more TEXT",),
    "default": ("ALTER TABLE versions RENAME COLUMN headline TO heading",),
    "check": (
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'note TEXT',"
        " 'note TEXT CHECK (length(note) < 9)') WHERE name = 'notices'",
    ),
    "collation": (
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'note TEXT',"
        " 'note TEXT COLLATE NOCASE') WHERE name = 'notices'",
    ),
    "column that is generated in place of one": (
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'note TEXT',"
        " 'note TEXT AS (id)') WHERE name = 'notices'",
    ),
}


@pytest.mark.parametrize("digested", ["old digest", "new digest", "no digest"])
@pytest.mark.parametrize("what", CODE)
def test_tables_of_another_making_are_found_before_they_are_put_back(
    saved: Saved, file: Path, what: str, digested: str
) -> None:
    store = saved.store
    shutil.copyfile(saved.backup, file)
    run_sql(file, *CODE[what])
    if digested == "new digest":
        with_new_digest(file)
    elif digested == "no digest":
        without_digest(file)
    before = content_of(store)
    with pytest.raises(InvalidValue, match=r"is no store|was changed|is damaged"):
        store.restore_backup(file)
    assert content_of(store) == before
    assert list(store.path.parent.glob(".*")) == []


ROWS: dict[str, str] = {
    "letter of a text": "UPDATE versions SET content = replace(content, 'or', 'ar')",
    "headline": "UPDATE versions SET headline = headline || ' '",
    "status": "UPDATE articles SET status = 1",
    "embargo": "UPDATE articles SET embargoed_until = embargoed_until + 1",
    "version": "UPDATE versions SET at = at + 1",
    "change": "UPDATE changes SET type = 'killed'",
    "audience": "UPDATE changes SET facts = NULL",
    "notice": "DELETE FROM notices",
    "key": "UPDATE keys SET scopes = 'search admin'",
    "one more key": "INSERT INTO keys SELECT 'ffffffff', name, zeroblob(32), scopes,"
    " filters, rate, created, expires, revoked FROM keys",
    "secret": "UPDATE secrets SET value = zeroblob(64)",
    "number": "UPDATE state SET value = value + 1 WHERE name = 'seq'",
    "oldest writer": "UPDATE state SET value = 999 WHERE name = 'oldest_writer'",
    "one more number": "INSERT INTO state VALUES ('locked', 0)",
    "one article less": "DELETE FROM articles WHERE id = 'b'",
    "one article more": "INSERT INTO articles SELECT 'c', version, seq, status,"
    ' embargoed_until, expires, turns, "values", published, evolved_from, story'
    " FROM articles WHERE id = 'a'",
    "type of a value": "UPDATE changes SET at = CAST(at AS BLOB)",
    "format of the digest": f"UPDATE {digest.TABLE} SET format = 2",
    "digest": f"UPDATE {digest.TABLE} SET digest = zeroblob(32)",
    "digest of no bytes": f"UPDATE {digest.TABLE} SET digest = x''",
    "text as digest": f"UPDATE {digest.TABLE} SET digest = ''",
    "two digests": f"INSERT INTO {digest.TABLE} SELECT * FROM {digest.TABLE}",
    "none in the table": f"DELETE FROM {digest.TABLE}",
}


@pytest.mark.parametrize("what", ROWS)
def test_a_changed_row_is_found_before_it_is_put_back(
    saved: Saved, file: Path, what: str
) -> None:
    store = saved.store
    shutil.copyfile(saved.backup, file)
    run_sql(file, ROWS[what])
    before = content_of(store)
    with pytest.raises(InvalidValue, match=r"was changed after it|is damaged"):
        store.restore_backup(file)
    assert content_of(store) == before


def test_a_backup_that_nobody_has_changed_is_put_back(store: Store, file: Path) -> None:
    store.put([article("a", "Words."), article("b")])
    store.kill("b")
    add_key(store, "desk")
    store.take_backup(file)
    assert store.restore_backup(file).has_digest


# Of a backup without a digest, what contradicts itself.
CONTRADICTIONS = ("letter of a text", "headline", "status", "number", "type of a value")


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_a_backup_without_a_digest_is_checked_as_a_store_is(
    store: Store, file: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put([article("a", "Words.")])
    store.take_backup(file)
    without_digest(file)
    environ = {"NUTGRAF_STORE": store.url}
    assert cli.main(["restore", "--yes", str(file)], environ) == 0
    assert "the backup has no digest" in capsys.readouterr().out
    assert not store.restore_backup(file).has_digest
    run_sql(file, ROWS[what])
    with pytest.raises(InvalidValue, match="is damaged"):
        store.restore_backup(file)


def test_any_changed_byte_is_found_or_changes_nothing(store: Store, file: Path) -> None:
    store.put([article("a", "Words. " * 300), article("b"), article("c")])
    store.kill("b")
    add_key(store, "desk")
    store.take_backup(file)
    expected = content_of(store)
    sound = file.read_bytes()
    seed = chance("bytes of a backup")
    refused = 0
    for _ in range(amount(40, 4_000)):
        at = seed.randrange(len(sound))
        changed = bytearray(sound)
        changed[at] ^= 1 << seed.randrange(8)
        file.write_bytes(changed)
        try:
            store.restore_backup(file)
        except InvalidValue:
            refused += 1
        assert content_of(store) == expected, f"byte {at}"
    assert refused > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("seq", number) for number in (-1, 2**53, 2**63 - 1)],
        *[("rebuild", number) for number in (-1, 2**63 - 1)],
        ("epoch", 2**63 - 1),
        ("schema", -(2**63)),
    ],
)
def test_numbers_that_no_store_reaches_are_refused(
    store: Store, file: Path, name: str, value: int
) -> None:
    store.take_backup(file)
    run_sql(file, f"UPDATE state SET value = {value} WHERE name = '{name}'")
    with_new_digest(file)
    with pytest.raises(InvalidValue, match="is no store"):
        store.restore_backup(file)


def test_who_may_use_the_store_is_not_said_by_a_backup(
    store: Store, file: Path
) -> None:
    store.take_backup(file)
    run_sql(file, "UPDATE state SET value = 999 WHERE name = 'oldest_writer'")
    with_new_digest(file)
    store.restore_backup(file)
    assert store.seq() == 0


# Other files beside a backup, and files of another kind.


def test_a_log_or_journal_beside_a_backup_is_neither_read_nor_touched(
    store: Store, file: Path, tmp_path: Path
) -> None:
    store.put([article("a")])
    store.take_backup(file)
    # The log of a copy that somebody changed, put beside the backup as it was.
    copy = tmp_path / "copy.db"
    shutil.copyfile(file, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM notices")
        connection.execute("UPDATE articles SET status = 1")
        log = copy.with_name("copy.db-wal").read_bytes()
    assert log
    beside = {
        file.with_name(f"{file.name}-wal"): log,
        file.with_name(f"{file.name}-journal"): os.urandom(8_192),
    }
    for path, data in beside.items():
        path.write_bytes(data)
    before = file.read_bytes()
    store.put([article("b")])
    assert store.restore_backup(file).has_digest
    assert [article_id for article_id, *_ in content_of(store)["articles"]] == ["a"]
    assert content_of(store)["articles"][0][3] == 0
    assert file.read_bytes() == before
    assert {path: path.read_bytes() for path in beside} == beside


def test_a_copied_log_does_not_get_round_the_digest(
    store: Store, file: Path, tmp_path: Path
) -> None:
    store.put([article("a")])
    store.take_backup(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE articles SET status = 1")
        for ending in ("", "-wal"):
            shutil.copyfile(f"{file}{ending}", tmp_path / f"copied.db{ending}")
    with pytest.raises(InvalidValue, match="was changed after it was written"):
        store.restore_backup(tmp_path / "copied.db")


def test_a_backup_behind_a_link_is_put_back_and_both_stay(
    store: Store, file: Path, tmp_path: Path
) -> None:
    store.put([article("a")])
    store.take_backup(file)
    link = tmp_path / "latest.db"
    link.symlink_to(file)
    before = file.read_bytes()
    store.delete("a")
    store.restore_backup(link)
    assert [row[0] for row in content_of(store)["articles"]] == ["a"]
    assert (link.is_symlink(), file.read_bytes()) == (True, before)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to nothing"])
def test_what_is_no_file_is_refused_at_once(
    store: Store, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "backup.db"
    make: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "folder": path.mkdir,
        "link to nothing": lambda: path.symlink_to(tmp_path / "gone"),
    }
    make[kind]()
    with pytest.raises(InvalidValue, match=r"is not a file|cannot be read"):
        store.restore_backup(path)


def test_a_file_longer_than_any_disk_takes_no_room(store: Store, file: Path) -> None:
    store.put([article("a")])
    store.take_backup(file)
    os.truncate(file, 1 << 42)
    store.restore_backup(file)  # what SQLite knows nothing of is not read
    run_sql(file, "PRAGMA journal_mode = WAL")
    os.truncate(file, 1 << 42)
    file.with_name(f"{file.name}-wal").write_bytes(b"")
    with pytest.raises(StoreFull):
        store.restore_backup(file)
    assert list(store.path.parent.glob(".*")) == []


def test_a_backup_is_put_back_by_the_newest_release_of_a_store_only(
    store: Store, file: Path
) -> None:
    store.put([article("a")])
    store.take_backup(file)
    run_sql(
        store.path,
        "ALTER TABLE versions ADD COLUMN desk TEXT",
        f"UPDATE state SET value = {SCHEMA + 1} WHERE name = 'schema'",
    )
    with pytest.raises(StoreUnavailable, match="with the newer release"):
        store.restore_backup(file)
    newer = file.with_name("newer.db")
    store.take_backup(newer)  # an older release that may go on takes backups
    with pytest.raises(InvalidValue, match="newer than"):
        store.restore_backup(newer)


def test_a_backup_that_was_a_store_for_a_while_gets_a_new_digest(
    store: Store, file: Path
) -> None:
    store.take_backup(file)
    with closing(Store(f"sqlite:///{file}")) as copy:
        copy.put([article("a")])
        copy.take_backup(file.with_name("again.db"))
    with pytest.raises(InvalidValue, match="take a backup of it as a store"):
        store.restore_backup(file)
    assert store.restore_backup(file.with_name("again.db")).has_digest
    assert [row[0] for row in content_of(store)["articles"]] == ["a"]
