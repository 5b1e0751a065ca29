"""A disk that records each operation on a folder, and can fail or lose power."""

from __future__ import annotations

import builtins
import io
import os
import random
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Files = dict[str, bytes]


class RecordingDisk:
    """The operations on a folder, and the files that they may leave.

    :param fail: called before each operation with its number, from 0, and its kind; it
        may raise an error.
    """

    def __init__(
        self, folder: Path, fail: Callable[[int, str], None] = lambda at, kind: None
    ) -> None:
        self.folder = folder
        self.operations: list[tuple[Any, ...]] = []
        self.started = 0
        self._before = files_in(folder) if folder.exists() else None
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
        inode = os.fstat(handle).st_ino
        if self.folder.exists() and inode == self.folder.stat().st_ino:
            self.operations.append(("sync folder",))
        elif inode == self.folder.parent.stat().st_ino:
            self.operations.append(("sync parent",))
        else:
            self.operations.append(("sync", self._inodes[inode]))

    def killed_after(self, count: int) -> Files | None:
        """Files if the process dies after ``count`` operations."""
        return self._left(count, None)

    def cut_off_after(self, count: int, chance: random.Random) -> Files | None:
        """Files that may be there if power fails after ``count`` operations.

        Bytes written to a file since it was synced are there, or missing, or zeros. Of
        the names changed since the folder was synced each is the old or the new one.
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
        folder_exists, folder_is_synced = (
            self._before is not None,
            self._before is not None,
        )
        for kind, *facts in self.operations[:count]:
            if kind == "mkdir":
                folder_exists = True
            elif kind == "sync parent":
                folder_is_synced = folder_exists
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
            return (
                {n: bytes(held[i]) for n, i in names.items()} if folder_exists else None
            )
        if not folder_is_synced and chance.random() < 0.5:
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
    """An unbuffered file that records its writes."""

    def __init__(self, disk: RecordingDisk, path: Path, mode: str) -> None:
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
def recorded(disk: RecordingDisk) -> Iterator[RecordingDisk]:
    """Record all operations on the folder of a disk in the block."""
    folder = disk.folder

    def is_ours(path: Any) -> bool:
        return isinstance(path, str | Path) and Path(path).parent == folder

    def recorded_open(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if not is_ours(file) or not set(mode) & set("wx"):
            return real_open(file, mode, *args, **options)
        raw = _Raw(disk, Path(file), mode.replace("b", ""))
        buffered = io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, "utf-8")

    def recorded_fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        disk.start("sync folder" if is_folder else "sync")
        disk.synced(handle)

    def recorded_replace(old: Any, new: Any) -> None:
        disk.start("rename")
        real_replace(old, new)
        disk.operations.append(("rename", Path(old).name, Path(new).name))

    def recorded_unlink(path: Any, **options: Any) -> None:
        if not is_ours(path):
            real_unlink(path, **options)
            return
        disk.start("unlink")
        real_unlink(path, **options)
        disk.operations.append(("unlink", Path(path).name))

    def recorded_mkdir(path: Any, *args: Any, **options: Any) -> None:
        disk.start("mkdir")
        real_mkdir(path, *args, **options)
        disk.operations.append(("mkdir",))

    real_open, real_replace = builtins.open, os.replace
    real_unlink, real_mkdir = os.unlink, os.mkdir
    with pytest.MonkeyPatch.context() as patched:
        for module in (io, builtins):
            patched.setattr(module, "open", recorded_open)
        patched.setattr(os, "fsync", recorded_fsync)
        for name in ("replace", "rename"):
            patched.setattr(os, name, recorded_replace)
        for name in ("unlink", "remove"):
            patched.setattr(os, name, recorded_unlink)
        patched.setattr(os, "mkdir", recorded_mkdir)
        yield disk


def files_in(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_files(files: Files | None, folder: Path) -> None:
    """Make a folder contain these files and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    if files is not None:
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
