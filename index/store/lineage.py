"""Chains of articles that evolved from each other, as far as a reader may see them.

An article names the one that it evolved from, which may come later, or never. Nothing
is kept of a chain but that: it is put together when it is read, and so it is whole as
soon as its last link is there.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from index.access import Restrictions, Standing
from index.article import Article
from index.history import Chain, Member, Relation
from index.query import Reader
from index.store.sqlite.connections import Direct
from index.store.tables import articles

STEPS = 50  # articles each way, the nearest first
_AT_ONCE = 1_000  # that are read at a time; a reader may not see some
# Articles that are looked at for those that a reader may see: some 0.1 s.
MOST_LOOKED = 10_000

_LINK = [
    articles.c.id,
    articles.c.version,
    articles.c.evolved_from,
    articles.c["values"],
    *(articles.c[name] for name in Restrictions._fields),
]
_BY_ID = Direct(select(*_LINK).where(articles.c.id == bindparam("id")))
_BY_PARENT = Direct(
    select(*_LINK)
    .where(articles.c.evolved_from == bindparam("id"))
    .where(articles.c.id > bindparam("after"))
    .order_by(articles.c.id)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One article of a chain, in its current version."""

    id: str
    version: str
    evolved_from: str | None
    standing: Standing


def chain_of(
    connection: Connection,
    texts_of: Callable[[Iterable[tuple[str, str]]], Mapping[tuple[str, str], Article]],
    article_id: str,
    reader: Reader,
    now: int,
) -> Chain:
    """Return the chain of an article, as far as a reader may see it.

    :param texts_of: gives articles by id and version.
    """
    before, all_before = _earlier(connection, article_id, reader, now)
    after, all_after = _later(connection, article_id, reader, now)
    texts = texts_of((each.id, each.version) for each in (*before, *after))
    return Chain(
        members=tuple(
            Member(
                id=each.id,
                version=each.version,
                headline=texts[each.id, each.version].headline,
                published=texts[each.id, each.version].published,
                relation=relation,
            )
            for links, relation in (
                (before[::-1], Relation.EARLIER),
                (after, Relation.LATER),
            )
            for each in links
        ),
        complete=all_before and all_after,
    )


def _earlier(
    connection: Connection, article_id: str, reader: Reader, now: int
) -> tuple[list[Link], bool]:
    """Return what an article evolved from, the nearest first, and whether that is all.

    It ends where a reader may not see on, and where it would come round again.
    """
    found: list[Link] = []
    seen = {article_id}
    here = _link(connection, article_id)
    while here is not None and here.evolved_from not in seen:
        if here.evolved_from is None:
            break
        here = _link(connection, here.evolved_from)
        if here is None or not here.standing.shown(reader, now):
            break
        if len(found) == STEPS:
            return found, False
        found.append(here)
        seen.add(here.id)
    return found, True


def _later(
    connection: Connection, article_id: str, reader: Reader, now: int
) -> tuple[list[Link], bool]:
    """Return what evolved from an article, the nearest first, and whether that is all.

    Several may have evolved from one; beyond what a reader may not see none is found.
    """
    found: list[Link] = []
    seen = {article_id}
    ahead = deque([(article_id, "")])
    looked = 0
    while ahead:
        parent, after = ahead.popleft()
        limit = min(_AT_ONCE, MOST_LOOKED - looked) + 1
        rows = _BY_PARENT.rows(connection, id=parent, after=after, limit=limit)
        more = len(rows) == limit
        for each in (_of_row(*row) for row in rows[: limit - 1]):
            looked += 1
            after = each.id
            if each.id in seen or not each.standing.shown(reader, now):
                continue
            if len(found) == STEPS:
                return found, False
            found.append(each)
            seen.add(each.id)
            ahead.append((each.id, ""))
        if more and looked >= MOST_LOOKED:
            return found, False
        if more:  # its other children are nearer than theirs
            ahead.appendleft((parent, after))
    return found, True


def _link(connection: Connection, article_id: str) -> Link | None:
    rows = _BY_ID.rows(connection, id=article_id)
    return _of_row(*rows[0]) if rows else None


def _of_row(
    article_id: str, version: str, evolved_from: str | None, values: str, *numbers: int
) -> Link:
    return Link(
        id=article_id,
        version=version,
        evolved_from=evolved_from,
        standing=Standing(Restrictions(*numbers), json.loads(values)),
    )
