"""Counts that searches of one snapshot have in common, kept for the next ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from sys import getsizeof
from typing import Any

_ENTRY_BYTES = 300  # of a key and a value, beside their texts


class Counts:
    """Counts of a snapshot by what was counted; the oldest are dropped first.

    Those of another snapshot are dropped when the first of a new one is kept. Safe to
    use from several threads.

    :param limit: bytes.
    """

    def __init__(self, limit: int = 32_000_000) -> None:
        self.bytes = 0
        self._limit = limit
        self._token = ""
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, token: str, key: Hashable) -> Any:
        """The value kept under a key of a snapshot, or ``None``."""
        with self._lock:
            if token != self._token or key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def keep(self, token: str, key: Hashable, value: Any) -> None:
        """Keep a value."""
        size = _ENTRY_BYTES + _texts_bytes(key) + _texts_bytes(value)
        with self._lock:
            if token != self._token:
                self._entries.clear()
                self._token, self.bytes = token, 0
            if key in self._entries:
                self.bytes -= self._entries.pop(key)[1]
            self._entries[key] = value, size
            self.bytes += size
            while self.bytes > self._limit:
                self.bytes -= self._entries.popitem(last=False)[1][1]


def _texts_bytes(value: object) -> int:
    """Memory of the texts in a value of tuples, sets and records."""
    if isinstance(value, str):
        return getsizeof(value)
    if isinstance(value, (tuple, frozenset)):
        return getsizeof(value) + sum(map(_texts_bytes, value))
    slots = getattr(type(value), "__slots__", ())
    return sum(_texts_bytes(getattr(value, name)) for name in slots)
