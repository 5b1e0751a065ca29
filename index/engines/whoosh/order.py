"""The order of hits, and pages of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from index.engines.whoosh.segment import UNKNOWN, Ints
from index.engines.whoosh.state import Floats, Mask, State
from index.query import Search, Sort, SortKey

_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What matches, not in order yet: articles, or paragraphs with their articles."""

    articles: Ints
    scores: Floats
    dates: Ints
    paragraphs: Ints | None = None

    def page(self, search: Search, state: State) -> tuple[list[int], bool]:
        """Return which rows the page holds, in order, and whether more follow."""
        _, places = state.id_order
        keys = (places[self.articles], self._by_date(search.sort), -self.scores)
        if self.paragraphs is not None:
            order = np.lexsort((state.n[self.paragraphs], *keys))
        else:
            order = np.lexsort(keys)
        if search.after is not None:
            order = order[self._after(search.after, search.sort, state)[order]]
        end = search.offset + search.limit
        return order[search.offset : end].tolist(), len(order) > end

    def key(self, at: int, state: State) -> SortKey:
        """Return where a row stands in the order."""
        date = int(self.dates[at])
        return SortKey(
            score=float(self.scores[at]),
            date=None if date == UNKNOWN else date,
            id=state.ids[int(self.articles[at])],
            n=None if self.paragraphs is None else int(state.n[self.paragraphs[at]]),
        )

    def _by_date(self, sort: Sort) -> Ints:
        # Ascending numbers for the order wanted, with unknown dates last.
        known = self.dates if sort is Sort.OLDEST else -self.dates
        return np.where(self.dates == UNKNOWN, _LAST, known)

    def _after(self, key: SortKey, sort: Sort, state: State) -> Mask:
        ids, places = state.id_order
        here = places[self.articles]
        left = int(np.searchsorted(np.array(ids, object), key.id, "left")) if ids else 0
        same_id = left < len(ids) and ids[left] == key.id
        later_id = here > left if same_id else here >= left
        if self.paragraphs is not None and same_id and key.n is not None:
            later_id |= (here == left) & (state.n[self.paragraphs] > key.n)
        if key.date is None:
            wanted = _LAST
        else:
            wanted = key.date if sort is Sort.OLDEST else -key.date
        dates = self._by_date(sort)
        later: Mask = (self.scores < key.score) | (
            (self.scores == key.score)
            & ((dates > wanted) | ((dates == wanted) & later_id))
        )
        return later
