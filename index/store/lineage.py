"""Chains of articles that evolved from each other, as far as a reader may see them.

An article names the one that it evolved from, which may arrive later, or never. Nothing
else of a chain is stored. It is put together when it is read, so it is complete as soon
as its last link is stored.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from index.access import Restrictions, Standing
from index.dates import from_micros
from index.history import Chain, Member, Relation
from index.query import Reader
from index.store.prepared import PreparedRead
from index.store.rows import OF_CURRENT
from index.store.tables import articles, versions

STEPS = 50  # articles each way, the nearest first
_AT_ONCE = 1_000  # articles read at a time; a reader may not see some
# Articles checked for whether a reader may see them; they take some 0.1 s.
MAX_CHECKED = 10_000

_LINK = [
    articles.c.id,
    articles.c.version,
    articles.c.evolved_from,
    articles.c["values"],
    *(articles.c[name] for name in Restrictions._fields),
]
_BY_ID = PreparedRead(select(*_LINK).where(articles.c.id == bindparam("id")))
_BY_PARENT = PreparedRead(
    select(*_LINK)
    .where(articles.c.evolved_from == bindparam("id"))
    .where(articles.c.id > bindparam("after"))
    .order_by(articles.c.id)
    .limit(bindparam("limit"))
)
# What the chain shows of an article, from its columns: texts may be long.
_SHOWN = PreparedRead(
    select(versions.c.headline, articles.c.published)
    .select_from(articles)
    .join(versions, OF_CURRENT)
    .where(articles.c.id == bindparam("id"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One article of a chain, in its current version."""

    id: str
    version: str
    evolved_from: str | None
    standing: Standing


def chain_of(
    connection: Connection, article_id: str, reader: Reader, now: int
) -> Chain:
    """The chain of an article, as far as a reader may see it; reads no text."""
    before, all_before = _earlier(connection, article_id, reader, now)
    after, all_after = _later(connection, article_id, reader, now)
    return Chain(
        members=tuple(
            _member(connection, link, relation)
            for links, relation in (
                (before[::-1], Relation.EARLIER),
                (after, Relation.LATER),
            )
            for link in links
        ),
        complete=all_before and all_after,
    )


def _member(connection: Connection, link: Link, relation: Relation) -> Member:
    ((headline, published),) = _SHOWN.rows(connection, id=link.id)
    return Member(
        id=link.id,
        version=link.version,
        headline=headline,
        published=None if published is None else from_micros(published),
        relation=relation,
    )


def _earlier(
    connection: Connection, article_id: str, reader: Reader, now: int
) -> tuple[list[Link], bool]:
    """The articles that one evolved from, the nearest first, and whether these are all.

    They end before an article that the reader may not see, and where a circle closes.
    """
    links: list[Link] = []
    seen = {article_id}
    link = _link(connection, article_id)
    while link is not None and link.evolved_from not in seen:
        if link.evolved_from is None:
            break
        link = _link(connection, link.evolved_from)
        if link is None or not link.standing.shown(reader, now):
            break
        if len(links) == STEPS:
            return links, False
        links.append(link)
        seen.add(link.id)
    return links, True


def _later(
    connection: Connection, article_id: str, reader: Reader, now: int
) -> tuple[list[Link], bool]:
    """The articles that evolved from one, the nearest first, and whether these are all.

    Several may have evolved from one. Articles that evolved from one that the reader
    may not see are left out with it.
    """
    links: list[Link] = []
    seen = {article_id}
    queue = deque([(article_id, "")])
    checked = 0
    while queue:
        parent, after = queue.popleft()
        limit = min(_AT_ONCE, MAX_CHECKED - checked) + 1
        rows = _BY_PARENT.rows(connection, id=parent, after=after, limit=limit)
        more = len(rows) == limit
        for link in (_link_of(*row) for row in rows[: limit - 1]):
            checked += 1
            after = link.id
            if link.id in seen or not link.standing.shown(reader, now):
                continue
            if len(links) == STEPS:
                return links, False
            links.append(link)
            seen.add(link.id)
            queue.append((link.id, ""))
        if more and checked >= MAX_CHECKED:
            return links, False
        if more:  # the parent's other children are nearer than their children
            queue.appendleft((parent, after))
    return links, True


def _link(connection: Connection, article_id: str) -> Link | None:
    rows = _BY_ID.rows(connection, id=article_id)
    return _link_of(*rows[0]) if rows else None


def _link_of(
    article_id: str, version: str, evolved_from: str | None, values: str, *numbers: int
) -> Link:
    return Link(
        id=article_id,
        version=version,
        evolved_from=evolved_from,
        standing=Standing(Restrictions(*numbers), json.loads(values)),
    )
