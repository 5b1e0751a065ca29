"""The Whoosh engine on a disk that fails: a kill, a power cut or an error anywhere.

A run is noted operation by operation. What the disk may look like after any of them is
then laid out in a folder of its own, and a new engine opened on it.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import random
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from articles import article
from checkout import ROOT
from engines.kinds import NOW
from engines.whoosh.indexes import opened
from faults.amounts import amount

from index.engines import Engine
from index.engines.memory import MemoryEngine
from index.engines.whoosh.writing.writer import MERGE_FACTOR
from index.errors import IndexUnavailable
from index.query import All, Search, Term

pytestmark = pytest.mark.slow

SEED = 20160929
# Of the operations of a run every so many are tried, each test beginning with another;
# 1 tries all. The last ones, about the commit itself, are always tried.
STRIDE = amount(5, 1)
LAST = 12
# Layouts of a disk that lost power that are tried after an operation, of very many; and
# right after the one that makes the new index the index.
CUTS, MORE_CUTS = amount(3, 8), amount(40, 200)

Files = dict[str, bytes]
WORDS = ("truce", "talks", "harbour", "grain", *(f"only{n}" for n in range(12)))


def unharmed(folder: Path) -> None:
    pass


class Scenario(NamedTuple):
    """A change of an index.

    :ivar before: makes the index that is changed; ``None`` for no folder at all.
    :ivar change: changes it.
    :ivar harm: damages it before.
    """

    before: Callable[[Engine], None] | None
    change: Callable[[Engine], None]
    harm: Callable[[Path], None] = unharmed


def articles(*numbers: int, word: str = "truce") -> list[Any]:
    return [article(f"a{n}", f"{word} talks", f"harbour only{n}") for n in numbers]


def some(engine: Engine) -> None:
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


def cut_table(folder: Path) -> None:
    (path,) = folder.glob("*.toc")
    os.truncate(path, path.stat().st_size // 2)


def alter_segment(folder: Path) -> None:
    path = max(folder.glob("*.seg"))
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


SCENARIOS = {
    "a commit that adds and deletes": Scenario(some, commit),
    "a commit that merges": Scenario(one_short_of_a_merge, commit),
    "a rebuild in several runs": Scenario(some, rebuild),
    "a rebuild after the table was damaged": Scenario(some, rebuild, cut_table),
    "a rebuild after a segment was damaged": Scenario(some, rebuild, alter_segment),
    "the first build": Scenario(None, rebuild),
}

every_scenario = pytest.mark.parametrize(
    "scenario", SCENARIOS.values(), ids=[name.replace(" ", "-") for name in SCENARIOS]
)


# What an index answers.


def seen(engine: Engine) -> object:
    """Return all that an engine answers, ``None`` if it says that it has no index."""
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
    """Return what there is to see after these changes, from the specification."""
    engine = MemoryEngine()
    for change in changes:
        change(engine)
    return seen(engine)


def old_and_new(scenario: Scenario) -> tuple[object, object]:
    """Return what there is to see before and after a scenario's change."""
    before = () if scenario.before is None else (scenario.before,)
    sound = before and scenario.harm is unharmed
    return expected(*before) if sound else None, expected(*before, scenario.change)


def strays(folder: Path) -> list[str]:
    """Return the files that the index in a folder does not need."""
    (table,) = folder.glob("*.toc")
    needed = {table.name, f"{table.stem}.json", "MAIN_WRITELOCK"}
    segments = opened(folder).state().segments
    names = {path.name for path in folder.iterdir()} - needed
    found = sorted(name for name in names if not re.fullmatch(r"MAIN_\w+\.seg", name))
    return found if len(names) == segments else sorted(names)


# A disk that notes what is done to it, and can fail.


