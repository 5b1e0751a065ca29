"""The Whoosh engine on a disk that fails: a kill, a power cut or an error anywhere.

A run is recorded operation by operation. The files that may be on the disk after any of
them are then written to another folder, and a new engine opens it.
"""

from __future__ import annotations

import errno
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from articles import article
from checkout import ROOT
from engines.kinds import NOW
from engines.whoosh.disk import RecordingDisk, files_in, recorded, write_files
from engines.whoosh.indexes import opened
from faults.amounts import amount

from index.engines import Engine
from index.engines.memory import MemoryEngine
from index.engines.whoosh.writing.writer import MERGE_FACTOR
from index.errors import IndexUnavailable
from index.query import All, Search, Term

pytestmark = pytest.mark.slow

SEED = 20160929
# A run is interrupted at every seventh operation (1: at all), from a different one on
# in each scenario, and at all of the last ones, which are the commit itself.
STRIDE = amount(7, 1)
LAST = 12
# How many states of a disk that lost power are tried after an operation, and after the
# one that renames the table of contents.
CUTS, MORE_CUTS = amount(3, 8), amount(25, 200)

WORDS = ("truce", "talks", "harbour", "grain", *(f"only{n}" for n in range(12)))


def undamaged(folder: Path) -> None:
    pass


class Scenario(NamedTuple):
    """A change of an index.

    :ivar before: builds the index; ``None`` for no folder at all.
    :ivar change: the change that is interrupted.
    :ivar damage: damages the index before the change.
    """

    before: Callable[[Engine], None] | None
    change: Callable[[Engine], None]
    damage: Callable[[Path], None] = undamaged


def articles(*numbers: int, word: str = "truce") -> list[Any]:
    return [article(f"a{n}", f"{word} talks", f"harbour only{n}") for n in numbers]


def a_few_articles(engine: Engine) -> None:
    engine.rebuild(articles(0, 1, 2), seq=3, total=3)
    engine.apply(articles(3, 4), [], seq=5)


def one_short_of_a_merge(engine: Engine) -> None:
    engine.rebuild([], seq=0, total=0)
    for n in range(MERGE_FACTOR - 1):
        engine.apply(articles(n), [], seq=n + 1)


def commit(engine: Engine) -> None:
    engine.apply(articles(1, 5, word="grain"), ["a3"], seq=8)


def rebuild(engine: Engine) -> None:
    engine.rebuild(articles(4, 5, 6, word="grain"), seq=20, total=3)


