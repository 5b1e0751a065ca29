"""The files of the Whoosh engine: commits, generations, processes."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from articles import article
from checkout import ROOT
from engines.kinds import NOW
from engines.whoosh.indexes import ids_with, opened
from faults.amounts import amount
from whoosh.index import open_dir
from whoosh.query import Term as WhooshTerm

from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.writing.writer import MERGE_FACTOR
from index.errors import IndexerRunning, IndexUnavailable
from index.query import All, Phrase, Search, Term

READ = amount(30, 60)  # generations that readers see come and go


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[WhooshEngine]:
    opened_engine = opened(folder)
    opened_engine.rebuild([], seq=0, total=0)
    yield opened_engine
    opened_engine.close()


def test_there_is_no_index_before_the_first_build(folder: Path) -> None:
    engine = opened(folder)
    assert engine.state().stale == "there is no index yet; the indexer builds it"
    with pytest.raises(IndexUnavailable):
        engine.snapshot()


def test_the_folder_is_for_its_owner_only(engine: WhooshEngine, folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_another_process_sees_a_commit_at_once(
    engine: WhooshEngine, folder: Path
) -> None:
    reader = opened(folder)
    for n in range(30):
        engine.apply([article(f"a{n}", "truce")], (), seq=n + 1)
        assert len(ids_with(reader, "truce")) == n + 1
        assert reader.snapshot().seq == n + 1


def test_a_reader_lets_go_of_removed_files_and_opens_no_other_for_it(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.apply([article("a", "truce")], (), seq=1)
    reader = opened(folder)
    assert ids_with(reader, "truce") == ["a"]
    before = reader._newest
    reader.let_go()
    assert reader._newest is before is not None  # nothing was removed
    engine.rebuild([article("b", "truce")], seq=2, total=1)
    del before
    maps = Path("/proc/self/maps")
    old = [segment.file.path.name for segment in reader._segments.values()]
    assert maps.read_text("utf-8").count(f"{old[0]} (deleted)") > 0
    monkeypatch.setattr(WhooshEngine, "_open_newest", None)
    reader.let_go()
    engine.let_go()
    monkeypatch.undo()
    assert maps.read_text("utf-8").count(f"{old[0]} (deleted)") == 0
    assert ids_with(reader, "truce") == ["b"]
    reader.close()


def test_an_index_for_another_language_must_be_rebuilt(
    engine: WhooshEngine, folder: Path
) -> None:
    engine.apply([article("a", "truce")], (), seq=1)
    other = opened(folder, language="de")
    assert "of another version or language" in str(other.state().stale)
    other.rebuild([article("b", "truce")], seq=2, total=1)
    assert ids_with(other, "truce") == ["b"]
    assert engine.state().stale is not None


def test_an_index_of_another_analyzer_must_be_rebuilt(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.engines.whoosh.engine.ANALYZER_VERSION", -1)
    other = opened(folder)
    assert "another version" in str(other.state().stale)
    other.rebuild([article("b", "truce")], seq=2, total=1)
    assert ids_with(other, "truce") == ["b"]


# Whoosh leaves the file it could not read to the garbage collector.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("harm", ["truncated", "emptied", "removed", "altered"])
@pytest.mark.parametrize("kind", ["toc", "seg", "json"])
def test_a_damaged_index_is_refused_and_a_rebuild_repairs_it(
    engine: WhooshEngine, folder: Path, kind: str, harm: str
) -> None:
    engine.apply([article("a", "truce talks"), article("b", "truce")], (), seq=1)
    path = max(folder.glob(f"*.{kind}"), key=lambda each: each.stat().st_mtime_ns)
    whole = path.read_bytes()
    path.unlink()
    if harm != "removed":
        altered = bytes(255 - byte for byte in whole)
        path.write_bytes(
            {"truncated": whole[: len(whole) // 2], "emptied": b"", "altered": altered}[
                harm
            ]
        )
    reader = opened(folder)
    with pytest.raises(IndexUnavailable):
        ids_with(reader, "truce")
    reader.rebuild([article("a", "truce")], seq=2, total=1)
    assert ids_with(reader, "truce") == ["a"]
    assert reader.state().stale is None
    gc.collect()


def test_the_folder_can_be_deleted_at_any_time(
    engine: WhooshEngine, folder: Path
) -> None:
    engine.apply([article("a", "truce")], (), seq=1)
    assert ids_with(engine, "truce") == ["a"]
    shutil.rmtree(folder)
    with pytest.raises(IndexUnavailable):
        engine.snapshot()
    with pytest.raises(IndexUnavailable):
        engine.apply([article("b", "truce")], (), seq=2)
    engine.rebuild([article("c", "truce")], seq=2, total=1)
    assert ids_with(engine, "truce") == ["c"]


def test_a_generation_is_not_taken_for_another_of_the_same_number(
    engine: WhooshEngine, folder: Path
) -> None:
    engine.apply([article("a", "truce")], (), seq=1)
    reader = opened(folder)
    assert ids_with(reader, "truce") == ["a"]
    shutil.rmtree(folder)
    engine.rebuild([], seq=1, total=0)
    engine.apply([article("b", "truce")], (), seq=2)
    assert ids_with(reader, "truce") == ["b"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("at", range(0, 100, 7))
def test_damage_anywhere_in_a_segment_is_detected_or_harmless(
    engine: WhooshEngine, folder: Path, at: int
) -> None:
    for n in range(MERGE_FACTOR - 1):
        engine.apply([article(f"a{n}", f"truce number{n}")], (), seq=n + 1)
    path = max(folder.glob("*.seg"), key=lambda each: each.stat().st_mtime_ns)
    whole = bytearray(path.read_bytes())
    place = len(whole) * at // 100
    whole[place : place + 3] = b"\xff\x00\xff"
    path.unlink()
    path.write_bytes(whole)
    again = opened(folder)
    with suppress(IndexUnavailable):
        assert set(ids_with(again, "truce")) <= {f"a{n}" for n in range(MERGE_FACTOR)}
    with suppress(IndexUnavailable):  # this one merges them all
        again.apply([article("new", "truce")], (), seq=99)
    again.rebuild([article("new", "truce")], seq=99, total=1)
    assert ids_with(again, "truce") == ["new"]
    gc.collect()


def test_files_are_synced_before_the_table_of_contents_names_them(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    log: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle: int) -> None:
        log.append("sync " + Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    def noted_replace(old: Path, new: Path) -> None:
        log.append("name " + Path(new).name)
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    engine.apply([article("a", "truce")], (), seq=1)
    (segment,) = (path.name for path in folder.glob("*.seg"))
    assert log == [
        f"sync .{segment}",
        f"name {segment}",
        "sync ._MAIN_1.json",
        "name _MAIN_1.json",
        "sync index",
        "sync ._MAIN_1.toc",
        "name _MAIN_1.toc",
        "sync index",
    ]


@pytest.mark.slow
def test_a_second_writer_is_refused(engine: WhooshEngine, folder: Path) -> None:
    program = (
        "import sys, whoosh.index as w;"
        f"ix = w.open_dir({str(folder)!r}); lock = ix.lock('WRITELOCK');"
        "assert lock.acquire(); print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(IndexerRunning):
            engine.apply([article("a", "truce")], (), seq=1)
        holder.stdin.close()
    engine.apply([article("a", "truce")], (), seq=1)
    assert ids_with(engine, "truce") == ["a"]


def test_stock_whoosh_opens_and_searches_the_index(
    engine: WhooshEngine, folder: Path
) -> None:
    engine.apply([article("a", "truce talks"), article("b", "truce")], (), seq=1)
    with open_dir(folder).searcher() as searcher:
        results = searcher.search(WhooshTerm("text", "truce"))
        assert len(results) == 2


@pytest.mark.slow
def test_segments_are_merged_and_deleted_articles_purged(
    engine: WhooshEngine, folder: Path
) -> None:
    for n in range(100):
        engine.apply([article(f"a{n % 10}", f"truce version{n}")], (), seq=n + 1)
    state = engine.state()
    assert (state.articles, state.seq) == (10, 100)
    assert state.segments < 20
    # Besides segments: the table of contents, its metadata and the lock.
    assert len(list(folder.iterdir())) == state.segments + 3
    assert ids_with(engine, "version99") == ["a9"]
    assert ids_with(engine, "version9") == []


@pytest.mark.slow
def test_searches_continue_while_the_index_changes(
    engine: WhooshEngine, folder: Path
) -> None:
    # Each article names its generation in two paragraphs. An answer with two
    # generations, or without some of the ten articles, would mix states.
    def generation(n: int) -> list:  # type: ignore[type-arg]
        return [article(f"a{k}", f"truce gen{n}", f"again gen{n}") for k in range(10)]

    engine.apply(generation(0), (), seq=1)
    reader = opened(folder)
    stop = threading.Event()
    wrong: list[object] = []

    def look() -> None:
        while not stop.is_set():
            snapshot = reader.snapshot()
            n = snapshot.seq - 1
            page = snapshot.search(Search(query=Term("truce"), now=NOW, limit=100))
            these = snapshot.search(
                Search(query=Phrase(("truce", f"gen{n}")), now=NOW, limit=100)
            )
            if page.articles != 10 or these.articles != 10:
                wrong.append((n, page.articles, these.articles))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(1, 25):
            engine.apply(generation(n), (), seq=n + 1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


# Each generation has ten articles of two paragraphs, and one that the next deletes.
WRITER = """
import sys
from pathlib import Path
from articles import article
from engines.whoosh.indexes import opened
engine = opened(Path(sys.argv[1]))
for n in range(1, 100_000):
    batch = [article(f"a{k}", f"truce gen{n}", f"again gen{n}") for k in range(10)]
    engine.apply([*batch, article(f"b{n}", f"truce only{n}")], [f"b{n - 1}"], seq=n)
