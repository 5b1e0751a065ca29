"""Whether what the store keeps beside the texts agrees with them, and with itself.

Columns and notices decide who may see an article without its text being read; here each
is worked out again from what it was made of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, false, select

from index.access import CANCELED, NO_EMBARGO, NO_EXPIRY, values_of
from index.article import article_of
from index.dates import micros
from index.errors import InvalidArticle
from index.history import version_key
from index.store import originals
from index.store.tables import articles, keys, notices, versions
from index.store.view import CHUNK, OF_CURRENT, View

_DIGEST_BYTES = 32
_CURRENT = (
    select(
        articles,
        versions.c.content,
        notices.c.id.label("notice"),
        notices.c.version.label("killed"),
        notices.c.status.label("told"),
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


def problems(view: View) -> Iterator[str]:
    """Yield every contradiction, each as a sentence.

    Reads every current version, and every original.
    """
    for row in view.connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"a row of {row[0]} belongs to none of {row[2]}"
    now = _now()
    after = ""
    while page := view.connection.execute(
        _CURRENT, {"after": after, "limit": CHUNK}
    ).all():
        for row in page:
            yield from _of_columns(row)
            yield from _of_notice(row)
            yield from _of_turn(row, now)
        after = page[-1].id
    yield from originals.problems(view.connection)
    yield from _of_keys(view)


def _now() -> int:
    return micros(datetime.now(UTC))


def _of_columns(row: Any) -> Iterator[str]:
    """Yield which columns are not what the current version says."""
    try:
        article = article_of({**json.loads(row.content), "version": row.version})
        values = json.loads(row.values)
    except (ValueError, InvalidArticle):
        # Of a text that cannot be read others tell.
        yield f"{row.id}: its columns cannot be compared with its text"
        return
    if values != values_of(article):
        yield f"{row.id}: the values that readers are judged by are not its own"
    if (row.evolved_from, row.story) != (article.evolved_from, article.story):
        yield f"{row.id}: its columns name another story than its text"


def _of_notice(row: Any) -> Iterator[str]:
    if row.status == CANCELED and row.told != CANCELED:
        yield f"{row.id} is killed, and there is no notice of it"
    if row.told is not None and row.status != row.told:
        yield f"{row.id} shows, and there is a notice that it was killed or withheld"
    if row.killed is not None and version_key(row.killed) < version_key(row.version):
        yield f"{row.id} is killed up to {row.killed}, and {row.version} is current"


def _of_turn(row: Any, now: int) -> Iterator[str]:
    """Yield whether the end of an embargo, or an expiry, would be logged wrongly."""
    instants = {row.embargoed_until, row.expires} - {NO_EMBARGO, NO_EXPIRY}
    if row.turns != NO_EXPIRY and row.turns not in instants:
        yield f"{row.id}: what is to be logged is at no instant of its own"
    elif any(now < instant < row.turns for instant in instants):
        yield f"{row.id}: the next instant of its own would not be logged"


def _of_keys(view: View) -> Iterator[str]:
    for row in view.connection.execute(select(keys)):
        try:
            whole = isinstance(json.loads(row.filters), dict | list)
        except ValueError:
            whole = False
        if len(row.digest) != _DIGEST_BYTES or not row.scopes or not whole:
            yield f"the key {row.name} cannot be read: revoke it and make another"
