"""Where are the articles? Every version, and the log of changes."""

from index.store.backup import restore_backup, take_backup
from index.store.clippings import Clipping
from index.store.keyring import Keyring
from index.store.originals import find_original
from index.store.store import Store
from index.store.tables import sqlite_warnings
from index.store.view import View

__all__ = [
    "Clipping",
    "Keyring",
    "Store",
    "View",
    "find_original",
    "restore_backup",
    "sqlite_warnings",
    "take_backup",
]
