"""Backups of a store: taken and put back while every process goes on.

A backup is one SQLite file: the store as it was when the copy began. The index is no
part of it, as it is built again from the store. Putting one back writes *into* the
store's file, in one transaction: a file that took its place would leave every process
with the old one open.
"""

from __future__ import annotations

import errno
import glob
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from index.errors import InvalidValue, StoreFull, StoreUnavailable
from index.store import carryover, tables
from index.store.carryover import Carried
from index.store.sqlite import connections
from index.store.sqlite.connections import store_errors
from index.store.store import Store
from index.store.tables import articles, changes, state, versions

_MAGIC = b"SQLite format 3\x00"
_PAGES = 1_000  # copied at a time, where nobody else writes to what is copied
_NUMBERS = ("schema", "seq", "rebuild", "rebuilt")  # that every store has
_PAUSE_SECONDS = 0.05  # between two tries where somebody else writes
_BESIDE = ("", "-wal", "-shm", "-journal")  # names of what SQLite makes of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds.

    :param seq: the newest change in it.
    """

    schema: int
    seq: int
    articles: int
    versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What became of a store when a backup was put back.

    :param backup: what was put back.
    :param before: the newest change that the store had; those after ``backup.seq`` are
        gone.
    :param killed_again: ids of articles that were killed or purged after the backup was
        taken, and are so again.
    :param restricted_again: ids of articles that were withheld after it was taken, or
        whose embargo then became longer or whose expiry earlier; so they are again.
    """

    backup: Backup
    before: int
    killed_again: tuple[str, ...]
    restricted_again: tuple[str, ...]


def take_backup(store: Store, file: Path, *, replace: bool = False) -> Backup:
    """Copy a store into a file of its own; writes and searches go on meanwhile.

    What was acknowledged before this is called is in it. The file has its name once it
    is whole, checked and on disk, and only its owner may read it.

    :param replace: a file of that name may be replaced.
    :raises InvalidValue: there is a file of that name, or none can be made.
    :raises StoreUnavailable: the store is damaged or cannot be read, or there is no
        room for the copy.
    """
    if file.exists():
        if not file.is_file() or file.samefile(store.path):
            raise InvalidValue("FILE", f"{file} is not a file that a backup replaces")
        if not replace:
            raise InvalidValue("FILE", f"{file} exists; replace it with --force")
    try:
        with _new_file(file) as part:
            _copy(store.path, part)
            _settle(part)
            found = _examined(part, "the store")
            part.replace(file)
            _sync(file.parent)
    except StoreFull as error:
        raise StoreUnavailable(
            f"the disk is full and no backup was written to {file}; free some space"
        ) from error
    return found


def restore_backup(store: Store, file: Path) -> Restored:
    """Make a store what it was when a backup was taken; other processes go on.

    The backup is checked first, and stays as it is: one of an older schema is brought
    up to date in a copy. In the transaction that replaces everything the store gets a
    new epoch, so that whoever follows its changes starts anew, and a request to build
    the index again. What was taken from somebody since stays taken: an article that was
    killed or purged is so again, one that was held back is held back as long, and keys
    are as they were before. That goes for all that is acknowledged until the
    transaction is committed: from before it is looked for until then writers wait.

    :raises InvalidValue: the file is no sound backup of a store.
    :raises StoreFull: there is no room for the copy, or for the store.
    :raises StoreUnavailable: the store is damaged or too busy; it is as it was.
    """
    if file.exists() and file.samefile(store.path):
        raise InvalidValue("FILE", f"{file} is the store itself; name a backup of it")
    _check_kind(file)
    with _new_file(store.path.with_name(f"{store.path.name}-restored")) as part:
        try:
            with _reading(file) as read, _connected(part) as written:
                _write(read, written)
        except StoreUnavailable as error:
            # Nobody else knows of the copy: what failed is the backup.
            raise InvalidValue(
                "FILE", f"{file} is damaged or cannot be read: {error.__cause__}"
            ) from error
        _settle(part)
        found = _examined(part, str(file))
        url = URL.create("sqlite", database=str(part)).render_as_string()
        try:
            Store(url).close()  # which brings an older one up to date
        except (StoreUnavailable, DBAPIError) as error:
            cause = getattr(error, "orig", error)  # without the SQL
            raise InvalidValue("FILE", f"{file} is no store: {cause}") from error
        carried = _take_place(part, store.path)
    with store_errors(), _connected(store.path) as connection:
        # The log of writes is as long as the store now. Whoever reads just now needs
        # it, and is not waited for: writers would wait too.
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Restored(
        backup=found,
        before=carried.seq,
        killed_again=carried.killed,
        restricted_again=carried.restricted,
    )


def _check_kind(file: Path) -> None:
    """Refuse what is no file of SQLite's, before SQLite looks at it."""
    try:
        with file.open("rb") as opened:
            head = opened.read(len(_MAGIC))
    except OSError as error:
        raise InvalidValue("FILE", f"{file} cannot be read: {error}") from error
    if head != _MAGIC:
        raise InvalidValue("FILE", f"{file} is no backup; it is no SQLite database")


