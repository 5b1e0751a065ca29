"""The store's tables, how they are made, and the locks beside them.

:mod:`index.store` speaks plain SQL through SQLAlchemy; what only SQLite knows is here
and in :mod:`index.store.sqlite`. PostgreSQL would need from the two: an engine whose
reads are ``REPEATABLE READ``, an advisory lock for creating tables and one for the
indexer, and its own error codes. The row of the counter is already read ``FOR UPDATE``,
which SQLite leaves out, since its write transactions exclude each other from ``BEGIN
IMMEDIATE`` on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    insert,
    inspect,
    select,
    true,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from index.access import NO_EMBARGO, NO_EXPIRY
from index.errors import (
    IndexerRunning,
    InvalidValue,
    StoreFull,
    StoreUnavailable,
)
from index.folders import open_to_others
from index.store.sqlite.connections import WRITES, make_engine, store_errors

SCHEMA = 3  # raised with every change to the tables
Upgrades = Mapping[int, Callable[[Connection], None]]

metadata = MetaData()
# Only a key of type INTEGER is SQLite's own row number, and needs no index.
_Long = BigInteger().with_variant(Integer, "sqlite")
# Ids sort by code point, as Python and SQLite sort them, whatever the server's locale.
_Key = Text().with_variant(Text(collation="C"), "postgresql")

# One row an article: which version is current, and what restricts the whole article.
# Its status is what counts: a kill sets it without a new version.
articles = Table(
    "articles",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("version", _Key, nullable=False),
    Column("seq", _Long, nullable=False),  # of the change that made it current
    Column("status", SmallInteger, nullable=False),
    Column("embargoed_until", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    # The next instant at which the log will say that it shows, or no longer does.
    Column("turns", BigInteger, nullable=False, server_default=str(NO_EXPIRY)),
    # What readers with a filter are judged by: JSON, values by field.
    Column("values", Text, nullable=False, server_default="{}"),
    Column("published", BigInteger),
    Column("evolved_from", _Key),
    Column("story", _Key),
    sqlite_with_rowid=False,
)
for _link in (articles.c.evolved_from, articles.c.story):
    Index(
        f"articles_{_link.name}",
        _link,
        sqlite_where=_link.is_not(None),
        postgresql_where=_link.is_not(None),
    )
_due = articles.c.turns != NO_EXPIRY
Index("articles_turns", articles.c.turns, sqlite_where=_due, postgresql_where=_due)
# Few articles have an embargo or expire; the tag of each answer asks for the last ones.
for _instant, _none in (
    (articles.c.embargoed_until, NO_EMBARGO),
    (articles.c.expires, NO_EXPIRY),
):
    Index(
        f"articles_{_instant.name}",
        _instant,
        sqlite_where=_instant != _none,
        postgresql_where=_instant != _none,
    )
# The long column stands last: SQLite reads a row from its start.
versions = Table(
    "versions",
    metadata,
    Column("id", _Key, ForeignKey("articles.id"), primary_key=True),
    Column("version", _Key, primary_key=True),
    Column("seq", _Long, nullable=False),
    Column("at", BigInteger, nullable=False),  # microseconds since 1970 UTC
    Column("digest", Text, nullable=False),
    # Of what was sent, which the kept content may add an inherited embargo to.
    Column("sent", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("headline", Text),
    Column("content", Text, nullable=False),  # of index.article.content
)
# Of versions that reading changed; when it came is with the version. Whatever deletes
# that deletes this, too.
originals = Table(
    "originals",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("version", _Key, primary_key=True),
    Column("format", Text, nullable=False),  # that it was read as
    Column("data", LargeBinary, nullable=False),  # what was sent, compressed by zlib
    ForeignKeyConstraint(
        ["id", "version"], ["versions.id", "versions.version"], ondelete="CASCADE"
    ),
)
changes = Table(
    "changes",
    metadata,
    Column("seq", _Long, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("id", _Key, nullable=False),
    Column("version", _Key),
    Column("at", BigInteger, nullable=False),
    Column("hides", Boolean, nullable=False),
    # What decides who is told of it, before and after: JSON of index.history.
    Column("facts", Text),
)
hiding = changes.c.hides == true()
Index(
    "changes_hiding",
    changes.c.seq,
    changes.c.id,
    sqlite_where=hiding,
    postgresql_where=hiding,
)
# Of killed and withheld articles, also of such as were never here, or are no more.
notices = Table(
    "notices",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("status", SmallInteger, nullable=False, server_default="2"),
    # No version up to this one shows again; NULL: none at all.
    Column("version", _Key),
    # The same of an earlier one, which holds on when this is taken back.
    Column("before", _Key),
    Column("seq", _Long, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text),
    Column("replacement", _Key),
    Column("cascade", Boolean, nullable=False),
    Column("facts", Text, nullable=False),  # what decides who may read it
    Column("purged", BigInteger),  # when its texts were erased
    # A newer version shows since then, and what was killed before it stays so; or it
    # was taken back, and then there is no version.
    Column("over", Boolean, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
Index(
    "notices_cascade",
    notices.c.cascade,
    sqlite_where=notices.c.cascade == true(),
    postgresql_where=notices.c.cascade == true(),
)
keys = Table(
    "keys",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", _Key, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the key
    Column("scopes", Text, nullable=False),  # with a blank between
    Column("filters", Text, nullable=False),  # JSON
    Column("rate", Integer),  # requests a minute; NULL as the settings have it
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)
state = Table(
    "state",
    metadata,
    Column("name", Text, primary_key=True),  # schema, seq, rebuild, rebuilt, epoch
    Column("value", BigInteger, nullable=False),
)


def file_of(url: str) -> Path:
    """Return the file of a store's URL, absolute.

    :raises InvalidValue: the URL is none of a SQLite file. A database in memory would
        be another one for each process, so that no indexer could ever see it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidValue("store", "write sqlite:///FILE") from error
    name = parsed.database
    if parsed.get_backend_name() != "sqlite" or parsed.query:
        raise InvalidValue("store", "write sqlite:///FILE; there is no other kind yet")
    if not name or name == ":memory:" or name.startswith("file:"):
        raise InvalidValue("store", "needs a file; write sqlite:///FILE", got=name)
    return Path(name).absolute()


