"""Kills, withholdings and purges: changes to an article without a new version.

A kill is a status of the article, a notice, and an entry in the log, all in one
transaction. The text stays in the store until it is purged, and only a reinstatement
can bring it back.
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

from index.access import (
    CANCELED,
    NOBODY,
    WITHHELD,
    Audience,
    Standing,
    erased_facts,
    facts_of_kill,
    shown,
)
from index.article import Article, check_id, check_text, check_version
from index.errors import (
    ArticleNotFound,
    LimitExceeded,
    StatusConflict,
)
from index.history import (
    ChangeType,
    Killed,
    Notice,
    check_counts_up,
    next_turn,
    plain_version,
    version_key,
)
from index.query import PUBLIC, Reader
from index.store.change_log import append, audiences, last_deletion, locked_seq, set_seq
from index.store.embargoes import log_due_of
from index.store.notices import (
    held_until,
    is_in_force,
    last_notice,
    last_notices,
    notices_of,
    replace_notices,
)
from index.store.rows import (
    chunks,
    current_version,
    standing_of,
    standings_of,
)
from index.store.stories import add_joining, related
from index.store.tables import articles, changes, notices, replaced, versions

MAX_NOTE = 10_000  # characters
_SET_STATUS = (
    update(articles)
    .where(articles.c.id == bindparam("of"))
    .values(status=bindparam("to"), turns=bindparam("next"))
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

    :param audience: the readers who saw it, if that is known from elsewhere.
    """
    check_id(article_id)
    check_text("note", note)
    check_text("replacement", replacement)
    if note is not None and len(note) > MAX_NOTE:
        raise LimitExceeded("note", limit=MAX_NOTE, got=len(note))
    version = None if version is None else _checked_version(version)
    terms = {"note": note, "replacement": replacement, "cascade": cascade}
    killed = [article_id]
    _kill_all(connection, killed, terms, version=version, audience=audience, at=at)
    if cascade:
        story = related(connection, article_id)
        killed += _kill_story(connection, story - {article_id}, terms, at=at)
    return notices_of(connection, killed)


def _checked_version(version: str) -> str:
    version = check_version(version.strip())
    check_counts_up(version)
    return plain_version(version)


def _highest(*numbers: str | None) -> str | None:
    """The highest of several versions; ``None`` stands for no version."""
    return max((n for n in numbers if n is not None), key=version_key, default=None)


def _kill_story(
    connection: Connection,
    story: set[str],
    terms: Mapping[str, Any],
    *,
    at: int,
    reader: Reader = PUBLIC,
) -> list[str]:
    """Kill the articles of a story that were never killed by themselves.

    :param terms: note, replacement and cascade of the notices.
    :param reader: the writer; articles that their filters do not cover are spared.
    """
    if reader.filters:
        standings = standings_of(connection, story)
        story = {id_ for id_, (_, own) in standings.items() if own.entitles(reader)}
    last = last_notices(connection, story).values()
    killed = sorted(story - {row.id for row in last if row.status == CANCELED})
    _kill_all(connection, killed, terms, at=at)
    return killed


def kill_joined(
    connection: Connection, joined: Iterable[str], *, at: int, reader: Reader
) -> None:
    """Kill the articles that newly stored ones have linked to a killed story.

    :param joined: ids of the new articles.
    :param reader: the writer who stored them.
    """
    seen: set[str] = set()  # articles that join one story are looked up once
    for article_id in joined:
        if article_id in seen:
            continue
        notice = last_notice(connection, article_id)
        if notice is not None and is_in_force(notice):
            terms = {n: getattr(notice, n) for n in ("note", "replacement", "cascade")}
            story = related(connection, article_id)
            _kill_story(connection, story, terms, at=at, reader=reader)
            seen |= story


