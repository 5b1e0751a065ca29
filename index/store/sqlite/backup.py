"""Backups of a SQLite store: taken and restored while every process goes on.

A backup is one SQLite file: the store as it was when the copy began. It does not hold
the index, which is built again from the store. Restoring writes *into* the store's
file, in one transaction: if another file took its place, every process would go on
with the old one.
"""

from __future__ import annotations

import errno
import glob
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError

from index.dates import Clock
from index.errors import InvalidValue, StoreFull, StoreUnavailable
from index.store import carryover
from index.store.carryover import Carried
from index.store.database import Backup, Restored
from index.store.sqlite import connections
from index.store.sqlite.connections import Connections, store_errors
from index.store.sqlite.creation import migrate
from index.store.tables import SCHEMA, articles, changes, metadata, state, versions

_MAGIC = b"SQLite format 3\x00"
_PAGES = 1_000  # copied at a time, where nobody else writes to what is copied
_NUMBERS = ("schema", "seq", "rebuild", "rebuilt")  # that every store has
_PAUSE_SECONDS = 0.05  # between two tries while somebody else writes
_BESIDE = ("", "-wal", "-shm", "-journal")  # endings of the files that SQLite creates


def take(live: Path, file: Path, *, replace: bool) -> Backup:
    """Copy a store into a file; see ``Database.take_backup``.

    :param live: the store's own file.
    """
    if file.exists():
        if not file.is_file() or file.samefile(live):
            raise InvalidValue("FILE", f"{file} is not a file that a backup replaces")
        if not replace:
            raise InvalidValue("FILE", f"{file} exists; replace it with --force")
    try:
        with _new_file(file) as part:
            _copy(live, part)
            _settle(part)
            backup = _examined(part, "the store")
            part.replace(file)
            _sync(file.parent)
    except StoreFull as error:
        raise StoreUnavailable(
            f"the disk is full and no backup was written to {file}; free some space"
        ) from error
    return backup


def restore(live: Path, file: Path, clock: Clock) -> Restored:
    """Replace a store's content by a backup; see ``Database.restore_backup``.

    :param live: the store's own file.
    """
    if file.exists() and file.samefile(live):
        raise InvalidValue("FILE", f"{file} is the store itself; name a backup of it")
    _check_kind(file)
    with _new_file(live.with_name(f"{live.name}-restored")) as part:
        try:
            with _reading(file) as source, _connected(part) as target:
                _write(source, target)
        except StoreUnavailable as error:
            # No other process uses the copy, so it is the backup that failed.
            raise InvalidValue(
                "FILE", f"{file} is damaged or cannot be read: {error.__cause__}"
            ) from error
        _settle(part)
        backup = _examined(part, str(file))
        try:
            migrate(part)
        except (StoreUnavailable, DBAPIError) as error:
            cause = getattr(error, "orig", error)  # without the SQL
            raise InvalidValue("FILE", f"{file} is no store: {cause}") from error
        carried = _take_place(part, live, clock)
    with store_errors(), _connected(live) as connection:
        # The write-ahead log is as long as the store now. Readers still need it, and
        # waiting for them would make writers wait too.
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Restored(
        backup=backup,
        before=carried.seq,
        killed_again=carried.killed,
        restricted_again=carried.restricted,
    )


def _check_kind(file: Path) -> None:
    """Refuse a file that is no SQLite database, before SQLite opens it."""
    try:
        with file.open("rb") as opened:
            head = opened.read(len(_MAGIC))
    except OSError as error:
        raise InvalidValue("FILE", f"{file} cannot be read: {error}") from error
    if head != _MAGIC:
        raise InvalidValue("FILE", f"{file} is no backup; it is no SQLite database")


