"""Cursors: the end of a page and the statistics it was scored with, as opaque text.

A cursor is valid for one search of one reader. Its content is encrypted and
authenticated by AES-SIV (RFC 5297) with a key of the store. That needs no nonce, which
could repeat in a busy service: equal contents have equal cursors, and no others do.

The content is packed: the digest of the search (9 bytes), the score (a double), then
variable-length integers (LEB128): date, paragraph, id, and the statistics.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator

from index.errors import CursorMismatch, InvalidValue
from index.query.nodes import WordLeaf
from index.query.sealing import sealed, unsealed
from index.query.search import Search, SortKey
from index.query.statistics import (
    FieldStatistics,
    LeafStatistics,
    Statistics,
    weighted_fields,
    weighted_leaves,
)

CURSOR_KEY_BYTES = 64  # AES-256 twice: to authenticate, and to encrypt

_DIGEST_BYTES = 9
_HEAD = struct.Struct(f">{_DIGEST_BYTES}sd")
# Authenticated with each cursor, so that those of another layout are refused.
_LAYOUT = b"nutgraf cursor 2"


def search_digest(*bound: object) -> str:
    """Short hash of everything that a cursor is bound to."""
    encoded = repr(bound).encode()
    return hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).hexdigest()


def encode_cursor(
    end: SortKey,
    statistics: Statistics | None,
    *,
    search: Search,
    bound: str,
    key: bytes,
) -> str:
    """Cursor of the hits that follow one with this sort key.

    :param statistics: what the page was scored with; ``None`` if hits have no scores.
    :param bound: the :func:`search_digest` of the search.
    :param key: :data:`CURSOR_KEY_BYTES` random bytes.
    """
    numbers = [
        0 if end.date is None else _zigzag(end.date) + 1,
        0 if end.n is None else end.n + 1,
        *(len(end.id), *map(ord, end.id)),
    ]
    if statistics is not None:
        numbers += (statistics.seq, statistics.articles)
        leaves, fields = _weighted(search)
        for name in fields:
            numbers += statistics.fields[name]
        for leaf in leaves:
            numbers += statistics.leaves[leaf]
    head = _HEAD.pack(bytes.fromhex(bound), end.score)
    return sealed(head + packed(numbers), key, _LAYOUT)


def decode_cursor(
    cursor: str, *, search: Search, bound: str, key: bytes
) -> tuple[SortKey, Statistics | None]:
    """Sort key of the hit that a cursor continues after, and its statistics.

    :raises InvalidValue: it is not a cursor of this store, or was changed.
    :raises CursorMismatch: it belongs to another search.
    """
    content = _opened(cursor, key)
    digest, score = _HEAD.unpack_from(content)
    if digest.hex() != bound:
        raise CursorMismatch
    numbers = unpacked(content[_HEAD.size :])
    date, n, length = next(numbers), next(numbers), next(numbers)
    end = SortKey(
        score=score,
        date=_unzigzag(date - 1) if date else None,
        id="".join([chr(next(numbers)) for _ in range(length)]),
        n=n - 1 if n else None,
    )
    rest = list(numbers)
    if not rest:
        return end, None
    counts = iter(rest)
    leaves, fields = _weighted(search)
    statistics = Statistics(
        seq=next(counts),
        articles=next(counts),
        fields={
            name: FieldStatistics(next(counts), next(counts), next(counts))
            for name in fields
        },
        leaves={leaf: LeafStatistics(next(counts), next(counts)) for leaf in leaves},
    )
    return end, statistics


def _weighted(search: Search) -> tuple[tuple[WordLeaf, ...], tuple[str, ...]]:
    """The leaves and the fields of a search's statistics, in the order of a cursor."""
    leaves = weighted_leaves(search.query, search.places)
    return leaves, weighted_fields(leaves, search.places)


def _opened(cursor: str, key: bytes) -> bytes:
    try:
        return unsealed(cursor, key, _LAYOUT)
    except ValueError:
        raise InvalidValue(
            "cursor",
            "is not a cursor of this service, or is of an earlier release; send next as"
            " you received it, or start again without a cursor",
            got=cursor,
            code="invalid_cursor",
        ) from None


# Integers.


def packed(numbers: Iterable[int]) -> bytes:
    """Integers from 0 as bytes, seven bits in each, the lowest first (LEB128)."""
    data = bytearray()
    for number in numbers:
        while number > 0x7F:
            data.append(number & 0x7F | 0x80)
            number >>= 7
        data.append(number)
    return bytes(data)


def unpacked(data: bytes) -> Iterator[int]:
    """Yield the integers that :func:`packed` wrote."""
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


def _zigzag(number: int) -> int:
    """A whole number as one from 0 on: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
    return number << 1 if number >= 0 else ~(number << 1)


def _unzigzag(number: int) -> int:
    return ~(number >> 1) if number & 1 else number >> 1
