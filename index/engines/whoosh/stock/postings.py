"""Posting lists as Whoosh reads them: statistics and a matcher."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from whoosh.formats import Existence, Format, Frequency, Positions
from whoosh.matching import LeafMatcher, ReadTooFar
from whoosh.reading import TermInfo
from whoosh.system import pack_uint
from whoosh.util.numeric import byte_to_length

from index.engines.whoosh.files import Array
from index.engines.whoosh.stock.contents import Contents, Postings
from index.engines.whoosh.stock.stored_values import NotSupported

# The lengths that stock Whoosh can store: it rounds each up to one of 256, in a byte.
_LENGTHS = np.array([byte_to_length(byte) for byte in range(256)], np.int64)


def rounded_lengths(exact: Array) -> bytes:
    """Lengths as the bytes that stock Whoosh stores."""
    rounded = np.searchsorted(_LENGTHS, exact)
    return np.minimum(rounded, 255).astype(np.uint8).tobytes()


class Lengths:
    """Field lengths of each document, rounded as in stock Whoosh."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._rounded: dict[str, bytes] = {}

    def __getitem__(self, field: str) -> bytes:
        """Lengths of a field, a byte per document; empty if none are stored."""
        lengths = self._rounded.get(field)
        if lengths is None:
            exact = self._contents.lengths(field)
            lengths = b"" if exact is None else rounded_lengths(exact)
            self._rounded[field] = lengths
        return lengths


class PostingBlock:
    """The posting list of a term as Whoosh takes it: one immutable block."""

    def __init__(self, postings: Postings, lengths: bytes) -> None:
        self.postings = postings
        self._lengths = lengths

    @cached_property
    def ids(self) -> list[int]:
        """Documents, ascending."""
        return self.postings.documents.tolist()  # type: ignore[no-any-return]

    @cached_property
    def weights(self) -> list[float]:
        """Weight in each document."""
        weights: Array = self.postings.weights.astype(np.float64)
        return weights.tolist()  # type: ignore[no-any-return]

    @cached_property
    def info(self) -> TermInfo:
        """Statistics of the term."""
        documents, weights = self.postings.documents, self.postings.weights
        shortest = longest = 0
        if self._lengths:
            lengths = np.frombuffer(self._lengths, np.uint8)[documents]
            # A document may have the term and yet no length: it does not count.
            lengths = lengths[lengths > 0]
            if len(lengths):
                shortest = byte_to_length(int(lengths.min()))
                longest = byte_to_length(int(lengths.max()))
        return TermInfo(
            weight=float(weights.sum(dtype=np.float64)),
            df=len(documents),
            minlength=shortest,
            maxlength=longest,
            maxweight=float(weights.max()),
            minid=int(documents[0]),
            maxid=int(documents[-1]),
        )


class PostingMatcher(LeafMatcher):  # type: ignore[misc]  # Whoosh has no types
    """Iterates over the postings of a term."""

    def __init__(
        self,
        block: PostingBlock,
        format_: Format,
        *,
        term: tuple[str, bytes],
        scorer: Any = None,
        at: int = 0,
    ) -> None:
        self._block = block
        self._ids = block.ids
        self._at = at
        self._term = term
        self.format, self.scorer = format_, scorer

    def copy(self) -> PostingMatcher:
        """Copy of the matcher, at the same posting."""
        return PostingMatcher(
            self._block,
            self.format,
            term=self._term,
            scorer=self.scorer,
            at=self._at,
        )

    def is_active(self) -> bool:
        """Whether the matcher is on a posting."""
        return self._at < len(self._ids)

    def reset(self) -> None:
        """Go back to the first posting."""
        self._at = 0

    def id(self) -> int:
        """Current document; behind the end the last one."""
        try:
            return self._ids[self._at]
        except IndexError:
            # Whoosh's AndNotMatcher asks before it checks whether the matcher is
            # active, and Whoosh's own posting lists mostly answer.
            return self._ids[-1]

    def all_ids(self) -> Iterator[int]:
        """Documents from the current one on."""
        return iter(self._ids[self._at :])

    def next(self) -> bool:
        """Go to the next posting; return whether that was the end of a block."""
        if not self.is_active():
            raise ReadTooFar
        self._at += 1
        return not self.is_active()

    def skip_to(self, id: int) -> None:  # the name is Whoosh's
        """Go on to the first posting whose document is ``id`` or a later one."""
        if not self.is_active():
            raise ReadTooFar
        self._at = bisect_left(self._ids, id, self._at)

    # The current posting.

    def weight(self) -> float:
        """Weight of the posting."""
        return self._block.weights[self._at]

    def value(self) -> bytes:
        """The posting, encoded in its format."""
        if isinstance(self.format, Existence):
            return b""
        if isinstance(self.format, Frequency):
            return bytes(pack_uint(self._frequency()))
        if type(self.format) is Positions:
            return bytes(self.format.encode(self._positions()))
        kind = type(self.format).__name__
        raise NotSupported(
            f"postings of format {kind} are not supported", field=self._term[0]
        )

    def value_as(self, astype: str) -> Any:
        """The posting as ``frequency``, ``weight``, ``positions`` …"""
        if not self.supports(astype):
            raise NotSupported(f"its postings have no {astype}", field=self._term[0])
        if astype == "positions":
            return self._positions()
        if astype == "frequency":
            return 1 if isinstance(self.format, Existence) else self._frequency()
        return super().value_as(astype)

    def _frequency(self) -> int:
        return int(self._block.postings.frequencies[self._at])

    def _positions(self) -> list[int]:
        positions = self._block.postings.positions
        if positions is None:
            raise NotSupported("its postings have no positions", field=self._term[0])
        return positions[self._at]

    # Block quality: all postings are one block.

    def skip_to_quality(self, minquality: float) -> int:
        """Skip the block if no posting can score higher; return the blocks skipped."""
        if self.block_quality() > minquality:
            return 0
        self._at = len(self._ids)
        return 1

    def block_min_id(self) -> int:
        """First document."""
        return self._ids[0]

    def block_max_id(self) -> int:
        """Last document."""
        return self._ids[-1]

    def block_min_length(self) -> int:
        """Length of the shortest document."""
        return int(self._block.info.min_length())

    def block_max_length(self) -> int:
        """Length of the longest document."""
        return int(self._block.info.max_length())

    def block_max_weight(self) -> float:
        """Highest weight."""
        return float(self._block.info.max_weight())