def create(file: Path, upgrades: Upgrades = MappingProxyType({})) -> None:
    """Make the store's folder, file and tables, where they are not there yet.

    Several processes may do so at once: they take turns by a lock on the folder.

    :param upgrades: by an older schema, what makes this one of it.
    :raises StoreFull: there is no room for them.
    :raises StoreUnavailable: the file is another program's, or a newer Nutgraf's; or
        others may write to it, or to its folder.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in (file.parent, file):
            reason = open_to_others(each)
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
            _create_tables(file, upgrades)
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull from error
        raise StoreUnavailable(f"cannot open a store at {file}: {error}") from error


def _create_tables(file: Path, upgrades: Upgrades) -> None:
    engine = make_engine(file)
    try:
        with (
            store_errors(),
            engine.connect().execution_options(**WRITES) as connection,
            connection.begin(),
        ):
            _check_or_fill(connection, upgrades)
    finally:
        engine.dispose()


def _check_or_fill(connection: Connection, upgrades: Upgrades) -> None:
    names = inspect(connection).get_table_names()
    if not names:
        metadata.create_all(connection)
        rows = {
            "schema": SCHEMA,
            "seq": 0,
            "rebuild": 0,
            "rebuilt": 0,
            "epoch": new_epoch(),
        }
        connection.execute(
            insert(state),
            [{"name": name, "value": value} for name, value in rows.items()],
        )
        return
    if state.name not in names or articles.name not in names:
        raise StoreUnavailable(
            "this file is another program's database; give the store a file of its own"
        )
    found = connection.execute(
        select(state.c.value).where(state.c.name == "schema")
    ).scalar_one()
    upgrade = upgrades.get(found)
    if upgrade is not None:
        upgrade(connection)
    elif found != SCHEMA:
        raise StoreUnavailable(
            f"the store has schema {found}, newer than {SCHEMA} of this Nutgraf; use"
            " the version of Nutgraf that wrote it"
        )


def new_epoch() -> int:
    """Return a number that no other history has; JSON readers keep it exactly."""
    return secrets.randbits(52) + 1


def has_mended_log(version: tuple[int, int, int]) -> bool:
    """Return whether a version of SQLite is without the WAL-reset bug.

    A race, from 3.7.0 on, that can spoil a file which several processes write to and
    tidy up at one instant (sqlite.org/wal.html).
    """
    older = {(3, 44): 6, (3, 50): 7}.get(version[:2])
    return version >= (3, 51, 3) or (older is not None and version[2] >= older)


def sqlite_warnings() -> Iterator[str]:
    """Yield a sentence for what may become wrong with any store here."""
    major, minor, patch, *_ = sqlite3.sqlite_version_info
    if not has_mended_log((major, minor, patch)):
        yield (
            f"SQLite {sqlite3.sqlite_version} can, very rarely, spoil a store that is"
            " written to and tidied up at the same instant; 3.51.3, 3.50.7 and 3.44.6"
            " cannot: update it, and keep backups"
        )


def quick_check(connection: Connection) -> tuple[str, ...]:
    """Return what SQLite itself finds wrong with its file."""
    found = connection.exec_driver_sql("PRAGMA quick_check").scalars()
    return tuple(line for line in found if line != "ok")


_held: set[int] = set()  # file descriptors of the locks of this process


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock file for the length of a block; it names this process while held.

    The lock ends with the process, however that ends. Forked children do not share it.

    :raises IndexerRunning: it is held, by another process or by this one.
    """
    _let_go_in_children()
    try:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot create a lock at {lock}: {error}") from error
    _held.add(handle)
    try:
        if not _locked(handle):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            raise IndexerRunning(str(lock), holder or None)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        # In a child, forked inside the block, the handle is closed already.
        if handle in _held:
            _held.remove(handle)
            # Said aloud: closing alone waits for a child that was forked just now.
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


def _locked(handle: int) -> bool:
    # Somebody who asks is_locked holds the lock for a moment: do not fail for that.
    for _ in range(5):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


@cache
def _let_go_in_children() -> None:
    # flock belongs to the open file, which a forked child shares: a child that outlives
    # its parent would go on holding the lock. Closing its copy leaves the parent's.
    def let_go() -> None:
        while _held:
            os.close(_held.pop())

    os.register_at_fork(after_in_child=let_go)


def holder(lock: Path) -> int | None:
    """Return the id of the process that holds a lock file, ``None`` if none does."""
    if not is_locked(lock):
        return None
    try:
        return int(lock.read_text("ascii"))
    except (OSError, ValueError):  # it was let go of, or taken just now
        return None


def is_locked(lock: Path) -> bool:
    """Return whether some process holds a lock file."""
    try:
        handle = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)
