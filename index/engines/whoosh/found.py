"""Where a leaf of the query matches, over all segments of a state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from index.engines.whoosh.arrays import Array
from index.engines.whoosh.kept import kept
from index.engines.whoosh.leaves import LeafMatches, Matches, Rows
from index.engines.whoosh.lists import SIDE_PASSAGES, ByArticle
from index.engines.whoosh.segment import Ints, Mask, ranges
from index.engines.whoosh.state import State

# A search for each of so few articles, in a list so many times as long, is cheaper than
# a mask of it.
_SPARSE = 8


class Found:
    """The matches of one leaf.

    Articles and rows are numbers of the state; rows are documents. Of a segment's list
    nothing is read before it is asked for.

    :ivar lines: by field of the article's own, where the leaf is sought there and
        found: articles, ascending, and how often each has it.
    """

    def __init__(self, state: State, matches: Sequence[LeafMatches]) -> None:
        self._state = state
        self._parts = [each.paragraphs for each in matches]
        self.lines: dict[str, Rows] = {}
        for name in dict.fromkeys(name for each in matches for name in each.lines):
            having = [
                (each.lines[name], base)
                for each, base in zip(matches, state.article_bases, strict=False)
                if name in each.lines
            ]
            self.lines[name] = Rows(
                np.concatenate([each.rows + base for each, base in having]),
                np.concatenate([each.frequencies for each, _ in having]),
            )

    # By article.

    @kept
    def _by_article(self) -> list[ByArticle]:
        return [each.articles for each in self._parts]

    def _joined(self, part: Callable[[ByArticle], Array]) -> Array:
        parts = [part(each) for each in self._by_article]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    @kept
    def articles(self) -> Array:
        """Articles with a paragraph that matches, ascending."""
        if len(self._parts) == 1:
            return self._by_article[0].articles
        bases = self._state.article_bases
        parts = [
            each.articles + np.int32(base)
            for each, base in zip(self._by_article, bases, strict=False)
            if len(each.articles)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    @kept
    def spreads(self) -> Array:
        """How many paragraphs of each of these articles match."""
        return self._joined(lambda each: each.spreads)

    @kept
    def totals(self) -> Array:
        """How often the leaf is in the paragraphs of each."""
        return self._joined(lambda each: each.totals)

    @kept
    def bests(self) -> Array:
        """A bound of each one's best paragraph; see ``ByArticle``."""
        return self._joined(lambda each: each.bests)

    @kept
    def side(self) -> dict[str, tuple[Array, Array]]:
        """What of the totals is in each field but the main one."""
        found = {}
        for name in SIDE_PASSAGES:
            parts = [
                (each.side[name][0] + np.int32(base), each.side[name][1])
                for each, base in zip(
                    self._by_article, self._state.article_bases, strict=False
                )
                if name in each.side
            ]
            if len(parts) == 1:
                found[name] = parts[0]
            elif parts:
                articles, counts = zip(*parts, strict=True)
                found[name] = np.concatenate(articles), np.concatenate(counts)
        return found

    @kept
    def having(self) -> Array:
        """Articles that have the leaf anywhere it is sought, ascending."""
        if not self.lines:
            return self.articles
        return np.flatnonzero(self.mask)

    def __len__(self) -> int:
        return len(self.having)

    def has(self, articles: Array) -> Mask:
        """Return which of some articles have the leaf anywhere it is sought.

        :param articles: ascending.
        """
        having = self.having
        if len(articles) * _SPARSE > len(having) or not len(having):
            return self.mask[articles]
        at = having.searchsorted(articles.astype(having.dtype, copy=False))
        at[at == len(having)] = 0
        inside: Mask = having[at] == articles
        return inside

    @kept
    def paragraph_mask(self) -> Mask:
        """Which articles have a paragraph that matches; not to be changed."""
        mask = np.zeros(self._state.articles, bool)
        mask[self.articles] = True
        return mask

    @kept
    def mask(self) -> Mask:
        """Which articles have the leaf anywhere it is sought; not to be changed."""
        if not self.lines:
            return self.paragraph_mask
        mask = self.paragraph_mask.copy()
        for each in self.lines.values():
            mask[each.rows] = True
        return mask

    # Statistics.

    @kept
    def live_articles(self) -> int:
        """How many living articles have it."""
        if self._state.all_live:
            return len(self.having)
        return int(np.count_nonzero(self._state.live[self.having]))

    @kept
    def live_documents(self) -> int:
        """How many documents of living articles have it."""
        if self._state.all_live:
            return self.all_documents
        return int(self.spreads[self._state.live[self.articles]].sum())

    # By document.

    @kept
    def all_documents(self) -> int:
        """How many documents have it, of articles that live or not."""
        return sum(len(each.rows) for each in self._parts)

    @kept
    def rows(self) -> Array:
        """Documents that match, ascending."""
        if len(self._parts) == 1:
            return self._parts[0].rows
        bases = self._state.document_bases
        parts = [
            each.rows + np.int32(base)
            for each, base in zip(self._parts, bases, strict=False)
            if len(each.rows)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    @kept
    def frequencies(self) -> Array:
        """How often each of these documents has it."""
        parts = [each.frequencies for each in self._parts if len(each.rows)]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, np.uint8)

    def mark(self, mask: Mask) -> None:
        """Set a mask over all documents where there is a match."""
        bases = self._state.document_bases
        for each, low, high in zip(self._parts, bases, bases[1:], strict=False):
            if len(each.rows):
                each.mark(mask[low:high])

    def inside(
        self, articles: Ints, first: Array, end: Array
    ) -> tuple[Ints, Ints, Array]:
        """Return the documents of some articles that match.

        :param articles: ascending; ``first`` the first document of each, and ``end``
            where they end, as 32-bit integers: rows are, and if two arrays differ in
            type, searching one for the other converts all of it.
        :return: of each document, which of the articles it is of, as a place in
            ``articles``; its number; and how often it has the leaf.
        """
        if len(self._parts) == 1:
            return _inside(self._parts[0], first, end)
        state = self._state
        slots, rows, frequencies = [], [], []
        bounds = np.searchsorted(articles, state.article_bases).tolist()
        for at, each in enumerate(self._parts):
            low, high = bounds[at], bounds[at + 1]
            if low == high or not len(each.rows):
                continue
            base = np.int32(state.document_bases[at])
            found = _inside(each, first[low:high] - base, end[low:high] - base)
            slots.append(found[0] + low)
            rows.append(found[1] + base)
            frequencies.append(found[2])
        if not rows:
            none = np.empty(0, np.int64)
            return none, none, none
        return np.concatenate(slots), np.concatenate(rows), np.concatenate(frequencies)


def _inside(part: Matches, first: Array, end: Array) -> tuple[Ints, Ints, Array]:
    rows = part.rows
    low = rows.searchsorted(first)
    counts = rows.searchsorted(end) - low
    at = ranges(low, counts)
    slots = np.repeat(np.arange(len(first)), counts)
    return slots, rows[at].astype(np.int64), part.frequencies[at]
