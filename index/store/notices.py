"""Notices: the records that remain of killed and withheld articles.

An article has at most one notice, its last. A notice is *over* once a newer version
shows or the kill was undone; it stays, since the versions that were killed stay so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    case,
    delete,
    insert,
    select,
    update,
)

from index.access import CANCELED, Audience
from index.dates import from_micros
from index.history import Batch, Notice
from index.store.rows import chunks
from index.store.tables import in_force, notices

_OF_KILLED = select(notices).where(
    notices.c.id.in_(bindparam("ids", expanding=True)), in_force
)
_OF_ANY = select(notices).where(notices.c.id.in_(bindparam("ids", expanding=True)))
_KILLED_UNTIL = select(
    case((notices.c.over | in_force, notices.c.version), else_=notices.c.before)
).where(notices.c.id == bindparam("id"))
_BEFORE = (
    select(notices)
    .where(notices.c.seq < bindparam("before"), in_force)
    .order_by(notices.c.seq.desc())
    .limit(bindparam("limit"))
)
_DELETE = delete(notices).where(notices.c.id == bindparam("of"))


def notices_of(connection: Connection, ids: Sequence[str]) -> tuple[Notice, ...]:
    """Notices of the killed articles among these, in the order of the ids."""
    by_id: dict[str, Notice] = {}
    for chunk in chunks(ids):
        rows = connection.execute(_OF_KILLED, {"ids": chunk})
        by_id |= {row.id: _notice(row) for row in rows}
    return tuple(by_id[id_] for id_ in ids if id_ in by_id)


def notices_before(connection: Connection, seq: int, limit: int) -> tuple[Notice, ...]:
    """Notices of killed articles with a smaller seq, the newest first."""
    rows = connection.execute(_BEFORE, {"before": seq, "limit": limit})
    return tuple(_notice(row) for row in rows)


def killed_until(connection: Connection, article_id: str) -> str | None:
    """The version up to which an article was killed, even if the kill is over.

    ``None`` if it never was, or if none of its versions was stored then.
    """
    return connection.execute(_KILLED_UNTIL, {"id": article_id}).scalar_one_or_none()


def _notice(row: Any) -> Notice:
    return Notice(
        id=row.id,
        version=row.version,
        seq=row.seq,
        at=from_micros(row.at),
        note=row.note,
        replacement=row.replacement,
        cascade=row.cascade,
        audience=Audience.read(json.loads(row.facts), row.at),
        purged=None if row.purged is None else from_micros(row.purged),
    )


def last_notices(connection: Connection, ids: Iterable[str]) -> dict[str, Any]:
    """Row of the last notice of each article, by id, even if it is over."""
    by_id: dict[str, Any] = {}
    for chunk in chunks(tuple(ids)):
        rows = connection.execute(_OF_ANY, {"ids": chunk})
        by_id |= {row.id: row for row in rows}
    return by_id


def last_notice(connection: Connection, article_id: str) -> Any:
    """Row of the last notice of an article, even if it is over, or ``None``."""
    return last_notices(connection, [article_id]).get(article_id)


def is_in_force(notice: Any) -> bool:
    """Whether the article of a notice is killed now; see :data:`in_force`."""
    return not notice.over and notice.status == CANCELED


def held_until(notice: Any) -> str | None:
    """The version up to which an earlier kill holds once a newer kill is undone.

    :param notice: the last one before the newer kill.
    """
    if notice is None:
        return None
    version: str | None = notice.version if notice.over else notice.before
    return version


def replace_notices(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write notices, each in place of the last notice of its article.

    :param rows: at most one an article.
    """
    rows = [{"over": False, "status": CANCELED, "before": None, **row} for row in rows]
    connection.execute(_DELETE, [{"of": row["id"]} for row in rows])
    connection.execute(insert(notices), rows)


def write_notices(connection: Connection, batch: Batch) -> None:
    """Write the changes that a batch of articles makes to notices."""
    if batch.notices:
        replace_notices(connection, batch.notices.values())
    for article_id, (version, over) in batch.raised.items():
        connection.execute(
            update(notices)
            .where(notices.c.id == article_id)
            .values(version=version, over=over)
        )
