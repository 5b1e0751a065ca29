"""Kills and what is like them: what is done to an article without a new version of it.

A kill is the status of an article, a notice, and an entry in the log, all in one
transaction. The text stays in the store, where only a restoration gets at it, until it
is purged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from index.article import Article, check_id
from index.changes import ChangeType, Standing
from index.errors import ArticleNotFound, ArticlePurged, StatusConflict
from index.log import append, standing_of
from index.tables import articles, changes, notices, versions
from index.versions import Batch, Killed, plain_version, version_key
from index.view import IN_FORCE, Notice, View, chunks
from index.visibility import CANCELED, USABLE, WITHHELD

# A story has some dozens of articles. What claims to have more is a mistake, of which
# only so many are killed at one go.
MOST_RELATED = 10_000
_STAYING = ("source", "section", "language", "type")  # values that a purge leaves
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
    if version is not None:
        version = plain_version(version)
    _kill_one(
        connection,
        article_id,
        {"note": note, "replacement": replacement, "cascade": cascade},
        version=version,
        at=at,
    )
    killed = [article_id]
    if cascade:
        others = related(connection, article_id) - {article_id}
        for other in sorted(others):
            if _notice_row(connection, other) is None:
                told = {"note": note, "replacement": replacement, "cascade": True}
                _kill_one(connection, other, told, version=None, at=at)
                killed.append(other)
    view = View(connection)
    found = (view.notice(each) for each in killed)
    return tuple(each for each in found if each is not None)


def _kill_one(
    connection: Connection,
    article_id: str,
    told: Mapping[str, Any],
    *,
    version: str | None,
    at: int,
) -> None:
    before = standing_of(connection, article_id)
    current: str | None = connection.execute(
        select(articles.c.version).where(articles.c.id == article_id)
    ).scalar_one_or_none()
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
        before=before,
        after=after,
    )
    facts = "null" if before is None else before.text()
    _keep(
        connection,
        {
            **told,
            "id": article_id,
            "version": covered,
            "seq": seq,
            "at": at,
            "facts": facts if notice is None or before is not None else notice.facts,
            "purged": None if last is None else last.purged,
        },
    )


def withhold(connection: Connection, article_id: str, *, at: int) -> int | None:
    """Hold an article back; see ``Store.withhold``."""
    before = standing_of(connection, article_id)
    if before is None and _notice_row(connection, article_id) is None:
        raise ArticleNotFound(article_id)
    if before is None or before.restrictions.status == CANCELED:
        raise StatusConflict(article_id, "was killed; restore it before")
    if before.restrictions.status == WITHHELD:
        return None
    return _change_status(
        connection, article_id, before, WITHHELD, ChangeType.WITHHELD, at=at
    )


def restore(connection: Connection, article_id: str, *, at: int) -> int | None:
    """Take a kill or a withholding back; see ``Store.restore``."""
    before = standing_of(connection, article_id)
    notice = _notice_row(connection, article_id)
    if before is None and notice is None:
        raise ArticleNotFound(article_id)
    if notice is not None and notice.purged is not None:
        raise ArticlePurged(article_id)
    if notice is not None:
        connection.execute(delete(notices).where(notices.c.id == article_id))
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
    version: str = connection.execute(
        select(articles.c.version).where(articles.c.id == article_id)
    ).scalar_one()
    return append(
        connection,
        kind,
        article_id,
        version,
        at=at,
        hides=status > before.restrictions.status,
        before=before,
        after=Standing(before.restrictions._replace(status=status), before.values),
    )


def purge(connection: Connection, article_id: str, *, at: int) -> int:
    """Erase the texts of a killed or deleted article; see ``Store.purge``."""
    standing = standing_of(connection, article_id)
    notice = _notice_row(connection, article_id)
    if standing is not None and standing.restrictions.status != CANCELED:
        raise StatusConflict(article_id, "is neither killed nor deleted; kill it first")
    if standing is None and notice is None:
        deleted = select(exists().where(changes.c.id == article_id))
        if not connection.execute(deleted).scalar_one():
            raise ArticleNotFound(article_id)
    last = _last_row(connection, article_id)
    version = None if last is None else last.version
    if standing is None and notice is not None and notice.facts != "null":
        standing = Standing.read(json.loads(notice.facts))
    if standing is not None:
        staying = {n: v for n, v in standing.values.items() if n in _STAYING}
        standing = Standing(standing.restrictions, staying)
    _keep(
        connection,
        {
            "id": article_id,
            "version": version,
            "seq": 0 if notice is None else notice.seq,
            "at": at if notice is None else notice.at,
            "note": None if notice is None else notice.note,
            "replacement": None if notice is None else notice.replacement,
            "cascade": False if notice is None else notice.cascade,
            "facts": "null" if standing is None else standing.text(),
            "purged": at,
        },
    )
    erased = connection.execute(delete(versions).where(versions.c.id == article_id))
    connection.execute(delete(articles).where(articles.c.id == article_id))
    told = None if standing is None else Standing.facts(standing, None)
    connection.execute(
        update(changes).where(changes.c.id == article_id).values(facts=told)
    )
    return erased.rowcount


def killed_of(connection: Connection, batch: Sequence[Article]) -> dict[str, Killed]:
    """Return what was killed of a batch's articles, by id.

    An article that comes for the first time, of a story that was killed as a whole, is
    among them.
    """
    found: dict[str, Killed] = {}
    for ids in chunks(tuple({article.id for article in batch})):
        for row in connection.execute(select(notices).where(notices.c.id.in_(ids))):
            found[row.id] = Killed(
                row.version, purged=row.purged is not None, over=row.over
            )
    cascading = connection.execute(
        select(notices).where(notices.c.cascade, IN_FORCE)
    ).all()
    if cascading:
        by_id = {row.id: row for row in cascading}
        for article in batch:
            if article.id not in found and (article.evolved_from or article.story):
                adopted = _adopted(connection, article, by_id)
                if adopted is not None:
                    found[article.id] = Killed(None, adopted=adopted)
    return found


def _adopted(
    connection: Connection, article: Article, cascading: Mapping[str, Any]
) -> dict[str, Any] | None:
    here = select(exists().where(articles.c.id == article.id))
    if connection.execute(here).scalar_one():
        return None
    of = related(connection, article.id, article.evolved_from, story=article.story)
    for each in sorted(of & cascading.keys()):
        notice = cascading[each]
        names = ("note", "replacement", "cascade", "at", "purged")
        return {**{n: getattr(notice, n) for n in names}, "purged": None}
    return None


def related(
    connection: Connection, *known: str | None, story: str | None = None
) -> set[str]:
    """Return the ids of all articles that are of one story with some, these included.

    Those that one evolved from, that evolved from one, and that name the same story,
    and so on from each; at most :data:`MOST_RELATED`. Ids of which there is no article
    are among them.
    """
    found: set[str] = {each for each in known if each is not None}
    stories: set[str] = set() if story is None else {story}
    asked: set[str] = set()
    ends, named = set(found), set(stories)
    while (ends or named) and len(found) < MOST_RELATED:
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
        found |= ends
    return found


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
    row = {"over": False, **row}
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
