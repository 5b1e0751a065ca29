"""Memo: results of a function, kept for next time up to a number of bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ENTRY_BYTES = 100  # of an entry of a dict, beside the key and the value


class Memo(dict[K, V], Generic[K, V]):
    """Results of a function by its argument: ``memo[argument]`` computes what it lacks.

    A number of entries would not bound the memory, since whoever sends texts chooses
    how long the words in them are. A full memo forgets all its entries.

    :param size: bytes of an argument and its result; ``None`` if they are not kept.
    :param limit: bytes of all entries.
    """

    def __init__(
        self,
        compute: Callable[[K], V],
        size: Callable[[K, V], int | None],
        *,
        limit: int,
    ) -> None:
        super().__init__()
        self.bytes = 0
        self.limit = limit
        self._compute, self._size = compute, size
        self._lock = threading.Lock()

    def __missing__(self, key: K) -> V:
        value = self._compute(key)
        self.keep(key, value)
        return value

    def keep(self, key: K, value: V) -> None:
        """Keep a result that was computed elsewhere."""
        size = self._size(key, value)
        if size is None or size + _ENTRY_BYTES > self.limit:
            return
        with self._lock:
            if key not in self:
                self.bytes += size + _ENTRY_BYTES
                if self.bytes > self.limit:
                    self.clear()
                    self.bytes = size + _ENTRY_BYTES
                self[key] = value
