"""Integrity of a store: do its texts, columns, notices and log agree?

Columns and notices decide who may see an article without its text being read. Here each
is worked out again from what it was derived from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, and_, bindparam, false, func, select, tuple_

from index.access import (
    CANCELED,
    NO_EMBARGO,
    NO_EXPIRY,
    Restrictions,
    restrictions_of,
    values_of,
)
from index.article import Article, article_of, content_digest
from index.errors import InvalidArticle, StoreUnavailable
from index.history import version_key
from index.store import originals
from index.store.rows import CHUNK, OF_CURRENT, RESTRICTING, read_article
from index.store.tables import articles, changes, keys, notices, superseded, versions
from index.store.view import View

_DIGEST_BYTES = 32
_LOG_BOUNDS = select(
    func.min(changes.c.seq), func.max(changes.c.seq), func.count(changes.c.seq)
)
_LOST_CURRENT = (
    select(articles.c.id, articles.c.version)
    .join(versions, OF_CURRENT, isouter=True)
    .where(versions.c.id.is_(None))
)
_ALL_VERSIONS = (
    select(
        versions.c.id,
        versions.c.version,
        versions.c.digest,
        versions.c.status.label("own_status"),
        versions.c.headline,
        versions.c.content,
        articles.c.version.label("current"),
        superseded.c.embargoed_until.label("own_embargo"),
        superseded.c.expires.label("own_expiry"),
        superseded.c["values"].label("own_values"),
        *RESTRICTING,
    )
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
        tuple_(versions.c.id, versions.c.version)
        > tuple_(bindparam("id"), bindparam("version"))
    )
    .order_by(versions.c.id, versions.c.version)
    .limit(bindparam("limit"))
)
_CURRENT_VERSIONS = (
    select(
        articles,
        versions.c.content,
        notices.c.id.label("notice"),
        notices.c.version.label("killed_until"),
        notices.c.status.label("notice_status"),
    )
    .join(versions, OF_CURRENT)
    .join(
        notices,
        (notices.c.id == articles.c.id) & (notices.c.over == false()),
        isouter=True,
    )
    .where(articles.c.id > bindparam("after"))
    .order_by(articles.c.id)
    .limit(bindparam("limit"))
)


def problems(connection: Connection, now: int) -> Iterator[str]:
    """Yield a sentence for every contradiction; reads everything.

    :param now: microseconds since 1970 UTC.
    """
    view = View(connection)
    yield from _of_log(connection, view.seq)
    for row in connection.execute(_LOST_CURRENT):
        yield f"version {row.version} of {row.id} is current, but is not stored"
    yield from _of_versions(connection, _logged_statuses(view))
    after = ""
    while page := connection.execute(
        _CURRENT_VERSIONS, {"after": after, "limit": CHUNK}
    ).all():
        for row in page:
            yield from _of_columns(row)
            yield from _of_notice(row)
            yield from _of_next_instant(row, now)
        after = page[-1].id
    yield from originals.problems(connection)
    yield from _of_keys(connection)
    yield from _of_secrets(view)


def _of_log(connection: Connection, seq: int) -> Iterator[str]:
    first, last, entries = connection.execute(_LOG_BOUNDS).one()
    if entries != seq or (entries and (first, last) != (1, seq)):
        yield (
            f"the change log holds {entries} entries from {first} to {last},"
            f" and its counter stands at {seq}"
        )


def _logged_statuses(view: View) -> dict[str, int]:
    """The status that the log last gave each article, by id."""
    statuses: dict[str, int] = {}
    since = 0
    while page := view.changes(since, CHUNK):
        for change in page:
            _, after = change.standings()
            if after is not None:
                statuses[change.id] = after.restrictions.status
        since = page[-1].seq
    return statuses


def _of_versions(connection: Connection, statuses: dict[str, int]) -> Iterator[str]:
    after = ("", "")
    while page := connection.execute(
        _ALL_VERSIONS, {"id": after[0], "version": after[1], "limit": CHUNK}
    ).all():
        for row in page:
            yield from _of_version(row, statuses.get(row.id))
        after = (page[-1].id, page[-1].version)


def _of_version(row: Any, status: int | None) -> Iterator[str]:
    """Yield the contradictions of one version.

    :param status: the one that the log last gave the article, if it gave any.
    """
    name = f"version {row.version} of {row.id}"
    if content_digest(row.content) != row.digest:
        yield f"{name} is not what was stored: its digest differs"
        return
    try:
        article = read_article(row.id, row.version, row.content)
    except StoreUnavailable as error:
        yield str(error)
        return
    if (article.id, article.status.value, article.headline) != (
        row.id,
        row.own_status,
        row.headline,
    ):
        yield f"{name} differs from its own columns"
    if row.version == row.current:
        expected = restrictions_of(article)
        if status is not None:
            # The status of a kill, or of the reinstatement that undid it.
            expected = expected._replace(status=status)
        if expected != Restrictions(*row[-3:]):
            yield f"{name} is current, but the article has other restrictions"
    elif version_key(row.version) > version_key(row.current):
        yield f"{name} is higher than {row.current}, the current version"
    elif row.own_values is not None and not _has_own_columns(row, article):
        yield f"{name} differs from the columns that say who may see it"


def _has_own_columns(row: Any, article: Article) -> bool:
    """Whether the row of a superseded version agrees with its text."""
    try:
        values = json.loads(row.own_values)
    except ValueError:
        return False
    restrictions = restrictions_of(article)[1:]
    return values == values_of(article) and restrictions == (
        row.own_embargo,
        row.own_expiry,
    )


def _of_columns(row: Any) -> Iterator[str]:
    """Yield the columns of an article that differ from its current version."""
    try:
        article = article_of({**json.loads(row.content), "version": row.version})
        values = json.loads(row.values)
    except (ValueError, InvalidArticle):
        # That the text cannot be read is reported with the version.
        yield f"{row.id}: its columns cannot be compared with its text"
        return
    if values != values_of(article):
        yield f"{row.id}: its values for readers' filters differ from its text"
    if (row.evolved_from, row.story) != (article.evolved_from, article.story):
        yield f"{row.id}: its columns name another story than its text"


def _of_notice(row: Any) -> Iterator[str]:
    if row.status == CANCELED and row.notice_status != CANCELED:
        yield f"{row.id} is killed, but has no notice"
    if row.notice_status is not None and row.status != row.notice_status:
        yield f"{row.id} is visible, but has a notice that it was killed or withheld"
    killed = row.killed_until
    if killed is not None and version_key(killed) < version_key(row.version):
        yield f"{row.id} is killed up to {killed}, but {row.version} is current"


def _of_next_instant(row: Any, now: int) -> Iterator[str]:
    """Yield a fault of the instant at which an embargo or expiry will be logged."""
    instants = {row.embargoed_until, row.expires} - {NO_EMBARGO, NO_EXPIRY}
    if row.turns != NO_EXPIRY and row.turns not in instants:
        yield f"{row.id}: an end is to be logged that is not its embargo or expiry"
    elif any(now < instant < row.turns for instant in instants):
        yield f"{row.id}: the end of its embargo or its expiry would not be logged"


def _of_secrets(view: View) -> Iterator[str]:
    try:
        view.cursor_key  # noqa: B018  reading it checks it
    except StoreUnavailable as error:
        yield str(error)


def _of_keys(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(keys)):
        try:
            readable = isinstance(json.loads(row.filters), dict | list)
        except ValueError:
            readable = False
        if len(row.digest) != _DIGEST_BYTES or not row.scopes or not readable:
            yield f"the key {row.name} cannot be read: revoke it and create another"
