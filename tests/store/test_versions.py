"""Versions are listed from their columns, in pages; no text of them is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from archives import put
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from stores import behind, on_a_file

from index.archive import Archive
from index.article import article_of
from index.errors import ArticleNotFound, InvalidValue
from index.history import version_key
from index.query import PUBLIC, Filter, Reader
from index.settings import Settings
from index.store import Store

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
# Takes a store back to the schema before superseded versions had a table.
SCHEMA_4 = """
    DROP TABLE superseded;
    UPDATE state SET value = 4 WHERE name IN ('schema', 'oldest_writer');
"""
LATER, EARLIER = "2024-07-01T00:00:00Z", "2024-05-01T00:00:00Z"
READERS = (
    PUBLIC,
    Reader(held=True),
    Reader(filters=(Filter(field="source", values=("Desk",)),)),
)


@pytest.fixture
def archive(store_url: str) -> Iterator[Archive]:
    archive = Archive.open(Settings(store=store_url, engine="memory:"))
    yield archive
    archive.close()


@dataclass
class Reads:
    """What SQLite was asked for."""

    statements: int = 0
    texts: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def watched(store: Store) -> Iterator[Reads]:
    """Count statements and columns of texts, on the connections opened meanwhile."""
    reads = Reads()
    engine = store._database.connections().engine  # type: ignore[attr-defined]

    def authorize(action: int, table: str, column: str, *_: Any) -> int:
        if action == sqlite3.SQLITE_READ and column in ("content", "data"):
            reads.texts.append((table, column))
        return sqlite3.SQLITE_OK

    def count(statement: str) -> None:
        reads.statements += statement.startswith(("SELECT", "WITH"))

    def watch(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_authorizer(authorize)
        connection.set_trace_callback(count)

    store.close()
    engine.dispose()
    engine = store._database.connections().engine  # type: ignore[attr-defined]
    event.listen(engine, "connect", watch)
    yield reads
    event.remove(engine, "connect", watch)
    store.close()


def fill(archive: Archive, count: int, article_id: str = "a", **values: Any) -> None:
    for number in range(1, count + 1):
        put(archive, article_id, f"Text {number}.", version=str(number), **values)


def numbers(archive: Archive, reader: Reader = PUBLIC, **page: Any) -> list[str]:
    with archive.moment(now=NOW, reader=reader) as moment:
        return [each.version for each in moment.versions("a", **page).versions]


def walked(archive: Archive, reader: Reader, limit: int) -> list[str]:
    """Numbers of all pages, in their order."""
    walk: list[str] = []
    before = None
    while True:
        with archive.moment(now=NOW, reader=reader) as moment:
            page = moment.versions("a", before=before, limit=limit)
        assert len(page.versions) <= limit
        walk += [each.version for each in page.versions]
        if page.next is None:
            return walk
        # A number that the reader may not see is not told.
        assert page.next == walk[-1]
        before = page.next


@on_a_file
def test_a_list_of_versions_reads_no_text_in_few_statements(archive: Archive) -> None:
    put(archive, "parent", "Where it began.", published=EARLIER)
    fill(archive, 3, evolved_from="parent", source="Desk")
    fill(archive, 60, "many", evolved_from="parent", source="Desk")
    needed = []
    for article_id in ("a", "many"):
        with watched(archive.store) as reads:
            for reader in READERS:
                with archive.moment(now=NOW, reader=reader) as moment:
                    assert len(moment.versions(article_id).versions) in (3, 60)
        assert reads.texts == []
        needed.append(reads.statements)
    assert 0 < needed[0] == needed[1] <= 6 * len(READERS)


@on_a_file
def test_a_chain_is_read_without_a_text(archive: Archive) -> None:
    put(archive, "parent", "Where it began.", published=EARLIER, headline="First")
    put(archive, evolved_from="parent")
    with watched(archive.store) as reads, archive.moment(now=NOW) as moment:
        (member,) = moment.chain("a").members
    assert (member.headline, member.published) == (
        "First",
        datetime(2024, 5, 1, tzinfo=UTC),
    )
    assert reads.texts == []


@on_a_file
def test_a_comparison_reads_two_texts_however_many_versions_are_hidden(
    archive: Archive,
) -> None:
    put(archive, version="1")
    for number in range(2, 40):
        put(archive, version=str(number), status="withheld", text=f"Text {number}.")
    put(archive, version="40", text="Other words.")
    with watched(archive.store) as reads, archive.moment(now=NOW) as moment:
        difference = moment.difference("a")
    assert (difference.old, difference.new) == ("1", "40")
    assert len(reads.texts) == 2


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux")
@pytest.mark.slow
def test_long_versions_are_listed_from_a_few_pages_of_the_file(
    archive: Archive,
) -> None:
    for number in range(1, 21):
        put(archive, version=str(number), text=f"Words {number} " * 50_000)
    archive.store.close()
    before = bytes_read()
    assert len(numbers(archive)) == 20
    assert bytes_read() - before < 300_000  # of some 10 MB


def bytes_read() -> int:
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


VERSIONS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "2.9", "2.10", "10", "draft", "3"]),
        st.fixed_dictionaries(
            {},
            optional={
                "status": st.sampled_from(["usable", "withheld"]),
                "embargoed_until": st.sampled_from([EARLIER, LATER, None]),
                "expires": st.sampled_from([EARLIER, LATER]),
                "source": st.sampled_from(["Desk", "Wire"]),
            },
        ),
    ),
    min_size=1,
    max_size=8,
)


@given(sent=VERSIONS, limit=st.integers(1, 3), older=st.booleans())
@settings(max_examples=40)
@pytest.mark.slow
def test_pages_show_what_the_texts_say_whoever_reads(
    tmp_path_factory: pytest.TempPathFactory,
    sent: list[tuple[str, dict[str, Any]]],
    limit: int,
    older: bool,
) -> None:
    folder = tmp_path_factory.mktemp("versions")
    archive = Archive.open(
        Settings(store=f"sqlite:///{folder / 'store.db'}", engine="memory:")
    )
    for version, values in dict(sent).items():
        put(archive, version=version, text=f"Text {version}.", **values)
    put(archive, version="99", embargoed_until=None, source="Desk")
    assert archive.store.check() == []
    if older:
        forget(archive.store.url)
    for reader in READERS:
        expected = []
        for number in sorted({"99", *dict(sent)}, key=version_key, reverse=True):
            with suppress(ArticleNotFound):
                with archive.moment(now=NOW, reader=reader) as moment:
                    moment.article("a", version=number)
                expected.append(number)
        if expected:
            assert walked(archive, reader, limit) == expected
    archive.close()


def forget(url: str) -> None:
    """Leave a store as an older release of Nutgraf would."""
    with behind(url) as database:
        database.execute("DELETE FROM superseded")


def test_a_version_that_an_older_release_superseded_is_judged_by_its_text(
    archive: Archive,
) -> None:
    put(archive, version="1")
    put(archive, version="2", expires=EARLIER)
    put(archive, version="3", status="withheld")
    put(archive, version="4")
    forget(archive.store.url)
    assert numbers(archive) == ["4", "1"]
    assert archive.store.check() == []


@on_a_file
def test_an_older_store_gets_the_columns_of_its_versions_once(
    archive: Archive, tmp_path: Path
) -> None:
    file = tmp_path / "nutgraf.db"
    put(archive, version="1")
    put(archive, version="2", expires=EARLIER)
    put(archive, version="3", text="Something else.")
    put(archive, version="4", text="Yet another.")
    expected = numbers(archive)
    archive.close()
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT * FROM superseded").fetchall()
        assert len(rows) == 3
        database.executescript(SCHEMA_4)
    Store.migrate(f"sqlite:///{file}")
    archive = Archive.open(Settings(store=f"sqlite:///{file}", engine="memory:"))
    with watched(archive.store) as reads:
        assert numbers(archive) == expected
    assert reads.texts == []
    assert archive.store.check() == []
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT * FROM superseded").fetchall() == rows
    archive.close()


@on_a_file
def test_an_older_store_opens_although_a_version_of_it_is_damaged(
    archive: Archive, tmp_path: Path
) -> None:
    file = tmp_path / "nutgraf.db"
    fill(archive, 3)
    archive.close()
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE versions SET content = '{' WHERE version = '2'")
        database.executescript(SCHEMA_4)
    Store.migrate(f"sqlite:///{file}")
    archive = Archive.open(Settings(store=f"sqlite:///{file}", engine="memory:"))
    assert archive.get("a").article.version == "3"
    assert len(archive.store.check()) == 1
    archive.close()


def test_columns_that_differ_from_the_text_are_reported(
    archive: Archive,
) -> None:
    fill(archive, 2)
    with behind(archive.store.url) as database:
        database.execute("UPDATE superseded SET expires = 1")
    (problem,) = archive.store.check()
    assert "version 1 of a" in problem


def test_columns_go_with_their_version(archive: Archive) -> None:
    fill(archive, 3, keywords=["Zwetschge"])
    archive.kill("a")
    archive.purge("a")
    with behind(archive.store.url) as database:
        assert database.execute("SELECT * FROM superseded").fetchall() == []


def test_a_replaced_version_is_judged_by_its_new_content(archive: Archive) -> None:
    fill(archive, 3)
    changed = {"id": "a", "version": "2", "headline": "New", "expires": EARLIER}
    archive.put([article_of(changed)], force=True)
    assert numbers(archive) == ["3", "1"]
    assert archive.store.check() == []


@pytest.mark.parametrize("before", ["", "9" * 5_000, "a\nb"])
def test_what_no_version_can_be_is_no_place_in_the_list(
    archive: Archive, before: str
) -> None:
    put(archive)
    with pytest.raises(InvalidValue):
        numbers(archive, before=before)


def test_versions_come_in_pages(client: FlaskClient) -> None:
    path = "/v1/articles/urn:test:paged"
    for number in (1, 2, 9, 10):
        body = {"headline": f"Head {number}", "version": number}
        assert client.put(path, json=body).status_code == 200
    page = client.get(f"{path}/versions?limit=3").json
    assert [each["version"] for each in page["versions"]] == ["10", "9", "2"]
    assert page["next"] == "2"
    page = client.get(f"{path}/versions?limit=3&before=2").json
    assert [each["version"] for each in page["versions"]] == ["1"]
    assert page["next"] is None
    assert client.get(f"{path}/versions?before={'9' * 500}").status_code == 400
    assert client.get(f"{path}/versions?limit=1001").status_code == 400
