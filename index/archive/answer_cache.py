"""The cache of written answers: used for as long as their tags fit.

An answer is found by all that its tag is made of, so a kill, a write, a commit of the
index, an embargo that ends or another key of a caller makes it another one. Those of an
earlier state of the store or the index fit nothing any more and are dropped together,
at the next answer or within a second: no text stays here that was killed or purged.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from index.archive.tags import State, Tag

# Bytes of answers that a process keeps. One has some 25 kB.
CACHE_BYTES = 16 * 1024 * 1024
# One that is larger would drop too many others.
_LARGEST = CACHE_BYTES // 16
_ENTRY_BYTES = 600  # of an entry, beside its texts


class _Entry(NamedTuple):
    """A written answer, in pieces, and the instants in which it holds."""

    pieces: tuple[bytes, ...]
    first: int
    end: int
    size: int


class AnswerCache:
    """Written answers of one state of store and index, the latest ones.

    :ivar bytes: memory that the answers take.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._state: State | None = None
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tag: Tag, form: str) -> tuple[bytes, ...] | None:
        """The pieces of an answer, ``None`` if it is not here.

        :param tag: of the answer; it then tells of the instants in which that holds.
        :param form: what else its bytes depend on.
        """
        with self._lock:
            self._enter(tag.state)
            entry = self._entries.get((tag.bound, form))
            if entry is None or not entry.first <= tag.validity.now < entry.end:
                return None
            self._entries.move_to_end((tag.bound, form))
        for instant in (entry.first, entry.end):
            tag.validity.turns_at(instant)
        return entry.pieces

    def put(self, tag: Tag, form: str, pieces: tuple[bytes, ...]) -> None:
        """Keep an answer that was written, unless it is large or soon another one.

        :param tag: of the answer, which is complete.
        """
        key = (tag.bound, form)
        # Texts may take up to four bytes a character.
        size = _ENTRY_BYTES + sum(map(len, pieces)) + 4 * sum(map(len, key))
        if tag.state is None or size > _LARGEST:
            return
        validity = tag.validity
        with self._lock:
            self._enter(tag.state)
            self._remove(key)
            self._entries[key] = _Entry(pieces, validity.first, validity.end, size)
            self.bytes += size
            while self.bytes > CACHE_BYTES:
                self._remove(next(iter(self._entries)))

    def let_go(self, epoch: int, seq: int) -> None:
        """Drop all answers but those of a state of the store."""
        with self._lock:
            if self._state is not None and self._state[:2] != (epoch, seq):
                self._enter(None)

    def clear(self) -> None:
        """Drop all answers."""
        with self._lock:
            self._enter(None)

    def _enter(self, state: State | None) -> None:
        if state != self._state:
            self._entries.clear()
            self._state, self.bytes = state, 0

    def _remove(self, key: tuple[str, str]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.size
