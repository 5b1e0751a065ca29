"""Backups of a SQLite store: taken and restored while every process goes on.

A backup is one SQLite file: the store as it was when the copy began. It does not hold
the index, which is built again from the store. Restoring writes *into* the store's
file, in one transaction: if another file took its place, every process would go on
with the old one. What it writes is a new store with the rows of the backup, never a
page or a table of the backup itself.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError

from index.dates import Clock, micros
from index.errors import InvalidValue, StoreFull, StoreUnavailable
from index.store import carryover
from index.store.carryover import Carried
from index.store.database import Backup, Restored
from index.store.integrity import problems
from index.store.migration import migrate
from index.store.sqlite import connections
from index.store.sqlite.connections import Connections, store_errors
from index.store.sqlite.creation import create
from index.store.sqlite.digest import write_digest
from index.store.sqlite.inspection import (
    BACKUP,
    Contents,
    check_kind,
    copy_rows,
    inspect,
)
from index.store.tables import secrets, sessions

_PAGES = 1_000  # copied at a time, where nobody else writes to what is copied
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
            backup = _complete(part)
            _settle(part)
            part.replace(file)
            _sync(file.parent)
    except StoreFull as error:
        raise StoreUnavailable(
            f"the disk is full and no backup was written to {file}; free some space"
        ) from error
    return backup


def restore(live: Path, file: Path, clock: Clock, *, with_keys: bool) -> Restored:
    """Replace a store's content by a backup; see ``Database.restore_backup``.

    :param live: the store's own file.
    """
    if file.exists() and file.samefile(live):
        raise InvalidValue("FILE", f"{file} is the store itself; name a backup of it")
    check_kind(file)
    with _new_file(live.with_name(f"{live.name}-restored")) as part:
        create(part)
        with _source(file, live) as source:
            contents = _fill(part, source, str(file), with_keys=with_keys)
        backup = _migrated(part, contents, file, clock)
        _settle(part)
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
        keys=contents.keys,
        keys_taken=with_keys,
        has_digest=contents.has_digest,
    )


def _complete(part: Path) -> Backup:
    """Check a copy of the store, give it secrets of its own, and a digest.

    It keeps no session: nobody is logged in by what a backup holds.
    """
    with store_errors(), _connected(part) as connection:
        for (line,) in connection.execute("PRAGMA quick_check"):
            if line != "ok":
                raise InvalidValue("FILE", f"the store is damaged: {line}")
        # Nobody can read the cursors of the store with what a backup holds.
        connection.execute(
            f"UPDATE {secrets.name} SET value = randomblob(length(value))"  # noqa: S608
        )
        connection.execute(f"DELETE FROM {sessions.name}")  # noqa: S608
        write_digest(connection)
        numbers = dict(connection.execute("SELECT name, value FROM state").fetchall())
        return _counted(connection, numbers)


def _counted(connection: sqlite3.Connection, numbers: Mapping[str, int]) -> Backup:
    ((article_count, version_count),) = connection.execute(
        "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM versions)"
    )
    return Backup(
        schema=numbers["schema"],
        seq=numbers["seq"],
        articles=article_count,
        versions=version_count,
    )


@contextmanager
def _source(file: Path, live: Path) -> Iterator[Path]:
    """The file that a backup is read from, beside which nothing else is read.

    A store that was copied with its log beside it is merged in a copy of both. No other
    log and no journal beside a backup is looked at.
    """
    log = file.with_name(f"{file.name}-wal")
    if not (_has_log(file) and log.exists()):
        yield file
        return
    with _new_file(live.with_name(f"{live.name}-merged")) as part:
        needed = sum(path.stat().st_size for path in (file, log))
        if needed > shutil.disk_usage(part.parent).free:
            raise StoreFull
        try:
            shutil.copyfile(file, part)
            shutil.copyfile(log, part.with_name(f"{part.name}-wal"))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StoreFull from error
            raise InvalidValue("FILE", f"{file} cannot be read: {error}") from error
        try:
            _settle(part)
        except StoreUnavailable as error:
            raise InvalidValue("FILE", _damaged(file, error)) from error
        yield part


def _has_log(file: Path) -> bool:
    """Whether a database's head says that it has a write-ahead log."""
    with file.open("rb") as opened:
        return opened.read(20)[18:] == b"\x02\x02"


def _fill(part: Path, source: Path, name: str, *, with_keys: bool) -> Contents:
    """Inspect a backup, and copy its rows into a new store; return what it holds.

    :param name: of the backup, for messages.
    """
    try:
        with store_errors(), _connected(part) as connection:
            for pragma in ("trusted_schema = OFF", "cell_size_check = ON"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(
                f"ATTACH ? AS {BACKUP}",
                (f"file:{quote(str(source.absolute()))}?mode=ro&immutable=1",),
            )
            contents = inspect(connection, name)
            copy_rows(connection, contents, with_keys=with_keys)
            orphans = connection.execute("PRAGMA main.foreign_key_check").fetchone()
            if orphans is not None:
                raise InvalidValue(
                    "FILE",
                    f"{name} is damaged: a row of {orphans[0]} belongs to none of"
                    f" {orphans[2]}",
                )
            return contents
    except sqlite3.IntegrityError as error:
        raise InvalidValue("FILE", f"{name} is damaged: {error}") from error
    except StoreUnavailable as error:
        # No other process uses the new store, so it is the backup that failed.
        raise InvalidValue("FILE", _damaged(Path(name), error)) from error


def _damaged(file: Path, error: StoreUnavailable) -> str:
    return f"{file} is damaged or cannot be read: {error.__cause__}"


def _migrated(part: Path, contents: Contents, file: Path, clock: Clock) -> Backup:
    """Take a new store with the rows of a backup to the schema of this release.

    One without a digest is checked as ``nutgraf verify`` checks a store.
    """
    store = Connections(part)
    try:
        with store.writing() as connection:
            migrate(connection)
        if not contents.has_digest:
            with store.reading() as connection:
                for problem in problems(connection, micros(clock())):
                    raise InvalidValue("FILE", f"{file} is damaged: {problem}")
    except (StoreUnavailable, DBAPIError) as error:
        cause = getattr(error, "orig", error)  # without the SQL
        raise InvalidValue("FILE", f"{file} is no store: {cause}") from error
    finally:
        store.close()
    with store_errors(), _connected(part) as connection:
        return _counted(connection, contents.numbers)


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
    connection = sqlite3.connect(
        f"file:{quote(str(file.absolute()))}?mode=rw",
        uri=True,
        timeout=connections.BUSY_SECONDS,
        isolation_level=None,
    )
    with closing(connection):
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        yield connection


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
