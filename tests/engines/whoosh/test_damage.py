"""Damaged files: detected, never answered from, rebuilt."""

from __future__ import annotations

import errno
import logging
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from articles import article
from engines.kinds import NOW
from engines.whoosh.indexes import filled, ids_with, opened
from faults.amounts import amount
from waiting import until

from index.archive import Archive
from index.article import article_of
from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.files import scrub
from index.engines.whoosh.files.arrays import HEADER
from index.engines.whoosh.files.scrub import Scrub
from index.engines.whoosh.files.segment import Segment
from index.engines.whoosh.searching.evaluation import Evaluation
from index.engines.whoosh.writing.writer import MERGE_FACTOR
from index.errors import IndexDamaged, IndexUnavailable
from index.jobs import Indexer, store_problems
from index.query import All, And, Not, Phrase, Prefix, Request, Search, Sort, Term
from index.settings import Settings
from index.store import Store

pytestmark = pytest.mark.slow

SEED = 20160929
FLIPS = amount(60, 2_000)  # bits that are flipped, each on its own, in each way
HEALED_EVERY = 10  # of those every so many are followed by a rebuild

QUERIES = (
    All(),
    *(Term(word) for word in ("truce", "talks", "harbour", "run", "only3", "nowhere")),
    Phrase(("truce", "talks")),
    Prefix("har"),
    And((Term("truce"), Not(Term("only4")))),
)


def answers(engine: WhooshEngine) -> object:
    snapshot = engine.snapshot()
    pages = [
        snapshot.search(Search(query=query, now=NOW, limit=100, sort=sort))
        for query in QUERIES
        for sort in (Sort.RELEVANCE, Sort.NEWEST)
    ]
    every = Search(query=All(), now=NOW, limit=0)
    return (
        snapshot.seq,
        pages,
        snapshot.completions("o", every, 20),
        list(snapshot.corrections("harbor", every)),
        engine.state().articles,
    )


def flipped(path: Path, place: int, bit: int) -> None:
    """Flip a bit in a copy of a file that replaces it: the old one may be mapped."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.unlink()
    path.write_bytes(data)


def place_in(path: Path, chance: random.Random) -> int:
    """Random offset in a file; in a segment half are in the header and directory."""
    data = path.read_bytes()
    if path.suffix == ".seg":
        _, _, _, directory, length, _ = HEADER.unpack_from(data)
        part = chance.choice(["header", "directory", "arrays", "arrays"])
        if part == "header":
            return chance.randrange(HEADER.size)
        if part == "directory":
            return chance.randrange(directory, directory + length)
        return chance.randrange(HEADER.size, directory)
    return chance.randrange(len(data))


def checked(engine: WhooshEngine) -> None:
    """Wait until an engine has checked its index, if it could open it."""
    until(lambda: engine._newest is None or not engine._scrub._waiting)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[WhooshEngine]:
    filled_engine = filled(folder)
    yield filled_engine
    filled_engine.close()


@pytest.fixture
def in_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check every segment in the background, like a large one."""
    monkeypatch.setattr(scrub, "AT_ONCE", 0)


