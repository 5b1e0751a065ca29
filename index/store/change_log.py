"""The change log: entries without gaps, in the order of the commits."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update

from index.access import NOBODY, Audience, Standing
from index.history import ChangeType
from index.store.rows import VALUE, chunks
from index.store.tables import changes, hiding, state

SET_STATE = (
    update(state)
    .where(state.c.name == bindparam("of"))
    .values(value=bindparam("value"))
)

# These come from the small index of entries that hide, not from the whole log.
_HIDDEN = (
    select(changes.c.seq, changes.c.id, changes.c.at, changes.c.type, changes.c.facts)
    .where(hiding, changes.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(changes.c.seq)
)


def new_epoch() -> int:
    """A random number for a new history of changes; JSON readers keep it exactly."""
    return secrets.randbits(52) + 1


def locked_seq(connection: Connection) -> int:
    """The newest seq, which nobody else can raise before this transaction ends.

    Locking its row makes writes exclude each other in databases where they do not
    already.
    """
    seq: int = connection.execute(VALUE.with_for_update(), {"name": "seq"}).scalar_one()
    return seq


def set_seq(connection: Connection, seq: int) -> None:
    """Set the newest seq."""
    connection.execute(SET_STATE, {"of": "seq", "value": seq})


def append(
    connection: Connection,
    kind: ChangeType,
    article_id: str,
    version: str | None,
    *,
    at: int,
    hides: bool,
    before: Standing | None,
    after: Standing | None,
) -> int:
    """Add one entry to the log and return its seq."""
    seq = locked_seq(connection) + 1
    connection.execute(
        insert(changes).values(
            seq=seq,
            type=kind.value,
            id=article_id,
            version=version,
            at=at,
            hides=hides,
            facts=Standing.facts(before, after),
        )
    )
    set_seq(connection, seq)
    return seq


def audiences(connection: Connection, ids: Iterable[str]) -> dict[str, Audience]:
    """Earlier readers of articles that are hidden from some or all now, by id.

    They come from the log: each time that an article became hidden is an entry with its
    standing until then. An id without any stored version is left out.
    """
    by_id: dict[str, Audience] = {}
    for chunk in chunks(tuple(ids)):
        for row in connection.execute(_HIDDEN, {"ids": chunk}):
            before = None if row.facts is None else orjson.loads(row.facts)[0]
            if before is None:
                # Old logs do not say who could read a deleted article.
                if row.type == ChangeType.DELETED:
                    by_id.setdefault(row.id, NOBODY)
                continue
            standing = Standing.read(before)
            at = row.at
            if row.type == ChangeType.EXPIRED:
                at = standing.restrictions.expires - 1
            by_id[row.id] = by_id.get(row.id, NOBODY).with_readers_of(standing, at)
    return by_id


def last_deletion(connection: Connection, article_id: str) -> tuple[int, int] | None:
    """Seq and instant of an article's last deletion; ``None`` if it never was."""
    rows = connection.execute(_HIDDEN, {"ids": [article_id]}).all()
    deleted = [(row.seq, row.at) for row in rows if row.type == ChangeType.DELETED]
    return deleted[-1] if deleted else None
