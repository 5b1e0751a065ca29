"""Rates: how often somebody may call, counted by all processes of a store together.

Each caller has one number: the instant at which all they have used will be theirs again
(GCRA, a bucket that is refilled evenly, in one integer). The numbers lie in a small
file beside the store, each in a slot of its own. It is read and written by plain calls,
not mapped: where a disk is full, a page of a mapping that cannot be written kills the
process. Nothing is synced, since nothing of it matters after a power cut.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

MINUTE = 60_000_000  # microseconds
SLOTS = 4096  # of keys, and as many of addresses
_NEAR = 16  # slots that a caller may have; the one unused for longest is given up
_SLOT = struct.Struct("=8sqq")  # who, when all is theirs again, when they last called
_HEAD = b"nutgraf rates 1\n"
_SIZE = len(_HEAD) + 2 * SLOTS * _SLOT.size
_NOBODY = bytes(8)
_LOCK_TRIES = 250
_LOCK_PAUSE = 0.0002  # seconds

LOG = logging.getLogger("nutgraf.rates")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a caller after a call.

    :param taken: whether the call was within the rate; if not, nothing was used.
    :param left: calls that may follow at once.
    :param full: microseconds until all of ``limit`` may be used again.
    :param wait: microseconds until the next call may come; 0 is now.
    """

    taken: bool
    limit: int
    left: int
    full: int
    wait: int


def allow(until: int, now: int, limit: int) -> tuple[int, Allowance]:
    """Return the number of a caller after one more call, and what is left to them.

    :param until: the number before; 0 of somebody who never called.
    :param now: microseconds, on the clock that all numbers are of.
    :param limit: calls a minute, and at once.
    """
    step = MINUTE // limit
    room = step * limit
    # A clock that was set back must not lock anybody out for longer than a full bucket.
    used = min(max(until - now, 0), room)
    taken = used + step <= room
    if taken:
        used += step
    left = (room - used) // step
    wait = 0 if left else used + step - room
    return now + used, Allowance(taken, limit, left, used, wait)


