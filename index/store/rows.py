"""Reads of the tables that several parts of the store share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    select,
)

from index.access import (
    STATUSES,
    Restrictions,
    Standing,
)
from index.article import Article, stored_article_of
from index.errors import (
    InvalidArticle,
    StoreUnavailable,
)
from index.store.prepared import PreparedRead
from index.store.tables import articles, state, versions

T = TypeVar("T")
CHUNK = 500  # values in one IN (…), articles in one page

# Statements are built once: building one costs more than running it.
VALUE = select(state.c.value).where(state.c.name == bindparam("name"))
_VALUE = PreparedRead(VALUE)
OF_CURRENT = (versions.c.id == articles.c.id) & (
    versions.c.version == articles.c.version
)
RESTRICTING = [articles.c[name] for name in Restrictions._fields]
_THIS = articles.c.id == bindparam("id")
_CURRENT_VERSION = select(articles.c.version).where(_THIS)
_STANDING = select(*RESTRICTING, articles.c["values"]).where(_THIS)


def current_version(connection: Connection, article_id: str) -> str | None:
    """Number of the current version of an article; ``None`` if there is none."""
    rows = connection.execute(_CURRENT_VERSION, {"id": article_id})
    return rows.scalar_one_or_none()


def standing_of(connection: Connection, article_id: str) -> Standing | None:
    """Standing of an article; ``None`` if there is none."""
    row = connection.execute(_STANDING, {"id": article_id}).one_or_none()
    if row is None:
        return None
    return Standing(Restrictions(*row[:-1]), json.loads(row[-1]))


def value_of(connection: Connection, name: str) -> int:
    """A number of the table ``state``, such as ``seq`` or ``epoch``."""
    ((value,),) = _VALUE.rows(connection, name=name)
    return int(value)


def read_article(
    article_id: str, version: str, content: str, status: int | None = None
) -> Article:
    """The article that a version holds.

    :param status: in force, in place of the one that was sent with it.
    """
    try:
        document = {**json.loads(content), "version": version}
        if status is not None:
            document["status"] = STATUSES[status].value
        return stored_article_of(document)
    except (ValueError, InvalidArticle) as error:
        raise unreadable(article_id, version, error) from error


def unreadable(article_id: str, version: str, error: Exception) -> StoreUnavailable:
    """The error for a stored version that is damaged."""
    return StoreUnavailable(
        f"version {version} of {article_id} cannot be read ({error});"
        " run nutgraf verify"
    )


def among(keys: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    """A condition that holds for these (id, version), and may for a few others.

    SQLite uses its index for two lists of values, but not for one list of pairs.
    """
    ids, numbers = zip(*keys, strict=True)
    return versions.c.id.in_(set(ids)) & versions.c.version.in_(set(numbers))


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield pieces of a sequence, each of at most :data:`CHUNK` items."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def standings_of(
    connection: Connection, ids: Iterable[str]
) -> dict[str, tuple[str, Standing]]:
    """Current version and standing of each of these articles that exists, by id."""
    standings: dict[str, tuple[str, Standing]] = {}
    columns = articles.c.id, articles.c.version, articles.c["values"], *RESTRICTING
    for chunk in chunks(tuple(ids)):
        for row in connection.execute(select(*columns).where(articles.c.id.in_(chunk))):
            own = Restrictions(*row[3:])
            standings[row[0]] = row[1], Standing(own, json.loads(row[2]))
    return standings
