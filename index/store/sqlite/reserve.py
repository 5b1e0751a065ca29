"""The reserve: room on the store's disk that is let go for withdrawals.

On a full disk nothing can be written, and a kill would be refused when it matters most.
A file beside the store takes up some room as long as there is plenty. A withdrawal that
finds the disk full makes the file shorter, and so has the room for itself: it does so
while it holds the lock that writers of the store take turns by.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

# A kill takes some 50 kB in the write-ahead log: of each table and index, one page.
RESERVE_BYTES = 4 * 1024 * 1024
# It is made again when this much is free beside it.
_SPARE_BYTES = RESERVE_BYTES


class Reserve:
    """The reserve of one store; safe to use from several threads and processes.

    :param file: of the reserve; made by :meth:`fill`.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def size(self) -> int:
        """Bytes in reserve now."""
        try:
            return self.file.stat().st_size
        except OSError:
            return 0

    def release(self, room: int) -> None:
        """Free at least this many bytes, as far as there are any."""
        with suppress(FileNotFoundError):
            os.truncate(self.file, max(0, self.size() - room))

    def is_short(self) -> bool:
        """Whether some of it was used."""
        try:
            return self.file.stat().st_size < RESERVE_BYTES
        except OSError:
            return False  # there never was one

    def is_due(self) -> bool:
        """Whether it should be made, and the disk has room for that and more."""
        if self.size() >= RESERVE_BYTES:
            return False
        disk = os.statvfs(self.file.parent)
        return disk.f_bavail * disk.f_frsize >= RESERVE_BYTES + _SPARE_BYTES

    def fill(self) -> None:
        """Fill it up, with blocks that are allocated now.

        :raises OSError: there is no room, or no permission; it is as it was.
        """
        is_new = not self.file.exists()
        handle = os.open(self.file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        before = os.fstat(handle).st_size
        try:
            os.posix_fallocate(handle, 0, RESERVE_BYTES)
        except OSError:
            os.ftruncate(handle, before)  # a part of it may have been allocated
            if is_new:
                self.file.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