class Rates:
    """The numbers of all callers of one store.

    Safe to use from several threads and processes; a forked process opens the file for
    itself. Where the file cannot be used, each process counts for itself, and the log
    says so: a full disk must not end all reading.

    :param path: of the file; it is made when first needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: dict[int, _Counters] = {}

    def take(self, key: str, limit: int, *, now: int | None = None) -> Allowance:
        """Count a call with a key, and return whether it is within its rate.

        :param limit: calls a minute.
        """
        return self._counters().take(0, key, limit, _now() if now is None else now)

    def touch(self, key: str, *, now: int | None = None) -> None:
        """Note a call with a key that has no limit."""
        self._counters().touch(key, _now() if now is None else now)

    def fail(self, address: str, limit: int, *, now: int | None = None) -> Allowance:
        """Count a failed call from an address."""
        return self._counters().take(1, address, limit, _now() if now is None else now)

    def used(self, key: str) -> int | None:
        """Return when a key was last used, as microseconds since 1970 UTC, if known."""
        return self._counters().used(key)

    def close(self) -> None:
        """Let go of the file, in this process."""
        counters = self._opened.pop(os.getpid(), None)
        if counters is not None:
            counters.close()

    def _counters(self) -> _Counters:
        pid = os.getpid()
        counters = self._opened.get(pid)
        if counters is None:
            # Of two threads that come here at once, both go on with the same one. A
            # second handle must not be closed: that would drop this process's locks.
            counters = self._opened.setdefault(pid, _Counters(self.path))
        return counters


class _Counters:
    """One process's hold on the file, or its own numbers in place of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Locks of a file keep processes apart, not the threads of one.
        self._turn = threading.Lock()
        self._handle: int | None = None
        self._own: bytearray | None = None

    def take(self, table: int, who: str, limit: int, now: int) -> Allowance:
        name = _name(who)
        with self._turn:
            try:
                return self._take(table, name, limit, now)
            except OSError as error:
                self._count_alone(error)
                return self._take(table, name, limit, now)

    def touch(self, who: str, now: int) -> None:
        name = _name(who)
        with self._turn:
            try:
                self._touch(name, now)
            except OSError as error:
                self._count_alone(error)
                self._touch(name, now)

    def used(self, who: str) -> int | None:
        name = _name(who)
        with self._turn:
            try:
                _, held, _, used = self._find(0, name)
            except OSError as error:
                self._count_alone(error)
                return None
        return used if held == name else None

    def close(self) -> None:
        with self._turn:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def _take(self, table: int, name: bytes, limit: int, now: int) -> Allowance:
        self._lock()
        try:
            at, held, until, _ = self._find(table, name)
            until, allowance = allow(until if held == name else 0, now, limit)
            self._write(at, _SLOT.pack(name, until, now))
        finally:
            self._unlock()
        return allowance

    def _touch(self, name: bytes, now: int) -> None:
        self._lock()
        try:
            at, held, until, _ = self._find(0, name)
            self._write(at, _SLOT.pack(name, until if held == name else 0, now))
        finally:
            self._unlock()

    def _find(self, table: int, name: bytes) -> tuple[int, bytes, int, int]:
        """Return the place of a caller's slot and what it holds, perhaps another's."""
        first = int.from_bytes(name) % (SLOTS - _NEAR)
        at = len(_HEAD) + (table * SLOTS + first) * _SLOT.size
        oldest = None
        near = self._read(at, _NEAR * _SLOT.size)
        for n, slot in enumerate(_SLOT.iter_unpack(near)):
            found = (at + n * _SLOT.size, *slot)
            if slot[0] == name:
                return found
            # An unused one has the instant 0.
            if oldest is None or slot[2] < oldest[3]:
                oldest = found
        assert oldest is not None, "there are slots"
        return oldest

    def _read(self, at: int, size: int) -> bytes:
        if self._own is not None:
            return bytes(self._own[at : at + size])
        found = os.pread(self._file(), size, at)
        if len(found) < size:
            raise OSError(f"{self._path} is shorter than it was made")
        return found

    def _write(self, at: int, slot: bytes) -> None:
        if self._own is not None:
            self._own[at : at + len(slot)] = slot
        else:
            os.pwrite(self._file(), slot, at)

    def _lock(self) -> None:
        # Others hold it for microseconds. One that was stopped while it did must not
        # stop everybody: better a call that is not counted.
        for _ in range(_LOCK_TRIES if self._own is None else 0):
            try:
                fcntl.lockf(self._file(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                time.sleep(_LOCK_PAUSE)
            else:
                return

    def _unlock(self) -> None:
        if self._own is None:
            fcntl.lockf(self._file(), fcntl.LOCK_UN)

    def _file(self) -> int:
        if self._handle is None:
            self._handle = _open(self._path)
        return self._handle

    def _count_alone(self, error: OSError) -> None:
        LOG.warning(
            "rates are counted by each process for itself from now on, until it is"
            " started anew: %s",
            error,
        )
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None
        self._own = bytearray(_SIZE)


def _open(path: Path) -> int:
    """Return a handle of the file, made anew where it is none of ours."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX)
        whole = os.fstat(handle).st_size == _SIZE
        if not whole or os.pread(handle, len(_HEAD), 0) != _HEAD:
            os.ftruncate(handle, 0)
            os.posix_fallocate(handle, 0, _SIZE)
            os.pwrite(handle, _HEAD, 0)
        fcntl.lockf(handle, fcntl.LOCK_UN)
    except OSError:
        os.close(handle)
        raise
    return handle


def _name(who: str) -> bytes:
    name = blake2b(who.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return name if name != _NOBODY else b"nobody.."


def _now() -> int:
    return time.time_ns() // 1000
