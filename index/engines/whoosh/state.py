"""All segments of one generation as one set of arrays, with what lives in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from index.engines.whoosh.leaves import LeafMatches, Matches
from index.engines.whoosh.schema import VALUE_FIELDS
from index.engines.whoosh.segment import Columns, Ints, Segment
from index.facets import same_value
from index.fields import PASSAGE_FIELDS

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
T = TypeVar("T")


class Values:
    """The values of a keyword field over all articles.

    :ivar spellings: every value as stored; ``group_of`` each one's group, in which
        values that differ in case only are one.
    :ivar articles: with ``groups``, the pairs of an article and a group it has,
        each pair once.
    """

    def __init__(self, parts: Sequence[tuple[list[str], Ints, Ints]], bases: list[int]):
        numbers: dict[str, int] = {}
        articles, spelled = [], []
        for (spellings, rows, codes), base in zip(parts, bases, strict=True):
            recoded = np.array(
                [numbers.setdefault(each, len(numbers)) for each in spellings], np.int64
            )
            articles.append(rows + base)
            spelled.append(recoded[codes] if len(codes) else codes)
        self.spellings = list(numbers)
        self.spelled_articles = np.concatenate(articles) if articles else _NONE
        self.spelled = np.concatenate(spelled) if spelled else _NONE
        keys: dict[str, int] = {}
        self.group_of = np.array(
            [keys.setdefault(same_value(each), len(keys)) for each in self.spellings],
            np.int64,
        )
        self.keys = keys
        self.articles, self.groups = self.spelled_articles, self.spelled
        if len(keys) < len(self.spellings):
            groups = self.group_of[self.spelled]
            pairs = np.unique(self.spelled_articles * len(keys) + groups)
            self.articles, self.groups = pairs // len(keys), pairs % len(keys)

    @cached_property
    def members(self) -> list[list[int]]:
        """For each group, its spellings."""
        members: list[list[int]] = [[] for _ in self.keys]
        for spelling, group in enumerate(self.group_of.tolist()):
            members[group].append(spelling)
        return members


_NONE = np.empty(0, np.int64)


class State:
    """The columns of every segment end to end, and which articles live.

    Articles and paragraphs are numbered through all segments, in order.
    """

    def __init__(self, segments: Sequence[tuple[Segment, Mask]], seq: int) -> None:
        """Join segments.

        :param segments: each with which of its articles live.
        """
        self.seq = seq
        self.segments = [segment for segment, _ in segments]
        columns = [segment.columns for segment in self.segments]
        self.article_bases = _bases([len(each.ids) for each in columns])
        self.paragraph_bases = _bases([len(each.owner) for each in columns])
        self.ids = [each for part in columns for each in part.ids]
        self.versions = [each for part in columns for each in part.versions]
        self.live = np.concatenate([live for _, live in segments] or [_NO_MASK])
        join = self._joined(columns)
        self.status = join(lambda each: each.status)
        self.embargoed_until = join(lambda each: each.embargoed_until)
        self.expires = join(lambda each: each.expires)
        self.published = join(lambda each: each.published)
        self.updated = join(lambda each: each.updated)
        self.urgency = join(lambda each: each.urgency)
        self.passage = join(lambda each: each.passage)
        self.n = join(lambda each: each.n)
        self.lengths = join(lambda each: each.lengths)
        self.first = np.concatenate(
            [
                part.first + base
                for part, base in zip(columns, self.paragraph_bases, strict=True)
            ]
            or [_NONE]
        )
        self.owner = np.concatenate(
            [
                part.owner + base
                for part, base in zip(columns, self.article_bases, strict=True)
            ]
            or [_NONE]
        )
        self._columns = columns
        self._values: dict[str, Values] = {}
        self._lengths: dict[str, tuple[Ints, float]] = {}

    @staticmethod
    def _joined(columns: list[Columns]) -> Callable[[Callable[[Columns], Ints]], Ints]:
        def join(part: Callable[[Columns], Ints]) -> Ints:
            return np.concatenate([part(each) for each in columns] or [_NONE])

        return join

    @property
    def articles(self) -> int:
        """How many articles the arrays hold, living or not."""
        return len(self.ids)

    @property
    def paragraphs(self) -> int:
        """How many paragraphs the arrays hold, living or not."""
        return len(self.owner)

    @cached_property
    def number_of(self) -> dict[str, int]:
        """Of each living id, its article's number."""
        return {
            self.ids[number]: number for number in np.flatnonzero(self.live).tolist()
        }

    @cached_property
    def id_order(self) -> tuple[list[str], Ints]:
        """The ids in order of code points, and each article's place in that order.

        An id that stands several times, once living, has one place.
        """
        order = sorted(set(self.ids))
        places = {each: place for place, each in enumerate(order)}
        return order, np.array([places[each] for each in self.ids], np.int64)

    @cached_property
    def live_articles(self) -> int:
        """How many articles live."""
        return int(self.live.sum())

    @cached_property
    def live_paragraphs(self) -> Mask:
        """Which paragraphs are a living article's."""
        mask: Mask = self.live[self.owner]
        return mask

    def values(self, name: str) -> Values:
        """Return the values of a keyword or integer field."""
        found = self._values.get(name)
        if found is None:
            assert name in VALUE_FIELDS, name
            parts = [each.values[name] for each in self._columns]
            found = self._values.setdefault(name, Values(parts, self.article_bases))
        return found

    def field_lengths(self, name: str) -> tuple[Ints, float]:
        """Return each article's length in a field, and the mean of those that have it.

        The mean is over living articles; 1.0 where none has the field.
        """
        found = self._lengths.get(name)
        if found is None:
            if name in PASSAGE_FIELDS:
                inside = self.passage == PASSAGE_FIELDS.index(name)
                lengths = np.bincount(
                    self.owner[inside],
                    weights=self.lengths[inside],
                    minlength=self.articles,
                ).astype(np.int64)
            else:
                lengths = np.concatenate(
                    [each.lines[name] for each in self._columns] or [_NONE]
                )
            having = lengths[self.live & (lengths > 0)]
            mean = float(having.sum()) / len(having) if len(having) else 1.0
            found = self._lengths.setdefault(name, (lengths, mean))
        return found

    def paragraph_statistics(self, passages: tuple[str, ...]) -> tuple[int, float]:
        """Return how many living paragraphs fields have, and their mean length."""
        wanted = np.zeros(len(PASSAGE_FIELDS), bool)
        wanted[[PASSAGE_FIELDS.index(name) for name in passages]] = True
        inside = wanted[self.passage] & self.live_paragraphs
        count = int(inside.sum())
        mean = float(self.lengths[inside].sum()) / count if count else 1.0
        return count, max(mean, math.ulp(1.0))

    def joined(self, found: Sequence[LeafMatches]) -> LeafMatches:
        """Return a leaf's matches in each segment as one, in the arrays' numbers."""
        lines = sorted({name for each in found for name in each.lines})
        return LeafMatches(
            paragraphs=_end_to_end(
                [each.paragraphs for each in found], self.paragraph_bases
            ),
            lines={
                name: _end_to_end(
                    [each.lines.get(name, _NOWHERE) for each in found],
                    self.article_bases,
                )
                for name in lines
            },
        )


_NO_MASK = np.empty(0, np.bool_)
_NOWHERE = Matches(_NONE, _NONE)


def _end_to_end(found: list[Matches], bases: list[int]) -> Matches:
    return Matches(
        np.concatenate(
            [each.rows + base for each, base in zip(found, bases, strict=True)]
            or [_NONE]
        ),
        np.concatenate([each.frequencies for each in found] or [_NONE]),
    )


def _bases(sizes: list[int]) -> list[int]:
    bases, base = [], 0
    for size in sizes:
        bases.append(base)
        base += size
    return bases
