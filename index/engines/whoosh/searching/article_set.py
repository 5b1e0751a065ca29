"""The set of matching articles: sorted numbers, and a bitmap where one is needed."""

from __future__ import annotations

import numpy as np

from index.engines.whoosh.files import Array, Ints, Mask, cached


class ArticleSet:
    """Articles that match, the hits of a search.

    :param count: number of all articles, matching or not.
    :param numbers: of the matching articles, ascending.
    :param complete: the set holds every article that the query matches: no filter
        has removed one.
    """

    def __init__(self, count: int, numbers: Array, *, complete: bool) -> None:
        self.numbers: Ints = numbers.astype(np.int64, copy=False)
        self.complete = complete
        self._count = count

    def __len__(self) -> int:
        return len(self.numbers)

    @cached
    def mask(self) -> Mask:
        """Bitmap of the set over all articles; read-only."""
        mask = np.zeros(self._count, bool)
        mask[self.numbers] = True
        return mask

    def filtered(self, mask: Mask) -> ArticleSet:
        """Subset of the articles whose bit is set.

        :param mask: one bit per article of the set.
        """
        if mask.all():
            return self
        return ArticleSet(self._count, self.numbers.compress(mask), complete=False)