def _examined(file: Path, name: str) -> Backup:
    """Return what a copy holds.

    :raises InvalidValue: that is no store, a newer one, or it is damaged.
    """
    with _reading(file) as connection:
        try:
            names = {
                row[0] for row in connection.execute("SELECT name FROM sqlite_master")
            }
            if not {articles.name, versions.name, changes.name, state.name} <= names:
                raise InvalidValue("FILE", f"{name} is another program's database")
            for (line,) in connection.execute("PRAGMA quick_check"):
                if line != "ok":
                    raise InvalidValue("FILE", f"{name} is damaged: {line}")
            said = dict(connection.execute("SELECT name, value FROM state").fetchall())
            lacks = next(_lacking(connection, said), None)
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM articles),"
                " (SELECT count(*) FROM versions)"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            raise InvalidValue("FILE", f"{name} is damaged: {error}") from error
    if lacks is not None:
        raise InvalidValue("FILE", f"{name} is no store: {lacks}")
    if said["schema"] > tables.SCHEMA:
        raise InvalidValue(
            "FILE",
            f"{name} has schema {said['schema']}, newer than {tables.SCHEMA} of this"
            " Nutgraf; use the version of Nutgraf that wrote it",
        )
    return Backup(
        schema=said["schema"], seq=said["seq"], articles=counts[0], versions=counts[1]
    )


def _lacking(connection: sqlite3.Connection, said: dict[Any, Any]) -> Iterator[str]:
    """Yield what a database with tables of our names lacks to be a store."""
    for each in _NUMBERS:
        if not isinstance(said.get(each), int):
            yield f"its table state has no number for {each}"
    if said["schema"] < 1:
        yield f"there is no schema {said['schema']}"
    # Of an older one the upgrade knows what it has, of a newer one nobody here.
    if said["schema"] == tables.SCHEMA:
        if not isinstance(said.get("epoch"), int):
            yield "its table state has no number for epoch"
        for table in tables.metadata.sorted_tables:
            rows = connection.execute(
                "SELECT name FROM pragma_table_info(?)", [table.name]
            )
            missing = {each.name for each in table.columns} - {row[0] for row in rows}
            if missing:
                yield f"its table {table.name} has no {min(missing)}"


@contextmanager
def _new_file(file: Path) -> Iterator[Path]:
    """Make a file under a name beside; whatever is left of it at the end is removed."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    _remove_left_over(file)
    try:
        # SQLite gives what it makes beside a file the same rights.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull from error
        raise InvalidValue("FILE", f"{file} cannot be written: {error}") from error
    try:
        yield part
    finally:
        for ending in _BESIDE:
            part.with_name(part.name + ending).unlink(missing_ok=True)


def _remove_left_over(file: Path) -> None:
    """Remove what a process that was killed had made for a file of this name."""
    for each in file.parent.glob(f".{glob.escape(file.name)}.*.part*"):
        owner = each.name.removeprefix(f".{file.name}.").partition(".")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            each.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with store_errors(), _connected(source) as read, _connected(target) as written:
        _write(read, written)


def _take_place(part: Path, live: Path) -> Carried:
    """Make a store what a copy is, and give that before what holds of the store.

    SQLite keeps the store locked for writers from the first step of a copy to the last,
    and begins anew by itself where what is copied was changed between two of them.
    """
    # All that is known by now, while others still write; then what came meanwhile.
    carried: list[Carried] = [carryover.carry(live, part)]
    with store_errors(), _connected(part) as read, _connected(live) as written:
        ((pages,),) = read.execute("PRAGMA page_count").fetchall()
        _write(
            read,
            written,
            # The first step is never the last: a store has dozens of pages.
            pages=min(_PAGES, pages // 2),
            locked=lambda: carried.append(carryover.carry(live, part)),
        )
    first, last = carried
    return first.and_then(last)


def _write(
    read: sqlite3.Connection,
    written: sqlite3.Connection,
    *,
    pages: int = -1,
    locked: Callable[[], None] | None = None,
) -> None:
    """Make one database another one's copy, in one transaction.

    And in one step, if nothing else is said: with small ones it would begin anew at
    each write of somebody else, and under load never end.

    :param locked: called once, when nobody else can write to the target any more.
    """
    given_up = time.monotonic() + connections.BUSY_SECONDS

    def progress(status: int, _remaining: int, _total: int) -> None:
        nonlocal locked, given_up
        waits = status not in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE)
        if waits and time.monotonic() > given_up:
            raise StoreUnavailable(
                "the store was busy with another write for"
                f" {connections.BUSY_SECONDS:g} s; nothing was changed; try again"
            )
        if status == sqlite3.SQLITE_OK and locked is not None:
            call, locked = locked, None
            call()
            given_up = time.monotonic() + connections.BUSY_SECONDS

    with store_errors():
        read.backup(written, pages=pages, progress=progress, sleep=_PAUSE_SECONDS)


@contextmanager
def _connected(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(_connect(file, "mode=rw")) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        yield connection


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that nobody writes to, and leave nothing beside it."""
    # Without a log beside it, it is read as it lies, also from where nothing may be
    # written; with one, as cp leaves it, SQLite has to put the two together.
    alone = not file.with_name(f"{file.name}-wal").exists()
    how = "mode=ro&immutable=1" if alone else "mode=rw"
    with store_errors(), closing(_connect(file, how)) as connection:
        yield connection


def _connect(file: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(file.absolute()))}?{how}",
        uri=True,
        timeout=connections.BUSY_SECONDS,
        isolation_level=None,
    )


def _settle(file: Path) -> None:
    """Make a database one file, on disk, with nothing beside it."""
    with store_errors(), _connected(file) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    _sync(file)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