def _examined(file: Path, name: str) -> Backup:
    """Contents of a copy, after it was checked.

    :param name: of what was copied, for messages.
    :raises InvalidValue: it is no store, or a newer one, or it is damaged.
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
            numbers = dict(
                connection.execute("SELECT name, value FROM state").fetchall()
            )
            lacks = next(_lacking(connection, numbers), None)
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM articles),"
                " (SELECT count(*) FROM versions)"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            raise InvalidValue("FILE", f"{name} is damaged: {error}") from error
    if lacks is not None:
        raise InvalidValue("FILE", f"{name} is no store: {lacks}")
    if numbers["schema"] > SCHEMA:
        raise InvalidValue(
            "FILE",
            f"{name} has schema {numbers['schema']}, newer than {SCHEMA} of this"
            " Nutgraf; use the version of Nutgraf that wrote it",
        )
    return Backup(
        schema=numbers["schema"],
        seq=numbers["seq"],
        articles=counts[0],
        versions=counts[1],
    )


def _lacking(connection: sqlite3.Connection, numbers: dict[Any, Any]) -> Iterator[str]:
    """Yield what is missing from a database whose tables have the names of ours."""
    for name in _NUMBERS:
        if not isinstance(numbers.get(name), int):
            yield f"its table state has no number for {name}"
    if numbers["schema"] < 1:
        yield f"there is no schema {numbers['schema']}"
    # The columns of older schemas are left to the upgrade; those of newer ones are
    # unknown.
    if numbers["schema"] == SCHEMA:
        if not isinstance(numbers.get("epoch"), int):
            yield "its table state has no number for epoch"
        for table in metadata.sorted_tables:
            rows = connection.execute(
                "SELECT name FROM pragma_table_info(?)", [table.name]
            )
            missing = {column.name for column in table.columns} - {
                row[0] for row in rows
            }
            if missing:
                yield f"its table {table.name} has no {min(missing)}"


@contextmanager
def _new_file(file: Path) -> Iterator[Path]:
    """Create a file under a temporary name; remove it at the end unless it was renamed.

    With it go the files that SQLite has created for it.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    _remove_left_over(file)
    try:
        # SQLite gives the files that it creates beside one the same permissions.
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
    """Remove temporary files that killed processes left for a file of this name."""
    for path in file.parent.glob(f".{glob.escape(file.name)}.*.part*"):
        owner = path.name.removeprefix(f".{file.name}.").partition(".")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            path.unlink(missing_ok=True)


def _copy(live: Path, part: Path) -> None:
    with store_errors(), _connected(live) as source, _connected(part) as target:
        _write(source, target)


def _take_place(part: Path, live: Path, clock: Clock) -> Carried:
    """Copy a backup into the store, after the store's kills and keys into the backup.

    SQLite locks the store for writers from the first step of a copy to the last, and
    starts again by itself if the source was changed between two steps.
    """
    # First while others still write; once more, for what came meanwhile, while they
    # wait.
    carried = [_carry(live, part, clock)]
    with store_errors(), _connected(part) as source, _connected(live) as target:
        ((pages,),) = source.execute("PRAGMA page_count").fetchall()
        _write(
            source,
            target,
            # The first step is never the last: a store has dozens of pages.
            pages=min(_PAGES, pages // 2),
            locked=lambda: carried.append(_carry(live, part, clock)),
        )
    first, last = carried
    return first.and_then(last)


def _carry(live: Path, copy: Path, clock: Clock) -> Carried:
    """Carry over from the store to a copy, in one transaction that writes to the copy.

    :raises StoreFull: there is no room for it.
    :raises StoreUnavailable: one of the two is damaged or cannot be read.
    """
    of_copy = Connections(copy, attached=live)
    try:
        with of_copy.writing() as connection:
            return carryover.carry(connection, clock)
    finally:
        of_copy.close()


def _write(
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    *,
    pages: int = -1,
    locked: Callable[[], None] | None = None,
) -> None:
    """Copy one database into another, in one transaction.

    :param pages: copied in one step, by default all: with small steps SQLite would
        start again at each write of another process, and under load never end.
    :param locked: called once, when nobody else can write to the target any more.
    """
    give_up_at = time.monotonic() + connections.BUSY_SECONDS

    def progress(status: int, _remaining: int, _total: int) -> None:
        nonlocal locked, give_up_at
        waits = status not in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE)
        if waits and time.monotonic() > give_up_at:
            raise StoreUnavailable(
                "the store was busy with another write for"
                f" {connections.BUSY_SECONDS:g} s; nothing was changed; try again"
            )
        if status == sqlite3.SQLITE_OK and locked is not None:
            call, locked = locked, None
            call()
            give_up_at = time.monotonic() + connections.BUSY_SECONDS

    with store_errors():
        source.backup(target, pages=pages, progress=progress, sleep=_PAUSE_SECONDS)


@contextmanager
def _connected(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(_connect(file, "mode=rw")) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        yield connection


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that nobody writes to, and leave no other file beside it."""
    # Without a log beside it, the file is read as it is, also from a folder that cannot
    # be written to; with one, as cp leaves it, SQLite has to merge the two.
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
    """Merge a database's log into its file, and sync that."""
    with store_errors(), _connected(file) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    _sync(file)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
