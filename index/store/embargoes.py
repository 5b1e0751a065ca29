"""Embargoes that end and articles that expire: visible at once, and logged afterwards.

What shows is decided when a question is answered, so nothing waits for this. But who
follows the changes must be told, by an entry of its own with a new seq. Each article
knows the next instant at which there is something to log, and that instant is moved on
in the transaction that logs it: so it is logged once, whoever does it.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select, update

from index.access import CANCELED, NO_EXPIRY, Restrictions, Standing
from index.history import ChangeType, next_turn
from index.store.change_log import append
from index.store.sqlite.connections import Direct
from index.store.tables import articles
from index.store.view import RESTRICTING

_AT_ONCE = 1_000  # articles in one transaction, the earliest first
_SOON = articles.c.turns != literal_column(str(NO_EXPIRY))
_NEXT = Direct(select(func.min(articles.c.turns)).where(_SOON))
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
    """Return whether something is to be logged; costs one look at a small index."""
    ((first,),) = _NEXT.rows(connection)
    return first is not None and first <= now


def log_turns(connection: Connection, now: int) -> int:
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
        return 0  # a later restoration tells everything
    expired = turns == own.expires
    if not expired and own.expires <= now:
        return 0  # it shows no longer
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
