"""Originals: the bytes that versions were sent as, kept if parsing changed them.

They are kept for audit. Deleting a version deletes its original.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, insert, select

from index.article import Original
from index.store.tables import originals

_PAGE = 20  # originals read at a time; each may be as large as a request
_LEVEL = 3  # of zlib: articles take 4 % more than at its default, and 30 % less time


def packed(original: Original) -> Original:
    """An original in its stored form, compressed."""
    return Original(format=original.format, data=zlib.compress(original.data, _LEVEL))


def insert_originals(
    connection: Connection, packed_originals: Mapping[tuple[str, str], Original]
) -> None:
    """Store packed originals of versions that have just been written.

    :param packed_originals: by id and version.
    """
    if packed_originals:
        connection.execute(
            insert(originals),
            [
                {
                    "id": id_,
                    "version": version,
                    "format": original.format,
                    "data": original.data,
                }
                for (id_, version), original in packed_originals.items()
            ],
        )


def original_of(
    connection: Connection, article_id: str, version: str
) -> Original | None:
    """Original of a version; ``None`` if parsing changed nothing."""
    row = connection.execute(
        select(originals.c.format, originals.c.data).where(
            originals.c.id == article_id, originals.c.version == version
        )
    ).one_or_none()
    if row is None:
        return None
    return Original(format=row.format, data=zlib.decompress(row.data))


def problems(connection: Connection) -> Iterator[str]:
    """Yield a sentence for each original that is damaged; reads all of them."""
    in_pages = select(originals).execution_options(yield_per=_PAGE)
    for row in connection.execute(in_pages):
        try:
            zlib.decompress(row.data)
        except zlib.error:
            yield f"{row.id}: what was sent as version {row.version} is damaged"
