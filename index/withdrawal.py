"""Kills and what is like them: what is done to an article without a new version of it.

A kill is the status of an article, a notice, and an entry in the log, all in one
transaction. The text stays in the store, where only a restoration gets at it, until it
is purged.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from index.article import Article, check_id, check_version
from index.changes import ChangeType, Standing
from index.errors import (
    ArticleNotFound,
    ArticlePurged,
    LimitExceeded,
    StatusConflict,
)
from index.log import append, as_read, last_deletion
from index.tables import articles, changes, notices, versions
from index.versions import (
    Batch,
    Killed,
    check_counts_up,
    plain_version,
    version_key,
)
from index.view import (
    IN_FORCE,
    Notice,
    View,
    chunks,
    current_version,
    standing_of,
)
from index.visibility import CANCELED, USABLE, WITHHELD

# A story has some dozens of articles. What claims to have more is a mistake, of which
# only so many are killed at one go.
MOST_RELATED = 10_000
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
) -> tuple[Notice, ...]:
    """Kill an article, and with ``cascade`` its story; see ``Store.kill``."""
    check_id(article_id)
    if note is not None and len(note) > MOST_NOTE:
        raise LimitExceeded("note", limit=MOST_NOTE, got=len(note))
    version = None if version is None else _checked(version)
    told = {"note": note, "replacement": replacement, "cascade": cascade}
    _kill_one(connection, article_id, told, version=version, at=at)
    killed = [article_id]
    if cascade:
        story = related(connection, article_id)
        killed += _kill_story(connection, story - {article_id}, told, at=at)
    view = View(connection)
    found = (view.notice(each) for each in killed)
    return tuple(each for each in found if each is not None)


def _checked(version: str) -> str:
    version = check_version(version.strip())
    check_counts_up(version)
    return plain_version(version)


def _kill_story(
    connection: Connection, story: set[str], told: Mapping[str, Any], *, at: int
) -> list[str]:
    """Kill the articles of a story that were never killed by themselves."""
    others = sorted(story)
    known: set[str] = set()
    for some in chunks(others):
        rows = connection.execute(select(notices.c.id).where(notices.c.id.in_(some)))
        known |= set(rows.scalars())
    killed = [each for each in others if each not in known]
    for each in killed:
        _kill_one(connection, each, told, version=None, at=at)
    return killed


def kill_joined(connection: Connection, joined: Iterable[str], *, at: int) -> None:
    """Kill what has become of a killed story by articles that have just been put."""
    seen: set[str] = set()  # those that join one story are looked at once
    for article_id in joined:
        notice = _notice_row(connection, article_id)
        if notice is not None and article_id not in seen:
            told = {n: getattr(notice, n) for n in ("note", "replacement", "cascade")}
            story = related(connection, article_id)
            _kill_story(connection, story, told, at=at)
            seen |= story


def _kill_one(
    connection: Connection,
    article_id: str,
    told: Mapping[str, Any],
    *,
    version: str | None,
    at: int,
) -> None:
    before = standing_of(connection, article_id)
    current = current_version(connection, article_id)
    notice = _notice_row(connection, article_id)
    last = _last_row(connection, article_id)
    known = [version, current, None if last is None else last.version]
    covered = max(
        (each for each in known if each is not None), key=version_key, default=None
    )
    if notice is not None and {**told, "version": covered} == {
        name: getattr(notice, name) for name in (*told, "version")
    }:
        return  # said again
    after = None
    readers = before
    if notice is not None and notice.facts != "null":
        readers = Standing.read(json.loads(notice.facts))
    elif before is not None:
        readers = as_read(connection, article_id, before)
    if before is not None:
        after = Standing(before.restrictions._replace(status=CANCELED), before.values)
        connection.execute(_SET_STATUS, {"of": article_id, "to": CANCELED})
    seq = append(
        connection,
        ChangeType.KILLED,
        article_id,
        current,
        at=at,
        hides=True,
        before=readers,
        after=after,
    )
    _keep(
        connection,
        {
            **told,
            "id": article_id,
            "version": covered,
            "before": _held_until(last),
            "seq": seq,
            "at": at,
            "facts": "null" if readers is None else readers.text(),
            "purged": None if last is None else last.purged,
        },
    )


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
    last = _last_row(connection, article_id)
    if _notice_row(connection, article_id) is not None:
        raise StatusConflict(article_id, "was killed; restore it before")
    if before is None and not unknown:
        raise ArticleNotFound(article_id)
    known = [version, current_version(connection, article_id)]
    if last is not None and not last.over:
        known.append(last.version)
    until = max((each for each in known if each), key=version_key, default=None)
    seq = None
    if before is not None and before.restrictions.status != WITHHELD:
        seq = _change_status(
            connection, article_id, before, WITHHELD, ChangeType.WITHHELD, at=at
        )
    _keep(
        connection,
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
            "facts": "null" if before is None else before.text(),
            "purged": None if last is None else last.purged,
        },
    )
    return seq


def restore(connection: Connection, article_id: str, *, at: int) -> int | None:
    """Take a kill or a withholding back; see ``Store.restore``."""
    before = standing_of(connection, article_id)
    last = _last_row(connection, article_id)
    in_force = last is not None and not last.over
    if before is None and not in_force:
        raise ArticleNotFound(article_id)
    if in_force and last.purged is not None:
        raise ArticlePurged(article_id)
    if in_force:
        # What an earlier kill took back does not come with it.
        connection.execute(
            update(notices)
            .where(notices.c.id == article_id)
            .values(version=last.before, before=None, over=True, cascade=False)
        )
    if before is None:
        return append(
            connection,
            ChangeType.RESTORED,
            article_id,
            None,
            at=at,
            hides=False,
            before=None,
            after=None,
        )
    if before.restrictions.status == USABLE:
        return None
    return _change_status(
        connection, article_id, before, USABLE, ChangeType.RESTORED, at=at
    )


def _change_status(
    connection: Connection,
    article_id: str,
    before: Standing,
    status: int,
    kind: ChangeType,
    *,
    at: int,
) -> int:
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
    notice = _notice_row(connection, article_id)
    if standing is not None and standing.restrictions.status != CANCELED:
        raise StatusConflict(article_id, "is neither killed nor deleted; kill it first")
    gone = None
    if notice is None:
        gone = last_deletion(connection, article_id)
        if gone is None:
            raise ArticleNotFound(article_id)
        standing = gone.standing
    else:
        found = json.loads(notice.facts)
        standing = None if found is None else Standing.read(found)
    last = _last_row(connection, article_id)
    salt = secrets.token_hex(8)
    _keep(
        connection,
        {
            "id": article_id,
            "version": None if last is None else last.version,
            "seq": notice.seq if gone is None else gone.seq,
            "at": notice.at if gone is None else gone.at,
            "note": None if notice is None else notice.note,
            "replacement": None if notice is None else notice.replacement,
            "cascade": False if notice is None else notice.cascade,
            "facts": "null" if standing is None else standing.erased(salt).text(),
            "purged": at,
        },
    )
    erased = connection.execute(delete(versions).where(versions.c.id == article_id))
    connection.execute(delete(articles).where(articles.c.id == article_id))
    of_it = select(changes.c.seq, changes.c.facts).where(changes.c.id == article_id)
    for row in connection.execute(of_it).all():
        if row.facts is not None:
            connection.execute(
                update(changes)
                .where(changes.c.seq == row.seq)
                .values(facts=Standing.erased_facts(row.facts, salt))
            )
    return erased.rowcount


def killed_of(connection: Connection, batch: Sequence[Article]) -> dict[str, Killed]:
    """Return what was killed or withheld of a batch's articles, by id.

    An article that joins a story that was killed as a whole is among them.
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
                facts=row.facts,
            )
    any_story = select(exists().where(notices.c.cascade, IN_FORCE))
    if connection.execute(any_story).scalar_one():
        _add_joining(connection, batch, found)
    return found


