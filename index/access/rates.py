"""Rate limits, counted by all processes of a store together.

Each caller has one number: the instant at which its full allowance will be available
again (GCRA: an evenly refilled bucket in one integer). Beside a store in a file, the
numbers are in a small file, in a slot for each caller. It is read and written by system
calls, not mapped: on a full disk, a page of a mapping that cannot be written kills the
process. It is never synced, since none of it matters after a power cut.
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
from typing import Protocol

MINUTE = 60_000_000  # microseconds
SLOTS = 4096  # in the table of keys, and in the table of addresses
_NEAR = 16  # candidate slots of a caller; the least recently used one is reused
_SLOT = struct.Struct("=8sqq")  # caller, instant of the full allowance, last call
_HEAD = b"nutgraf rates 1\n"
_SIZE = len(_HEAD) + 2 * SLOTS * _SLOT.size
_NOBODY = bytes(8)
_LOCK_TRIES = 250
_LOCK_PAUSE = 0.0002  # seconds

LOG = logging.getLogger("nutgraf.rates")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still use after a call.

    :param taken: whether the call was within the rate; if not, it was not counted.
    :param left: calls that may follow at once.
    :param full: microseconds until ``left`` is ``limit`` again.
    :param wait: microseconds until the next call is allowed; 0 for now.
    """

    taken: bool
    limit: int
    left: int
    full: int
    wait: int


def allow(until: int, now: int, limit: int) -> tuple[int, Allowance]:
    """A caller's number after one more call, and what the caller may still use.

    :param until: the number before the call; 0 for a new caller.
    :param now: microseconds since 1970 UTC, like all these numbers.
    :param limit: calls a minute, and calls at once.
    """
    step = MINUTE // limit
    capacity = step * limit
    # After the clock was set back, nobody must wait longer than for a full bucket.
    used = min(max(until - now, 0), capacity)
    taken = used + step <= capacity
    if taken:
        used += step
    left = (capacity - used) // step
    wait = 0 if left else used + step - capacity
    return now + used, Allowance(taken, limit, left, used, wait)


class Rates(Protocol):
    """The rate limits of all callers of one store.

    Safe to use from several threads and processes. If the numbers cannot be used, each
    process counts for itself and logs a warning: a full disk must not stop readers.
    """

    def take(self, key: str, limit: int, *, now: int | None = None) -> Allowance:
        """Count a call with a key.

        :param limit: calls a minute.
        """
        ...

    def touch(self, key: str, *, now: int | None = None) -> None:
        """Record a call with a key that has no limit."""
        ...

    def fail(self, address: str, limit: int, *, now: int | None = None) -> Allowance:
        """Count a failed call from an address."""
        ...

    def used(self, key: str) -> int | None:
        """Last use of a key, in microseconds since 1970 UTC, if known."""
        ...

    def close(self) -> None:
        """Free what this process holds."""
        ...


class RateFile:
    """Rate limits in a file; see :class:`Rates`.

    Safe to use from several threads and processes; a forked process opens the file for
    itself. If the file cannot be used, each process counts for itself and logs a
    warning: a full disk must not stop readers.

    :param path: of the file, which is created when it is first needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: dict[int, _Counters] = {}

    def take(self, key: str, limit: int, *, now: int | None = None) -> Allowance:
        return self._counters().take(0, key, limit, _now() if now is None else now)

    def touch(self, key: str, *, now: int | None = None) -> None:
        self._counters().touch(key, _now() if now is None else now)

    def fail(self, address: str, limit: int, *, now: int | None = None) -> Allowance:
        return self._counters().take(1, address, limit, _now() if now is None else now)

    def used(self, key: str) -> int | None:
        return self._counters().used(key)

    def close(self) -> None:
        counters = self._opened.pop(os.getpid(), None)
        if counters is not None:
            counters.close()

    def _counters(self) -> _Counters:
        pid = os.getpid()
        counters = self._opened.get(pid)
        if counters is None:
            # Two threads that come here at once must share one: closing a second handle
            # would release the locks of this process.
            counters = self._opened.setdefault(pid, _Counters(self.path))
        return counters


class _Counters:
    """The numbers as one process sees them: in the file, or in memory instead."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # File locks exclude other processes, but not other threads of this one.
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._memory: bytearray | None = None

    def take(self, table: int, who: str, limit: int, now: int) -> Allowance:
        name = _name(who)
        with self._lock:
            try:
                return self._take(table, name, limit, now)
            except OSError as error:
                self._count_alone(error)
                return self._take(table, name, limit, now)

    def touch(self, who: str, now: int) -> None:
        name = _name(who)
        with self._lock:
            try:
                self._touch(name, now)
            except OSError as error:
                self._count_alone(error)
                self._touch(name, now)

    def used(self, who: str) -> int | None:
        name = _name(who)
        with self._lock:
            try:
                _, owner, _, used = self._find(0, name)
            except OSError as error:
                self._count_alone(error)
                return None
        return used if owner == name else None

    def close(self) -> None:
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def _take(self, table: int, name: bytes, limit: int, now: int) -> Allowance:
        self._lock_file()
        try:
            at, owner, until, _ = self._find(table, name)
            until, allowance = allow(until if owner == name else 0, now, limit)
            self._write(at, _SLOT.pack(name, until, now))
        finally:
            self._unlock_file()
        return allowance

    def _touch(self, name: bytes, now: int) -> None:
        self._lock_file()
        try:
            at, owner, until, _ = self._find(0, name)
            self._write(at, _SLOT.pack(name, until if owner == name else 0, now))
        finally:
            self._unlock_file()

    def _find(self, table: int, name: bytes) -> tuple[int, bytes, int, int]:
        """Offset and content of a caller's slot, or of the slot to reuse for it."""
        first = int.from_bytes(name) % (SLOTS - _NEAR)
        at = len(_HEAD) + (table * SLOTS + first) * _SLOT.size
        oldest = None
        slots = self._read(at, _NEAR * _SLOT.size)
        for n, fields in enumerate(_SLOT.iter_unpack(slots)):
            slot = (at + n * _SLOT.size, *fields)
            if fields[0] == name:
                return slot
            # The last call of an unused slot is 0.
            if oldest is None or fields[2] < oldest[3]:
                oldest = slot
        assert oldest is not None, "there are slots"
        return oldest

    def _read(self, at: int, size: int) -> bytes:
        if self._memory is not None:
            return bytes(self._memory[at : at + size])
        data = os.pread(self._file(), size, at)
        if len(data) < size:
            raise OSError(f"{self._path} was truncated")
        return data

    def _write(self, at: int, slot: bytes) -> None:
        if self._memory is not None:
            self._memory[at : at + len(slot)] = slot
        else:
            os.pwrite(self._file(), slot, at)

    def _lock_file(self) -> None:
        # Processes hold the lock for microseconds. One that was stopped while holding
        # it must not stop the others, so after some tries a call goes on without the
        # lock.
        for _ in range(_LOCK_TRIES if self._memory is None else 0):
            try:
                fcntl.lockf(self._file(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                time.sleep(_LOCK_PAUSE)
            else:
                return

    def _unlock_file(self) -> None:
        if self._memory is None:
            fcntl.lockf(self._file(), fcntl.LOCK_UN)

    def _file(self) -> int:
        if self._handle is None:
            self._handle = _open(self._path)
        return self._handle

    def _count_alone(self, error: OSError) -> None:
        LOG.warning(
            "rates are counted by this process alone until it is restarted: %s",
            error,
        )
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None
        self._memory = bytearray(_SIZE)


def _open(path: Path) -> int:
    """Open the file, and create it if it is missing or not a file of rates."""
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
