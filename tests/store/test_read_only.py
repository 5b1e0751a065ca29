"""A store on a disk that becomes read-only, and writable again."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from archives import put
from sqlalchemy import text

from index.archive import Archive
from index.errors import StoreReadOnly
from index.settings import Settings
from index.store.sqlite.connections import Connections
from index.store.sqlite.creation import create

pytestmark = pytest.mark.slow


def mount(*words: str) -> bool:
    """Whether the mount was made; only root may, and not in every container."""
    run = subprocess.run(["mount", *words], capture_output=True, check=False)
    return run.returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A second way to the folder ``home``, which is a mount of its own."""
    home, disk = tmp_path / "home", tmp_path / "disk"
    home.mkdir(mode=0o700)
    disk.mkdir(mode=0o700)
    if not mount("--bind", str(home), str(disk)):
        pytest.skip("mounting a folder needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@contextmanager
def reading_process(file: Path) -> Iterator[None]:
    """Another process that has the store open: SQLite keeps the write-ahead log."""
    code = (
        "import sqlite3, sys; store = sqlite3.connect(sys.argv[1]);"
        "store.execute('SELECT * FROM state').fetchall(); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.kill()


@contextmanager
def constant_reads(archive: Archive) -> Iterator[None]:
    """Four threads that read all the time, so that some read never ends first."""
    stop = threading.Event()

    def read() -> int:
        reads = 0
        while not stop.is_set():
            with archive.store.reading() as view:
                reads += view.count()
        return reads

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(read) for _ in range(4)]
        try:
            yield
        finally:
            stop.set()
        assert all(reader.result() for reader in readers)


def remount(folder: Path, mode: str) -> None:
    assert mount("-o", f"remount,bind,{mode}", str(folder))


def test_a_store_that_was_read_only_is_written_again_without_a_restart(
    disk: Path, tmp_path: Path
) -> None:
    settings = Settings(store=f"sqlite:///{disk}/n.db", engine="memory:")
    with (
        closing(Archive.open(settings)) as archive,
        reading_process(tmp_path / "home" / "n.db"),
    ):
        put(archive, "before")
        archive.store.close()  # as in a new worker, the next connections are new
        remount(disk, "ro")
        assert not os.access(disk, os.W_OK)
        with pytest.raises(StoreReadOnly, match="no restart is needed"):
            put(archive, "during")
        assert archive.counts().articles == 1
        assert "read-only" in archive.condition().problems[0]
        with constant_reads(archive):
            remount(disk, "rw")
            assert put(archive, "after") == "created"
        assert archive.counts().articles == 2
        assert "read-only" not in " ".join(archive.condition().problems)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("reads", [0, 1, 7])
@pytest.mark.parametrize("refusals", [1, 2, 5])
def test_neither_reads_nor_refusals_keep_a_store_read_only(
    disk: Path, tmp_path: Path, reads: int, refusals: int
) -> None:
    settings = Settings(store=f"sqlite:///{disk}/n.db", engine="memory:")
    with (
        closing(Archive.open(settings)) as archive,
        reading_process(tmp_path / "home" / "n.db"),
        without_garbage_collection(),
    ):
        put(archive, "before")
        archive.store.close()
        remount(disk, "ro")
        for _ in range(reads):
            archive.store.seq()
        refused = []  # and kept, with all that their tracebacks hold
        for _ in range(refusals):
            with pytest.raises(StoreReadOnly) as error:
                archive.kill("before")
            refused.append(error)
        remount(disk, "rw")
        archive.kill("before")
        assert archive.counts().articles == 1
        assert len(refused) == refusals


@pytest.mark.parametrize("finds_out", ["write", "upkeep"])
def test_a_store_is_called_read_only_until_a_write_is_accepted(
    disk: Path, tmp_path: Path, finds_out: str
) -> None:
    settings = Settings(store=f"sqlite:///{disk}/n.db", engine="memory:")
    with (
        closing(Archive.open(settings)) as archive,
        reading_process(tmp_path / "home" / "n.db"),
    ):
        archive.store.close()
        remount(disk, "ro")
        with pytest.raises(StoreReadOnly):
            put(archive, "during")
        archive.tend()
        remount(disk, "rw")
        assert "read-only" in archive.condition().problems[0]
        if finds_out == "write":
            put(archive, "after")
        else:
            archive.tend()
        assert "read-only" not in " ".join(archive.condition().problems)


def open_handles(file: Path) -> int:
    handles = list(Path("/proc/self/fd").iterdir())
    return sum(h.readlink() == file for h in handles if h.is_symlink())


def test_a_write_that_was_refused_leaves_no_handle_open(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    tmp_path.chmod(0o700)
    create(file)
    connections = Connections(file)
    with without_garbage_collection():
        with (
            pytest.raises(StoreReadOnly) as refused,
            connections.writing() as connection,
        ):
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.execute(text("UPDATE state SET value = value"))
        connections.close()
        assert open_handles(file) == 0
        assert "read-only" in str(refused.value)


def test_a_reader_of_a_read_only_time_closes_its_connection(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    tmp_path.chmod(0o700)
    create(file)
    connections = Connections(file)
    with without_garbage_collection():
        with connections.reading() as early:
            early.execute(text("SELECT * FROM state")).all()
            connections._drain()
            assert open_handles(file) == 1
        assert open_handles(file) == 0


def test_a_store_that_was_closed_says_that_its_disk_is_read_only(disk: Path) -> None:
    settings = Settings(store=f"sqlite:///{disk}/n.db", engine="memory:")
    with closing(Archive.open(settings)) as archive:
        put(archive, "before")
        archive.store.close()  # as at a clean stop: there is no write-ahead log
        remount(disk, "ro")
        for opens in (
            lambda: Archive.open(settings),
            archive.counts,
            lambda: put(archive, "during"),
        ):
            with pytest.raises(
                StoreReadOnly, match="make its disk and folder writable"
            ):
                opens()
        (problem,) = archive.store.check()
        assert "read-only" in problem
        remount(disk, "rw")
        assert archive.counts().articles == 1
        assert put(archive, "after") == "created"
    with closing(Archive.open(settings)) as archive:
        assert archive.counts().articles == 2


def test_what_cannot_be_created_on_a_read_only_disk_says_so(disk: Path) -> None:
    settings = Settings(store=f"sqlite:///{disk}/n.db", engine="memory:")
    with closing(Archive.open(settings)) as archive:
        remount(disk, "ro")
        with pytest.raises(StoreReadOnly, match="lock"), archive.store.indexer_lock():
            pass
        other = Settings(store=f"sqlite:///{disk}/other.db", engine="memory:")
        with pytest.raises(StoreReadOnly, match="NUTGRAF_STORE"):
            Archive.open(other)
