"""A store in one SQLite file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection

from index.access import RateFile
from index.dates import Clock
from index.errors import ServiceError, StoreFull, StoreReadOnly
from index.store.database import Backup, IndexerLock, Migration, Restored
from index.store.quarantine import NoteFiles, Quarantine
from index.store.rows import value_of
from index.store.schema import check_release
from index.store.sqlite import backup, soundness
from index.store.sqlite.connections import Connections
from index.store.sqlite.creation import begin_history, create, file_of, migrate
from index.store.sqlite.locks import exclusive, holder, is_locked
from index.store.sqlite.reserve import Reserve

# Between two looks at the store of who waits for a change: one row by its key, well
# below 0.1 ms. A tenth of the wait, within these bounds.
_POLL_SECONDS = (0.01, 0.05)


class SQLite:
    """See :class:`index.store.database.Database`.

    :param path: of the file, absolute; it is created if need be.
    :raises StoreFull: there is no room for it.
    :raises MigrationNeeded: it is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: the file is another program's; or others may write to it,
        or to its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rates = RateFile(path.with_name(f"{path.name}-rates"))
        self.quarantine = Quarantine(NoteFiles(path))
        self._lock = path.with_name(f"{path.name}-indexer.lock")
        self._reserve = Reserve(path.with_name(f"{path.name}-reserve"))
        create(path)
        # By process: SQLite's connections must not be used, nor closed, after a fork
        # (sqlite.org/howtocorrupt.html, 2.6), so the parent's stay here untouched.
        self._connections: dict[int, Connections] = {}

    @classmethod
    def open(cls, url: URL) -> Self:
        """The database of ``sqlite:///FILE``.

        :raises InvalidValue: the URL names no file.
        """
        return cls(file_of(url))

    @staticmethod
    def migrate(url: URL) -> Migration:
        """Take the database of ``sqlite:///FILE`` to the schema of this release.

        :raises InvalidValue: the URL names no file.
        """
        return migrate(file_of(url))

    @staticmethod
    def begin_history(url: URL) -> None:
        """Begin a new history in the file of a URL, which was put back by hand.

        :raises InvalidValue: the URL names no file.
        """
        begin_history(file_of(url))

    def close(self) -> None:
        connections = self._connections.pop(os.getpid(), None)
        if connections is not None:
            connections.close()
        self.rates.close()

    @property
    def place(self) -> str:
        return str(self.path)

    def reading(self) -> AbstractContextManager[Connection]:
        return self.connections().reading()

    @contextmanager
    def writing(self, *, room: int = 0, ordinary: bool = True) -> Iterator[Connection]:
        with self.connections().writing() as connection:
            if room:
                self._reserve.release(room)
            elif ordinary and self._reserve.is_short():
                # What it lacks may be free now, or in the write-ahead log: there it
                # serves further withdrawals, which no other write may do.
                try:
                    self._reserve.fill()
                except OSError as error:
                    raise StoreFull from error
            yield connection

    def wait_for_change(self, after: int, seconds: float) -> int:
        limit = time.monotonic() + seconds
        shortest, longest = _POLL_SECONDS
        pause = min(max(seconds / 10, shortest), longest)
        while True:
            with self.reading() as connection:
                seq = value_of(connection, "seq")
            left = limit - time.monotonic()
            if seq > after or left <= 0:
                return seq
            time.sleep(min(left, pause))

    def forget_pages(self) -> None:
        self.connections().close()

    def reserve(self) -> int:
        return self._reserve.size()

    def fill_reserve(self) -> None:
        with suppress(OSError):  # the folder is gone, or there is no room after all
            if not self.writable():
                return
            if self._reserve.is_short():
                # A withdrawal that was refused has left its room in the log.
                with suppress(ServiceError):
                    self.connections().empty_log()
            elif not self._reserve.is_due():
                return
            # Not beside a withdrawal that has just let go of it.
            with suppress(StoreFull), self.writing(ordinary=False):
                self._reserve.fill()

    def connections(self) -> Connections:
        """The connections of this process."""
        pid = os.getpid()
        connections = self._connections.get(pid)
        if connections is None:
            # Two threads that come here at once share those of the first.
            connections = self._connections.setdefault(
                pid, Connections(self.path, check=check_release)
            )
        return connections

    def indexer_lock(self) -> AbstractContextManager[IndexerLock]:
        return exclusive(self._lock)

    def indexer_running(self) -> bool:
        return is_locked(self._lock)

    def indexer_process(self) -> int | None:
        return holder(self._lock)

    def size(self) -> int:
        names = (self.path.name, f"{self.path.name}-wal")
        files = [self.path.with_name(name) for name in names]
        return sum(file.stat().st_size for file in files if file.exists())

    def writable(self) -> bool:
        if self.connections().read_only:
            return False
        return all(os.access(path, os.W_OK) for path in (self.path.parent, self.path))

    def try_to_write(self) -> None:
        if self.connections().read_only:
            with suppress(StoreReadOnly), self.writing():  # remembered already
                pass

    def problems(self, connection: Connection) -> Iterator[str]:
        return soundness.problems(connection)

    def warnings(self) -> Iterator[str]:
        return soundness.warnings()

    def erase_deleted(self) -> None:
        self.connections().truncate_log()

    def take_backup(self, file: Path, *, replace: bool) -> Backup:
        with self.reading():  # it looks at the schema
            pass
        return backup.take(self.path, file, replace=replace)

    def restore_backup(self, file: Path, *, with_keys: bool, clock: Clock) -> Restored:
        return backup.restore(self.path, file, clock, with_keys=with_keys)
