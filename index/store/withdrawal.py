"""Kills, withholdings and purges: what is done to an article without a new version.

A kill is the status of an article, a notice, and an entry in the log, all in one
transaction. The text stays in the store, where only a restoration gets at it, until it
is purged.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from index.access import (
    CANCELED,
    NOBODY,
    WITHHELD,
    Audience,
    Restrictions,
    Standing,
    erased_facts,
    facts_of_kill,
    shown,
)
from index.article import Article, check_id, check_version
from index.errors import (
    ArticleNotFound,
    LimitExceeded,
    StatusConflict,
)
from index.history import (
    Batch,
    ChangeType,
    Killed,
    Notice,
    check_counts_up,
    plain_version,
    version_key,
)
from index.query import PUBLIC, Reader
from index.store.change_log import append, audiences, last_deletion, locked_seq, set_seq
from index.store.stories import add_joining, related
from index.store.tables import articles, changes, notices, versions
from index.store.view import RESTRICTING, View, chunks, current_version, standing_of

MOST_NOTE = 10_000  # characters
_SET_STATUS = (
    update(articles)
    .where(articles.c.id == bindparam("of"))
    .values(status=bindparam("to"))
)


def kill(
    connection: Connection,
    article_id: str,
    *,
    at: int,
    note: str | None,
    replacement: str | None,
    version: str | None,
    cascade: bool,
    audience: Audience | None = None,
) -> tuple[Notice, ...]:
    """Kill an article, and with ``cascade`` its story; see ``Store.kill``.

    :param audience: who saw it, where that is known from elsewhere.
    """
    check_id(article_id)
    if note is not None and len(note) > MOST_NOTE:
        raise LimitExceeded("note", limit=MOST_NOTE, got=len(note))
    version = None if version is None else _checked(version)
    told = {"note": note, "replacement": replacement, "cascade": cascade}
    killed = [article_id]
    _kill_all(connection, killed, told, version=version, audience=audience, at=at)
    if cascade:
        story = related(connection, article_id)
        killed += _kill_story(connection, story - {article_id}, told, at=at)
    return View(connection).notices_of(killed)


def _checked(version: str) -> str:
    version = check_version(version.strip())
    check_counts_up(version)
    return plain_version(version)


def _kill_story(
    connection: Connection,
    story: set[str],
    told: Mapping[str, Any],
    *,
    at: int,
    reader: Reader = PUBLIC,
) -> list[str]:
    """Kill the articles of a story that were never killed by themselves.

    :param reader: whose filters bound it: who writes with some does not kill beyond.
    """
    if reader.filters:
        here = standings_of(connection, story)
        story = {each for each in here if here[each][1].entitles(reader)}
    known = _last_rows(connection, story).values()
    killed = sorted(story - {row.id for row in known if row.status == CANCELED})
    _kill_all(connection, killed, told, at=at)
    return killed


def kill_joined(
    connection: Connection, joined: Iterable[str], *, at: int, reader: Reader
) -> None:
    """Kill what has become of a killed story by articles that a reader has just put."""
    seen: set[str] = set()  # those that join one story are looked at once
    for article_id in joined:
        if article_id in seen:
            continue
        notice = _last_rows(connection, [article_id]).get(article_id)
        if notice is not None and _is_in_force(notice):
            told = {n: getattr(notice, n) for n in ("note", "replacement", "cascade")}
            story = related(connection, article_id)
            _kill_story(connection, story, told, at=at, reader=reader)
            seen |= story


def _kill_all(
    connection: Connection,
    ids: Sequence[str],
    told: Mapping[str, Any],
    *,
    at: int,
    version: str | None = None,
    audience: Audience | None = None,
) -> None:
    """Kill articles, with an entry of the log and a notice for each, in their order.

    However many they are, each table is read and written by a few statements.
    """
    standings = standings_of(connection, ids)
    lasts = _last_rows(connection, ids)
    hidden = [
        each
        for each in ids
        if each not in standings or not shown(*standings[each][1].restrictions, at)
    ]
    earlier = audiences(connection, hidden)
    seq = locked_seq(connection)
    entries: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for article_id in ids:
        current, before = standings.get(article_id, (None, None))
        last = lasts.get(article_id)
        notice = last if last is not None and _is_in_force(last) else None
        known = [version, current, None if last is None else last.version]
        covered = max(
            (each for each in known if each is not None), key=version_key, default=None
        )
        if notice is not None and {**told, "version": covered} == {
            name: getattr(notice, name) for name in (*told, "version")
        }:
            continue  # said again
        seen = audience or earlier.get(article_id)
        if before is not None:
            seen = (seen or NOBODY).saw(before, at)
        if notice is not None and seen in (None, NOBODY):
            # Nothing has shown since then.
            seen = Audience.read(json.loads(notice.facts), notice.at)
        after = None
        if before is not None:
            own = before.restrictions._replace(status=CANCELED)
            after = Standing(own, before.values)
        seq += 1
        entries.append(
            {
                "seq": seq,
                "type": ChangeType.KILLED.value,
                "id": article_id,
                "version": current,
                "at": at,
                "hides": True,
                "facts": facts_of_kill(before, after, seen),
            }
        )
        kept.append(
            {
                **told,
                "id": article_id,
                "version": covered,
                "before": _held_until(last),
                "seq": seq,
                "at": at,
                "facts": "null" if seen is None else seen.text(),
                "purged": None if last is None else last.purged,
            }
        )
    if not entries:
        return
    for some in chunks([each["id"] for each in kept]):
        connection.execute(
            update(articles).where(articles.c.id.in_(some)).values(status=CANCELED)
        )
    connection.execute(insert(changes), entries)
    set_seq(connection, seq)
    _keep(connection, kept)


def standings_of(
    connection: Connection, ids: Iterable[str]
) -> dict[str, tuple[str, Standing]]:
    """Return the current version of each article that is here, and how it stands."""
    found: dict[str, tuple[str, Standing]] = {}
    wanted = articles.c.id, articles.c.version, articles.c["values"], *RESTRICTING
    for some in chunks(tuple(ids)):
        for row in connection.execute(select(*wanted).where(articles.c.id.in_(some))):
            own = Restrictions(*row[3:])
            found[row[0]] = row[1], Standing(own, json.loads(row[2]))
    return found


def _held_until(last: Any) -> str | None:
    """Return up to which version an earlier kill holds, once the next is taken back."""
    if last is None:
        return None
    found: str | None = last.version if last.over else last.before
    return found


def withhold(
    connection: Connection,
    article_id: str,
    *,
    at: int,
    version: str | None = None,
    unknown: bool = False,
) -> int | None:
    """Hold an article back; see ``Store.withhold``."""
    check_id(article_id)
    version = None if version is None else _checked(version)
    before = standing_of(connection, article_id)
    last = last_row(connection, article_id)
    if last is not None and _is_in_force(last):
        raise StatusConflict(article_id, "is killed; undo the kill first")
    if before is None and not unknown:
        raise ArticleNotFound(article_id)
    known = [version, current_version(connection, article_id)]
    if last is not None and not last.over:
        known.append(last.version)
    until = max((each for each in known if each), key=version_key, default=None)
    seq = None
    if before is not None and before.restrictions.status != WITHHELD:
        seq = change_status(
            connection, article_id, before, WITHHELD, ChangeType.WITHHELD, at=at
        )
    _keep(
        connection,
        [
            {
                "id": article_id,
                "status": WITHHELD,
                "version": until,
                "before": _held_until(last),
                "seq": seq or 0,
                "at": at,
                "note": None,
                "replacement": None,
                "cascade": False,
                "facts": "null",
                "purged": None if last is None else last.purged,
            }
        ],
    )
    return seq


def change_status(
    connection: Connection,
    article_id: str,
    before: Standing,
    status: int,
    kind: ChangeType,
    *,
    at: int,
) -> int:
    """Give an article another status, log that, and return its seq."""
    connection.execute(_SET_STATUS, {"of": article_id, "to": status})
    return append(
        connection,
        kind,
        article_id,
        current_version(connection, article_id),
        at=at,
        hides=status > before.restrictions.status,
        before=before,
        after=Standing(before.restrictions._replace(status=status), before.values),
    )


def purge(connection: Connection, article_id: str, *, at: int) -> int:
    """Erase the texts of a killed or deleted article; see ``Store.purge``.

    What the log says of it stays, so that whoever has a copy is told to let it go, and
    nobody else is told anything; but of the values that decide who that is, it keeps
    digests only.
    """
    standing = standing_of(connection, article_id)
    last = last_row(connection, article_id)
    notice = last if last is not None and _is_in_force(last) else None
    if standing is not None and standing.restrictions.status != CANCELED:
        raise StatusConflict(article_id, "is neither killed nor deleted; kill it first")
    audience: Audience | None
    if notice is None:
        gone = last_deletion(connection, article_id)
        if gone is None:
            raise ArticleNotFound(article_id)
        seq, since = gone
        audience = audiences(connection, [article_id])[article_id]
    else:
        seq, since = notice.seq, notice.at
        audience = Audience.read(json.loads(notice.facts), since)
    salt = secrets.token_hex(8)
    _keep(
        connection,
        [
            {
                "id": article_id,
                "version": None if last is None else last.version,
                "seq": seq,
                "at": since,
                "note": None if notice is None else notice.note,
                "replacement": None if notice is None else notice.replacement,
                "cascade": False if notice is None else notice.cascade,
                "facts": "null" if audience is None else audience.erased(salt).text(),
                "purged": at,
            }
        ],
    )
    erased = connection.execute(delete(versions).where(versions.c.id == article_id))
    connection.execute(delete(articles).where(articles.c.id == article_id))
    of_it = select(changes.c.seq, changes.c.facts).where(changes.c.id == article_id)
    for row in connection.execute(of_it).all():
        if row.facts is not None:
            connection.execute(
                update(changes)
                .where(changes.c.seq == row.seq)
                .values(facts=erased_facts(row.facts, salt))
            )
    return erased.rowcount


def killed_of(
    connection: Connection, batch: Sequence[Article], reader: Reader
) -> dict[str, Killed]:
    """Return what was killed or withheld of a batch's articles, by id.

    An article that joins a story that was killed as a whole is among them.

    :param reader: who puts them.
    """
    found: dict[str, Killed] = {}
    for ids in chunks(tuple({article.id for article in batch})):
        for row in connection.execute(select(notices).where(notices.c.id.in_(ids))):
            found[row.id] = Killed(
                row.version,
                purged=row.purged is not None,
                over=row.over,
                status=row.status,
                before=row.before,
                audience=Audience.read(json.loads(row.facts), row.at),
            )
    add_joining(connection, batch, found, reader)
    return found


def keep_notices(connection: Connection, write: Batch) -> None:
    """Write what a batch makes of notices."""
    if write.notices:
        _keep(connection, write.notices.values())
    for article_id, (version, over) in write.raised.items():
        connection.execute(
            update(notices)
            .where(notices.c.id == article_id)
            .values(version=version, over=over)
        )


def _keep(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write notices, each in the place of the last of its article."""
    statement = upsert(notices)
    new = {each.name: each for each in statement.excluded if each.name != "id"}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[notices.c.id], set_=new),
        [{"over": False, "status": CANCELED, "before": None, **row} for row in rows],
    )


def _last_rows(connection: Connection, ids: Iterable[str]) -> dict[str, Any]:
    """Return the last notice of each article, be it over since."""
    found: dict[str, Any] = {}
    for some in chunks(tuple(ids)):
        rows = connection.execute(select(notices).where(notices.c.id.in_(some)))
        found |= {row.id: row for row in rows}
    return found


def last_row(connection: Connection, article_id: str) -> Any:
    """Return the last notice of an article, be it over since; or ``None``."""
    return _last_rows(connection, [article_id]).get(article_id)


def _is_in_force(notice: Any) -> bool:
    """Return whether what a notice tells of is killed now; see ``view.IN_FORCE``."""
    return not notice.over and notice.status == CANCELED
