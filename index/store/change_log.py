"""Writing the change log: entries without gaps, in the order of the commits."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update

from index.access import NOBODY, Audience, Standing
from index.history import ChangeType
from index.store.tables import changes, hiding, state
from index.store.view import VALUE, chunks

SET_STATE = (
    update(state)
    .where(state.c.name == bindparam("of"))
    .values(value=bindparam("value"))
)

# The small index of what hides finds these, without a look at the whole log.
_HIDDEN = (
    select(changes.c.seq, changes.c.id, changes.c.at, changes.c.type, changes.c.facts)
    .where(hiding, changes.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(changes.c.seq)
)


def locked_seq(connection: Connection) -> int:
    """Return the newest seq, which nobody else raises before this transaction ends.

    Where writes do not exclude each other anyway, this row makes them.
    """
    seq: int = connection.execute(VALUE.with_for_update(), {"name": "seq"}).scalar_one()
    return seq


def set_seq(connection: Connection, seq: int) -> None:
    """Say which seq is the newest."""
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
    """Return who ever saw articles that do not show to all now, as the log tells it.

    Each time that one ceased to show is an entry that hides, and says how it stood. An
    id of which nothing was ever here has none.
    """
    found: dict[str, Audience] = {}
    for some in chunks(tuple(ids)):
        for row in connection.execute(_HIDDEN, {"ids": some}):
            before = None if row.facts is None else orjson.loads(row.facts)[0]
            if before is None:
                # An old log does not know who could read what was deleted.
                if row.type == ChangeType.DELETED:
                    found.setdefault(row.id, NOBODY)
                continue
            standing = Standing.read(before)
            at = row.at
            if row.type == ChangeType.EXPIRED:
                at = standing.restrictions.expires - 1
            found[row.id] = found.get(row.id, NOBODY).saw(standing, at)
    return found


def last_deletion(connection: Connection, article_id: str) -> tuple[int, int] | None:
    """Return seq and instant of an article's last deletion, if it ever was deleted."""
    rows = connection.execute(_HIDDEN, {"ids": [article_id]}).all()
    deleted = [(row.seq, row.at) for row in rows if row.type == ChangeType.DELETED]
    return deleted[-1] if deleted else None
