"""Which articles are hits: as numbers, and as a mask where one is wanted."""

from __future__ import annotations

import numpy as np

from index.engines.whoosh.files import Array, Ints, Mask, cached


class ArticleSet:
    """Articles that match.

    :param count: of all articles; ``numbers`` of the hits, ascending.
    :param all_matches: nothing that the query matches was left out.
    """

    def __init__(self, count: int, numbers: Array, *, all_matches: bool) -> None:
        self.numbers: Ints = numbers.astype(np.int64, copy=False)
        self.all_matches = all_matches
        self._count = count

    def __len__(self) -> int:
        return len(self.numbers)

    @cached
    def mask(self) -> Mask:
        """Which articles are hits; not to be changed."""
        mask = np.zeros(self._count, bool)
        mask[self.numbers] = True
        return mask

    def only(self, inside: Mask) -> ArticleSet:
        """Return some of the hits.

        :param inside: over the hits.
        """
        if inside.all():
            return self
        return ArticleSet(self._count, self.numbers.compress(inside), all_matches=False)
