"""Sorting hits, and cutting pages out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from index.engines.whoosh.files import NO_VALUE, Array, Ints, Mask
from index.engines.whoosh.searching.snapshot import Floats, IndexSnapshot
from index.query import Search, Sort, SortKey

_LAST = np.iinfo(np.int64).max  # sort key of an unknown date
_BLOCK = 64  # values in a block, of which a partition first takes only the minimum
_SORTED = 1_024  # up to this many scores are sorted directly, without a partition


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Hits that may be on the page, unsorted: articles, or paragraphs of articles.

    :param articles: article of each candidate.
    :param scores: rounded as they are shown; ``None`` where all are 0.
    :param documents: document of each candidate, where hits are paragraphs.
    """

    articles: Array
    scores: Floats | None = None
    documents: Array | None = None

    def page(
        self, search: Search, snapshot: IndexSnapshot, *, top: int | None = None
    ) -> tuple[Ints, bool]:
        """Candidates of the page, sorted, as positions; and whether more follow.

        :param top: give the first so many instead of the page.
        """
        start, end = search.offset, search.offset + search.limit
        if top is not None:
            start, end = 0, top
        if search.after is None and self.scores is not None:
            # Scores are seldom tied: then no other sort key is needed.
            order = _by_score(self.scores, end)
            if order is not None:
                return order[start:end], len(self.articles) > end
        dates = _date_keys(search.sort, snapshot).take(self.articles)
        chosen: Array = np.arange(len(self.articles))
        if search.after is not None:
            after = self._after(search.after, search.sort, snapshot, dates)
            chosen = chosen.compress(after)
        more = len(chosen) > end
        if more and end:
            chosen = self._first(end, chosen, dates)
        order = self._ordered(chosen, dates, snapshot)
        return order[start:end], more

    def of_score(self, threshold: float) -> Candidates:
        """The scored hits with at least this score."""
        assert self.scores is not None
        high = self.scores >= threshold
        if high.all():
            return self
        documents = self.documents
        return Candidates(
            articles=self.articles.compress(high),
            scores=self.scores.compress(high),
            documents=None if documents is None else documents.compress(high),
        )

    def unscored(self) -> Candidates:
        """The same hits without scores, to be sorted by date."""
        return Candidates(articles=self.articles, documents=self.documents)

    def _first(self, count: int, chosen: Array, dates: Ints) -> Array:
        """At least the first ``count`` candidates with all their ties, unsorted."""
        for keys in (None if self.scores is None else -self.scores, dates):
            if keys is None:
                continue
            values = keys.take(chosen)
            threshold = top_k_threshold(values, count)
            chosen = chosen.compress(values <= threshold)
            if len(chosen) < 2 * count:
                break
            # Every candidate before the ties at the threshold is in. The next key may
            # cut the ties only if there is no candidate before them.
            if keys is not dates and (values < threshold).any():
                break
        return chosen

    def _ordered(self, chosen: Array, dates: Ints, snapshot: IndexSnapshot) -> Ints:
        keys: list[Array] = [snapshot.id_ranks(self.articles[chosen]), dates[chosen]]
        if self.documents is not None:
            # Documents of one article are numbered in the order of its paragraphs.
            keys.insert(0, self.documents[chosen])
        if self.scores is not None:
            keys.append(-self.scores[chosen])
        in_order: Ints = chosen[np.lexsort(keys)]
        return in_order

    def keys(
        self, chosen: Ints, search: Search, snapshot: IndexSnapshot
    ) -> list[SortKey]:
        """Sort keys of the chosen candidates."""
        articles = self.articles.take(chosen)
        dates = snapshot.column(_date(search.sort)).take(articles).tolist()
        scores = [0.0] * len(chosen)
        if self.scores is not None:
            scores = self.scores.take(chosen).tolist()
        numbers: list[int | None] = [None] * len(chosen)
        if self.documents is not None:
            numbers = snapshot.paragraph_numbers(
                articles, self.documents.take(chosen)
            ).tolist()
        if NO_VALUE in dates:
            dates = [None if date == NO_VALUE else date for date in dates]
        return list(
            map(SortKey, scores, dates, snapshot.article_ids(articles), numbers)
        )

    def _after(
        self, cursor: SortKey, sort: Sort, snapshot: IndexSnapshot, dates: Ints
    ) -> Mask:
        """Which candidates sort after a cursor.

        Of articles, after the cursor of a paragraph: also the paragraph's article.
        """
        if cursor.date is None:
            cursor_date = _LAST
        else:
            cursor_date = cursor.date if sort is Sort.OLDEST else -cursor.date
        after: Mask = dates > cursor_date
        tied = dates == cursor_date
        if self.scores is not None:
            equal = self.scores == cursor.score
            after &= equal
            tied &= equal
            after |= self.scores < cursor.score
        elif cursor.score != 0.0:
            return np.full(len(dates), cursor.score > 0.0)
        at = np.flatnonzero(tied)
        greater, same_id = snapshot.compare_ids(self.articles[at], cursor.id)
        if cursor.n is not None:
            if self.documents is not None:
                numbers = snapshot.paragraph_numbers(
                    self.articles[at], self.documents[at]
                )
                same_id &= numbers > cursor.n
            greater |= same_id
        after[at] |= greater
        return after


def joined(candidates: Sequence[Candidates]) -> Candidates:
    """Candidates of several batches, all scored."""
    if len(candidates) == 1:
        return candidates[0]
    documents = [each.documents for each in candidates if each.documents is not None]
    return Candidates(
        articles=np.concatenate([each.articles for each in candidates]),
        scores=np.concatenate(
            [each.scores for each in candidates if each.scores is not None]
        ),
        documents=np.concatenate(documents) if documents else None,
    )


def _by_score(scores: Floats, count: int) -> Ints | None:
    """Positions of at least the ``count`` highest scores, highest first.

    ``None`` if two of them are tied: then scores alone do not give the order.
    """
    negated = -scores
    if len(scores) > _SORTED:
        threshold = (
            top_k_threshold(negated, count + 1)
            if count + 1 < len(scores)
            else negated.max()
        )
        chosen = (negated <= threshold).nonzero()[0]
        negated = negated.take(chosen)
        order = negated.argsort()
        positions = chosen.take(order)
    else:
        order = positions = negated.argsort()
    ranked = negated.take(order[: count + 1])
    in_order: Ints = positions
    return in_order if (ranked[1:] > ranked[:-1]).all() else None


def top_k_threshold(values: Array, k: int) -> Any:
    """Upper bound of the k-th smallest value, close to it.

    At least ``k`` values are no greater, and not many more. It is the k-th smallest of
    the blocks' minima, which takes a fraction of the time of partitioning all values.
    """
    blocks = len(values) // _BLOCK
    if blocks > k:
        minima = values[: blocks * _BLOCK].reshape(blocks, _BLOCK).min(axis=1)
    elif k >= len(values):
        return values.max()
    else:
        minima = values.copy()
    minima.partition(k - 1)
    return minima[k - 1]


def _date(sort: Sort) -> str:
    return "updated" if sort is Sort.UPDATED else "published"


def _date_keys(sort: Sort, snapshot: IndexSnapshot) -> Ints:
    return snapshot.date_keys(_date(sort), oldest=sort is Sort.OLDEST)
