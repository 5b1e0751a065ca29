"""The collection that statistics count: live articles that the public may see now.

Scores tell of the statistics that they follow from, so nobody's scores depend on an
article that is hidden from the public. Deleted and hidden articles are few: what they
add is subtracted from what all articles of the snapshot add.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from index.article import FIELD_BY_NAME, PASSAGE_FIELDS
from index.engines import ranking
from index.engines.whoosh.files import MAIN_FIELD_NUMBER, Array, Ints, Mask, cached
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.query import FieldStatistics, paragraph_statistics

T = TypeVar("T")


class Collection:
    """The articles of a snapshot that statistics count, between two changes of them.

    :ivar counted: bitmap of these articles.
    :ivar uncounted: numbers of the others, deleted or hidden, ascending.
    :ivar articles: number of counted articles.
    :ivar identity: differs from that of every other collection; unlike a collection it
        can be kept without the memory of its norms.
    """

    def __init__(self, snapshot: IndexSnapshot, counted: Mask) -> None:
        self.snapshot = snapshot
        self.counted = counted
        self.uncounted: Array = (~counted).nonzero()[0].astype(np.int32)
        self.articles = snapshot.articles - len(self.uncounted)
        self.identity = object()
        self._memo: dict[object, Any] = {}
        self._lock = threading.Lock()

    def memoized(self, key: object, compute: Callable[[], T]) -> T:
        """Value stored under a key, computed at first use."""
        value: T | None = self._memo.get(key)
        if value is not None:
            return value
        computed = compute()
        with self._lock:
            stored: T = self._memo.setdefault(key, computed)
        return stored

    # Statistics.

    def field_statistics(self, name: str) -> FieldStatistics:
        """Statistics of a field."""
        return self.memoized(
            ("field statistics", name),
            lambda: without(
                self.snapshot.field_totals(name),
                self.snapshot.field_statistics_of(name, self.uncounted),
            ),
        )

    def statistics_of(self, names: tuple[str, ...]) -> Mapping[str, FieldStatistics]:
        """Statistics of several fields, by name."""
        return self.memoized(
            ("statistics", names),
            lambda: {name: self.field_statistics(name) for name in names},
        )

    def document_statistics(self, passages: tuple[str, ...]) -> tuple[int, float]:
        """Number of documents in these passage fields, and their mean length."""
        return self.memoized(
            ("document statistics", passages),
            lambda: paragraph_statistics(map(self.field_statistics, passages)),
        )

    # Norms.

    def field_norms(self, name: str) -> Floats:
        """BM25F norm of a field, by article: the weight of one occurrence there."""
        if name in PASSAGE_FIELDS:
            row: Floats = self.passage_norms[PASSAGE_FIELDS.index(name)]
            return row
        return self.memoized(("field norms", name), lambda: self._field_norms(name))

    @cached
    def passage_norms(self) -> Floats:
        """:meth:`field_norms` of every passage field, one row per field."""
        norms = np.empty((len(PASSAGE_FIELDS), self.snapshot.articles))
        for row, name in zip(norms, PASSAGE_FIELDS, strict=True):
            row[:] = self._field_norms(name)
        return norms

    def _field_norms(self, name: str) -> Floats:
        mean = self.field_statistics(name).mean_length
        weight = FIELD_BY_NAME[name].weight
        norms: Floats = ranking.field_frequency(
            1.0, self.snapshot.all_field_lengths(name), mean, weight
        )
        return norms

    def document_norms(self, passages: Array, owners: Ints) -> Floats:
        """:meth:`field_norms` of some documents' fields in their articles.

        :param passages: the field of each, as a position in ``PASSAGE_FIELDS``.
        """
        # Rows are end to end: one index is looked up faster than two.
        at = passages.astype(np.int64)
        at *= self.snapshot.articles
        at += owners
        norms: Floats = self.passage_norms.ravel().take(at)
        return norms

    @cached
    def main_field_norms(self) -> Array:
        """:meth:`field_norms` of the main field, in the single precision of bounds."""
        norms: Array = self.passage_norms[MAIN_FIELD_NUMBER].astype(np.float32)
        return norms


def collection_at(snapshot: IndexSnapshot, now: int) -> Collection:
    """Collection of a snapshot at an instant; the same until it changes.

    :param now: microseconds since 1970 UTC.
    """
    counted, _ = snapshot.shown_at(now)
    latest = snapshot.latest_collection
    if isinstance(latest, Collection):
        if latest.counted is counted:
            return latest
        if np.array_equal(latest.counted, counted):
            latest.counted = counted
            return latest
    collection = Collection(snapshot, counted)
    snapshot.keep_collection(collection)
    return collection


def without(all_of_them: FieldStatistics, some: FieldStatistics) -> FieldStatistics:
    """Statistics of a field over all articles but some."""
    return FieldStatistics(
        *(every - few for every, few in zip(all_of_them, some, strict=True))
    )
