"""The file of a store: its name, its creation, and its upgrade."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from sqlalchemy import URL

from index.errors import InvalidValue, StoreFull, StoreUnavailable
from index.folders import open_to_others
from index.store.migration import create_or_upgrade
from index.store.sqlite.connections import Connections


def file_of(url: URL) -> Path:
    """File of a store's URL, absolute.

    :raises InvalidValue: the URL names no file. Every process would have a database in
        memory of its own, which no indexer could ever see.
    """
    if url.query:
        raise InvalidValue("store", "write sqlite:///FILE; there is no other kind yet")
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        raise InvalidValue("store", "needs a file; write sqlite:///FILE", got=name)
    return Path(name).absolute()


def create(file: Path) -> None:
    """Create the folder, the file and the tables that do not exist yet.

    Tables of an older schema are upgraded. Several processes may do this at once: they
    take turns by a lock on the folder.

    :raises StoreFull: there is no room for them.
    :raises StoreUnavailable: the file is another program's, or a newer Nutgraf's; or
        others may write to it, or to its folder.
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
            _create_tables(file)
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull from error
        raise StoreUnavailable(f"cannot open a store at {file}: {error}") from error


def _create_tables(file: Path) -> None:
    connections = Connections(file)
    try:
        with connections.writing() as connection:
            create_or_upgrade(connection)
    finally:
        connections.close()
