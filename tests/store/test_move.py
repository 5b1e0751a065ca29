"""A store moves to another place while it is written to, and nothing of it is lost."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from articles import sent_article as article
from faults.amounts import amount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real import postgresql
from store.histories import ACTION, Desk
from stores import behind

from index import cli
from index.access import Scope
from index.archive import Archive
from index.engines import open_engine
from index.errors import (
    InvalidValue,
    ReleaseOutdated,
    StoreIncomplete,
    StoreMoved,
    StoreMoving,
    StoreReadOnly,
    StoreUnavailable,
)
from index.jobs import Indexer, move_store, store_problems, store_warnings
from index.settings import Settings
from index.store import Move, SetAside, Store, store_differences, undo_move
from index.store.moves import copying, following, move, rows
from index.store.postgresql import PostgreSQL
from index.store.sqlite import SQLite
from index.store.tables import metadata, moves, state

SEARCH = frozenset({Scope.SEARCH})
WORD = "zwetschgenkuchen"
Action = tuple[str, str, int]


class Places(NamedTuple):
    """URLs of the store that moves and of the one that it moves to."""

    old: str
    new: str


class Ground:
    """Where a test finds empty stores, each with a place of its own.

    :param folder: of the stores that are files.
    :param server: a server of the others; ``None`` if the test uses none.
    """

    def __init__(
        self, folder: Path, server: postgresql.Server | None, kinds: tuple[str, str]
    ) -> None:
        self._folder, self._server, self._kinds = folder, server, kinds
        self._count = 0
        self.has_files_only = server is None

    @contextmanager
    def lent(self) -> Iterator[Places]:
        """Lend two stores for the length of a block."""
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        with ExitStack() as lent:
            urls = []
            for kind, name in zip(self._kinds, Places._fields, strict=True):
                if kind == "file":
                    urls.append(f"sqlite:///{folder / f'{name}.db'}")
                else:
                    assert self._server is not None
                    urls.append(lent.enter_context(self._server.lent()))
            yield Places(*urls)


WAYS = [("file", "file"), ("file", "server"), ("server", "file")]


@pytest.fixture(params=WAYS, ids=" to ".join)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    server = None
    if "server" in request.param:
        server = request.getfixturevalue("postgresql_server")
    return Ground(tmp_path, server, request.param)


@pytest.fixture
def places(ground: Ground) -> Iterator[Places]:
    with ground.lent() as places:
        yield places


# Of what only files have.
files_only = pytest.mark.parametrize("ground", WAYS[:1], indirect=True)


@pytest.fixture
def old(places: Places) -> Iterator[Store]:
    with closing(Store(places.old)) as store:
        yield store


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step takes several pages."""
    monkeypatch.setattr(copying, "_PAGE_ARTICLES", 2)
    monkeypatch.setattr(copying, "_PAGE_CHANGES", 3)
    monkeypatch.setattr(following, "_PAGE_CHANGES", 2)
    monkeypatch.setattr(following, "CHUNK", 2)
    monkeypatch.setattr(rows, "_BATCH_ROWS", 2)


def moved(places: Places) -> move.Moved:
    with Move.open(*places) as mover:
        mover.copy()
        mover.follow()
        mover.compare()
        return mover.finish()


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def run_sql(url: str, *statements: str) -> None:
    """Change a store behind its back."""
    with behind(url) as connection:
        for statement in statements:
            connection.execute(statement)


# Whatever was done before and meanwhile.