class Disk:
    """What is done to a folder, and what may be left of it.

    :param fail: called before each operation with its number, from 0, and its kind.
    """

    def __init__(
        self, folder: Path, fail: Callable[[int, str], None] = lambda at, kind: None
    ) -> None:
        self.folder = folder
        self.operations: list[tuple[Any, ...]] = []
        self.started = 0
        self._before = files(folder) if folder.exists() else None
        self._fail = fail
        self._inodes: dict[int, int] = {}
        self._count = 0

    def start(self, kind: str) -> None:
        self.started += 1
        self._fail(self.started - 1, kind)

    def created(self, name: str, handle: int) -> int:
        self._count += 1
        self._inodes[os.fstat(handle).st_ino] = self._count
        self.operations.append(("create", name, self._count))
        return self._count

    def synced(self, handle: int) -> None:
        found = os.fstat(handle).st_ino
        if self.folder.exists() and found == self.folder.stat().st_ino:
            self.operations.append(("sync folder",))
        elif found == self.folder.parent.stat().st_ino:
            self.operations.append(("sync parent",))
        else:
            self.operations.append(("sync", self._inodes[found]))

    def killed_after(self, count: int) -> Files | None:
        """Return what is there when the process dies after so many operations."""
        return self._left(count, None)

    def cut_off_after(self, count: int, chance: random.Random) -> Files | None:
        """Return what may be there when power fails after so many operations.

        Of a file that was written since it was synced the new bytes are there, or not,
        or are zeros; of the names that changed since the folder was synced each is the
        old one or the new one.
        """
        return self._left(count, chance)

    def _left(self, count: int, chance: random.Random | None) -> Files | None:
        before = self._before or {}
        held: dict[int, bytearray] = {}
        safe: dict[int, bytes] = {}
        names: dict[str, int] = {}
        for number, (name, data) in enumerate(before.items()):
            names[name] = -number
            held[-number], safe[-number] = bytearray(data), data
        safe_names = dict(names)
        changes: list[dict[str, int | None]] = []
        made, safely_made = self._before is not None, self._before is not None
        for kind, *facts in self.operations[:count]:
            if kind == "mkdir":
                made = True
            elif kind == "sync parent":
                safely_made = made
            elif kind == "sync folder":
                safe_names, changes = dict(names), []
            elif kind == "create":
                name, inode = facts
                names[name], held[inode], safe[inode] = inode, bytearray(), b""
                changes.append({name: inode})
            elif kind == "write":
                inode, at, data = facts
                held[inode][at : at + len(data)] = data
            elif kind == "sync":
                safe[facts[0]] = bytes(held[facts[0]])
            elif kind == "rename":
                old, new = facts
                names[new] = names.pop(old)
                changes.append({old: None, new: names[new]})
            elif kind == "unlink":
                del names[facts[0]]
                changes.append({facts[0]: None})
        if chance is None:
            return {n: bytes(held[i]) for n, i in names.items()} if made else None
        if not safely_made and chance.random() < 0.5:
            return None
        share = chance.choice([0.0, 0.5, 1.0])
        for change in changes:
            if chance.random() < share:
                for name, number in change.items():
                    if number is None:
                        safe_names.pop(name, None)
                    else:
                        safe_names[name] = number
        return {
            name: chance.choice(
                [
                    safe[inode],
                    bytes(held[inode]),
                    safe[inode].ljust(len(held[inode]), b"\0"),
                ]
            )
            for name, inode in safe_names.items()
        }


class _Raw(io.FileIO):
    """A file whose writes a disk notes as the system gets them: unbuffered."""

    def __init__(self, disk: Disk, path: Path, mode: str) -> None:
        disk.start("create")
        super().__init__(path, mode)
        self._disk = disk
        self._inode = disk.created(path.name, self.fileno())

    def write(self, data: Any) -> int:
        self._disk.start("write")
        at = self.tell()
        count = super().write(data)
        self._disk.operations.append(("write", self._inode, at, bytes(data)[:count]))
        return count


