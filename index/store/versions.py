"""Versions of an article, listed from their columns: no text is read for a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, select

from index.access import (
    STATUS_CODES,
    Restrictions,
    Standing,
    restrictions_of,
    values_of,
)
from index.article import Status
from index.dates import from_micros
from index.errors import ArticleNotFound
from index.history import VersionInfo, version_key
from index.store.prepared import PreparedRead
from index.store.rows import chunks, read_article
from index.store.tables import articles, originals, superseded, versions

# Both columns are in the index of the primary key: no row is read.
_NUMBERS = PreparedRead(
    select(versions.c.version).where(versions.c.id == bindparam("id"))
)
_CURRENT = articles.c.version == versions.c.version
_LISTED = (
    select(
        versions.c.version,
        versions.c.seq,
        versions.c.at,
        versions.c.status,
        versions.c.headline,
        _CURRENT.label("current"),
        articles.c.status.label("effective"),
        *(
            case((_CURRENT, articles.c[name]), else_=superseded.c[name]).label(name)
            for name in ("embargoed_until", "expires", "values")
        ),
    )
    .select_from(versions)
    .join(articles, articles.c.id == versions.c.id)
    .join(
        superseded,
        and_(
            superseded.c.id == versions.c.id,
            superseded.c.version == versions.c.version,
        ),
        isouter=True,
    )
    .where(
        versions.c.id == bindparam("id"),
        versions.c.version.in_(bindparam("numbers", expanding=True)),
    )
)
_TEXT = PreparedRead(
    select(versions.c.content).where(
        versions.c.id == bindparam("id"), versions.c.version == bindparam("version")
    )
)


def numbers_of(connection: Connection, article_id: str) -> list[str]:
    """Numbers of an article's versions, the highest first.

    :raises ArticleNotFound: there is no such article.
    """
    numbers = [row[0] for row in _NUMBERS.rows(connection, id=article_id)]
    if not numbers:
        raise ArticleNotFound(article_id)
    return sorted(numbers, key=version_key, reverse=True)


def listed(
    connection: Connection, article_id: str, numbers: Sequence[str]
) -> list[VersionInfo]:
    """Versions of an article by their numbers, in the same order.

    The text is read of those versions only that an older release of Nutgraf superseded,
    one at a time.
    """
    rows: dict[str, Any] = {}
    for chunk in chunks(numbers):
        page = connection.execute(_LISTED, {"id": article_id, "numbers": chunk}).all()
        rows |= {row.version: row for row in page}
    return [_version_of(connection, article_id, rows[number]) for number in numbers]


def _version_of(connection: Connection, article_id: str, row: Any) -> VersionInfo:
    if row.values is None:
        standing = standing_of_text(connection, article_id, row.version)
    else:
        own = STATUS_CODES[Status(row.status)]
        restrictions = Restrictions(
            row.effective if row.current else own, row.embargoed_until, row.expires
        )
        standing = Standing(restrictions, json.loads(row.values))
    return VersionInfo(
        version=row.version,
        current=bool(row.current),
        seq=row.seq,
        at=from_micros(row.at),
        status=Status(row.status),
        headline=row.headline,
        standing=standing,
    )


def standing_of_text(connection: Connection, article_id: str, version: str) -> Standing:
    """Standing of one version, read from its text."""
    ((text,),) = _TEXT.rows(connection, id=article_id, version=version)
    article = read_article(article_id, version, text)
    return Standing(restrictions_of(article), values_of(article))


def bytes_of(connection: Connection, article_id: str) -> int:
    """Bytes of the texts and originals of all versions, at the least; reads them."""
    return sum(
        connection.execute(
            select(func.coalesce(func.sum(func.length(column)), 0)).where(
                column.table.c.id == article_id
            )
        ).scalar_one()
        for column in (versions.c.content, originals.c.data)
    )