@settings(
    max_examples=amount(5, 200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parts=st.lists(st.lists(ACTION, max_size=12), min_size=5, max_size=5))
def test_a_store_that_is_written_to_is_the_same_where_it_moved(
    parts: list[list[Action]], ground: Ground, small_pages: None
) -> None:
    with ground.lent() as places:
        is_the_same_where_it_moved(places, *parts)


def is_the_same_where_it_moved(
    places: Places,
    before: list[Action],
    copying_: list[Action],
    following_: list[Action],
    comparing: list[Action],
    last: list[Action],
) -> None:
    desk = Desk(places.old)

    def do(actions: list[Action]) -> None:
        for action in actions:
            desk.do(*action)

    do(before)
    with Move.open(*places) as mover:
        # A page at a time: each is read before the next thing is done.
        mover.copy(lambda done, total: do(copying_[done : done + 2]))
        do(following_)
        mover.follow()
        do(comparing)
        mover.compare()
        stop = mover._stop

        def write_and_stop() -> tuple[float, int] | None:
            do(last)
            return stop()

        mover._stop = write_and_stop  # type: ignore[method-assign]
        report = mover.finish()
    assert list(store_differences(*places)) == []
    with (
        closing(Store(places.new, clock=desk.clock)) as new,
        closing(desk.store) as old,
    ):
        assert new.check() == []
        assert report.seq == new.seq() == old.seq()
        assert new.counts() == old.counts()
        for secret in desk.secrets:
            assert new.keys.find(secret) == old.keys.find(secret)
        for session_id in desk.sessions:
            assert new.sessions.find(session_id) == old.sessions.find(session_id)
        # And it goes on: the next change has the next number.
        new.put([article("another")])
        assert new.seq() > old.seq()


def test_it_moves_back_with_what_was_written_there(
    places: Places, old: Store, tmp_path: Path
) -> None:
    old.put([article("a", "Before.")])
    moved(places)
    with closing(Store(places.new)) as new:
        new.put([article("a", "After."), article("b")])
        new.kill("b")
    back = Places(places.new, f"sqlite:///{tmp_path / 'back.db'}")
    moved(back)
    assert list(store_differences(*back)) == []
    with closing(Store(back.new)) as store, store.reading() as view:
        assert [each.version for each in view.versions("a")] == ["2", "1"]
        assert [each.id for each in view.notices(store.seq() + 1, 9)] == ["b"]


@files_only
def test_every_table_moves_or_says_why_not(places: Places, old: Store) -> None:
    assert {*rows.EVERY_TABLE, state, moves} == set(metadata.tables.values())


# What a purge has erased, and what was withdrawn.


@files_only
@pytest.mark.parametrize("when", ["copied", "followed", "compared"])
def test_a_text_that_is_purged_during_a_move_is_in_no_file_of_the_new_store(
    when: str, places: Places, old: Store
) -> None:
    for version in range(3):
        old.put([article("cake", f"{WORD} {version} " * 500, source=WORD)])
    old.put([article("other")])
    steps = {"copied": "copy", "followed": "follow", "compared": "compare"}
    with Move.open(*places) as mover:
        for name, step in steps.items():
            getattr(mover, step)()
            if name == when:
                assert WORD.encode() in contents(places.new)
                old.kill("cake")
                old.purge("cake")
        mover.finish()
        assert WORD.encode() not in contents(places.new)
    assert list(store_differences(*places)) == []


def contents(url: str) -> bytes:
    """Everything in the files of a store."""
    file = file_of(url)
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))


def test_a_key_that_is_revoked_during_a_move_is_revoked_where_it_moved(
    places: Places, old: Store
) -> None:
    first, second = (old.keys.add(name, SEARCH) for name in ("first", "second"))
    with Move.open(*places) as mover:
        mover.copy()
        mover.follow()
        old.keys.revoke("first")
        third = old.keys.add("third", SEARCH)
        mover.finish()
    with closing(Store(places.new)) as new:
        found = [new.keys.find(each.secret) for each in (first, second, third)]
    assert [key.revoked is None for key in found if key] == [False, True, True]


def test_cursors_and_followers_of_changes_go_on(places: Places, old: Store) -> None:
    old.put([article("a"), article("b")])
    with old.reading() as view:
        key, epoch, log = view.cursor_key, view.epoch, view.changes(0, 10)
    moved(places)
    with closing(Store(places.new)) as new, new.reading() as view:
        assert (view.cursor_key, view.epoch, view.changes(0, 10)) == (key, epoch, log)


# One of the two is written to, never both.


def test_until_a_move_has_ended_nobody_else_can_use_the_new_store(
    places: Places, old: Store
) -> None:
    old.put([article("a")])
    with Move.open(*places) as mover:
        for step in (mover.copy, mover.follow, mover.compare):
            with pytest.raises(StoreIncomplete, match=r"move of .* into this store"):
                Store(places.new)
            step()
        with pytest.raises(StoreIncomplete):
            Store(places.new)
        mover.finish()
        Store(places.new).close()