@contextmanager
def noted(disk: Disk) -> Iterator[Disk]:
    """Have a disk note all that is done to its folder within the block."""
    folder = disk.folder

    def is_ours(path: Any) -> bool:
        return isinstance(path, str | Path) and Path(path).parent == folder

    def noted_open(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if not is_ours(file) or not set(mode) & set("wx"):
            return real_open(file, mode, *args, **options)
        raw = _Raw(disk, Path(file), mode.replace("b", ""))
        buffered = io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, "utf-8")

    def noted_fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        disk.start("sync folder" if is_folder else "sync")
        disk.synced(handle)

    def noted_replace(old: Any, new: Any) -> None:
        disk.start("rename")
        real_replace(old, new)
        disk.operations.append(("rename", Path(old).name, Path(new).name))

    def noted_unlink(path: Any, **options: Any) -> None:
        if not is_ours(path):
            real_unlink(path, **options)
            return
        disk.start("unlink")
        real_unlink(path, **options)
        disk.operations.append(("unlink", Path(path).name))

    def noted_mkdir(path: Any, *args: Any, **options: Any) -> None:
        disk.start("mkdir")
        real_mkdir(path, *args, **options)
        disk.operations.append(("mkdir",))

    real_open, real_replace = builtins.open, os.replace
    real_unlink, real_mkdir = os.unlink, os.mkdir
    with pytest.MonkeyPatch.context() as patched:
        for module in (io, builtins):
            patched.setattr(module, "open", noted_open)
        patched.setattr(os, "fsync", noted_fsync)
        for name in ("replace", "rename"):
            patched.setattr(os, name, noted_replace)
        for name in ("unlink", "remove"):
            patched.setattr(os, name, noted_unlink)
        patched.setattr(os, "mkdir", noted_mkdir)
        yield disk


def files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lay_out(found: Files | None, folder: Path) -> None:
    """Make a folder hold these files and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    if found is not None:
        folder.mkdir()
        for name, data in found.items():
            (folder / name).write_bytes(data)


# A folder that a scenario begins with, made once for all its tests.


@pytest.fixture(autouse=True)
def _in_several_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each article of a rebuild a segment, and leave the real disk in peace."""
    monkeypatch.setattr("index.engines.whoosh.writing.writer._BUFFER_SHARE", 1e-9)
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def begun(scenario: Scenario, folder: Path) -> None:
    """Make the folder that a scenario begins with."""
    if scenario.before is not None:
        engine = opened(folder)
        scenario.before(engine)
        engine.close()
        scenario.harm(folder)


def one_more(engine: Engine) -> None:
    engine.apply([article("spare", "truce")], [], seq=30)


def goes_on(folder: Path, scenario: Scenario, found: object) -> None:
    """Hold an index to what it must do after any failure: take the next change."""
    engine = opened(folder)
    before = () if scenario.before is None else (scenario.before,)
    if found is None:
        rebuild(engine)
        before = (rebuild,)
    elif found != old_and_new(scenario)[0]:
        before = (*before, scenario.change)
    one_more(engine)
    assert seen(engine) == expected(*before, one_more)
    assert strays(folder) == []
    engine.close()


def noted_change(scenario: Scenario, folder: Path) -> Disk:
    begun(scenario, folder)
    engine = opened(folder)
    with noted(Disk(folder)) as disk:
        scenario.change(engine)
    engine.close()
    left = disk.killed_after(len(disk.operations))
    assert left is not None
    there = files(folder)
    there.setdefault("MAIN_WRITELOCK", b"")  # made without a word: it may be there
    assert {**left, "MAIN_WRITELOCK": b""} == there, "the notes are not complete"
    return disk


def tried(scenario: Scenario, disk: Disk) -> list[int]:
    """Return after how many operations of a run something is to happen."""
    first = list(SCENARIOS.values()).index(scenario) % STRIDE
    total = len(disk.operations)
    return sorted({*range(first, total, STRIDE), *range(total - LAST, total + 1)})


@every_scenario
def test_a_process_killed_anywhere_leaves_the_old_index_or_the_new_one(
    scenario: Scenario, tmp_path: Path
) -> None:
    disk = noted_change(scenario, tmp_path / "noted")
    old, new = old_and_new(scenario)
    turned = False
    for count in tried(scenario, disk):
        lay_out(disk.killed_after(count), tmp_path / "index")
        found = seen(opened(tmp_path / "index"))
        assert found in (old, new), disk.operations[:count]
        # From one to the other at one moment, and not back.
        assert found == new or not turned, disk.operations[:count]
        turned = found == new
        goes_on(tmp_path / "index", scenario, found)
    assert turned


