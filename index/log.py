"""Writing the change log: entries without gaps, in the order of the commits."""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, insert, select, update

from index.changes import ChangeType, Standing
from index.tables import articles, changes, state
from index.view import RESTRICTING, VALUE
from index.visibility import Restrictions

SET_STATE = (
    update(state)
    .where(state.c.name == bindparam("of"))
    .values(value=bindparam("value"))
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


def standing_of(connection: Connection, article_id: str) -> Standing | None:
    """Return how an article stands, ``None`` if there is none."""
    row = connection.execute(
        select(*RESTRICTING, articles.c["values"]).where(articles.c.id == article_id)
    ).one_or_none()
    if row is None:
        return None
    return Standing(Restrictions(*row[:-1]), json.loads(row[-1]))
