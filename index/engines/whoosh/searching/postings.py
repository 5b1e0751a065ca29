"""Where a leaf of the query matches, over all segments of a state."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from index.engines import ranking
from index.engines.whoosh.files import (
    MAIN_FIELD,
    SIDE_FIELDS,
    Array,
    ArticlePostings,
    Ints,
    Mask,
    cached,
    expand_ranges,
)
from index.engines.whoosh.searching.segment_postings import (
    ParagraphPostings,
    Postings,
    SegmentPostings,
)
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.query import (
    Exact,
    Fuzzy,
    Near,
    Phrase,
    Places,
    Prefix,
    Term,
    Wildcard,
    WordLeaf,
)

# Bytes that what was found may take in a process, of the searches that came last.
CACHE_BYTES = 20 * 1024 * 1024
_WHAT: Mapping[type, Callable[[Any], object]] = {
    Term: attrgetter("form", "field"),
    Phrase: attrgetter("forms", "field"),
    Near: attrgetter("forms", "distance", "field"),
    Prefix: attrgetter("prefix", "field"),
    Wildcard: attrgetter("pattern", "field"),
    Fuzzy: attrgetter("form", "distance", "field"),
    Exact: attrgetter("forms", "field"),
}
_PARAGRAPH_MASK = "_paragraph_mask"
_SHED = (_PARAGRAPH_MASK, "bounds", "ends")
_EACH = 2_000  # bytes of one that holds no array
_LATEST = 8  # leaves handed out before it is looked at how much they have grown
# A search for each of so few articles, in a list so many times as long, is cheaper than
# a mask of it.
_SPARSE = 8


class PostingCache:
    """What was found of leaves, for searches of one state: pages, filters and facets of
    a search, and other searches with its words, need not find them again.
    """

    def __init__(self) -> None:
        self._found: OrderedDict[object, LeafPostings] = OrderedDict()
        self._bytes: dict[object, int] = {}
        self._parts: dict[object, int] = {}  # what was there when bytes were counted
        self._total = 0
        self._out: list[object] = []
        self._lock = threading.Lock()
        self._closed = False

    def get(self, leaf: WordLeaf, default: tuple[str, ...]) -> LeafPostings | None:
        """Return what was found for a leaf, ``None`` if nothing is kept.

        :param default: where a leaf without a field is sought.
        """
        key = self._key(leaf, default)
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
                self._hand_out(key)
            return found

    def put(
        self, leaf: WordLeaf, default: tuple[str, ...], found: LeafPostings
    ) -> None:
        """Keep what was found for a leaf, instead of what was asked for longest ago."""
        key = self._key(leaf, default)
        with self._lock:
            if not self._closed:
                self._found[key] = found
                self._hand_out(key)

    def _hand_out(self, key: object) -> None:
        # What a leaf takes is known only when its search is done.
        self._out.append(key)
        if len(self._out) > _LATEST:
            latest = self._out[-1:]
            for each in self._out[:-1]:
                self._measure(each)
            self._out = latest
            if self._total > CACHE_BYTES:
                self._make_room()

    def _measure(self, key: object) -> None:
        found = self._found.get(key)
        if found is not None and self._parts.get(key) != (parts := found.parts):
            now = found.bytes
            self._total += now - self._bytes.get(key, 0)
            self._parts[key], self._bytes[key] = parts, now

    def _make_room(self) -> None:
        """Let go of what is cheap to work out again, then of what is left; the oldest
        first."""
        for key, found in self._found.items():
            if self._total <= CACHE_BYTES:
                return
            found.shed()
            self._measure(key)
        while self._total > CACHE_BYTES and len(self._found) > 1:
            key, _ = self._found.popitem(last=False)
            self._total -= self._bytes.pop(key, 0)
            self._parts.pop(key, None)

    @property
    def bytes(self) -> int:
        """How much memory it takes, but for what is being searched."""
        return self._total

    def close(self) -> None:
        """Let go of everything: the state was replaced."""
        with self._lock:
            self._closed = True
            self._found.clear()
            self._bytes.clear()
            self._parts.clear()
            self._out.clear()
            self._total = 0

    @staticmethod
    def _key(leaf: WordLeaf, default: tuple[str, ...]) -> object:
        # How much it counts for, and how it was typed, change nothing of where it is.
        return type(leaf), _WHAT[type(leaf)](leaf), default


class LeafPostings:
    """The matches of one leaf.

    Articles and rows are numbers of the state; rows are documents. Of a segment's list
    nothing is read before it is asked for.

    :ivar places: where the leaf is sought.
    :ivar lines: by field of the article's own, where the leaf is sought there and
        found: articles, ascending, and how often each has it.
    """

    def __init__(
        self, state: IndexSnapshot, places: Places, matches: Sequence[SegmentPostings]
    ) -> None:
        self._state, self.places = state, places
        self._parts = [each.paragraphs for each in matches]
        self.lines: dict[str, Postings] = {}
        for name in dict.fromkeys(name for each in matches for name in each.lines):
            having = [
                (each.lines[name], base)
                for each, base in zip(matches, state.article_bases, strict=False)
                if name in each.lines
            ]
            self.lines[name] = Postings(
                np.concatenate([each.rows + base for each, base in having]),
                np.concatenate([each.frequencies for each, _ in having]),
            )

    # By article.

    @cached
    def _by_article(self) -> list[ArticlePostings]:
        return [each.articles for each in self._parts]

    def _joined(self, part: Callable[[ArticlePostings], Array]) -> Array:
        parts = [part(each) for each in self._by_article]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    @cached
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

    @cached
    def spreads(self) -> Array:
        """How many paragraphs of each of these articles match."""
        return self._joined(lambda each: each.paragraph_counts)

    @cached
    def ends(self) -> Array:
        """Where among ``rows`` those of each of these articles end."""
        return self.spreads.cumsum(dtype=np.int32)

    @cached
    def totals(self) -> Array:
        """How often the leaf is in the paragraphs of each."""
        return self._joined(lambda each: each.frequencies)

    @cached
    def bests(self) -> Array:
        """A bound of each one's best paragraph; see ``ArticlePostings``."""
        return self._joined(lambda each: each.impacts)

    @cached
    def side(self) -> dict[str, tuple[Array, Array]]:
        """What of the totals is in each field but the main one."""
        found = {}
        for name in SIDE_FIELDS:
            parts = [
                (each.side_fields[name][0] + np.int32(base), each.side_fields[name][1])
                for each, base in zip(
                    self._by_article, self._state.article_bases, strict=False
                )
                if name in each.side_fields
            ]
            if len(parts) == 1:
                found[name] = parts[0]
            elif parts:
                articles, counts = zip(*parts, strict=True)
                found[name] = np.concatenate(articles), np.concatenate(counts)
        return found

    @cached
    def having(self) -> Array:
        """Articles that have the leaf anywhere it is sought, ascending."""
        if not self.lines:
            return self.articles
        return np.flatnonzero(self.mask)

    def __len__(self) -> int:
        return len(self.having)

    @property
    def parts(self) -> int:
        """How many things of it are known: as long as it is no more, nor are bytes."""
        return len(self.__dict__)

    @property
    def bytes(self) -> int:
        """About how much memory it takes, besides what is mapped from files."""
        # A property may be added by another thread meanwhile.
        every = list(self.__dict__.values())
        arrays = [each for each in every if isinstance(each, np.ndarray)]
        for part in self._parts:
            arrays += part.arrays
        for line in self.lines.values():
            arrays += (line.rows, line.frequencies)
        # One may have several names.
        own = {id(each): each.nbytes for each in arrays if each.flags.owndata}
        return _EACH + sum(own.values())

    def shed(self) -> None:
        """Let go of what takes little time to work out again, and much memory."""
        for name in _SHED:
            self.__dict__.pop(name, None)

    def has(self, articles: Array) -> Mask:
        """Return which of some articles have the leaf anywhere it is sought.

        :param articles: ascending.
        """
        having = self.having
        if len(articles) * _SPARSE > len(having) or not len(having):
            return np.asarray(self.mask.take(articles))
        at = having.searchsorted(articles.astype(having.dtype, copy=False))
        at[at == len(having)] = 0
        return np.asarray(having.take(at) == articles)

    @property
    def paragraph_mask(self) -> Mask:
        """Which articles have a paragraph that matches; not to be changed."""
        mask: Mask | None = self.__dict__.get(_PARAGRAPH_MASK)
        if mask is None:
            mask = np.zeros(self._state.articles, bool)
            mask[self.articles] = True
            # Of a few articles it is as quickly made as it is much to keep.
            if len(self.articles) * _SPARSE > len(mask):
                self.__dict__[_PARAGRAPH_MASK] = mask
        return mask

    @property
    def mask(self) -> Mask:
        """Which articles have the leaf anywhere it is sought; not to be changed."""
        mask = self.paragraph_mask
        if not self.lines:
            return mask
        mask = mask.copy()
        for each in self.lines.values():
            mask[each.rows] = True
        return mask

    # Statistics.

    @cached
    def live_articles(self) -> int:
        """How many living articles have it."""
        if self._state.all_live:
            return len(self.having)
        return int(np.count_nonzero(self._state.live[self.having]))

    @cached
    def live_documents(self) -> int:
        """How many documents of living articles have it."""
        if self._state.all_live:
            return self.all_documents
        return int(self.spreads[self._state.live[self.articles]].sum())

    @cached
    def article_idf(self) -> float:
        """How much it tells of an article."""
        return float(ranking.idf(self._state.live_articles, self.live_articles))

    @cached
    def document_idf(self) -> float:
        """How much it tells of a paragraph."""
        count, _ = self._state.document_statistics(self.places.passages)
        return float(ranking.idf(count, self.live_documents))

    @cached
    def bounds(self) -> Array:
        """What it adds to the score of each of ``articles`` at the most, unboosted."""
        state = self._state
        weighted = state.main_scale().take(self.articles)
        weighted *= self.totals
        for name, (having, frequencies) in self.side.items():
            scale = state.scale(name)[having] - state.scale(MAIN_FIELD)[having]
            weighted[self.articles.searchsorted(having)] += frequencies * scale
        bounds: Array = ranking.article_saturation(weighted)
        bounds *= np.float32(ranking.article_weight(self.article_idf, 1.0))
        best = state.best_scores(self.places.passages).take(self.bests)
        best *= np.float32(ranking.PARAGRAPH_SHARE * self.document_idf)
        bounds += best
        return bounds

    # By document.

    @cached
    def all_documents(self) -> int:
        """How many documents have it, of articles that live or not."""
        return sum(len(each.rows) for each in self._parts)

    @cached
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

    @cached
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

    def inside(self, articles: Ints, bounds: Array) -> tuple[Ints, Array, Array]:
        """Return the documents of some articles that match.

        :param articles: ascending.
        :param bounds: the first document of each, then where each one's end, as 32-bit
            integers: rows are, and where two arrays differ in type, searching one for
            the other converts all of it.
        :return: how many documents of each article match, their numbers, and how often
            each has the leaf.
        """
        if len(self._parts) == 1:
            return _inside(self._parts[0], bounds)
        state, size = self._state, len(articles)
        counts = np.zeros(size, np.int64)
        rows, frequencies = [np.empty(0, np.int32)], [np.empty(0, np.uint8)]
        slots = np.searchsorted(articles, state.article_bases).tolist()
        for at, part in enumerate(self._parts):
            low, high = slots[at], slots[at + 1]
            if low < high and len(part.rows):
                base = np.int32(state.document_bases[at])
                here = np.concatenate(
                    (bounds[low:high] - base, bounds[size + low : size + high] - base)
                )
                counts[low:high], found, often = _inside(part, here)
                rows.append(found + base)
                frequencies.append(often)
        return counts, np.concatenate(rows), np.concatenate(frequencies)


def _inside(part: ParagraphPostings, bounds: Array) -> tuple[Ints, Array, Array]:
    places = part.rows.searchsorted(bounds)
    size = len(bounds) // 2
    counts = places[size:] - places[:size]
    at = expand_ranges(places[:size], counts)
    return counts, part.rows.take(at), part.frequencies.take(at)
