"""The values of a keyword field over all articles, for filters and facets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.engines.facets import value_order
from index.engines.whoosh.files import Array, Strings, cached, narrowest_type
from index.query import value_key


class KeywordColumn:
    """The values of a field.

    :ivar spellings: every value as stored; ``group_of`` each one's group, in which
        values that differ in case only are one; ``keys`` the groups by that one value.
    :ivar articles: with ``groups``, the pairs of an article and a group it has, each
        pair once; ascending by article.
    :ivar codes: where no article has several groups, each article's; for none, how many
        groups there are.
    """

    def __init__(
        self,
        parts: Sequence[tuple[Strings | None, Array, Array]],
        bases: Sequence[int],
        count: int,
    ) -> None:
        """Join the values of segments.

        :param parts: spellings, and of each value its article and its spelling.
        :param count: of all articles.
        """
        numbers: dict[str, int] = {}
        articles, spelled = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for (spellings, rows, codes), base in zip(parts, bases, strict=False):
            texts = [] if spellings is None else spellings.texts()
            recoded = np.array(
                [numbers.setdefault(each, len(numbers)) for each in texts], np.int64
            )
            articles.append(rows.astype(np.int64) + base)
            spelled.append(recoded[codes] if len(codes) else spelled[0])
        self.spellings = list(numbers)
        # There may be several of each article: the smallest numbers that will do.
        self.spelled_articles: Array = np.concatenate(articles).astype(np.int32)
        self.spelled = _narrow(np.concatenate(spelled), len(numbers))
        keys: dict[str, int] = {}
        self.group_of = np.array(
            [keys.setdefault(value_key(each), len(keys)) for each in self.spellings],
            np.int64,
        )
        self.keys = keys
        self.articles, self.groups = self.spelled_articles, self.spelled
        if len(keys) < len(self.spellings):
            groups = self.group_of[self.spelled]
            articles_of = self.spelled_articles.astype(np.int64)
            pairs = np.unique(articles_of * len(keys) + groups)
            self.articles = (pairs // len(keys)).astype(np.int32)
            self.groups = _narrow(pairs % len(keys), len(keys))
        self.codes: Array | None = None
        if not len(self.articles) or (np.diff(self.articles) > 0).all():
            self.codes = np.full(count, len(keys), narrowest_type(len(keys)))
            self.codes[self.articles] = self.groups

    @cached
    def members(self) -> list[list[int]]:
        """For each group, its spellings."""
        members: list[list[int]] = [[] for _ in self.keys]
        for spelling, group in enumerate(self.group_of.tolist()):
            members[group].append(spelling)
        return members

    @cached
    def alone(self) -> list[dict[str, int]]:
        """For each group its first spelling, counted once."""
        return [{self.spellings[members[0]]: 1} for members in self.members]

    @property
    def all_alone(self) -> bool:
        """Whether no two values differ in case only."""
        return len(self.keys) == len(self.spellings)

    @cached
    def ranks(self) -> list[int]:
        """Where each spelling stands in the order of values."""
        order = sorted(
            range(len(self.spellings)), key=lambda at: value_order(self.spellings[at])
        )
        ranks = [0] * len(order)
        for rank, at in enumerate(order):
            ranks[at] = rank
        return ranks

    @cached
    def in_order(self) -> list[str]:
        """The spellings in the order of values."""
        return sorted(self.spellings, key=value_order)

    @cached
    def names(self) -> list[str]:
        """The key of each group."""
        return list(self.keys)


def _narrow(numbers: Array, highest: int) -> Array:
    return numbers.astype(narrowest_type(highest))
