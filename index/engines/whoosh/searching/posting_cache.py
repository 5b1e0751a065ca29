"""The cache of posting lists that earlier searches of a snapshot computed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from index.engines.whoosh.searching.postings import LeafPostings
from index.query import Exact, Fuzzy, Near, Phrase, Prefix, Term, Wildcard, WordLeaf

# Bytes of posting lists that a process caches, those of the latest searches.
CACHE_BYTES = 20 * 1024 * 1024
_IDENTITY: Mapping[type, Callable[[Any], object]] = {
    Term: attrgetter("form", "field"),
    Phrase: attrgetter("forms", "field"),
    Near: attrgetter("forms", "distance", "field"),
    Prefix: attrgetter("prefix", "field"),
    Wildcard: attrgetter("pattern", "field"),
    Fuzzy: attrgetter("form", "distance", "field"),
    Exact: attrgetter("forms", "field"),
}
_LATEST = 8  # posting lists handed out before their growth is measured


class PostingCache:
    """Posting lists of query leaves, for searches of one snapshot.

    The next page, a filter or a facet of a search, and other searches with its words,
    need not compute them again. The least recently used are evicted first.
    """

    def __init__(self) -> None:
        self._postings: OrderedDict[object, LeafPostings] = OrderedDict()
        self._bytes: dict[object, int] = {}
        self._computed: dict[object, int] = {}  # attributes there when bytes were taken
        self._total = 0
        self._handed_out: list[object] = []
        self._lock = threading.Lock()
        self._closed = False

    def get(self, leaf: WordLeaf, default: tuple[str, ...]) -> LeafPostings | None:
        """Posting list of a leaf; ``None`` if it is not cached.

        :param default: fields in which a leaf without a field is searched.
        """
        key = self._key(leaf, default)
        with self._lock:
            postings = self._postings.get(key)
            if postings is not None:
                self._postings.move_to_end(key)
                self._hand_out(key)
            return postings

    def put(
        self, leaf: WordLeaf, default: tuple[str, ...], postings: LeafPostings
    ) -> None:
        """Cache the posting list of a leaf, and evict others if memory is used up."""
        key = self._key(leaf, default)
        with self._lock:
            if not self._closed:
                self._postings[key] = postings
                self._hand_out(key)

    def _hand_out(self, key: object) -> None:
        # A posting list grows while it is searched, so it is measured afterwards.
        self._handed_out.append(key)
        if len(self._handed_out) > _LATEST:
            latest = self._handed_out[-1:]
            for earlier in self._handed_out[:-1]:
                self._measure(earlier)
            self._handed_out = latest
            if self._total > CACHE_BYTES:
                self._evict()

    def _measure(self, key: object) -> None:
        postings = self._postings.get(key)
        if postings is not None and self._computed.get(key) != (
            computed := postings.computed
        ):
            size = postings.bytes
            self._total += size - self._bytes.get(key, 0)
            self._computed[key], self._bytes[key] = computed, size

    def _evict(self) -> None:
        """Free memory: first what is cheap to compute again, then whole posting lists;
        least recently used first."""
        for key, postings in self._postings.items():
            if self._total <= CACHE_BYTES:
                return
            postings.shed()
            self._measure(key)
        while self._total > CACHE_BYTES and len(self._postings) > 1:
            key, _ = self._postings.popitem(last=False)
            self._total -= self._bytes.pop(key, 0)
            self._computed.pop(key, None)

    @property
    def bytes(self) -> int:
        """Memory in use, without that of searches in progress."""
        return self._total

    def close(self) -> None:
        """Drop everything: a newer snapshot replaced this one."""
        with self._lock:
            self._closed = True
            self._postings.clear()
            self._bytes.clear()
            self._computed.clear()
            self._handed_out.clear()
            self._total = 0

    @staticmethod
    def _key(leaf: WordLeaf, default: tuple[str, ...]) -> object:
        # Neither the boost of a leaf nor its spelling in the query changes its matches.
        return type(leaf), _IDENTITY[type(leaf)](leaf), default
