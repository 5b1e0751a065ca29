"""Carryover: withdrawals and keys of a store that survive the restore of a backup.

Restoring undoes what was written since the backup, except what was withdrawn from
readers: kills and purges, withholdings, longer embargoes and earlier expiries. Keys and
secrets stay those of the store. All this is written to a copy of the backup before it
replaces the store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    FromClause,
    Insert,
    MetaData,
    Table,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

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
from index.dates import Clock, from_micros, micros
from index.errors import StoreUnavailable
from index.history import ChangeType, next_turn, version_key
from index.store import withdrawal
from index.store.change_log import SET_STATE, append, new_epoch
from index.store.embargoes import log_due
from index.store.keyring import LOCKED
from index.store.rows import OF_CURRENT, read_article, standing_of, value_of
from index.store.tables import (
    SCHEMA,
    articles,
    keys,
    notices,
    secrets,
    sessions,
    state,
    versions,
)

# The tables of the live store, next to those of its older copy.
_LIVE = MetaData()
_live_articles, _live_notices, _live_keys, _live_secrets, _live_state = (
    table.to_metadata(_LIVE, schema="live").alias(f"live_{table.name}")
    for table in (articles, notices, keys, secrets, state)
)

# Articles that both have. Killed ones have notices, which are carried over before.
_STRICTER = (
    select(
        _live_articles.c.id,
        _live_articles.c.status,
        _live_articles.c.embargoed_until,
        _live_articles.c.expires,
    )
    .join(articles, articles.c.id == _live_articles.c.id)
    .where(
        or_(
            (_live_articles.c.status == WITHHELD) & (articles.c.status == USABLE),
            (_live_articles.c.embargoed_until > articles.c.embargoed_until)
            & (_live_articles.c.embargoed_until > bindparam("at")),
            _live_articles.c.expires < articles.c.expires,
        )
    )
    .order_by(_live_articles.c.id)
)


def _differs(*names: str) -> ColumnElement[bool]:
    """Whether a notice of the live store differs in one of these columns."""
    return or_(
        *(notices.c[name].is_distinct_from(_live_notices.c[name]) for name in names)
    )


# Also notices of kills that a newer version followed: an older backup lacks that
# version, and may hold the killed ones. The oldest first, so that their order stays.
_NOTICES = (
    select(
        _live_notices,
        (_live_notices.c.purged.is_not(None) & _differs("purged")).label("erases"),
        _differs("at", "purged").label("reported"),
        notices.c.status.label("old_status"),
        notices.c.over.label("old_over"),
        articles.c.version.label("current"),
    )
    .join(notices, notices.c.id == _live_notices.c.id, isouter=True)
    .join(articles, articles.c.id == _live_notices.c.id, isouter=True)
    .where(
        notices.c.id.is_(None)
        | _differs(
            *("status", "version", "at", "note", "replacement", "cascade", "purged")
        )
    )
    .order_by(_live_notices.c.seq, _live_notices.c.id)
)


def _replacing(table: Table, live: FromClause, *where: str) -> tuple[Delete, Insert]:
    """Statements that replace rows of the copy by those of the live store.

    :param where: columns whose values the caller gives, under the same names.
    """
    rows = select(live).where(*(live.c[name] == bindparam(name) for name in where))
    unique = [column for column in table.c if column.primary_key or column.unique]
    conflicts = (
        column.in_(rows.with_only_columns(live.c[column.name])) for column in unique
    )
    return (
        delete(table).where(or_(*conflicts)),
        insert(table).from_select([column.name for column in table.c], rows),
    )


_KEYS = _replacing(keys, _live_keys)
_SECRETS = _replacing(secrets, _live_secrets)
_LOCK = _replacing(state, _live_state, "name")
_ONE_NOTICE = _replacing(notices, _live_notices, "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Changes that were carried over to a copy.

    :param seq: the newest change of the live store.
    :param killed: ids of articles that were killed or purged in the copy.
    :param restricted: ids of articles that were withheld in the copy, or got the live
        store's embargo or expiry.
    """

    seq: int
    killed: tuple[str, ...]
    restricted: tuple[str, ...]

    def and_then(self, later: Carried) -> Carried:
        """The sum of these changes and later ones."""
        return Carried(
            seq=later.seq,
            killed=tuple(dict.fromkeys((*self.killed, *later.killed))),
            restricted=tuple(sorted({*self.restricted, *later.restricted})),
        )