def _add_joining(
    connection: Connection, batch: Sequence[Article], found: dict[str, Killed]
) -> None:
    """Add those articles of a batch that come into a killed story by it."""
    linked = [each for each in batch if each.evolved_from or each.story]
    there: dict[str, tuple[str | None, str | None]] = {}
    for ids in chunks(tuple({article.id for article in linked})):
        rows = connection.execute(
            select(articles.c.id, articles.c.evolved_from, articles.c.story).where(
                articles.c.id.in_(ids)
            )
        )
        there |= {row.id: (row.evolved_from, row.story) for row in rows}
    # Articles of one story come together: what is found for one serves the next.
    known: dict[tuple[str | None, str | None], Mapping[str, Any] | None] = {}
    for article in linked:
        link = article.evolved_from, article.story
        if article.id in found or there.get(article.id) == link:
            continue
        before = found.get(article.evolved_from or "")
        if before is not None and before.adopted is not None:
            found[article.id] = Killed(None, adopted=before.adopted)
            continue
        if link not in known:
            known[link] = _killed_story(connection, *link)
        adopted = known[link] or _killed_story(connection, article.id, None)
        if adopted is not None:
            found[article.id] = Killed(None, adopted=adopted)


def _killed_story(
    connection: Connection, article_id: str | None, story: str | None
) -> Mapping[str, Any] | None:
    """Return what the notice of a killed story says, ``None`` if it is not killed."""
    for some in _related(connection, {article_id} - {None}, {story} - {None}):
        for ids in chunks(sorted(some)):
            row = connection.execute(
                select(notices)
                .where(notices.c.id.in_(ids), notices.c.cascade, IN_FORCE)
                .order_by(notices.c.id)
                .limit(1)
            ).one_or_none()
            if row is not None:
                names = ("note", "replacement", "cascade", "at")
                return {name: getattr(row, name) for name in names}
    return None


