"""Embargoes that end and articles that expire, and their entries in the log.

They take effect at once, since visibility is decided when a question is answered. But
followers of the changes must be told, by a log entry with a seq of its own. Each
article has a column with the next instant at which there is something to log. The
transaction that logs it also moves that instant on, so it is logged once, whichever
process does it.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select, update

from index.access import CANCELED, NO_EXPIRY, Restrictions, Standing
from index.history import ChangeType, next_turn
from index.store.change_log import append
from index.store.prepared import PreparedRead
from index.store.rows import RESTRICTING
from index.store.tables import articles

_AT_ONCE = 1_000  # articles in one transaction, the earliest first
_SOON = articles.c.turns != literal_column(str(NO_EXPIRY))
_NEXT = PreparedRead(select(func.min(articles.c.turns)).where(_SOON))
_DUE = (
    select(
        articles.c.id,
        articles.c.version,
        articles.c.turns,
        articles.c["values"],
        *RESTRICTING,
    )
    .where(_SOON, articles.c.turns <= bindparam("now"))
    .order_by(articles.c.turns, articles.c.id)
    .limit(_AT_ONCE)
)
_MOVE = (
    update(articles)
    .where(articles.c.id == bindparam("of"))
    .values(turns=bindparam("to"))
)


def is_due(connection: Connection, now: int) -> bool:
    """Whether there is something to log; reads one entry of a small index."""
    ((first,),) = _NEXT.rows(connection)
    return first is not None and first <= now


def log_due(connection: Connection, now: int) -> int:
    """Log all that is due, in the caller's transaction; return how many entries."""
    logged = 0
    while is_due(connection, now):
        for row in connection.execute(_DUE, {"now": now}).all():
            logged += _log(connection, row, now)
    return logged


def _log(connection: Connection, row: Any, now: int) -> int:
    article_id, version, turns, values = row[:4]
    own = Restrictions(*row[4:])
    standing = Standing(own, json.loads(values))
    connection.execute(_MOVE, {"of": article_id, "to": next_turn(own, turns)})
    if own.status == CANCELED:
        return 0  # a later reinstatement is logged as a whole
    expired = turns == own.expires
    if not expired and own.expires <= now:
        return 0  # it has expired since
    append(
        connection,
        ChangeType.EXPIRED if expired else ChangeType.EMBARGO_LIFTED,
        article_id,
        version,
        at=now,
        hides=expired,
        before=standing,
        after=standing,
    )
    return 1
