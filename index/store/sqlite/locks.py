"""Lock files: one process of this machine at a time holds each."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from index.errors import IndexerRunning, StoreReadOnly, StoreUnavailable

_held: set[int] = set()  # file descriptors of the locks that this process holds


class FileLock:
    """A lock that lasts as long as its block: no other process can take it away."""

    def check(self) -> None:
        """Nothing: see :class:`index.store.database.IndexerLock`."""


@contextmanager
def exclusive(lock: Path) -> Iterator[FileLock]:
    """Hold a lock file for the length of a block; meanwhile it names this process.

    The lock ends with the process, however that ends. Forked children do not share it.

    :raises IndexerRunning: it is held, by another process or by this one.
    :raises StoreReadOnly: its disk is read-only.
    """
    _release_in_children()
    try:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno == errno.EROFS:
            raise StoreReadOnly(
                f"cannot open the lock at {lock}, whose disk is read-only; make it"
                " writable and try again"
            ) from error
        raise StoreUnavailable(f"cannot create a lock at {lock}: {error}") from error
    _held.add(handle)
    try:
        if not _lock(handle):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            raise IndexerRunning(str(lock), holder or None)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield FileLock()
    finally:
        # In a child, forked inside the block, the handle is closed already.
        if handle in _held:
            _held.remove(handle)
            # Not by closing alone: a child that was forked just now has it open, too.
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


def _lock(handle: int) -> bool:
    # A call of is_locked in another process holds the lock for a moment: try again.
    for _ in range(5):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


@cache
def _release_in_children() -> None:
    # flock belongs to the open file, which a forked child shares: a child that outlives
    # its parent would hold the lock on. Closing the child's copy leaves the parent's.
    def release() -> None:
        while _held:
            os.close(_held.pop())

    os.register_at_fork(after_in_child=release)


def holder(lock: Path) -> int | None:
    """Id of the process that holds a lock file; ``None`` if none does."""
    if not is_locked(lock):
        return None
    try:
        return int(lock.read_text("ascii"))
    except (OSError, ValueError):  # it was released, or taken just now
        return None


def is_locked(lock: Path) -> bool:
    """Whether some process holds a lock file."""
    try:
        handle = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)
