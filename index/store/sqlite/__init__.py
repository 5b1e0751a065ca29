"""SQLite: everything that only it knows, behind :class:`index.store.database.Database`.

A store is one file, with a write-ahead log beside it.
"""

from index.store.sqlite.database import SQLite

__all__ = ["SQLite"]