@every_scenario
def test_lost_power_anywhere_leaves_the_old_index_or_the_new_one(
    scenario: Scenario, tmp_path: Path
) -> None:
    disk = noted_change(scenario, tmp_path / "noted")
    old, new = old_and_new(scenario)
    chance = random.Random(SEED)
    table = max(
        at
        for at, (kind, *facts) in enumerate(disk.operations)
        if kind == "rename" and facts[1].endswith(".toc")
    )
    layouts: set[object] = set()
    for count in tried(scenario, disk):
        # Up to the table's name the old one; once that is synced the new one.
        allowed = (old,) if count <= table else (old, new)
        allowed = (new,) if count > table + 1 else allowed
        for _ in range(MORE_CUTS if count == table + 1 else CUTS):
            left = disk.cut_off_after(count, chance)
            layout = repr((allowed, left and sorted(left.items())))
            if layout in layouts:
                continue
            layouts.add(layout)
            lay_out(left, tmp_path / "index")
            found = seen(opened(tmp_path / "index"))
            assert found in allowed, disk.operations[:count]
            goes_on(tmp_path / "index", scenario, found)


class Failure(NamedTuple):
    """How operations fail: from one on, those of some kinds, once or for good."""

    number: int
    kinds: frozenset[str] | None
    lasts: bool

    def at(self, first: int) -> Callable[[int, str], None]:
        def fail(at: int, kind: str) -> None:
            due = at >= first if self.lasts else at == first
            if due and (self.kinds is None or kind in self.kinds):
                raise OSError(self.number, os.strerror(self.number))

        return fail


GROWING = frozenset({"create", "write", "sync", "mkdir"})
FAILURES = {
    "one-operation-fails": Failure(errno.EIO, None, lasts=False),
    "no-room-once": Failure(errno.ENOSPC, GROWING, lasts=False),
    "no-room-any-more": Failure(errno.ENOSPC, GROWING, lasts=True),
    "the-disk-is-gone": Failure(errno.EIO, None, lasts=True),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@every_scenario
def test_an_operation_that_fails_leaves_the_old_index_and_nothing_behind(
    scenario: Scenario, failure: Failure, tmp_path: Path
) -> None:
    begun(scenario, tmp_path / "begun")
    began = files(tmp_path / "begun") if scenario.before is not None else None
    old, new = old_and_new(scenario)
    folder = tmp_path / "index"
    offset = [*SCENARIOS.values()].index(scenario) + [*FAILURES.values()].index(failure)
    for first in range(offset % STRIDE, 1_000, STRIDE):
        lay_out(began, folder)
        engine = opened(folder)
        disk = Disk(folder, failure.at(first))
        failed = False
        with noted(disk):
            try:
                scenario.change(engine)
            except OSError as error:
                assert error.errno == failure.number
                failed = True
        found = seen(engine)
        assert found == seen(opened(folder))
        if failure is FAILURES["the-disk-is-gone"]:
            # Not even the new table of contents can be taken back.
            assert found in (old, new)
        else:
            assert found == (old if failed else new)
            if failed and began is not None:
                assert files(folder) == began
        scenario.change(engine)
        assert seen(engine) == new
        assert strays(folder) == []
        engine.close()
        if disk.started <= first:
            assert not failed
            return
    pytest.fail("it never ends")


@every_scenario
def test_a_killed_process_leaves_the_old_index_or_the_new_one(
    scenario: Scenario, tmp_path: Path
) -> None:
    begun(scenario, tmp_path / "begun")
    began = files(tmp_path / "begun") if scenario.before is not None else None
    name = next(name for name, each in SCENARIOS.items() if each is scenario)
    deaths = [0, 5, 11, 17, 23, 29]
    for death in deaths:
        lay_out(began, tmp_path / str(death))
    tests = ROOT / "tests"
    subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c"),
            "import sys, engines.whoosh.test_crashes as t; t.die(*sys.argv[1:])",
            *(name, str(tmp_path), *map(str, deaths)),
        ],
        check=True,
        env={**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"},
    )
    old, new = old_and_new(scenario)
    for death in deaths:
        found = seen(opened(tmp_path / str(death)))
        assert found in (old, new)
        goes_on(tmp_path / str(death), scenario, found)


def die(name: str, folder: str, *deaths: str) -> None:
    """Run a scenario in a process for each death, which ends before that operation."""

    def end(at: int, kind: str) -> None:
        if at == death:
            os._exit(9)

    for death in map(int, deaths):
        child = os.fork()
        if not child:
            with noted(Disk(Path(folder, str(death)), end)):
                SCENARIOS[name].change(opened(Path(folder, str(death))))
            os._exit(0)
        os.waitpid(child, 0)
