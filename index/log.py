"""Writing the change log: entries without gaps, in the order of the commits."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update

from index.changes import ChangeType, Standing
from index.tables import changes, hiding, state
from index.view import VALUE
from index.visibility import NO_EMBARGO, NO_EXPIRY, USABLE, WITHHELD, Restrictions

SET_STATE = (
    update(state)
    .where(state.c.name == bindparam("of"))
    .values(value=bindparam("value"))
)

# The small index of what hides finds these, without a look at the whole log.
_HIDDEN = (
    select(changes.c.seq, changes.c.at, changes.c.type, changes.c.facts)
    .where(hiding, changes.c.id == bindparam("id"))
    .order_by(changes.c.seq.desc())
)


@dataclass(frozen=True, slots=True)
class Deletion:
    """The last deletion of an article, and how the article stood before it."""

    seq: int
    at: int
    standing: Standing


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


def as_read(connection: Connection, article_id: str, standing: Standing) -> Standing:
    """Return an article's standing as it was to those who could have read it last.

    It is the same but for what is withheld now and was once open: whoever read it then
    was told to take it out, and has to hear, too, that it must never be used. What was
    only ever withheld stays unknown to all others.
    """
    own = standing.restrictions
    if own.status != WITHHELD:
        return standing
    for row in connection.execute(_HIDDEN, {"id": article_id}):
        before = _before(row.facts)
        if before is not None and before.restrictions.open(row.at):
            return Standing(own._replace(status=USABLE), standing.values)
    return standing


def last_deletion(connection: Connection, article_id: str) -> Deletion | None:
    """Return the last deletion of an article, ``None`` if it never was deleted.

    Where it did not show to all then it is to be as if withheld.
    """
    for row in connection.execute(_HIDDEN, {"id": article_id}):
        if row.type != ChangeType.DELETED:
            continue
        before = _before(row.facts)
        if before is None:  # an old log does not know who could read it
            unknown = Restrictions(WITHHELD, NO_EMBARGO, NO_EXPIRY)
            return Deletion(row.seq, row.at, Standing(unknown, {}))
        own = as_read(connection, article_id, before).restrictions
        showed = own.open(row.at) and own.expires > row.at
        own = own._replace(status=USABLE if showed else WITHHELD)
        return Deletion(row.seq, row.at, Standing(own, before.values))
    return None


def _before(facts: str | None) -> Standing | None:
    first = None if facts is None else orjson.loads(facts)[0]
    return None if first is None else Standing.read(first)
