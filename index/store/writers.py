"""Who may change what: a writer with a filter, in the transaction that writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from index.access import entitled, values_of
from index.article import Draft
from index.errors import ArticleNotFound, InputError, OutsideFilter
from index.query import Reader
from index.store.view import View
from index.store.withdrawal import standings_of


def within(
    connection: Connection, drafts: Sequence[Draft | InputError], reader: Reader
) -> tuple[Draft | InputError, ...]:
    """Return drafts, and in the place of each that a writer may not write the error.

    They may not where the article that is here is beyond their filters, or the new one.
    """
    if not reader.filters:
        return tuple(drafts)
    given = [each.article for each in drafts if isinstance(each, Draft)]
    beyond = _beyond(connection, {each.id for each in given}, reader)
    return tuple(
        OutsideFilter(each.article.id)
        if isinstance(each, Draft)
        and (each.article.id in beyond or not entitled(reader, values_of(each.article)))
        else each
        for each in drafts
    )


def check_within(
    connection: Connection, article_id: str, reader: Reader, *, unknown: bool = True
) -> None:
    """Check that a writer may change an article.

    :param unknown: they may also change what is not here.
    :raises ArticleNotFound: it is beyond their filters, and so does not exist to them.
    """
    if not reader.filters:
        return
    there = bool(standings_of(connection, [article_id]))
    if not (there or unknown) or _beyond(connection, [article_id], reader):
        raise ArticleNotFound(article_id)


def _beyond(connection: Connection, ids: Iterable[str], reader: Reader) -> set[str]:
    """Return which articles, or kills, are here and not within a reader's filters.

    What is not here at all is not among them.
    """
    ids = tuple(ids)
    beyond = {
        notice.id
        for notice in View(connection).notices_of(ids)
        if not (notice.audience and notice.audience.entitles(reader))
    }
    for article_id, (_, standing) in standings_of(connection, ids).items():
        beyond.discard(article_id)
        if not standing.entitles(reader):
            beyond.add(article_id)
    return beyond
