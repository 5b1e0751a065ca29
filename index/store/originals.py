"""Originals: what versions were sent as, kept for audit where reading changed it.

They belong to their versions: what deletes a version deletes its original.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, insert, select

from index.article import Original
from index.store.tables import originals

_PAGE = 20  # that are read at a time; each may be as large as a request


def packed(original: Original) -> Original:
    """Return an original as it is kept."""
    return Original(format=original.format, data=zlib.compress(original.data))


def keep_originals(
    connection: Connection, kept: Mapping[tuple[str, str], Original]
) -> None:
    """Keep packed originals of versions that have just been written.

    :param kept: by id and version.
    """
    if kept:
        connection.execute(
            insert(originals),
            [
                {"id": id_, "version": version, "format": one.format, "data": one.data}
                for (id_, version), one in kept.items()
            ],
        )


def find_original(
    connection: Connection, article_id: str, version: str
) -> Original | None:
    """Return what a version was sent as, if reading it changed that."""
    row = connection.execute(
        select(originals.c.format, originals.c.data).where(
            originals.c.id == article_id, originals.c.version == version
        )
    ).one_or_none()
    if row is None:
        return None
    return Original(format=row.format, data=zlib.decompress(row.data))


def problems(connection: Connection) -> Iterator[str]:
    """Yield a sentence for each original that cannot be given; reads all of them."""
    every = select(originals).execution_options(yield_per=_PAGE)
    for row in connection.execute(every):
        try:
            zlib.decompress(row.data)
        except zlib.error:
            yield f"{row.id}: what was sent as version {row.version} is damaged"
