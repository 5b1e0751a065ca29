"""Embargoes that end and articles that expire, and their entries in the log.

They take effect at once, since visibility is decided when a question is answered. But
followers of the changes must be told, by a log entry with a seq of its own. Each
article has a column with the next instant at which there is something to log. The
transaction that logs it also moves that instant on, so it is logged once, whichever
process does it.

If the clock is set back, embargoes that had ended hold again, and articles that had
expired show again. That is logged, too, and their instants are still to come: so the
log says at each of its entries what shows at the instant of that entry, and a follower
who was answered that an article is not there learns when it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select, update

from index.access import (
    CANCELED,
    NO_EMBARGO,
    NO_EXPIRY,
    Restrictions,
    Standing,
    shown,
    shows_less,
)
from index.history import ChangeType, next_turn
from index.store.change_log import append
from index.store.prepared import PreparedRead
from index.store.rows import RESTRICTING, chunks, standings_of
from index.store.tables import articles, changes

DUE_AT_ONCE = 1_000  # articles that a write looks at first, the earliest of all
_SOON = articles.c.turns != literal_column(str(NO_EXPIRY))
_NEXT = PreparedRead(select(func.min(articles.c.turns)).where(_SOON))
_ALL_DUE = (
    select(
        articles.c.id,
        articles.c.version,
        articles.c.turns,
        articles.c["values"],
        *RESTRICTING,
    )
    .where(_SOON, articles.c.turns <= bindparam("now"))
    .order_by(articles.c.turns, articles.c.id)
)
_DUE = _ALL_DUE.limit(DUE_AT_ONCE)
_DUE_OF = _ALL_DUE.where(articles.c.id.in_(bindparam("ids", expanding=True)))
_MOVE = (
    update(articles)
    .where(articles.c.id == bindparam("of"))
    .values(turns=bindparam("to"))
)


# The instant of the newest entry: the log says what showed then.
_REACHED = PreparedRead(
    select(changes.c.at).order_by(changes.c.seq.desc()).limit(literal_column("1"))
)
# Articles of which an instant is to come that counts as passed.
_SET_BACK = [
    PreparedRead(
        select(articles.c.id).where(
            instant != literal_column(str(none)),
            instant > bindparam("now"),
            instant <= bindparam("reached"),
            articles.c.turns > instant,
        )
    )
    for instant, none in (
        (articles.c.embargoed_until, NO_EMBARGO),
        (articles.c.expires, NO_EXPIRY),
    )
]


def is_due(connection: Connection, now: int) -> bool:
    """Whether there is something to log; reads one entry of each of two indexes."""
    return _has_turned(connection, now) or bool(_set_back(connection, now))


def log_due(connection: Connection, now: int) -> int:
    """Log all that is due, in the caller's transaction; return how many entries.

    The transaction is as long as there is much: others that write wait for it.
    """
    logged = log_first_due(connection, now)
    while _has_turned(connection, now):
        logged += log_first_due(connection, now)
    return logged


def log_first_due(connection: Connection, now: int) -> int:
    """Log what is due first, of up to :data:`DUE_AT_ONCE` articles; return as above.

    If the clock was set back, that is logged of all articles; see :func:`log_due_of`.
    """
    logged = _log_set_back(connection, now)
    if _has_turned(connection, now):
        for row in connection.execute(_DUE, {"now": now}).all():
            logged += _log(connection, row, now)
    return logged


def log_due_of(connection: Connection, ids: Iterable[str], now: int) -> int:
    """Log what is due of some articles only; return how many entries.

    No later change of them may come before that. A withdrawal logs no more, since it
    must neither wait for others nor use up their room. If the
    clock was set back, that is logged of all articles: the next entry of the log would
    hide that it was.
    """
    logged = _log_set_back(connection, now)
    if not _has_turned(connection, now):
        return logged
    for chunk in chunks(sorted(set(ids))):
        # Of one article, the end of its embargo and its expiry may both be due.
        while rows := connection.execute(_DUE_OF, {"now": now, "ids": chunk}).all():
            for row in rows:
                logged += _log(connection, row, now)
    return logged


def _has_turned(connection: Connection, now: int) -> bool:
    ((first,),) = _NEXT.rows(connection)
    return first is not None and first <= now


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


# The clock was set back.


def _set_back(connection: Connection, now: int) -> list[str]:
    """Ids of articles whose embargo or expiry is to come again, in their order."""
    reached = _reached(connection)
    if reached <= now:
        return []
    ids: set[str] = set()
    for articles_of in _SET_BACK:
        rows = articles_of.rows(connection, now=now, reached=reached)
        ids.update(row[0] for row in rows)
    return sorted(ids)


def _reached(connection: Connection) -> int:
    """Instant of the newest log entry; before any other if there is none."""
    rows = _REACHED.rows(connection)
    return rows[0][0] if rows else NO_EMBARGO


def _log_set_back(connection: Connection, now: int) -> int:
    """Log what the clock undid by being set back; return how many entries."""
    ids = _set_back(connection, now)
    if not ids:
        return 0
    logged, reached = 0, _reached(connection)
    for article_id, (version, standing) in standings_of(connection, ids).items():
        own = standing.restrictions
        connection.execute(_MOVE, {"of": article_id, "to": next_turn(own, now)})
        before = _as_of(reached, own, now)
        if all(
            shown(*before, now, held=held) == shown(*own, now, held=held)
            for held in (False, True)
        ):
            continue
        append(
            connection,
            ChangeType.UPDATED,
            article_id,
            version,
            at=now,
            hides=shows_less(before, own),
            before=Standing(before, standing.values),
            after=standing,
        )
        logged += 1
    return logged


def _as_of(reached: int, own: Restrictions, now: int) -> Restrictions:
    """Restrictions by which an article shows now as it did at a later instant."""
    status, embargoed_until, expires = own
    if embargoed_until <= reached:
        embargoed_until = min(embargoed_until, now)
    if expires <= reached:
        expires = min(expires, now)
    return Restrictions(status, embargoed_until, expires)
