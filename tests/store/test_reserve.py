"""Room on the disk that is let go when a withdrawal finds the disk full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from articles import article

from index.access import Scope
from index.article import Status, article_of
from index.errors import StoreFull
from index.store import Store
from index.store.sqlite.reserve import RESERVE_BYTES

pytestmark = pytest.mark.slow

DISK_BYTES = 24 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of the test's own."""
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "none", str(disk)]
    made = subprocess.run(["mount", *options], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("mounting a disk needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def store(disk: Path) -> Iterator[Store]:
    """A store on that disk, with some articles and a reserve."""
    store = Store(f"sqlite:///{disk / 'store.db'}")
    store.put([article(f"a{n}", "Words. " * 50) for n in range(200)])
    store.fill_reserve()
    yield store
    store.close()


def fill(disk: Path) -> Path:
    """A file that takes up all that is left of a disk."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    assert shutil.disk_usage(disk).free == 0
    return filler


def refuses_to_write(store: Store) -> bool:
    try:
        for n in range(1_000):  # the write-ahead log may have room for a few
            store.put([article(f"more{n}", "Words. " * 2_000)])
    except StoreFull:
        return True
    return False


def is_withdrawn(store: Store, article_id: str) -> bool:
    with store.reading() as view:
        standing = view.standing(article_id)
    return standing is None or standing.restrictions.status > 0


def test_the_reserve_takes_up_real_blocks(disk: Path, store: Store) -> None:
    (reserve,) = disk.glob("*-reserve")
    assert reserve.stat().st_blocks * 512 >= RESERVE_BYTES
    assert reserve.stat().st_mode & 0o077 == 0


def test_withdrawals_are_taken_on_a_full_disk_one_after_the_other(
    disk: Path, store: Store
) -> None:
    filler = fill(disk)
    assert refuses_to_write(store)
    for n in range(8):
        # Whoever else writes to the disk takes whatever is free.
        store.kill(f"a{n}", note="The figures were wrong.")
        fill(disk)
        assert refuses_to_write(store)
    store.withhold("a8")
    store.delete("a9")
    killed = {"id": "a10", "headline": "Killed", "version": "2", "status": "canceled"}
    store.put([article_of(killed)])
    assert all(is_withdrawn(store, f"a{n}") for n in range(11))
    assert refuses_to_write(store)
    filler.unlink()
    store.put([article("later", "There is room again.")])
    store.fill_reserve()
    assert next(disk.glob("*-reserve")).stat().st_size == RESERVE_BYTES
    assert store.check() == []


def test_writers_that_are_refused_do_not_take_the_room_of_a_kill(
    disk: Path, store: Store
) -> None:
    fill(disk)
    assert refuses_to_write(store)
    done = False

    def write(writer: int) -> None:
        for number in count():
            if done:
                return
            with suppress(StoreFull):
                store.put([article(f"w{writer}-{number}", "Words. " * 2_000)])

    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(write, n) for n in range(4)]
        try:
            for n in range(5):
                store.kill(f"a{n}")
                assert is_withdrawn(store, f"a{n}")
        finally:
            done = True
        for writer in writers:
            writer.result()  # raises what is no refusal


def test_a_withdrawal_without_a_reserve_is_refused_and_leaves_nothing(
    disk: Path, store: Store
) -> None:
    (reserve,) = disk.glob("*-reserve")
    reserve.unlink()
    fill(disk)
    assert refuses_to_write(store)
    while not (killed := kill_fails(store)):
        fill(disk)
    assert not is_withdrawn(store, killed)
    store.fill_reserve()
    assert not reserve.exists()


def kill_fails(store: Store) -> str | None:
    """Id of the first article that cannot be killed."""
    for n in range(200):
        try:
            if not is_withdrawn(store, f"a{n}"):
                store.kill(f"a{n}")
        except StoreFull:
            return f"a{n}"
    return None


def add_large(store: Store, size: int) -> None:
    """Store the article ``large``, whose versions have this size together."""
    for n in range(5):
        text = "x" * (size // 5)
        store.put([article("large", text, version=str(n + 1))])
    store.fill_reserve()


# The larger one is refused for its size, the other after it got all of the reserve.
@pytest.mark.parametrize("size", [RESERVE_BYTES + 1, RESERVE_BYTES - 50_000])
def test_a_withdrawal_too_large_for_the_reserve_leaves_it_to_others(
    disk: Path, store: Store, size: int
) -> None:
    add_large(store, size)
    fill(disk)
    assert refuses_to_write(store)
    with pytest.raises(StoreFull):
        store.delete("large")
    assert not is_withdrawn(store, "large")
    for n in range(10):
        assert refuses_to_write(store)
        store.kill(f"a{n}")
        assert is_withdrawn(store, f"a{n}")
    store.kill("large")
    assert store.check() == []


def test_a_batch_of_kills_too_large_for_the_reserve_leaves_it_to_others(
    disk: Path, store: Store
) -> None:
    fill(disk)
    assert refuses_to_write(store)
    killed = [
        article(f"a{n}", f"{n}" * 600_000, version="2", status=Status.CANCELED)
        for n in range(9)
    ]
    with pytest.raises(StoreFull):
        store.put(killed)
    assert refuses_to_write(store)
    assert next(disk.glob("*-reserve")).stat().st_size == RESERVE_BYTES
    store.kill("a0")


def test_no_other_write_gets_the_room_that_a_withdrawal_left_in_the_log(
    disk: Path, store: Store
) -> None:
    key = store.keys.add("partner", frozenset({Scope.SEARCH})).key
    add_large(store, 1_000_000)
    connections = store._database.connections()  # type: ignore[attr-defined]
    connections.truncate_log()
    fill(disk)
    store.delete("large")
    with connections.engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    fill(disk)  # what is in the log may be written over now, and nothing else
    with pytest.raises(StoreFull):
        store.put([article("small", "Words.")])
    with pytest.raises(StoreFull):
        store.request_rebuild()
    with pytest.raises(StoreFull):
        store.keys.rotate(key.id, overlap=timedelta(0))
    store.withhold("a1")
    store.keys.revoke(key.id)
    assert store.purge("large") == 0


def test_a_store_that_never_had_a_reserve_is_written(disk: Path, store: Store) -> None:
    (reserve,) = disk.glob("*-reserve")
    reserve.unlink()
    filler = fill(disk)
    os.truncate(filler, filler.stat().st_size - RESERVE_BYTES // 2)
    store.fill_reserve()
    assert not reserve.exists()
    store.put([article("small", "Words.")])


def test_a_reserve_that_does_not_fit_leaves_the_disk_as_it_was(
    disk: Path, store: Store
) -> None:
    (reserve,) = disk.glob("*-reserve")
    reserve.unlink()
    filler = fill(disk)
    os.truncate(filler, filler.stat().st_size - RESERVE_BYTES - 4096)
    free = shutil.disk_usage(disk).free
    store.fill_reserve()
    assert shutil.disk_usage(disk).free == free