@pytest.fixture
def unread(in_background: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check no segment: each is a large one that is still waiting."""
    monkeypatch.setattr(Scrub, "resume", lambda self: None)


# Flipped bits.


# A damaged number may cause a NumPy warning before it causes an exception.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("way", ["at once", "in the background"])
def test_a_flipped_bit_anywhere_is_detected_or_harmless(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    sound = filled(tmp_path / "sound")
    right = answers(sound)
    sound.close()
    files = sorted((tmp_path / "sound").glob("*MAIN_*.*"))
    assert {path.suffix for path in files} == {".toc", ".json", ".seg"}
    if way == "in the background":
        monkeypatch.setattr(scrub, "AT_ONCE", 0)
    chance = random.Random(f"{SEED} {way}")
    detected = 0
    for flip in range(FLIPS):
        folder = tmp_path / "index"
        shutil.copytree(tmp_path / "sound", folder)
        path = folder / files[flip % len(files)].name
        flipped(path, place_in(path, chance), chance.randrange(8))
        engine = opened(folder)
        if way == "in the background":
            with suppress(IndexUnavailable):
                answers(engine)  # right or wrong, but an answer
            checked(engine)
        try:
            assert answers(engine) == right
        except IndexUnavailable:
            detected += 1
            assert engine.state().stale is not None
        if flip % HEALED_EVERY == 0:
            engine.rebuild([article("new", "truce")], seq=99, total=1)
            assert ids_with(engine, "truce") == ["new"]
            assert engine.state().stale is None
        engine.close()
        shutil.rmtree(folder)
    assert detected > FLIPS * 0.7  # the rest is padding


# Checks.


def harmed(folder: Path, name: str) -> Path:
    """Alter one array of the largest segment; return its file."""
    path = max(folder.glob("*.seg"), key=lambda each: each.stat().st_size)
    segment = Segment(path, path.stem)
    _, count, place, _ = segment.file._arrays[name]
    assert count
    flipped(path, place, 0)
    return path


def test_damage_found_in_the_background_is_logged_and_stops_searches(
    engine: WhooshEngine,
    folder: Path,
    in_background: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = harmed(folder, "text/positions")
    reader = opened(folder)
    held = None
    with suppress(IndexDamaged):  # found already
        held = reader.snapshot()
    checked(reader)
    for _ in range(2):
        with pytest.raises(IndexDamaged, match=f"text/positions in {path.name}"):
            reader.snapshot()
    if held is not None:
        with pytest.raises(IndexDamaged):
            held.search(Search(query=All(), now=NOW))
    with pytest.raises(IndexDamaged):
        reader.apply([article("b", "truce")], (), seq=99)
    assert "text/positions" in str(reader.state().stale)
    (record,) = [each for each in caplog.records if each.name == "nutgraf.engine"]
    assert record.levelno == logging.ERROR
    assert path.name in record.getMessage()


def test_offsets_are_checked_before_a_large_segment_answers(
    engine: WhooshEngine, folder: Path, unread: None
) -> None:
    harmed(folder, "text/rows.at")
    with pytest.raises(IndexDamaged, match=r"text/rows\.at"):
        opened(folder).snapshot()


def test_damage_is_not_merged_into_a_sound_segment(
    engine: WhooshEngine, folder: Path, unread: None
) -> None:
    harmed(folder, "text/positions")
    writer = opened(folder)
    with pytest.raises(IndexDamaged, match="text/positions"):
        for n in range(MERGE_FACTOR):
            writer.apply([article(f"b{n}", "truce")], (), seq=50 + n)
    assert not list(folder.glob(".MAIN*"))
    writer.rebuild([article("new", "truce")], seq=99, total=1)
    assert ids_with(writer, "truce") == ["new"]


def test_only_a_checksum_makes_an_exception_damage(
    engine: WhooshEngine, folder: Path, unread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_range(self: Evaluation, budget: object) -> None:
        raise IndexError("index 7 is out of bounds")

    monkeypatch.setattr(Evaluation, "page", out_of_range)
    with pytest.raises(IndexError):
        ids_with(engine, "truce")
    assert engine.state().stale is None
    harmed(folder, "text/positions")
    reader = opened(folder)
    with pytest.raises(IndexDamaged):
        ids_with(reader, "truce")
    assert reader.state().stale is not None


def test_a_disk_that_cannot_read_a_segment_has_damaged_it(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*args: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", unreadable)
    with pytest.raises(IndexDamaged):
        opened(folder).snapshot()


def test_too_many_open_files_are_no_reason_to_rebuild(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = opened(folder)
    with monkeypatch.context() as patched:

        def refused(path: object, *args: object, **options: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        patched.setattr(os, "open", refused)
        with pytest.raises(IndexUnavailable) as caught:
            reader.snapshot()
        assert not isinstance(caught.value, IndexDamaged)
        with pytest.raises(OSError, match="Too many"):
            reader.state()
    assert reader.state().stale is None


def test_closing_an_engine_stops_its_background_check(
    engine: WhooshEngine, folder: Path, in_background: None
) -> None:
    reader = opened(folder)
    reader.snapshot()
    reader.close()
    assert reader._scrub._thread is None
    assert ids_with(reader, "truce")  # it can be used again
    reader.close()


def test_a_forked_process_checks_the_waiting_segments(
    engine: WhooshEngine,
    folder: Path,
    in_background: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harmed(folder, "text/positions")
    reader = opened(folder)
    with monkeypatch.context() as patched:
        patched.setattr(
            Scrub, "resume", lambda self: None
        )  # so its thread is not there
        reader.snapshot()
    with suppress(IndexDamaged):  # where it was read within that moment
        reader.snapshot()
    checked(reader)
    with pytest.raises(IndexDamaged):
        reader.snapshot()


# Verifying and rebuilding.


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        store=f"sqlite:///{tmp_path / 'nutgraf.db'}", engine=f"whoosh:{tmp_path}/index"
    )


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    """An archive of several segments."""
    opened_archive = Archive.open(settings)
    for n in range(3):
        opened_archive.put(
            [
                article_of({"id": f"a{n}-{k}", "paragraphs": [f"truce {k} only{n}"]})
                for k in range(5)
            ]
        )
        Indexer(opened_archive.store, opened_archive.engine).catch_up()
    yield opened_archive
    opened_archive.close()


def found_wrong(settings: Settings) -> list[str]:
    """Problems that a new process finds."""
    again = Archive.open(settings)
    try:
        return list(store_problems(again.store, again.engine))
    finally:
        again.close()


def test_verifying_reads_every_file(
    archive: Archive, settings: Settings, folder: Path, in_background: None
) -> None:
    assert found_wrong(settings) == []
    segments = sorted(folder.glob("*.seg"))
    for path in segments[:2]:
        for name in ("text/positions", "published"):
            flipped(path, Segment(path, "").file._arrays[name][2], 3)
    wrong = found_wrong(settings)
    assert len(wrong) == 4
    for path in segments[:2]:
        assert sum(path.name in each for each in wrong) == 2
    assert all("run nutgraf rebuild" in each for each in wrong)


@pytest.mark.parametrize("kind", ["toc", "json", "seg"])
@pytest.mark.parametrize("harm", ["removed", "altered"])
def test_verifying_names_a_damaged_or_lost_file(
    archive: Archive, settings: Settings, folder: Path, kind: str, harm: str
) -> None:
    path = max(folder.glob(f"*.{kind}"))
    if harm == "removed":
        path.unlink()
    else:
        named = Segment(path, "").file._arrays["published"][2] if kind == "seg" else 30
        flipped(path, named, 1)
    (wrong,) = found_wrong(settings)
    assert "run nutgraf rebuild" in wrong
    if (kind, harm) not in {("toc", "removed"), ("json", "removed")}:
        assert path.name in wrong


def test_the_archive_has_a_damaged_index_rebuilt(
    archive: Archive, settings: Settings, folder: Path
) -> None:
    path = max(folder.glob("*.seg"))
    flipped(path, Segment(path, "").file._arrays["text/positions"][2], 3)
    again = Archive.open(settings)
    with pytest.raises(IndexDamaged):
        again.search(Request(q="truce"))
    store: Store = again.store
    assert store.rebuild_requested() != store.rebuild_finished()
    Indexer(store, again.engine).catch_up()
    assert again.search(Request(q="truce")).articles == 15
    assert list(store_problems(store, again.engine)) == []
    again.close()
