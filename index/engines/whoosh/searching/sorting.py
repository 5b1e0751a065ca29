"""The order of hits, and pages of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from index.engines.whoosh.files import NO_VALUE, Array, Ints, Mask
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.query import Search, Sort, SortKey

_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What may be on a page, not in order yet: articles, or documents with theirs.

    :param scores: as they order and are shown; ``None`` where all are 0.
    """

    articles: Array
    scores: Floats | None = None
    documents: Array | None = None

    def page(
        self, search: Search, state: IndexSnapshot, *, wanted: int | None = None
    ) -> tuple[Ints, bool]:
        """Return which of them the page holds, in order, and whether more follow.

        :param wanted: how many of the first to return instead.
        """
        start, end = search.offset, search.offset + search.limit
        if wanted is not None:
            start, end = 0, wanted
        if search.after is None and self.scores is not None:
            # Hits seldom have one score: then nothing else need be looked at.
            order = _by_score(self.scores, end)
            if order is not None:
                return order[start:end], len(self.articles) > end
        dates = _by_date(search.sort, state).take(self.articles)
        chosen: Array = np.arange(len(self.articles))
        if search.after is not None:
            later = self._after(search.after, search.sort, state, dates)
            chosen = chosen.compress(later)
        more = len(chosen) > end
        if more and end:
            chosen = self._first(end, chosen, dates)
        order = self._ordered(chosen, dates, state)
        return order[start:end], more

    def _first(self, count: int, chosen: Array, dates: Ints) -> Array:
        """Return at least the first so many, in no order, with all that equal them."""
        for keys in (None if self.scores is None else -self.scores, dates):
            if keys is None:
                continue
            here = keys.take(chosen)
            last = top_k_threshold(here, count)
            chosen = chosen.compress(here <= last)
            if len(chosen) < 2 * count:
                break
            # All that come before the last one's equals are in; the next key decides
            # among the equals, unless there are others before them.
            if keys is not dates and (here < last).any():
                break
        return chosen

    def _ordered(self, chosen: Array, dates: Ints, state: IndexSnapshot) -> Ints:
        keys: list[Array] = [state.places(self.articles[chosen]), dates[chosen]]
        if self.documents is not None:
            # Of one article documents are numbered as its paragraphs are.
            keys.insert(0, self.documents[chosen])
        if self.scores is not None:
            keys.append(-self.scores[chosen])
        in_order: Ints = chosen[np.lexsort(keys)]
        return in_order

    def keys(self, chosen: Ints, search: Search, state: IndexSnapshot) -> list[SortKey]:
        """Return where some of them stand in the order."""
        articles = self.articles[chosen]
        dates = state.column(_date(search.sort))[articles].tolist()
        scores = [0.0] * len(chosen)
        if self.scores is not None:
            scores = self.scores[chosen].tolist()
        numbers: list[int | None] = [None] * len(chosen)
        if self.documents is not None:
            numbers = state.numbers(articles, self.documents[chosen]).tolist()
        if len(chosen) and NO_VALUE in dates:
            dates = [None if date == NO_VALUE else date for date in dates]
        return list(map(SortKey, scores, dates, state.article_ids(articles), numbers))

    def _after(
        self, key: SortKey, sort: Sort, state: IndexSnapshot, dates: Ints
    ) -> Mask:
        if key.date is None:
            wanted = _LAST
        else:
            wanted = key.date if sort is Sort.OLDEST else -key.date
        later: Mask = dates > wanted
        same = dates == wanted
        if self.scores is not None:
            equal = self.scores == key.score
            later &= equal
            same &= equal
            later |= self.scores < key.score
        elif key.score != 0.0:
            return np.full(len(dates), key.score > 0.0)
        at = np.flatnonzero(same)
        greater, same_id = state.behind(self.articles[at], key.id)
        if self.documents is not None and key.n is not None:
            numbers = state.numbers(self.articles[at], self.documents[at])
            greater |= same_id & (numbers > key.n)
        later[at] |= greater
        return later


_BLOCK = 64  # values of which only the least is looked at first


_SORTED = 1_024  # scores that are sorted rather than parted


def _by_score(scores: Floats, count: int) -> Ints | None:
    """Return the places of at least so many of the highest scores, the highest first.

    ``None`` if two of them are equal: it takes more than scores to order them.
    """
    less = -scores
    if len(scores) > _SORTED:
        least = (
            top_k_threshold(less, count + 1) if count + 1 < len(scores) else less.max()
        )
        chosen = (less <= least).nonzero()[0]
        less = less.take(chosen)
        order = less.argsort()
        places = chosen.take(order)
    else:
        order = places = less.argsort()
    ranked = less.take(order[: count + 1])
    found: Ints = places
    return found if (ranked[1:] > ranked[:-1]).all() else None


def top_k_threshold(values: Array, count: int) -> Any:
    """Return a value that at least so many are not above, and not many more.

    Of the least of each block, the one that so many are not above is exact enough, and
    found in a fraction of the time that it takes to part all values.
    """
    blocks = len(values) // _BLOCK
    if blocks > count:
        parted = values[: blocks * _BLOCK].reshape(blocks, _BLOCK).min(axis=1)
    elif count >= len(values):
        return values.max()
    else:
        parted = values.copy()
    parted.partition(count - 1)
    return parted[count - 1]


def _date(sort: Sort) -> str:
    return "updated" if sort is Sort.UPDATED else "published"


def _by_date(sort: Sort, state: IndexSnapshot) -> Ints:
    return state.by_date(_date(sort), oldest=sort is Sort.OLDEST)
