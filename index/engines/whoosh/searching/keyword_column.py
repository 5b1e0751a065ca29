"""The values of a keyword field over all articles, for filters and facets."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from index.deadline import Check
from index.engines.facets import FOLDED, value_order
from index.engines.whoosh.files import Array, Strings, cached, narrowest_type
from index.text import field_key

_NEXT_CHECK = 1_024  # values between two looks at the deadline
_LAST = "\U0010ffff"  # sorts after every character of a value


class KeywordColumn:
    """The values of one field, column-oriented.

    Values with the same :func:`value_key` are *spellings* of one *group*; filters and
    facets count groups. Spellings and groups are numbered.

    :ivar spellings: every value as stored, by number.
    :ivar spelling_of_code: for each segment, the spelling of each of its values.
    :ivar group_of_spelling: the group of each spelling.
    :ivar groups_by_key: the group of each key of a value.
    :ivar articles: with ``groups``, the distinct pairs of an article and one of its
        groups; ascending by article.
    :ivar spelled_articles: with ``spelled``, the pairs of an article and one of its
        spellings.
    :ivar group_of_article: the group of each article, where none has several; an
        article without a value gets the number of groups. ``None`` where an article
        has several groups.
    """

    def __init__(
        self,
        field: str,
        parts: Sequence[tuple[Strings | None, Array, Array]],
        bases: Sequence[int],
        count: int,
    ) -> None:
        """Join the columns of the segments.

        :param field: that the values are of.
        :param parts: for each segment its spellings, and for each value its article
            and its spelling.
        :param bases: number of each segment's first article.
        :param count: number of all articles.
        """
        numbers: dict[str, int] = {}
        self.spelling_of_code: list[Array] = []
        articles, spelled = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for (spellings, rows, codes), base in zip(parts, bases, strict=False):
            texts = [] if spellings is None else spellings.texts()
            renumbered = np.array(
                [numbers.setdefault(text, len(numbers)) for text in texts], np.int64
            )
            self.spelling_of_code.append(renumbered)
            articles.append(rows.astype(np.int64) + base)
            spelled.append(renumbered[codes] if len(codes) else spelled[0])
        self.spellings = list(numbers)
        # An article may have several pairs: use the narrowest integers that fit.
        self.spelled_articles: Array = np.concatenate(articles).astype(np.int32)
        self.spelled = _narrow(np.concatenate(spelled), len(numbers))
        keys: dict[str, int] = {}
        self.group_of_spelling = np.array(
            [
                keys.setdefault(field_key(field, text), len(keys))
                for text in self.spellings
            ],
            np.int64,
        )
        self._field, self.groups_by_key = field, keys
        self.articles, self.groups = self.spelled_articles, self.spelled
        if len(keys) < len(self.spellings):
            groups = self.group_of_spelling[self.spelled]
            articles_of = self.spelled_articles.astype(np.int64)
            pairs = np.unique(articles_of * len(keys) + groups)
            self.articles = (pairs // len(keys)).astype(np.int32)
            self.groups = _narrow(pairs % len(keys), len(keys))
        self.group_of_article: Array | None = None
        if not len(self.articles) or (np.diff(self.articles) > 0).all():
            self.group_of_article = np.full(count, len(keys), narrowest_type(len(keys)))
            self.group_of_article[self.articles] = self.groups

    def group_of(self, value: str) -> int | None:
        """Group of a value, in any spelling; ``None`` if no article has it."""
        return self.groups_by_key.get(field_key(self._field, value))

    @cached
    def spellings_of_group(self) -> list[list[int]]:
        """Numbers of the spellings of each group."""
        members: list[list[int]] = [[] for _ in self.groups_by_key]
        for spelling, group in enumerate(self.group_of_spelling.tolist()):
            members[group].append(spelling)
        return members

    @cached
    def sole_spellings(self) -> list[dict[str, int]]:
        """For each group its first spelling, with a count of 1."""
        return [{self.spellings[members[0]]: 1} for members in self.spellings_of_group]

    @property
    def has_sole_spellings(self) -> bool:
        """Whether every value has one spelling only."""
        return len(self.groups_by_key) == len(self.spellings)

    @cached
    def ranks(self) -> list[int]:
        """Rank of each spelling in the sort order of values."""
        order = sorted(
            range(len(self.spellings)), key=lambda at: value_order(self.spellings[at])
        )
        ranks = [0] * len(order)
        for rank, at in enumerate(order):
            ranks[at] = rank
        return ranks

    @cached
    def sorted_spellings(self) -> list[str]:
        """The spellings in the sort order of values."""
        return sorted(self.spellings, key=value_order)

    @cached
    def keys(self) -> list[str]:
        """Key of each group."""
        return list(self.groups_by_key)


class FoldedValues:
    """The values of a column without accents and case, in order.

    :ivar forms: each folded form once, ascending.
    :ivar ranks: for each spelling, the place of its form.
    :ivar group_ranks: the place of each group's form; -1 if it has several spellings.
    """

    def __init__(self, column: KeywordColumn, check: Check) -> None:
        """Fold the values, which takes long the first time that they are seen.

        :param check: called every some values; what was folded until it raises is kept.
        """
        folded: list[str] = []
        for at in range(0, len(column.spellings), _NEXT_CHECK):
            check()
            folded += map(FOLDED.__getitem__, column.spellings[at : at + _NEXT_CHECK])
        self.forms = sorted(set(folded))
        places = {form: place for place, form in enumerate(self.forms)}
        self.ranks = np.array([places[form] for form in folded], np.int64)
        groups = column.group_of_spelling
        self.group_ranks = np.full(len(column.groups_by_key), -1, np.int64)
        self.group_ranks[groups] = self.ranks
        self.group_ranks[np.bincount(groups, minlength=len(self.group_ranks)) > 1] = -1

    def groups_with_prefix(self, column: KeywordColumn, prefix: str) -> Array:
        """Groups with a spelling whose folded form starts with a prefix, ascending."""
        low = bisect_left(self.forms, prefix)
        high = bisect_left(self.forms, prefix + _LAST)
        inside = (self.ranks >= low) & (self.ranks < high)
        return np.unique(column.group_of_spelling[inside])


def _narrow(numbers: Array, highest: int) -> Array:
    return numbers.astype(narrowest_type(highest))
