"""Writers with filters: which articles their keys allow them to change.

It is checked in the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from index.access import entitled, values_of
from index.article import Draft
from index.errors import ArticleNotFound, InputError, OutsideFilter
from index.query import Reader
from index.store.notices import notices_of
from index.store.rows import standings_of


def checked_drafts(
    connection: Connection, drafts: Sequence[Draft | InputError], reader: Reader
) -> tuple[Draft | InputError, ...]:
    """Drafts, with an error in place of each that a writer may not store.

    A writer's filters must cover both the article as stored and the draft.
    """
    if not reader.filters:
        return tuple(drafts)
    ids = {draft.article.id for draft in drafts if isinstance(draft, Draft)}
    outside = _outside(connection, ids, reader)
    return tuple(
        OutsideFilter(draft.article.id)
        if isinstance(draft, Draft)
        and (
            draft.article.id in outside
            or not entitled(reader, values_of(draft.article))
        )
        else draft
        for draft in drafts
    )


def check_writer(
    connection: Connection, article_id: str, reader: Reader, *, unknown: bool = True
) -> None:
    """Check that a writer may change an article.

    :param unknown: whether they may change an article that is not stored.
    :raises ArticleNotFound: their filters do not cover it, so it does not exist for
        them.
    """
    if not reader.filters:
        return
    stored = bool(standings_of(connection, [article_id]))
    if not (stored or unknown) or _outside(connection, [article_id], reader):
        raise ArticleNotFound(article_id)


def _outside(connection: Connection, ids: Iterable[str], reader: Reader) -> set[str]:
    """Ids of stored articles, or else of kills, that a reader's filters do not cover.

    Ids without an article or a kill are left out.
    """
    ids = tuple(ids)
    outside = {
        notice.id
        for notice in notices_of(connection, ids)
        if not (notice.audience and notice.audience.entitles(reader))
    }
    for article_id, (_, standing) in standings_of(connection, ids).items():
        outside.discard(article_id)
        if not standing.entitles(reader):
            outside.add(article_id)
    return outside