def carry(connection: Connection, clock: Clock) -> Carried:
    """Carry over to an older copy of a store, which then starts a new history.

    A second call adds what was changed after the first. The last call must be made
    while nobody can write to the store, and before the copy takes its place: otherwise
    kills that were acknowledged in between would be lost.

    :param connection: in a transaction that writes to the copy; it reads the live
        store's tables in the schema ``live``.
    :raises StoreUnavailable: a newer release has migrated the live store.
    """
    live = _live_numbers(connection)
    if live["schema"] != SCHEMA:
        raise StoreUnavailable(
            f"the store has schema {live['schema']}, and this release {SCHEMA}; restore"
            " the backup with the newer release"
        )
    at = micros(clock())
    log_due(connection, at)
    # Before the kills: if one is undone later, the restriction must still be there.
    restricted = _restrict(connection, at)
    killed, withheld = _withdraw(connection, at)
    for statement in (*_KEYS, *_SECRETS):
        connection.execute(statement)
    if LOCKED in live:
        for statement in _LOCK:
            connection.execute(statement, {"name": LOCKED})
    return Carried(
        seq=_begin_history(connection, live),
        killed=tuple(killed),
        restricted=tuple(sorted({*restricted, *withheld})),
    )


def _restrict(connection: Connection, at: int) -> tuple[str, ...]:
    """Give articles the withholdings, embargoes and expiries of the live store.

    Returns their ids.
    """
    rows = connection.execute(_STRICTER, {"at": at}).all()
    return tuple(
        row.id for row in rows if _restrict_one(connection, row.id, row[1:], at)
    )


def _restrict_one(
    connection: Connection, article_id: str, live: tuple[int, int, int], at: int
) -> bool:
    before = standing_of(connection, article_id)
    if before is None:
        return False
    own = before.restrictions
    status, embargo, expires = live
    if embargo <= at:
        embargo = NO_EMBARGO  # it has ended; the copy's own may last longer
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

    As for an inherited embargo, it keeps its number and the digest of what was sent.
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
    if to.status != CANCELED:  # readers are told of a kill only
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
    """Kill, purge and withhold as in the live store; return killed and withheld ids."""
    killed: list[str] = []
    withheld: list[str] = []
    for row in connection.execute(_NOTICES).all():
        target = _target(row)
        if target is None:
            if row.over and not _in_force(row):
                # Notices of undone kills, too: their articles are no longer killed with
                # their story.
                for statement in _ONE_NOTICE:
                    connection.execute(statement, {"id": row.id})
            continue
        status, until = target
        if status == CANCELED:
            # One by one: the other articles of a story have notices of their own.
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
            # The copy is older than this purge, and so is every text in it.
            withdrawal.purge(connection, row.id, at=row.purged)
        copied = ["at", "note", "replacement", "cascade", "facts"]
        if not row.over and row.status == status:
            copied.append("before")
        connection.execute(
            update(notices)
            .where(notices.c.id == row.id)
            .values({name: getattr(row, name) for name in copied})
        )
        if row.reported:
            (killed if status == CANCELED else withheld).append(row.id)
    return killed, withheld


def _target(row: Any) -> tuple[int, str | None] | None:
    """The status that an article must get in the copy, and up to which version.

    ``None`` if the kill was undone, or if the copy holds a newer version.
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
    """Whether the article is killed in the copy already."""
    return row.old_status == CANCELED and not row.old_over


def _is_above(current: str | None, version: str | None) -> bool:
    """Whether the current version is newer than a killed one."""
    if current is None or version is None:
        return False
    return version_key(current) > version_key(version)


def _live_numbers(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(_live_state.c.name, _live_state.c.value)).all()
    return dict(map(tuple, rows))


def begin_history(connection: Connection) -> None:
    """Give a store that another program has restored a new epoch; end its sessions.

    The index is built anew, and whoever follows the changes starts anew.
    """
    _begin_history(connection, {"rebuild": 0, "seq": 0})
    connection.execute(delete(sessions))


def _begin_history(connection: Connection, live: Mapping[str, int]) -> int:
    """Give the copy a new epoch; return the newest change of the live store."""
    # Above every request of both histories: a rebuild that the old one has begun must
    # not count for the new one.
    request = max(live["rebuild"], value_of(connection, "rebuild")) + 1
    connection.execute(
        SET_STATE,
        [
            {"of": "epoch", "value": new_epoch()},
            {"of": "rebuild", "value": request},
            {"of": "rebuilt", "value": request - 1},
        ],
    )
    return live["seq"]
