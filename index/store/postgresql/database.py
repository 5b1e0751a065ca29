"""A store in one schema of a PostgreSQL database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, NoReturn, Self

from sqlalchemy import URL, Connection, text

from index.dates import Clock
from index.errors import InvalidValue, StoreReadOnly
from index.store.database import Backup, IndexerLock, Migration, Restored
from index.store.postgresql import erasure, indexer_lock, soundness
from index.store.postgresql.address import parameters_of, place_of
from index.store.postgresql.connections import Connections, driver_of
from index.store.postgresql.creation import begin_history, create, migrate
from index.store.postgresql.notes import NoteRows
from index.store.postgresql.notifications import Notifications
from index.store.postgresql.rates import RateRows
from index.store.quarantine import Quarantine
from index.store.rows import value_of
from index.store.schema import check_release
from index.store.tables import metadata

_SIZE = text(
    "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)::bigint"
    " FROM unnest(CAST(:names AS text[])) AS name"
)


class PostgreSQL:
    """See :class:`index.store.database.Database`.

    :param parameters: of libpq.
    :param place: the database in words, for messages.
    :raises MigrationNeeded: it is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: it cannot be reached or used, and why.
    """

    path: Path | None = None

    def __init__(self, parameters: Mapping[str, Any], place: str) -> None:
        self._parameters, self.place = parameters, place
        create(parameters)
        # By process: a forked child must not use its parent's.
        self._connections: dict[int, Connections] = {}
        self._notifications: dict[int, Notifications] = {}
        self.rates = RateRows(parameters)
        self.quarantine = Quarantine(NoteRows(self.reading, self._writing_aside))

    @classmethod
    def open(cls, url: URL) -> Self:
        """The database of ``postgresql+psycopg://USER:PASSWORD@HOST/DATABASE``.

        :raises InvalidValue: the URL names no database.
        """
        return cls(parameters_of(url), place_of(url))

    @staticmethod
    def migrate(url: URL) -> Migration:
        """Take the database of a URL to the schema of this release.

        :raises InvalidValue: the URL names no database.
        """
        return migrate(parameters_of(url))

    @staticmethod
    def begin_history(url: URL) -> None:
        """Begin a new history in the database of a URL, which was restored.

        :raises InvalidValue: the URL names no database.
        """
        begin_history(parameters_of(url))

    def close(self) -> None:
        notifications = self._notifications.pop(os.getpid(), None)
        if notifications is not None:
            notifications.close()
        connections = self._connections.pop(os.getpid(), None)
        if connections is not None:
            connections.close()
        self.rates.close()

    def reading(self) -> AbstractContextManager[Connection]:
        return self.connections().reading()

    def writing(
        self, *, room: int = 0, ordinary: bool = True
    ) -> AbstractContextManager[Connection]:
        return self.connections().writing()

    def _writing_aside(self) -> AbstractContextManager[Connection]:
        """A transaction that writes beside the store's own, and waits for none."""
        return self.connections().writing(in_turn=False)

    def wait_for_change(self, after: int, seconds: float) -> int:
        pid = os.getpid()
        notifications = self._notifications.get(pid)
        if notifications is None:
            notifications = self._notifications.setdefault(
                pid, Notifications(self._parameters)
            )
        return notifications.wait(self._seq, after, seconds)

    def _seq(self) -> int:
        with self.reading() as connection:
            return value_of(connection, "seq")

    def forget_pages(self) -> None:
        """Nothing: the server keeps pages, for all processes."""

    def reserve(self) -> int:
        return 0  # a client cannot keep room on the server's disk

    def fill_reserve(self) -> None:
        """Nothing: see :meth:`reserve`."""

    def connections(self) -> Connections:
        """The connections of this process."""
        pid = os.getpid()
        connections = self._connections.get(pid)
        if connections is None:
            # Two threads that come here at once share those of the first.
            connections = self._connections.setdefault(
                pid, Connections(self._parameters, check=check_release)
            )
        return connections

    def indexer_lock(self) -> AbstractContextManager[IndexerLock]:
        return indexer_lock.held(self._parameters, self.place)

    def indexer_running(self) -> bool:
        return self.indexer_process() is not None

    def indexer_process(self) -> str | None:
        with self.reading() as connection:
            return indexer_lock.holder_of(driver_of(connection))

    def size(self) -> int:
        with self.reading() as connection:
            names = {"names": list(metadata.tables)}
            return int(connection.execute(_SIZE, names).scalar_one())

    def writable(self) -> bool:
        return not self.connections().read_only

    def try_to_write(self) -> None:
        if self.connections().read_only:
            with suppress(StoreReadOnly), self.writing():  # remembered already
                pass

    def problems(self, connection: Connection) -> Iterator[str]:
        driver_of(connection).silence = None  # everything is read
        return soundness.problems(connection)

    def warnings(self) -> Iterator[str]:
        with self.reading() as connection:
            return iter(list(soundness.warnings(connection)))

    def erase_deleted(self) -> None:
        erasure.erase(self._parameters)

    def take_backup(self, file: Path, *, replace: bool) -> Backup:
        self._refuse(
            "PostgreSQL backs itself up: run pg_dump --format=custom"
            f" --file={file} --dbname=DATABASE; see docs/operations.md"
        )

    def restore_backup(self, file: Path, *, with_keys: bool, clock: Clock) -> Restored:
        self._refuse(
            "PostgreSQL restores its own backups: stop Nutgraf, run pg_restore into an"
            " empty database, then nutgraf restored; see docs/operations.md"
        )

    @staticmethod
    def _refuse(reason: str) -> NoReturn:
        raise InvalidValue("store", reason)
