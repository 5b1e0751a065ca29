"""Stores of older schemas are migrated, on demand only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from index.archive import Archive
from index.article import Original, article_of, content_digest, content_json, draft_of
from index.errors import (
    ArticleKilled,
    MigrationNeeded,
    OriginalNotFound,
    StoreUnavailable,
)
from index.jobs import Indexer
from index.query import CURSOR_KEY_BYTES, Filter, Reader
from index.settings import Settings
from index.store import Store
from index.store.schema import FIRST_THAT_LOOKS
from index.store.tables import SCHEMA

# Schema 1, written out, since the code that created it is gone.
SCHEMA_1 = """
CREATE TABLE articles (
    id TEXT NOT NULL, version TEXT NOT NULL, seq INTEGER NOT NULL,
    status SMALLINT NOT NULL, embargoed_until BIGINT NOT NULL, expires BIGINT NOT NULL,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX articles_embargoed_until ON articles (embargoed_until)
    WHERE embargoed_until != -9223372036854775808;
CREATE INDEX articles_expires ON articles (expires)
    WHERE expires != 9223372036854775807;
CREATE TABLE versions (
    id TEXT NOT NULL, version TEXT NOT NULL, seq INTEGER NOT NULL, at BIGINT NOT NULL,
    digest TEXT NOT NULL, status TEXT NOT NULL, headline TEXT, content TEXT NOT NULL,
    PRIMARY KEY (id, version), FOREIGN KEY(id) REFERENCES articles (id)
);
CREATE TABLE changes (
    seq INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, version TEXT,
    at BIGINT NOT NULL, hides BOOLEAN NOT NULL, PRIMARY KEY (seq)
);
CREATE INDEX changes_hiding ON changes (seq, id) WHERE hides = 1;
CREATE TABLE state (name TEXT NOT NULL, value BIGINT NOT NULL, PRIMARY KEY (name));
INSERT INTO state VALUES ('schema', 1), ('seq', 0), ('rebuild', 0), ('rebuilt', 0);
"""
NO_EMBARGO, NO_EXPIRY = -(2**63), 2**63 - 1
DOCUMENTS = (
    ("a", 0, {"headline": "Open", "source": "Desk", "published": "2020-02-02"}),
    ("k", 2, {"headline": "Killed", "status": "canceled", "correction": "Wrong."}),
    ("w", 1, {"headline": "Withheld", "status": "withheld", "evolved_from": "a"}),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store of schema 1 with three articles."""
    file = tmp_path / "store.db"
    with sqlite3.connect(file) as database:
        database.executescript(SCHEMA_1)
        for seq, (id_, status, values) in enumerate(DOCUMENTS, 1):
            article = article_of({"id": id_, "paragraphs": ["Text."], **values})
            text = content_json(article)
            database.execute(
                "INSERT INTO articles VALUES (?, '1', ?, ?, ?, ?)",
                (id_, seq, status, NO_EMBARGO, NO_EXPIRY),
            )
            database.execute(
                "INSERT INTO versions VALUES (?, '1', ?, 0, ?, ?, ?, ?)",
                (
                    *(id_, seq, content_digest(text)),
                    *(article.status.value, article.headline, text),
                ),
            )
            database.execute(
                "INSERT INTO changes VALUES (?, 'created', ?, '1', 0, 0)", (seq, id_)
            )
            database.execute("UPDATE state SET value = ? WHERE name = 'seq'", (seq,))
    file.chmod(0o600)
    return file


def opened(file: Path) -> Archive:
    """The archive of a store that has been migrated."""
    Store.migrate(f"sqlite:///{file}")
    return Archive.open(Settings(store=f"sqlite:///{file}", engine="memory:"))


def test_nothing_is_lost_and_everything_is_as_if_it_had_been_put_today(
    file: Path,
) -> None:
    archive = opened(file)
    assert archive.store.check() == []
    Indexer(archive.store, archive.engine).catch_up()
    assert archive.engine.state().articles == 2
    assert archive.get("a").article.headline == "Open"
    with pytest.raises(ArticleKilled) as killed:
        archive.get("k")
    assert killed.value.note == "Wrong."
    entries = archive.changes(0).entries
    assert [(each.type.value, each.id) for each in entries] == [("created", "a")]
    assert {each.id for each in archive.kill("a", cascade=True)} == {"a", "w"}
    archive.close()


def test_a_retry_of_what_was_there_is_known(file: Path) -> None:
    Store.migrate(f"sqlite:///{file}")
    store = Store(f"sqlite:///{file}")
    values = DOCUMENTS[0][2]
    article = article_of({"id": "a", "paragraphs": ["Text."], **values})
    (written,) = store.put([article])
    assert written.outcome.value == "unchanged"  # type: ignore[union-attr]
    store.close()


def test_kills_that_kept_how_the_article_stood_are_told_as_they_were(
    file: Path,
) -> None:
    archive = opened(file)
    own = '[[2, -9223372036854775808, 9223372036854775807], {"source": ["Desk"]}]'
    with sqlite3.connect(file) as database:
        database.execute("UPDATE notices SET facts = ? WHERE id = 'k'", (own,))
        database.execute(
            "UPDATE changes SET type = 'killed', facts = ? WHERE id = 'k'",
            (f"[{own}]",),
        )
    Indexer(archive.store, archive.engine).catch_up()
    for source, ids in (("desk", ["k"]), ("wire", [])):
        reader = Reader(filters=(Filter(field="source", values=(source,)),))
        assert [each.id for each in archive.notices(reader=reader).notices] == ids
        entries = archive.changes(0, reader=reader).entries
        assert [each.id for each in entries if each.removed] == ids
    archive.close()


def test_it_is_done_once(file: Path) -> None:
    done = Store.migrate(f"sqlite:///{file}")
    assert (done.before, done.after, done.oldest_writer) == (
        1,
        SCHEMA,
        FIRST_THAT_LOOKS,
    )
    with sqlite3.connect(file) as database:
        before = dict(database.execute("SELECT name, value FROM state"))
    assert (before["schema"], before["rebuild"]) == (SCHEMA, 1)
    again = Store.migrate(f"sqlite:///{file}")
    assert (again.before, again.after) == (SCHEMA, SCHEMA)
    with sqlite3.connect(file) as database:
        assert dict(database.execute("SELECT name, value FROM state")) == before


def test_what_fails_leaves_the_older_store(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("UPDATE versions SET content = '{' WHERE id = 'w'")
        before = list(database.iterdump())
    with pytest.raises(StoreUnavailable):
        Store.migrate(f"sqlite:///{file}")
    with sqlite3.connect(file) as database:
        assert list(database.iterdump()) == before


def test_opening_an_older_store_says_what_to_do_and_changes_nothing(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(MigrationNeeded, match=f"schema 1.* {SCHEMA}; run nutgraf migr"):
        Store(f"sqlite:///{file}")
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    assert file.read_bytes()[100:] == before[100:]


def test_a_store_in_use_by_a_release_that_would_not_notice_stays_as_it_is(
    file: Path,
) -> None:
    with closing(sqlite3.connect(file)) as older:
        older.execute("PRAGMA journal_mode = WAL")
        assert older.execute("SELECT count(*) FROM articles").fetchall() == [(3,)]
        with pytest.raises(StoreUnavailable, match="stop Nutgraf, run nutgraf migrate"):
            Store.migrate(f"sqlite:///{file}")
        rows = older.execute("SELECT value FROM state WHERE name = 'schema'")
        assert rows.fetchall() == [(1,)]
    assert Store.migrate(f"sqlite:///{file}").after == SCHEMA


def make_older(file: Path, schema: int, *missing: str) -> None:
    """Make a store one of an older schema, which lacks some tables."""
    with closing(sqlite3.connect(file)) as database:
        for table in missing:
            database.execute(f"DROP TABLE {table}")
        database.execute("DELETE FROM state WHERE name = 'oldest_writer'")
        database.execute("UPDATE state SET value = ? WHERE name = 'schema'", (schema,))
        database.commit()


def test_a_store_of_schema_2_is_as_it_was_and_keeps_originals_from_then_on(
    tmp_path: Path,
) -> None:
    file = tmp_path / "store.db"
    article = article_of({"id": "a", "headline": "Before"})
    store = Store(f"sqlite:///{file}")
    store.put([article])
    store.close()
    make_older(file, 2, "originals", "secrets")
    archive = opened(file)
    with pytest.raises(OriginalNotFound):
        archive.original("a")
    later = article_of({"id": "a", "headline": "After"})
    archive.put([draft_of(later, Original(format="ninjs", data=b"{}"))])
    assert archive.original("a").data == b"{}"
    assert archive.store.check() == []
    assert archive.store.rebuild_requested() == 0
    archive.close()


def test_a_store_of_schema_3_gets_a_key_of_its_own_for_cursors(tmp_path: Path) -> None:
    keys = set()
    for name in ("one.db", "other.db"):
        file = tmp_path / name
        store = Store(f"sqlite:///{file}")
        store.put([article_of({"id": "a", "headline": "Before"})])
        store.close()
        make_older(file, 3, "secrets")
        for _ in range(2):  # the second time it is as it was
            Store.migrate(f"sqlite:///{file}")
            with closing(Store(f"sqlite:///{file}")) as store, store.reading() as view:
                assert len(view.cursor_key) == CURSOR_KEY_BYTES
                keys.add(view.cursor_key)
                assert view.get("a").article.headline == "Before"
                assert store.check() == []
                assert store.rebuild_requested() == 0
    assert len(keys) == 2


def test_a_new_store_has_the_same_tables(file: Path, tmp_path: Path) -> None:
    Store.migrate(f"sqlite:///{file}")
    Store(f"sqlite:///{tmp_path / 'new.db'}").close()

    def columns(path: Path) -> dict[str, set[tuple[str, str]]]:
        with sqlite3.connect(path) as database:
            names = [
                name
                for (name,) in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            ]
            return {
                name: {
                    (row[1], row[2].upper())
                    for row in database.execute(f"PRAGMA table_info({name})")
                }
                for name in names
            }

    assert columns(file) == columns(tmp_path / "new.db")
