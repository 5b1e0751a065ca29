"""Pending work of the indexer: changes that the index lacks, and articles to put."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, literal_column, select

from index.access import CANCELED
from index.article import Article
from index.store.prepared import PreparedRead
from index.store.rows import OF_CURRENT, read_article
from index.store.tables import articles, changes, versions

# The number is part of the SQL text, so that SQLite sees that a partial index fits.
SEARCHABLE = articles.c.status != literal_column(str(CANCELED))
_PENDING = PreparedRead(
    select(changes.c.seq, changes.c.type, changes.c.id)
    .where(changes.c.seq > bindparam("since"))
    .order_by(changes.c.seq)
    .limit(bindparam("limit"))
)
_INDEXABLE = PreparedRead(
    select(
        articles.c.id,
        versions.c.version,
        versions.c.content,
        articles.c.status,
        versions.c.digest,
    )
    .join(versions, OF_CURRENT)
    .where(articles.c.id == bindparam("id"), SEARCHABLE)
)


class Pending(NamedTuple):
    """A change that the index does not include yet, without its facts."""

    seq: int
    type: str
    id: str


class Indexable(NamedTuple):
    """The current version of an article that is not killed.

    :param digest: of its content.
    :param characters: of its content, as JSON.
    :param strings: number of texts and names in it.
    """

    article: Article
    digest: str
    characters: int
    strings: int


def pending_changes(
    connection: Connection, since: int, limit: int
) -> tuple[Pending, ...]:
    """Changes after ``since``, at most ``limit``, the oldest first.

    They are read without their facts, which may be as large as the articles.
    """
    rows = _PENDING.rows(connection, since=since, limit=limit)
    return tuple(Pending(*row) for row in rows)


def indexable(connection: Connection, article_id: str) -> Indexable | None:
    """Current version of an article; ``None`` if there is none, or it is killed."""
    for *row, digest in _INDEXABLE.rows(connection, id=article_id):
        content: str = row[2]
        return Indexable(
            read_article(*row), digest, len(content), content.count('"') // 2
        )
    return None