def _kill_all(
    connection: Connection,
    ids: Sequence[str],
    terms: Mapping[str, Any],
    *,
    at: int,
    version: str | None = None,
    audience: Audience | None = None,
) -> None:
    """Kill articles: for each a log entry and a notice, in their order.

    Each table is read and written by a few statements, however many articles there are.
    """
    log_due_of(connection, ids, at)
    standings = standings_of(connection, ids)
    last_by_id = last_notices(connection, ids)
    hidden = [
        id_
        for id_ in ids
        if id_ not in standings or not shown(*standings[id_][1].restrictions, at)
    ]
    earlier = audiences(connection, hidden)
    seq = locked_seq(connection)
    entries: list[dict[str, Any]] = []
    new_notices: list[dict[str, Any]] = []
    for article_id in ids:
        current, before = standings.get(article_id, (None, None))
        last = last_by_id.get(article_id)
        notice = last if last is not None and is_in_force(last) else None
        until = _highest(version, current, None if last is None else last.version)
        if notice is not None and {**terms, "version": until} == {
            name: getattr(notice, name) for name in (*terms, "version")
        }:
            continue  # the same kill again
        readers = audience or earlier.get(article_id)
        if before is not None:
            readers = (readers or NOBODY).with_readers_of(before, at)
        if notice is not None and readers in (None, NOBODY):
            # Nobody has seen it since the earlier kill.
            readers = Audience.read(json.loads(notice.facts), notice.at)
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
                "facts": facts_of_kill(before, after, readers),
            }
        )
        new_notices.append(
            {
                **terms,
                "id": article_id,
                "version": until,
                "before": held_until(last),
                "seq": seq,
                "at": at,
                "facts": "null" if readers is None else readers.text(),
                "purged": None if last is None else last.purged,
            }
        )
    if not entries:
        return
    for chunk in chunks([notice["id"] for notice in new_notices]):
        connection.execute(
            update(articles).where(articles.c.id.in_(chunk)).values(status=CANCELED)
        )
    connection.execute(insert(changes), entries)
    set_seq(connection, seq)
    replace_notices(connection, new_notices)


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
    version = None if version is None else _checked_version(version)
    before = standing_of(connection, article_id)
    last = last_notice(connection, article_id)
    if last is not None and is_in_force(last):
        raise StatusConflict(article_id, "is killed; undo the kill first")
    if before is None and not unknown:
        raise ArticleNotFound(article_id)
    until = _highest(
        version,
        current_version(connection, article_id),
        None if last is None or last.over else last.version,
    )
    seq = None
    if before is not None and before.restrictions.status != WITHHELD:
        seq = change_status(
            connection, article_id, before, WITHHELD, ChangeType.WITHHELD, at=at
        )
    replace_notices(
        connection,
        [
            {
                "id": article_id,
                "status": WITHHELD,
                "version": until,
                "before": held_until(last),
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
    """Set the status of an article; return the seq of the log entry."""
    # While it was killed, the clock may have been set back behind an instant that
    # passed: nothing was logged of it.
    next_ = next_turn(before.restrictions, at)
    connection.execute(_SET_STATUS, {"of": article_id, "to": status, "next": next_})
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

    Its log entries stay, so that readers who have a copy learn that they must drop it;
    no other reader sees the entries. Of the values that decide this, the log keeps only
    digests.
    """
    standing = standing_of(connection, article_id)
    last = last_notice(connection, article_id)
    notice = last if last is not None and is_in_force(last) else None
    if standing is not None and standing.restrictions.status != CANCELED:
        raise StatusConflict(article_id, "is neither killed nor deleted; kill it first")
    audience: Audience | None
    if notice is None:
        deletion = last_deletion(connection, article_id)
        if deletion is None:
            raise ArticleNotFound(article_id)
        seq, since = deletion
        audience = audiences(connection, [article_id])[article_id]
    else:
        seq, since = notice.seq, notice.at
        audience = Audience.read(json.loads(notice.facts), since)
    salt = secrets.token_hex(8)
    replace_notices(
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
    connection.execute(delete(replaced).where(replaced.c.id == article_id))
    connection.execute(delete(articles).where(articles.c.id == article_id))
    entries = select(changes.c.seq, changes.c.facts).where(changes.c.id == article_id)
    for row in connection.execute(entries).all():
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
    """Kills and withholdings that hold for a batch's articles, by id.

    They include those of articles that join a story that was killed as a whole.

    :param reader: the writer of the batch.
    """
    killed: dict[str, Killed] = {}
    for ids in chunks(tuple({article.id for article in batch})):
        for row in connection.execute(select(notices).where(notices.c.id.in_(ids))):
            killed[row.id] = Killed(
                row.version,
                purged=row.purged is not None,
                over=row.over,
                status=row.status,
                before=row.before,
                audience=Audience.read(json.loads(row.facts), row.at),
            )
    add_joining(connection, batch, killed, reader)
    return killed
