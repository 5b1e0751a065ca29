"""Preconditions of writes: the state in which a writer expects an article to be.

They are checked in the transaction that writes, so nothing changes between.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from index.access import STATUSES
from index.article import Draft
from index.errors import ArticleNotFound, InputError, PreconditionFailed
from index.history import Expected, state_name
from index.query import Reader
from index.store.rows import OF_CURRENT, value_of
from index.store.tables import articles, versions
from index.store.writers import check_writer

_STATE = (
    select(articles.c.version, versions.c.seq, articles.c.status)
    .join(versions, OF_CURRENT)
    .where(articles.c.id == bindparam("id"))
)


def check_expected(
    connection: Connection, article_id: str, expected: Expected | None
) -> None:
    """Check that an article is in a state that a writer expects; ``None`` for any.

    :raises PreconditionFailed: it is in another one, or not stored.
    """
    if expected is None:
        return
    row = connection.execute(_STATE, {"id": article_id}).one_or_none()
    if row is not None:
        epoch, status = value_of(connection, "epoch"), STATUSES[row.status]
        name = state_name(epoch, article_id, row.version, row.seq, status)
        if expected.holds(name, status):
            return
    raise PreconditionFailed(article_id)


def expected_drafts(
    connection: Connection,
    drafts: Sequence[Draft | InputError],
    expected: Expected | None,
) -> tuple[Draft | InputError, ...]:
    """Drafts, with an error in place of each whose article is in another state."""
    checked: list[Draft | InputError] = []
    for draft in drafts:
        try:
            if isinstance(draft, Draft):
                check_expected(connection, draft.article.id, expected)
            checked.append(draft)
        except PreconditionFailed as error:
            checked.append(error)
    return tuple(checked)


def check_deletion(
    connection: Connection,
    article_id: str,
    reader: Reader,
    expected: Expected | None,
) -> None:
    """Check that a writer may delete an article, in a state that they expect.

    :raises ArticleNotFound: their filters do not cover it.
    :raises PreconditionFailed: it is in another state, or does not exist for them.
    """
    try:
        check_writer(connection, article_id, reader)
    except ArticleNotFound as error:
        if expected is None:
            raise
        # As if it had never been stored.
        raise PreconditionFailed(article_id) from error
    check_expected(connection, article_id, expected)