def truncate_table(folder: Path) -> None:
    (path,) = folder.glob("*.toc")
    os.truncate(path, path.stat().st_size // 2)


def alter_segment(folder: Path) -> None:
    path = max(folder.glob("*.seg"))
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


SCENARIOS = {
    "a commit that adds and deletes": Scenario(a_few_articles, commit),
    "a commit that merges": Scenario(one_short_of_a_merge, commit),
    "a rebuild in several runs": Scenario(a_few_articles, rebuild),
    "a rebuild after the table was damaged": Scenario(
        a_few_articles, rebuild, truncate_table
    ),
    "a rebuild after a segment was damaged": Scenario(
        a_few_articles, rebuild, alter_segment
    ),
    "the first build": Scenario(None, rebuild),
}

every_scenario = pytest.mark.parametrize(
    "scenario", SCENARIOS.values(), ids=[name.replace(" ", "-") for name in SCENARIOS]
)


# Answers of an index.


def answers(engine: Engine) -> object:
    """All answers of an engine, ``None`` if it has no index."""
    try:
        snapshot = engine.snapshot()
        pages = [
            snapshot.search(Search(query=query, now=NOW, limit=100))
            for query in (All(), *map(Term, WORDS))
        ]
    except IndexUnavailable:
        return None
    return snapshot.seq, [
        (page.articles, page.paragraphs, sorted(hit.id for hit in page.hits))
        for page in pages
    ]


@cache
def expected(*changes: Callable[[Engine], None]) -> object:
    """Answers of the reference engine after these changes."""
    engine = MemoryEngine()
    for change in changes:
        change(engine)
    return answers(engine)


def old_and_new(scenario: Scenario) -> tuple[object, object]:
    """Expected answers before and after the change of a scenario."""
    before = () if scenario.before is None else (scenario.before,)
    sound = before and scenario.damage is undamaged
    return expected(*before) if sound else None, expected(*before, scenario.change)


def unneeded_files(folder: Path) -> list[str]:
    """Files in a folder that its index does not need."""
    (table,) = folder.glob("*.toc")
    needed = {table.name, f"{table.stem}.json", "MAIN_WRITELOCK"}
    segments = opened(folder).state().segments
    names = {path.name for path in folder.iterdir()} - needed
    unneeded = sorted(
        name for name in names if not re.fullmatch(r"MAIN_\w+\.seg", name)
    )
    return unneeded if len(names) == segments else sorted(names)


# Interrupted runs.


@pytest.fixture(autouse=True, scope="module")
def _in_several_runs() -> Iterator[None]:
    """Write each article of a rebuild as a segment, and do not sync the real disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.engines.whoosh.writing.writer._BUFFER_SHARE", 1e-9)
        patch.setattr(os, "fsync", lambda handle: None)
        yield


def prepare(scenario: Scenario, folder: Path) -> None:
    """Create the folder that a scenario begins with."""
    if scenario.before is not None:
        engine = opened(folder)
        scenario.before(engine)
        engine.close()
        scenario.damage(folder)


def one_more(engine: Engine) -> None:
    engine.apply([article("spare", "truce")], [], seq=30)


def assert_recovers(folder: Path, scenario: Scenario, answered: object) -> None:
    """Assert that an index accepts the next change after a failure."""
    engine = opened(folder)
    before = () if scenario.before is None else (scenario.before,)
    if answered is None:
        rebuild(engine)
        before = (rebuild,)
    elif answered != old_and_new(scenario)[0]:
        before = (*before, scenario.change)
    one_more(engine)
    assert answers(engine) == expected(*before, one_more)
    assert unneeded_files(folder) == []
    engine.close()


def recorded_change(scenario: Scenario, folder: Path) -> RecordingDisk:
    prepare(scenario, folder)
    engine = opened(folder)
    with recorded(RecordingDisk(folder)) as disk:
        scenario.change(engine)
    engine.close()
    left = disk.killed_after(len(disk.operations))
    assert left is not None
    there = files_in(folder)
    there.setdefault("MAIN_WRITELOCK", b"")  # created by no recorded operation
    assert {**left, "MAIN_WRITELOCK": b""} == there, "the recording is not complete"
    return disk


def chosen_counts(scenario: Scenario, disk: RecordingDisk) -> list[int]:
    """After how many operations a run is interrupted, ascending."""
    first = list(SCENARIOS.values()).index(scenario) % STRIDE
    total = len(disk.operations)
    return sorted({*range(first, total, STRIDE), *range(total - LAST, total + 1)})


@every_scenario
def test_a_process_killed_anywhere_leaves_the_old_index_or_the_new_one(
    scenario: Scenario, tmp_path: Path
) -> None:
    disk = recorded_change(scenario, tmp_path / "recorded")
    old, new = old_and_new(scenario)
    changed = False
    for count in chosen_counts(scenario, disk):
        write_files(disk.killed_after(count), tmp_path / "index")
        answered = answers(opened(tmp_path / "index"))
        assert answered in (old, new), disk.operations[:count]
        # The index changes once, and never back.
        assert answered == new or not changed, disk.operations[:count]
        changed = answered == new
        assert_recovers(tmp_path / "index", scenario, answered)
    assert changed


@every_scenario
def test_lost_power_anywhere_leaves_the_old_index_or_the_new_one(
    scenario: Scenario, tmp_path: Path
) -> None:
    disk = recorded_change(scenario, tmp_path / "recorded")
    old, new = old_and_new(scenario)
    chance = random.Random(SEED)
    table = max(
        at
        for at, (kind, *facts) in enumerate(disk.operations)
        if kind == "rename" and facts[1].endswith(".toc")
    )
    layouts: set[object] = set()
    for count in chosen_counts(scenario, disk):
        # The old index until the table is renamed, the new one once that is synced.
        allowed = (old,) if count <= table else (old, new)
        allowed = (new,) if count > table + 1 else allowed
        for _ in range(MORE_CUTS if count == table + 1 else CUTS):
            left = disk.cut_off_after(count, chance)
            layout = repr((allowed, left and sorted(left.items())))
            if layout in layouts:
                continue
            layouts.add(layout)
            write_files(left, tmp_path / "index")
            answered = answers(opened(tmp_path / "index"))
            assert answered in allowed, disk.operations[:count]
            assert_recovers(tmp_path / "index", scenario, answered)


class Failure(NamedTuple):
    """How operations of some kinds fail: one of them, or all from one on."""

    number: int
    kinds: frozenset[str] | None
    permanent: bool

    def at(self, first: int) -> Callable[[int, str], None]:
        def fail(at: int, kind: str) -> None:
            due = at >= first if self.permanent else at == first
            if due and (self.kinds is None or kind in self.kinds):
                raise OSError(self.number, os.strerror(self.number))

        return fail


GROWING = frozenset({"create", "write", "sync", "mkdir"})
FAILURES = {
    "one-operation-fails": Failure(errno.EIO, None, permanent=False),
    "no-room-once": Failure(errno.ENOSPC, GROWING, permanent=False),
    "no-room-from-now-on": Failure(errno.ENOSPC, GROWING, permanent=True),
    "the-disk-is-gone": Failure(errno.EIO, None, permanent=True),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@every_scenario
def test_an_operation_that_fails_leaves_the_old_index_and_nothing_behind(
    scenario: Scenario, failure: Failure, tmp_path: Path
) -> None:
    prepare(scenario, tmp_path / "prepared")
    prepared = files_in(tmp_path / "prepared") if scenario.before is not None else None
    old, new = old_and_new(scenario)
    folder = tmp_path / "index"
    offset = [*SCENARIOS.values()].index(scenario) + [*FAILURES.values()].index(failure)
    for first in range(offset % STRIDE, 1_000, STRIDE):
        write_files(prepared, folder)
        engine = opened(folder)
        disk = RecordingDisk(folder, failure.at(first))
        failed = False
        with recorded(disk):
            try:
                scenario.change(engine)
            except OSError as error:
                assert error.errno == failure.number
                failed = True
        answered = answers(engine)
        assert answered == answers(opened(folder))
        if failure is FAILURES["the-disk-is-gone"]:
            # The new table of contents cannot be removed either.
            assert answered in (old, new)
        else:
            assert answered == (old if failed else new)
            if failed and prepared is not None:
                assert files_in(folder) == prepared
        scenario.change(engine)
        assert answers(engine) == new
        assert unneeded_files(folder) == []
        engine.close()
        if disk.started <= first:
            assert not failed
            return
    pytest.fail("it never ends")


DEATHS = (0, 5, 11, 17, 23, 29)  # the operations before which a process ends


@pytest.fixture(scope="module")
def died(
    _in_several_runs: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """For each scenario, a folder with the index that each death has left."""
    folders = {name: tmp_path_factory.mktemp("died") for name in SCENARIOS}
    for name, folder in folders.items():
        for death in DEATHS:
            prepare(SCENARIOS[name], folder / str(death))
    tests = ROOT / "tests"
    subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c"),
            "import sys, engines.whoosh.test_crashes as t; t.die(*sys.argv[1:])",
            *(text for facts in folders.items() for text in map(str, facts)),
        ],
        check=True,
        env={**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"},
    )
    return folders


@every_scenario
def test_a_killed_process_leaves_the_old_index_or_the_new_one(
    scenario: Scenario, died: dict[str, Path]
) -> None:
    name = next(name for name, each in SCENARIOS.items() if each is scenario)
    old, new = old_and_new(scenario)
    for death in DEATHS:
        folder = died[name] / str(death)
        answered = answers(opened(folder))
        assert answered in (old, new)
        assert_recovers(folder, scenario, answered)


def die(*folders: str) -> None:
    """Run scenarios, each by its name and a folder, in one process per death."""

    def end(at: int, kind: str) -> None:
        if at == death:
            os._exit(9)

    for name, of_scenario in zip(folders[::2], folders[1::2], strict=True):
        for death in DEATHS:
            child = os.fork()
            if not child:
                folder = Path(of_scenario, str(death))
                with recorded(RecordingDisk(folder, end)):
                    SCENARIOS[name].change(opened(folder))
                os._exit(0)
            os.waitpid(child, 0)