def related(connection: Connection, article_id: str) -> set[str]:
    """Return the ids of all articles that are of one story with one, this included.

    Those that one evolved from, that evolved from one, and that name the same story,
    and so on from each; at most :data:`MOST_RELATED`. Ids of which there is no article
    are among them.
    """
    found: set[str] = set()
    for some in _related(connection, {article_id}, set()):
        found |= some
        if len(found) >= MOST_RELATED:
            break
    return found


def _related(
    connection: Connection, ends: set[Any], named: set[Any]
) -> Iterator[set[str]]:
    """Yield the ids of a story, those that are nearest first."""
    asked: set[str] = set()
    stories: set[str] = set(named)
    while ends or named:
        if ends:
            yield set(ends)
        rows: list[Any] = []
        for some in chunks(sorted(ends)):
            rows += _linked(
                connection,
                or_(articles.c.id.in_(some), articles.c.evolved_from.in_(some)),
            )
        for some in chunks(sorted(named)):
            rows += _linked(connection, articles.c.story.in_(some))
        asked |= ends
        ends, named = set(), set()
        for article_id, evolved_from, its_story in rows:
            ends |= {each for each in (article_id, evolved_from) if each} - asked
            if its_story is not None and its_story not in stories:
                named.add(its_story)
        stories |= named


def _linked(connection: Connection, condition: Any) -> Iterable[Any]:
    wanted = articles.c.id, articles.c.evolved_from, articles.c.story
    return connection.execute(select(*wanted).where(condition)).all()


def keep_notices(connection: Connection, write: Batch) -> None:
    """Write what a batch makes of notices."""
    for row in write.notices.values():
        _keep(connection, row)
    for article_id, (version, over) in write.raised.items():
        connection.execute(
            update(notices)
            .where(notices.c.id == article_id)
            .values(version=version, over=over)
        )


def _keep(connection: Connection, row: Mapping[str, Any]) -> None:
    row = {"over": False, "status": CANCELED, "before": None, **row}
    statement = upsert(notices).values(**row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[notices.c.id],
            set_={name: row[name] for name in row if name != "id"},
        )
    )


def _notice_row(connection: Connection, article_id: str) -> Any:
    return connection.execute(
        select(notices).where(notices.c.id == article_id, IN_FORCE)
    ).one_or_none()


def _last_row(connection: Connection, article_id: str) -> Any:
    """Return the last notice of an article, be it that a newer version shows since."""
    return connection.execute(
        select(notices).where(notices.c.id == article_id)
    ).one_or_none()
