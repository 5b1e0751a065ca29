"""The postings of a term the way Whoosh goes through them."""

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
from index.engines.whoosh.stock.stored_values import NotKept

# The lengths that stock Whoosh tells apart: it keeps a byte of each, and rounds up.
_LENGTHS = np.array([byte_to_length(byte) for byte in range(256)], np.int64)


def rounded_lengths(exact: Array) -> bytes:
    """Return lengths as the bytes that stock Whoosh keeps of them."""
    places = np.searchsorted(_LENGTHS, exact)
    return np.minimum(places, 255).astype(np.uint8).tobytes()


class Lengths:
    """How long the fields of each document are, rounded as in stock Whoosh."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._known: dict[str, bytes] = {}

    def __getitem__(self, field: str) -> bytes:
        """Return the lengths of a field, as bytes; none if it has none."""
        found = self._known.get(field)
        if found is None:
            exact = self._contents.lengths(field)
            found = b"" if exact is None else rounded_lengths(exact)
            self._known[field] = found
        return found


class PostingBlock:
    """The postings of a term as Whoosh takes them: one block, not to be changed."""

    def __init__(self, postings: Postings, lengths: bytes) -> None:
        self.postings = postings
        self._lengths = lengths

    @cached_property
    def ids(self) -> list[int]:
        """The documents, ascending."""
        return self.postings.documents.tolist()  # type: ignore[no-any-return]

    @cached_property
    def weights(self) -> list[float]:
        """The weight in each of them."""
        found: Array = self.postings.weights.astype(np.float64)
        return found.tolist()  # type: ignore[no-any-return]

    @cached_property
    def info(self) -> TermInfo:
        """The statistics of the term."""
        documents, weights = self.postings.documents, self.postings.weights
        least = most = 0
        if self._lengths:
            kept = np.frombuffer(self._lengths, np.uint8)[documents]
            # A document of no length has the term all the same: it says nothing.
            kept = kept[kept > 0]
            if len(kept):
                least = byte_to_length(int(kept.min()))
                most = byte_to_length(int(kept.max()))
        return TermInfo(
            weight=float(weights.sum(dtype=np.float64)),
            df=len(documents),
            minlength=least,
            maxlength=most,
            maxweight=float(weights.max()),
            minid=int(documents[0]),
            maxid=int(documents[-1]),
        )


class PostingMatcher(LeafMatcher):  # type: ignore[misc]  # Whoosh has no types
    """Goes through the postings of a term."""

    def __init__(
        self,
        block: PostingBlock,
        format_: Format,
        *,
        term: tuple[str, bytes],
        scorer: Any = None,
        place: int = 0,
    ) -> None:
        self._block = block
        self._ids = block.ids
        self._at = place
        self._term = term
        self.format, self.scorer = format_, scorer

    def copy(self) -> PostingMatcher:
        """Return another one that stands where this does."""
        return PostingMatcher(
            self._block,
            self.format,
            term=self._term,
            scorer=self.scorer,
            place=self._at,
        )

    def is_active(self) -> bool:
        """Return whether it stands on a posting."""
        return self._at < len(self._ids)

    def reset(self) -> None:
        """Go back to the first posting."""
        self._at = 0

    def id(self) -> int:
        """Return the document it stands on, behind the last one that."""
        try:
            return self._ids[self._at]
        except IndexError:
            # Whoosh's matcher of what is not in another asks before it looks whether
            # there is one, and its own posting lists mostly answer.
            return self._ids[-1]

    def all_ids(self) -> Iterator[int]:
        """Return the documents from here on."""
        return iter(self._ids[self._at :])

    def next(self) -> bool:
        """Go to the next posting; return whether there is none, as of a block's end."""
        if not self.is_active():
            raise ReadTooFar
        self._at += 1
        return not self.is_active()

    def skip_to(self, id: int) -> None:  # the name is Whoosh's
        """Go to the first posting from here on that is not before a document."""
        if not self.is_active():
            raise ReadTooFar
        self._at = bisect_left(self._ids, id, self._at)

    # What a posting says.

    def weight(self) -> float:
        """Return the weight of the posting."""
        return self._block.weights[self._at]

    def value(self) -> bytes:
        """Return the posting encoded as its format has it."""
        if isinstance(self.format, Existence):
            return b""
        if isinstance(self.format, Frequency):
            return bytes(pack_uint(self._frequency()))
        if type(self.format) is Positions:
            return bytes(self.format.encode(self._positions()))
        kind = type(self.format).__name__
        raise NotKept(f"postings of format {kind} are not kept", field=self._term[0])

    def value_as(self, astype: str) -> Any:
        """Return the posting as ``frequency``, ``weight``, ``positions`` …"""
        if not self.supports(astype):
            raise NotKept(f"no {astype} are kept of it", field=self._term[0])
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
            raise NotKept("no positions are kept of it", field=self._term[0])
        return positions[self._at]

    # Quality: all postings are one block.

    def skip_to_quality(self, minquality: float) -> int:
        """Go past all if none can be better; return how many blocks that is."""
        if self.block_quality() > minquality:
            return 0
        self._at = len(self._ids)
        return 1

    def block_min_id(self) -> int:
        """Return the first document."""
        return self._ids[0]

    def block_max_id(self) -> int:
        """Return the last document."""
        return self._ids[-1]

    def block_min_length(self) -> int:
        """Return the length of the shortest document."""
        return int(self._block.info.min_length())

    def block_max_length(self) -> int:
        """Return the length of the longest document."""
        return int(self._block.info.max_length())

    def block_max_weight(self) -> float:
        """Return the highest weight."""
        return float(self._block.info.max_weight())