"""


@pytest.mark.slow
def test_readers_see_one_generation_while_another_process_writes(
    engine: WhooshEngine, folder: Path
) -> None:
    tests = ROOT / "tests"
    stop = threading.Event()
    wrong: list[object] = []
    generations: list[list[int]] = [[] for _ in range(3)]
    merged: set[int] = set()

    def look(seen: list[int]) -> None:
        reader = opened(folder)
        try:
            while not stop.is_set():
                snapshot = reader.snapshot()
                n = snapshot.seq
                counts = [
                    (page.articles, page.paragraphs)
                    for query in (
                        Term("truce"),
                        Phrase(("truce", f"gen{n}")),
                        Term(f"gen{n}"),
                        Term(f"only{n}"),
                        Term(f"only{n - 1}"),
                        All(),
                    )
                    for page in [
                        snapshot.search(Search(query=query, now=NOW, limit=100))
                    ]
                ]
                seen.append(n)
                merged.add(reader.state().segments)
                right = [(11, 11), (10, 10), (10, 20), (1, 1), (0, 0), (11, 21)]
                if n and counts != right:
                    wrong.append((n, counts))
        except Exception as error:
            wrong.append(error)
            raise
        finally:
            reader.close()

    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WRITER, str(folder)],
        env={**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"},
    ) as writer:
        threads = [threading.Thread(target=look, args=(each,)) for each in generations]
        for thread in threads:
            thread.start()
        try:
            deadline = time.monotonic() + 30
            while not all(each[-1:] > [READ] for each in generations):
                assert writer.poll() is None
                assert not wrong
                assert time.monotonic() < deadline, generations
                time.sleep(0.05)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            writer.kill()
    assert wrong == []
    for each in generations:
        assert each == sorted(each)
        assert len(set(each)) > READ // 10
    assert max(merged) < MERGE_FACTOR + 2
    # The index is undamaged although its writer was killed.
    assert opened(folder).snapshot().seq >= READ
    engine.apply([article("b", "truce")], (), seq=10**6)
    assert len(list(folder.iterdir())) == engine.state().segments + 3


def test_progress_of_a_rebuild_shows_in_other_processes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.engines.whoosh.engine._PROGRESS_SECONDS", 0.0)
    engine, reader = opened(folder), opened(folder)
    seen: list[float | None] = []

    def check_progress(done: int) -> None:
        seen.append(reader.state().progress)
        with pytest.raises(IndexUnavailable) as caught:
            reader.snapshot()
        assert caught.value.progress == seen[-1]

    engine.rebuild(
        (article(f"a{n}", "x") for n in range(4)),
        seq=1,
        total=4,
        progress=check_progress,
    )
    assert seen == [0.25, 0.5, 0.75, 1.0]
    assert reader.state().progress is None
    page = reader.snapshot().search(Search(query=All(), now=NOW))
    assert page.articles == 4
