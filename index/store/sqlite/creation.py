"""The file of a store: its name, its creation, and its migration."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL

from index.errors import InvalidValue, StoreFull, StoreReadOnly, StoreUnavailable
from index.folders import open_to_others
from index.store import carryover, migration
from index.store.database import Migration
from index.store.migration import create_tables, has_tables
from index.store.schema import FIRST_THAT_LOOKS, check_release, schema_of
from index.store.sqlite.connections import Connections
from index.store.tables import SCHEMA


def file_of(url: URL) -> Path:
    """File of a store's URL, absolute.

    :raises InvalidValue: the URL names no file. Every process would have a database in
        memory of its own, which no indexer could ever see.
    """
    if url.query:
        raise InvalidValue("store", "write sqlite:///FILE, without parameters")
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        raise InvalidValue("store", "needs a file; write sqlite:///FILE", got=name)
    return Path(name).absolute()


def create(file: Path) -> None:
    """Create the folder, the file and the tables that do not exist yet.

    Several processes may do this at once: they take turns by a lock on the folder. A
    store of an older schema stays as it is.

    :raises StoreFull: there is no room for them.
    :raises StoreReadOnly: the disk is read-only, and the store is not open elsewhere.
    :raises MigrationNeeded: the store is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: the file is another program's; or others may write to it,
        or to its folder.
    """
    with _created(file) as connections, connections.reading() as connection:
        check_release(connection)


def migrate(file: Path) -> Migration:
    """Take a store to the schema of this release; create it if need be.

    :raises StoreFull: there is no room for it.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: as for :func:`create`; or processes of a release that
        would not notice have the store open.
    """
    with _created(file) as connections:
        with connections.reading() as connection:
            before = schema_of(connection).number
        if before < SCHEMA:
            if before < FIRST_THAT_LOOKS:
                connections.close()
                _check_unused(file, before)
            with connections.writing() as connection:
                migration.migrate(connection)
        with connections.reading() as connection:
            check_release(connection)
            after = schema_of(connection)
    return Migration(
        before=before, after=after.number, oldest_writer=after.oldest_writer
    )


def begin_history(file: Path) -> None:
    """Begin a new history in a store that was put back by hand.

    :raises MigrationNeeded: the store is of an older schema.
    :raises StoreUnavailable: as for :func:`create`.
    """
    with _created(file) as connections, connections.writing() as connection:
        check_release(connection)
        carryover.begin_history(connection)


@contextmanager
def _created(file: Path) -> Iterator[Connections]:
    """Lend connections to a store that exists, while nobody else opens or migrates it.

    Its schema may be an older or a newer one.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (file.parent, file):
            reason = open_to_others(path)
            if reason is not None:
                raise StoreUnavailable(f"the store is not used: {reason}")
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if not file.exists():
                # Nobody else may read it, whoever made the folder. Only a new file may
                # be opened and closed here: closing any handle of a database drops
                # this process's locks on it (sqlite.org/howtocorrupt.html, 2.2).
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            connections = Connections(file)
            try:
                _create_tables(connections)
                yield connections
            finally:
                connections.close()
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull from error
        if error.errno == errno.EROFS:
            raise StoreReadOnly(
                f"no store can be created at {file}, whose disk is read-only; make it"
                " writable, or name another file (NUTGRAF_STORE)"
            ) from error
        raise StoreUnavailable(f"cannot open a store at {file}: {error}") from error


def _create_tables(connections: Connections) -> None:
    """Create the tables of a new store; one that exists is only read."""
    with connections.reading() as connection:
        exists = has_tables(connection)
    if not exists:
        with connections.writing() as connection:
            create_tables(connection)


def _check_unused(file: Path, schema: int) -> None:
    """Check that no process has a store open whose release does not notice a migration.

    SQLite leaves the mode with a write-ahead log only if no other connection is open.
    While the folder is locked, no process opens a store.

    :raises StoreUnavailable: some process has it open.
    """
    try:
        with closing(sqlite3.connect(file, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise StoreUnavailable(f"the store cannot be reached ({error})") from error
        raise StoreUnavailable(
            f"the store has schema {schema}, whose release does not notice a migration,"
            " and some process has the store open; stop Nutgraf, run nutgraf migrate,"
            " then start the new release"
        ) from error
