"""Faults of a SQLite file, and of SQLite itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy import Connection


def problems(connection: Connection) -> Iterator[str]:
    """Yield a sentence for each fault that SQLite finds in its file."""
    for line in connection.exec_driver_sql("PRAGMA quick_check").scalars():
        if line != "ok":
            yield line
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"a row of {row[0]} belongs to none of {row[2]}"


def warnings() -> Iterator[str]:
    """Yield a sentence if this SQLite has a bug that can damage a store."""
    major, minor, patch, *_ = sqlite3.sqlite_version_info
    if not has_mended_log((major, minor, patch)):
        yield (
            f"SQLite {sqlite3.sqlite_version} has a bug that can, very rarely, damage a"
            " store that is written and checkpointed at the same instant; update to"
            " 3.51.3, 3.50.7 or 3.44.6, and keep backups"
        )


def has_mended_log(version: tuple[int, int, int]) -> bool:
    """Whether a version of SQLite is free of the WAL-reset bug.

    The bug is a race, in all versions since 3.7.0: a file that several processes write
    to and checkpoint at the same instant can be damaged (sqlite.org/wal.html).
    """
    older = {(3, 44): 6, (3, 50): 7}.get(version[:2])
    return version >= (3, 51, 3) or (older is not None and version[2] >= older)
