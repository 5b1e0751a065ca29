"""What a store carries over into an older copy of itself that takes its place.

Going back to a backup undoes what was written since, but not what was taken from
somebody: kills and purges, what holds articles back, and who may call.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, event, select, update

from index import tables, withdrawal
from index.changes import ChangeType, Standing
from index.dates import from_micros, micros
from index.document import content, content_digest
from index.log import SET_STATE, append, standing_of
from index.tables import articles, keys, notices, versions
from index.turning import log_turns
from index.versions import next_turn
from index.view import OF_CURRENT, read_article, value_of
from index.visibility import (
    CANCELED,
    NO_EMBARGO,
    NO_EXPIRY,
    USABLE,
    WITHHELD,
    Restrictions,
)

# Of an article that both have. Killed ones have notices, which are carried over before.
_STRICTER = f"""
SELECT now.id, now.status, now.embargoed_until, now.expires
FROM live.articles AS now JOIN main.articles AS old USING (id)
WHERE (now.status = {WITHHELD} AND old.status = {USABLE})
   OR (now.embargoed_until > old.embargoed_until AND now.embargoed_until > :at)
   OR now.expires < old.expires
ORDER BY now.id
"""  # noqa: S608 - the numbers are our own
# Also of kills that a newer version has followed since: that version is in no backup
# from before, and what the kill was of may be. The oldest first, so that each has the
# same place among the others.
_KILLS = """
SELECT now.id, now.version, now.at, now.note, now.replacement, now.cascade, now.facts,
  now.purged, old.purged IS NOT now.purged AS erases,
  old.at IS NOT now.at OR old.purged IS NOT now.purged AS told
FROM live.notices AS now LEFT JOIN main.notices AS old USING (id)
WHERE old.id IS NULL
   OR (old.version, old.at, old.note, old.replacement, old.cascade, old.purged)
      IS NOT (now.version, now.at, now.note, now.replacement, now.cascade, now.purged)
ORDER BY now.seq, now.id
"""
_COLUMNS = ", ".join(f'"{column.name}"' for column in keys.columns)
_KEYS = (
    f"INSERT OR REPLACE INTO main.keys ({_COLUMNS})"  # noqa: S608 - our own names
    f" SELECT {_COLUMNS} FROM live.keys"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What an older copy was given of today's store.

    :param seq: the newest change that the store has.
    :param killed: ids of articles that were killed or purged in it.
    :param restricted: ids of articles that were withheld in it, or whose embargo or
        expiry is that of the store.
    """

    seq: int
    killed: tuple[str, ...]
    restricted: tuple[str, ...]


def carry(store: Path, copy: Path) -> Carried:
    """Give a copy what holds of a store; it becomes the start of another history.

    All in one transaction. Whoever calls this keeps others from writing to the store
    until the copy has taken its place: what they were promised meanwhile would be lost.

    :raises StoreFull: there is no room for it.
    :raises StoreUnavailable: one of the two is damaged or cannot be read.
    """
    engine = tables.make_engine(copy)

    def attach(connection: sqlite3.Connection, _record: object) -> None:
        # To read only: a transaction that writes would want to write there, too.
        connection.execute("ATTACH ? AS live", (f"file:{quote(str(store))}?mode=ro",))

    event.listen(engine, "connect", attach)
    try:
        with (
            tables.store_errors(),
            engine.connect().execution_options(**tables.WRITES) as connection,
            connection.begin(),
        ):
            at = micros(datetime.now(UTC))
            log_turns(connection, at)
            # Before the kills, so that one that is taken back leaves no less.
            restricted = _restrict(connection, at)
            killed = _kill(connection, at)
            connection.exec_driver_sql(_KEYS)
            return Carried(
                seq=_begin_history(connection), killed=killed, restricted=restricted
            )
    finally:
        engine.dispose()


def _restrict(connection: Connection, at: int) -> tuple[str, ...]:
    """Hold back what the store holds back longer than the copy does."""
    rows = connection.exec_driver_sql(_STRICTER, {"at": at}).all()
    return tuple(row[0] for row in rows if _hold(connection, row[0], row[1:], at))


def _hold(
    connection: Connection, article_id: str, now: tuple[int, int, int], at: int
) -> bool:
    before = standing_of(connection, article_id)
    if before is None:
        return False
    own = before.restrictions
    status, embargo, expires = now
    if embargo <= at:
        embargo = NO_EMBARGO  # it has ended, and says nothing of the copy's own
    after = Restrictions(
        own.status,
        max(own.embargoed_until, embargo),
        min(own.expires, expires),
    )
    if after != own:
        _rewrite(connection, article_id, Standing(own, before.values), after, at)
    if own.status == USABLE and status == WITHHELD:
        withdrawal.withhold(connection, article_id, at=at)
    return True


def _rewrite(
    connection: Connection, article_id: str, before: Standing, to: Restrictions, at: int
) -> None:
    """Give the current version of an article another embargo and expiry.

    It keeps its number, and what was sent as it: as where it inherits an embargo.
    """
    row: Any = connection.execute(
        select(versions.c.version, versions.c.content)
        .join(articles, OF_CURRENT)
        .where(articles.c.id == article_id)
    ).one()
    text = content(
        replace(
            read_article(article_id, row.version, row.content),
            embargoed_until=_instant(to.embargoed_until),
            expires=_instant(to.expires),
        )
    )
    connection.execute(
        update(versions)
        .where(versions.c.id == article_id, versions.c.version == row.version)
        .values(content=text, digest=content_digest(text))
    )
    connection.execute(
        update(articles)
        .where(articles.c.id == article_id)
        .values({**to._asdict(), "turns": next_turn(to, at)})
    )
    if to.status != CANCELED:  # of which nothing is told but that it was killed
        append(
            connection,
            ChangeType.UPDATED,
            article_id,
            row.version,
            at=at,
            hides=True,
            before=before,
            after=Standing(to, before.values),
        )


def _instant(number: int) -> datetime | None:
    return None if number in (NO_EMBARGO, NO_EXPIRY) else from_micros(number)


def _kill(connection: Connection, at: int) -> tuple[str, ...]:
    """Kill and purge what was killed and purged in the store since."""
    told = []
    for row in connection.exec_driver_sql(_KILLS).all():
        # One by one: what the story's other articles are is in notices of their own,
        # and what was taken back has none.
        withdrawal.kill(
            connection,
            row.id,
            at=at,
            note=row.note,
            replacement=row.replacement,
            version=row.version,
            cascade=False,
        )
        if row.purged is not None and row.erases:
            # The copy is from before this purge, and so is every text in it.
            withdrawal.purge(connection, row.id, at=row.purged)
        connection.execute(
            update(notices)
            .where(notices.c.id == row.id)
            .values(at=row.at, cascade=bool(row.cascade), facts=row.facts)
        )
        if row.told:
            told.append(row.id)
    return tuple(told)


def _begin_history(connection: Connection) -> int:
    """Give the copy an epoch of its own; return the store's own newest change."""
    rows = connection.exec_driver_sql("SELECT name, value FROM live.state").all()
    now: dict[str, int] = dict(map(tuple, rows))
    # Above every request of both histories: one that is under way in the old one does
    # not count as this one's.
    asked = max(now["rebuild"], value_of(connection, "rebuild")) + 1
    connection.execute(
        SET_STATE,
        [
            {"of": "epoch", "value": tables.new_epoch()},
            {"of": "rebuild", "value": asked},
            {"of": "rebuilt", "value": asked - 1},
        ],
    )
    return now["seq"]
