"""Where are the articles? Every version, and the log of changes."""

from index.store.clippings import Clipping
from index.store.opening import begin_history
from index.store.pending import Indexable
from index.store.quarantine import Attempt, Quarantine, SetAside
from index.store.store import Store
from index.store.view import View

__all__ = [
    "Attempt",
    "Clipping",
    "Indexable",
    "Quarantine",
    "SetAside",
    "Store",
    "View",
    "begin_history",
]
