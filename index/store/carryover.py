"""What a store carries over into an older copy of itself that takes its place.

Going back to a backup undoes what was written since, but not what was taken from
somebody: kills and purges, what holds articles back, and who may call.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Table, event, select, update

from index.access import (
    CANCELED,
    NO_EMBARGO,
    NO_EXPIRY,
    USABLE,
    WITHHELD,
    Audience,
    Restrictions,
    Standing,
)
from index.article import content_digest, content_json
from index.dates import from_micros, micros
from index.history import ChangeType, next_turn, version_key
from index.store import tables, withdrawal
from index.store.change_log import SET_STATE, append
from index.store.embargoes import log_turns
from index.store.sqlite.connections import WRITES, make_engine, store_errors
from index.store.tables import articles, keys, notices, versions
from index.store.view import OF_CURRENT, read_article, standing_of, value_of

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
_NOTICES = """
SELECT now.*, now.purged IS NOT NULL AND old.purged IS NOT now.purged AS erases,
  old.at IS NOT now.at OR old.purged IS NOT now.purged AS told,
  old.status AS old_status, old.over AS old_over, articles.version AS current
FROM live.notices AS now
LEFT JOIN main.notices AS old USING (id) LEFT JOIN main.articles USING (id)
WHERE old.id IS NULL
   OR (old.status, old.version, old.at, old.note, old.replacement, old.cascade,
       old.purged)
      IS NOT (now.status, now.version, now.at, now.note, now.replacement, now.cascade,
              now.purged)
ORDER BY now.seq, now.id
"""


def _rows_of(table: Table) -> str:
    """Return what puts rows of the store in the place of the copy's."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return (
        f"INSERT OR REPLACE INTO main.{table.name} ({names})"  # noqa: S608 - our names
        f" SELECT {names} FROM live.{table.name}"
    )


_KEYS = _rows_of(keys)
_ONE_NOTICE = f"{_rows_of(notices)} WHERE id = ?"


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

    def and_then(self, later: Carried) -> Carried:
        """Return what this and what was carried over later come to."""
        return Carried(
            seq=later.seq,
            killed=tuple(dict.fromkeys((*self.killed, *later.killed))),
            restricted=tuple(sorted({*self.restricted, *later.restricted})),
        )


def carry(store: Path, copy: Path) -> Carried:
    """Give a copy what holds of a store; it becomes the start of another history.

    All in one transaction. A second call adds what came since the first: whoever makes
    the last one keeps others from writing to the store until the copy has taken its
    place, since what they were promised meanwhile would be lost.

    :raises StoreFull: there is no room for it.
    :raises StoreUnavailable: one of the two is damaged or cannot be read.
    """
    engine = make_engine(copy)

    def attach(connection: sqlite3.Connection, _record: object) -> None:
        # To read only: a transaction that writes would want to write there, too.
        connection.execute("ATTACH ? AS live", (f"file:{quote(str(store))}?mode=ro",))

    event.listen(engine, "connect", attach)
    try:
        with (
            store_errors(),
            engine.connect().execution_options(**WRITES) as connection,
            connection.begin(),
        ):
            at = micros(datetime.now(UTC))
            log_turns(connection, at)
            # Before the kills, so that one that is taken back leaves no less.
            restricted = _restrict(connection, at)
            killed, withheld = _withdraw(connection, at)
            connection.exec_driver_sql(_KEYS)
            return Carried(
                seq=_begin_history(connection),
                killed=tuple(killed),
                restricted=tuple(sorted({*restricted, *withheld})),
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
    text = content_json(
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


def _withdraw(connection: Connection, at: int) -> tuple[list[str], list[str]]:
    """Kill, purge and withhold what was so in the store; return killed and withheld."""
    killed: list[str] = []
    withheld: list[str] = []
    for row in connection.exec_driver_sql(_NOTICES).all():
        own = _own(row)
        if own is None:
            if row.over and not _in_force(row):
                # Of what was taken back, too: it is no longer killed with its story.
                connection.exec_driver_sql(_ONE_NOTICE, (row.id,))
            continue
        status, until = own
        if status == CANCELED:
            # One by one: what the story's other articles are is in notices of theirs.
            withdrawal.kill(
                connection,
                row.id,
                at=at,
                note=None,
                replacement=None,
                version=until,
                cascade=False,
                audience=Audience.read(json.loads(row.facts), row.at),
            )
        else:
            withdrawal.withhold(connection, row.id, at=at, version=until, unknown=True)
        if row.erases:
            # The copy is from before this purge, and so is every text in it.
            withdrawal.purge(connection, row.id, at=row.purged)
        same = ["at", "note", "replacement", "cascade", "facts"]
        if not row.over and row.status == status:
            same.append("before")
        connection.execute(
            update(notices)
            .where(notices.c.id == row.id)
            .values({name: getattr(row, name) for name in same})
        )
        if row.told:
            (killed if status == CANCELED else withheld).append(row.id)
    return killed, withheld


def _own(row: Any) -> tuple[int, str | None] | None:
    """Return what is to become of an article of the copy, and up to which version.

    ``None`` if nothing: it was taken back, or is in the copy in a newer version.
    """
    withheld = row.status == WITHHELD and not row.over
    killed_until = row.before if withheld else row.version
    if row.erases:
        return CANCELED, killed_until
    if not row.over and row.status == CANCELED:
        return CANCELED, row.version
    if withheld:
        if row.before is not None and not _is_above(row.current, row.before):
            return CANCELED, row.before
        return None if _in_force(row) else (WITHHELD, row.version)
    if row.version is None or _is_above(row.current, row.version):
        return None
    if row.status == WITHHELD and _in_force(row):
        return None
    return row.status, row.version


def _in_force(row: Any) -> bool:
    """Return whether the copy has it killed already."""
    return row.old_status == CANCELED and not row.old_over


def _is_above(current: str | None, version: str | None) -> bool:
    """Return whether a newer version is there than one that was killed."""
    if current is None or version is None:
        return False
    return version_key(current) > version_key(version)


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