def test_a_store_that_moved_is_read_on_and_refuses_every_write(
    places: Places, old: Store
) -> None:
    old.put([article("a")])
    key = old.keys.add("desk", SEARCH)
    session_id = old.sessions.begin(key.key)
    moved(places)
    for write in (
        lambda: old.put([article("b")]),
        lambda: old.kill("a"),
        lambda: old.delete("a"),
        lambda: old.withhold("a"),
        lambda: old.purge("a"),
        lambda: old.keys.revoke("desk"),
        lambda: old.sessions.begin(key.key),
        lambda: old.request_rebuild(),
    ):
        with pytest.raises(StoreReadOnly, match="was moved to"):
            write()
    with (
        closing(Store(places.old)) as again,  # as another process has it
        pytest.raises(StoreMoved, match=r"NUTGRAF_STORE.*kill over there"),
    ):
        again.put([article("b")])
    assert old.keys.find(key.secret) is not None
    assert old.sessions.find(session_id) is not None
    assert old.log_ended_embargoes() == 0
    assert old.seq() == 1


def test_writes_are_refused_for_a_moment_and_counted(
    places: Places, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.put([article("a")])
    in_the_stop(monkeypatch, lambda: refused(old, 3))
    report = moved(places)
    assert report.refused == 3
    assert report.stopped > 0
    assert old.seq() == 1


def refused(store: Store, times: int) -> None:
    for _ in range(times):
        with pytest.raises(StoreMoving, match="again: writes are stopped for at most"):
            store.put([article("b")])


def in_the_stop(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Do something while writes are stopped, after all was copied."""
    check = following.Follower.check

    def check_after(self: following.Follower, ids: Any) -> None:
        check(self, ids)
        do()

    monkeypatch.setattr(following.Follower, "check", check_after)


def test_writes_go_on_by_themselves_if_the_mover_is_gone(
    places: Places, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move, "STOP_SECONDS", 0)
    written: list[int] = []
    in_the_stop(monkeypatch, lambda: written.append(len(old.put([article("a")]))))
    with pytest.raises(StoreUnavailable, match=r"stopped 3 times for 0 s.* they go on"):
        moved(places)
    assert len(written) == 3
    old.put([article("b")])
    with pytest.raises(StoreIncomplete):
        Store(places.new)
    monkeypatch.undo()
    moved(places)
    assert list(store_differences(*places)) == []


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), KeyboardInterrupt()])
def test_writes_go_on_if_the_end_of_a_move_fails(
    error: BaseException, places: Places, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    old.put([article("a")])
    in_the_stop(monkeypatch, fail)
    with pytest.raises(type(error)):
        moved(places)
    old.put([article("b")])
    monkeypatch.undo()
    moved(places)
    assert list(store_differences(*places)) == []


def test_releases_that_do_not_know_moves_are_shut_out_from_its_beginning(
    places: Places, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.put([article("a")])
    with Move.open(*places):
        monkeypatch.setattr("index.store.schema.SCHEMA", 7)
        with pytest.raises(ReleaseOutdated):
            old.put([article("b")])


# Interruptions.


def killed_after(places: Places, commits: int) -> bool:
    """Move in a process that is gone after some commits; return whether it was."""
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) in (0, 9)
        return os.waitstatus_to_exitcode(status) == 9
    code = 1
    try:
        left = commits

        def counted(writing: Any) -> Any:
            @contextmanager
            def write(self: Any, **options: Any) -> Iterator[Any]:
                nonlocal left
                with writing(self, **options) as connection:
                    yield connection
                left -= 1
                if left <= 0:
                    os._exit(9)

            return write

        for kind in (SQLite, PostgreSQL):
            kind.writing = counted(kind.writing)  # type: ignore[method-assign]
        moved(places)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def test_a_mover_that_is_killed_anywhere_leaves_one_store_in_use(
    ground: Ground, small_pages: None
) -> None:
    commits, ends = 0, set()
    is_killed = True
    step = 1 if ground.has_files_only else amount(6, 1)
    while is_killed:
        commits += step
        with ground.lent() as places:
            is_killed, *end = one_is_in_use_after(places, commits)
            ends.add(tuple(end))
    # In use, neither for the moment until the command is run again, and moved.
    possible = {(False, True), (False, False), (True, False)}
    assert ends == possible if step == 1 else ends < possible
    assert commits > 10


def one_is_in_use_after(places: Places, commits: int) -> tuple[bool, bool, bool]:
    """Kill a mover; return whether it was, and which store was in use, new and old."""
    desk = Desk(places.old)
    for n, action in enumerate(["put", "put", "kill", "key", "session", "purge"]):
        desk.do(action, "ab"[n % 2], n)
    desk.store.close()
    is_killed = killed_after(places, commits)
    try:
        with closing(Store(places.new)) as new:
            is_open = new.seq() > 0  # before the move began it was empty
    except StoreIncomplete:
        is_open = False
    with closing(Store(places.old)) as old:
        # The time for which writes may be stopped is over.
        run_sql(places.old, "UPDATE moves SET until = 0 WHERE until > 0")
        try:
            old.put([article("since")])
            is_used = True
        except StoreMoved:
            is_used = False
        assert not (is_open and is_used)
        report = moved(places)
        assert list(store_differences(*places)) == []
        with closing(Store(places.new)) as new:
            assert new.seq() == report.seq == old.seq()
            new.put([article("next")])
    return is_killed, is_open, is_used


def test_a_second_mover_into_the_same_store_is_refused(
    places: Places, old: Store
) -> None:
    with Move.open(*places) as mover:
        with pytest.raises(StoreUnavailable, match="another move uses"):
            moved(places)
        mover.copy()
        mover.follow()
        mover.finish()
    assert list(store_differences(*places)) == []


def test_of_two_movers_to_different_stores_one_moves_the_store(
    places: Places, old: Store, tmp_path: Path
) -> None:
    old.put([article("a")])
    other = Places(places.old, f"sqlite:///{tmp_path / 'other.db'}")
    with Move.open(*places) as first, Move.open(*other) as second:
        for mover in (first, second):
            mover.copy()
            mover.follow()
        first.finish()
        with pytest.raises(StoreUnavailable, match="another move of this store"):
            second.finish()
    with pytest.raises(StoreMoved, match="was moved to"):
        moved(other)
    with pytest.raises(StoreIncomplete):
        Store(other.new)


@files_only
def test_a_move_begins_anew_if_a_backup_is_restored_meanwhile(
    places: Places, old: Store, tmp_path: Path
) -> None:
    old.put([article("a")])
    old.take_backup(tmp_path / "backup.db")
    old.put([article("b"), article("c")])
    with Move.open(*places) as mover:
        mover.copy()
        old.restore_backup(tmp_path / "backup.db")
        old.put([article("d")])
        with pytest.raises(StoreUnavailable, match=r"restored .* begins anew"):
            mover.follow()
    moved(places)
    assert list(store_differences(*places)) == []


# What is refused.


def test_a_store_that_is_not_empty_is_not_moved_into(
    places: Places, old: Store
) -> None:
    with closing(Store(places.new)) as new:
        new.keys.add("desk", SEARCH)
        with pytest.raises(InvalidValue, match="not empty"):
            moved(places)
        assert len(new.keys.all()) == 1


@files_only
@pytest.mark.parametrize("name", ["old.db", "./old.db", "link.db", "copy.db"])
def test_a_store_is_not_moved_into_itself_or_a_copy(
    name: str, places: Places, old: Store
) -> None:
    folder = file_of(places.old).parent
    (folder / "link.db").symlink_to(folder / "old.db")
    run_sql(places.old, f"VACUUM INTO '{folder / 'copy.db'}'")
    (folder / "copy.db").chmod(0o600)
    with pytest.raises(InvalidValue, match="the store itself"):
        moved(Places(places.old, f"sqlite:///{folder}/{name}"))
    old.put([article("a")])


def test_a_store_that_was_moved_is_not_filled_again(places: Places, old: Store) -> None:
    moved(places)
    with pytest.raises(InvalidValue, match="itself moved, to"):
        moved(Places(places.new, places.old))


@files_only
def test_a_disk_that_is_too_small_is_refused(
    places: Places, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.put([article("a", "Words. " * 100_000)])
    usage = type("Usage", (), {"free": 1_000})
    monkeypatch.setattr(move, "disk_usage", lambda _: usage)
    with pytest.raises(InvalidValue, match="0 MB free"):
        moved(places)


def test_a_move_that_cannot_keep_up_says_so(
    places: Places, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move, "_LITTLE", 0)
    round_ = following.Follower.round

    def round_and_write(self: following.Follower, **options: bool) -> set[str]:
        copied = round_(self, **options)
        old.put([article("a", f"Text {old.seq()}.")])
        return copied

    monkeypatch.setattr(following.Follower, "round", round_and_write)
    with Move.open(*places) as mover:
        mover.copy()
        with pytest.raises(StoreUnavailable, match="faster than they can be copied"):
            mover.follow()


# The way back.


def test_a_move_is_undone_as_long_as_nothing_was_written_there(
    places: Places, old: Store
) -> None:
    old.put([article("a")])
    moved(places)
    undo_move(*places)
    old.put([article("b")])
    with pytest.raises(StoreIncomplete):
        Store(places.new)
    moved(places)
    assert list(store_differences(*places)) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda new: new.put([article("b")]),
        lambda new: new.kill("unknown"),
        lambda new: new.keys.revoke("desk"),
        lambda new: new.purge("killed"),
    ],
)
def test_a_move_is_not_undone_if_that_would_lose_a_write(
    write: Callable[[Store], object], places: Places, old: Store
) -> None:
    old.put([article("a"), article("killed")])
    old.kill("killed")
    old.keys.add("desk", SEARCH)
    moved(places)
    with closing(Store(places.new)) as new:
        write(new)
        with pytest.raises(InvalidValue, match="written to since the move"):
            undo_move(*places)
        new.put([article("c")])
    with pytest.raises(StoreMoved):
        old.put([article("c")])


def test_what_was_not_moved_is_not_undone(places: Places, old: Store) -> None:
    with pytest.raises(InvalidValue, match="was not moved there"):
        undo_move(*places)
    old.put([article("a")])


# Comparison.


@files_only
def test_every_difference_between_two_stores_is_found(
    places: Places, old: Store
) -> None:
    desk = Desk(places.old)
    for n, action in enumerate(
        ["put", "version", "kill", "original", "key", "session", "embargo"]
    ):
        desk.do(action, "b" if action == "kill" else "a", n)
    old.put([article("a", "Other.", version="1")], force=True)
    moved(places)
    for table in rows.EVERY_TABLE:
        with closing(sqlite3.connect(file_of(places.new))) as connection:
            ((count,),) = connection.execute(f"SELECT count(*) FROM {table.name}")
        assert count, table.name
        for column in table.columns:
            if column.primary_key:
                continue
            value = {"BLOB": "x'07'", "BOOLEAN": f"1 - {column.name}"}.get(
                str(column.type), "7"
            )
            differs = file_of(places.new).with_name("differs.db")
            differs.unlink(missing_ok=True)
            run_sql(places.new, f"VACUUM INTO '{differs}'")
            differs.chmod(0o600)
            url = f"sqlite:///{differs}"
            run_sql(
                url,
                f'UPDATE {table.name} SET "{column.name}" = {value}',
            )
            found = list(store_differences(places.old, url))
            assert {(each.table, *each.columns) for each in found} == {
                (table.name, column.name)
            }
        run_sql(url, f"DELETE FROM {table.name}")
        missing = [d for d in store_differences(places.old, url) if d.missing]
        assert len([d for d in missing if d.table == table.name]) == count
        assert [d for d in store_differences(url, places.old) if d.missing is False]


def test_a_difference_is_named_by_its_key(places: Places, old: Store) -> None:
    old.put([article("a"), article("b")])
    moved(places)
    run_sql(places.new, "UPDATE versions SET headline = 'Other' WHERE id = 'a'")
    (found,) = map(str, store_differences(*places))
    assert found == "versions 'a', '1' differs in headline"


def test_a_copy_that_differs_is_not_switched_over_to(
    places: Places, old: Store
) -> None:
    old.put([article("a")])
    with Move.open(*places) as mover:
        mover.copy()
        run_sql(places.new, "UPDATE versions SET headline = 'Other'")
        with pytest.raises(StoreUnavailable, match="versions 'a', '1' differs"):
            mover.compare()
    old.put([article("b")])


# The index, the service and the command.


def test_the_index_of_the_old_store_goes_on_with_the_new_one(
    places: Places, old: Store, tmp_path: Path
) -> None:
    old.put([article("a"), article("b")])
    with closing(open_engine(f"whoosh:{tmp_path / 'index'}")) as engine:
        Indexer(old, engine).catch_up()
        aside = SetAside(
            id="b", version="1", digest="d", reason="r", at="now", release="0"
        )
        with old.reading() as view:
            old.quarantine.put(view.epoch, aside)
        move_store(*places)
        with closing(Store(places.new)) as new, new.reading() as view:
            assert new.quarantine.articles(view.epoch) == {"b": aside}
            new.quarantine.release(view.epoch, "b")
            assert list(store_problems(new, engine)) == []
            assert Indexer(new, engine).step() == 0


def test_a_new_index_is_ready_when_the_new_store_opens(
    places: Places, old: Store, tmp_path: Path
) -> None:
    old.put([article("a"), article("b")])
    old.kill("b")
    url = f"whoosh:{tmp_path / 'index'}"
    move_store(*places, open_engine=lambda: open_engine(url))
    with closing(Store(places.new)) as new, closing(open_engine(url)) as engine:
        assert list(store_problems(new, engine)) == []
        assert Indexer(new, engine).step() == 0
        assert new.rebuild_finished() == new.rebuild_requested()


def test_the_indexer_of_a_store_that_moved_finds_nothing_to_do(
    places: Places, old: Store
) -> None:
    old.put([article("a")])
    with closing(open_engine("memory:")) as engine:
        indexer = Indexer(old, engine)
        indexer.catch_up()
        old.request_rebuild()
        moved(places)
        assert indexer.step() == 0
        warnings = list(store_warnings(old, engine))
        assert [each for each in warnings if "was moved to" in each]


def test_a_service_goes_on_answering_and_says_that_its_store_was_moved(
    places: Places, old: Store
) -> None:
    settings_ = Settings(store=places.old, engine="memory:")
    old.put([article("a")])
    archive = Archive.open(settings_)
    Indexer(archive.store, archive.engine).catch_up()
    moved(places)
    condition = archive.condition()
    assert any("was moved" in each for each in condition.warnings)
    assert not any("moved" in each for each in condition.problems)
    archive.tend()
    archive.close()


@files_only
def test_no_backup_is_restored_into_a_store_that_moved(
    places: Places, old: Store, tmp_path: Path
) -> None:
    old.put([article("a")])
    old.take_backup(tmp_path / "backup.db")
    moved(places)
    with pytest.raises(StoreReadOnly, match="moved"):
        old.restore_backup(tmp_path / "backup.db")
    assert list(store_differences(*places)) == []


@files_only
def test_a_backup_of_a_store_that_moved_can_be_restored_elsewhere(
    places: Places, old: Store, tmp_path: Path
) -> None:
    old.put([article("a")])
    moved(places)
    old.take_backup(tmp_path / "backup.db")
    with closing(Store(f"sqlite:///{tmp_path / 'third.db'}")) as third:
        third.restore_backup(tmp_path / "backup.db")
        third.put([article("b")])
        assert third.check() == []


def run(places: Places, *arguments: str) -> int:
    environ = {"NUTGRAF_STORE": places.old, "NUTGRAF_ENGINE": "whoosh:unused"}
    return cli.main([*arguments], environ)


def test_the_command_moves_verifies_and_goes_back(
    places: Places, old: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    old.put([article("a")])
    assert run(places, "move", "--to", places.new) == 0
    out = capsys.readouterr().out
    assert "1 article, 1 version up to change 1 are in" in out
    assert "0 writes got 503 store_moving" in out
    assert "set NUTGRAF_STORE to the new place" in out
    run_sql(places.new, "UPDATE versions SET headline = 'Other'")
    run(places, "verify", "--against", places.new)
    assert "versions 'a', '1' differs in headline" in capsys.readouterr().out
    assert run(places, "move", "--to", places.new, "--undo") == 0
    assert "accepts writes again" in capsys.readouterr().out
    old.put([article("b")])


def test_the_command_prints_no_password_of_an_index(
    places: Places, old: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = "opensearch+http://u:secret@127.0.0.1:1/news"
    environ = {"NUTGRAF_STORE": places.old, "NUTGRAF_ENGINE": engine}
    command = ["move", "--json", "--to", places.new, "--engine", engine]
    assert cli.main(command, environ) == 1
    printed = "".join(capsys.readouterr())
    assert "leave --engine out" in printed
    assert "secret" not in printed


@pytest.mark.parametrize("engine", ["memory:", "whoosh:unused"])
def test_the_command_refuses_an_index_that_cannot_be_the_new_one(
    engine: str, places: Places, old: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(places, "move", "--to", places.new, "--engine", engine) == 1
    assert "--engine" in capsys.readouterr().err
    old.put([article("a")])
