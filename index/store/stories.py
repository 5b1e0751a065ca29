"""Stories: which articles belong together, and which new ones join a killed story.

Articles are linked by the article that they evolved from, and by the name of their
story. A link may lead to an article that has not arrived yet; links may go in circles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    Text,
    case,
    column,
    exists,
    false,
    literal,
    null,
    or_,
    select,
    true,
    values,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from index.access import Audience
from index.article import MAX_ID, Article
from index.history import Killed
from index.query import Reader
from index.store.rows import CHUNK, chunks
from index.store.tables import articles, in_force, notices

# A story has some dozens of articles. One with more is a mistake, and one call kills
# only so many of it.
MAX_RELATED = 10_000

# Each article leads to three keys: a row of these for each.
_LINKING = ["id", "evolved_from", "story"]
_LINKS = (
    values(column("n", Integer), name="links")
    .data([(n,) for n in range(len(_LINKING))])
    .cte("links")
)


class _Key(FunctionElement[str]):
    """A text that is compared as the ids of articles are."""

    type = Text()
    inherit_cache = True


@compiles(_Key)
def _as_it_is(element: _Key, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_Key, "postgresql")
def _collated(element: _Key, compiler: SQLCompiler, **options: Any) -> str:
    return f'CAST({compiler.process(element.clauses, **options)} AS TEXT) COLLATE "C"'


def add_joining(
    connection: Connection,
    batch: Sequence[Article],
    killed: dict[str, Killed],
    reader: Reader,
) -> None:
    """Add the articles of a batch that join a killed story to the killed ones.

    :param reader: the writer of the batch; their notices repeat no note that they may
        not read.
    """
    any_story = select(exists().where(notices.c.cascade, in_force))
    if not connection.execute(any_story).scalar_one():
        return
    linked = [article for article in batch if article.evolved_from or article.story]
    stored_links: dict[str, tuple[str | None, str | None]] = {}
    for ids in chunks(tuple({article.id for article in linked})):
        rows = connection.execute(
            select(articles.c.id, articles.c.evolved_from, articles.c.story).where(
                articles.c.id.in_(ids)
            )
        )
        stored_links |= {row.id: (row.evolved_from, row.story) for row in rows}
    # Articles of one story arrive together, so one search serves several of them.
    adopted_by_link: dict[tuple[str | None, str | None], Mapping[str, Any] | None] = {}
    for article in linked:
        link = article.evolved_from, article.story
        if article.id in killed or stored_links.get(article.id) == link:
            continue
        parent = killed.get(article.evolved_from or "")
        if parent is not None and parent.adopted is not None:
            killed[article.id] = Killed(None, adopted=parent.adopted)
            continue
        if link not in adopted_by_link:
            adopted_by_link[link] = _killed_story(connection, *link, reader)
        adopted = adopted_by_link[link] or _killed_story(
            connection, article.id, None, reader
        )
        if adopted is not None:
            killed[article.id] = Killed(None, adopted=adopted)


def _killed_story(
    connection: Connection, article_id: str | None, story: str | None, reader: Reader
) -> Mapping[str, Any] | None:
    """Terms of the notice of a killed story; ``None`` if the story is not killed."""
    if article_id is None and story is None:
        return None
    keys = connection.execute(_story(article_id, story)).scalars()
    for ids in keys.partitions(CHUNK):
        row = connection.execute(
            select(notices)
            .where(notices.c.id.in_(ids), notices.c.cascade, in_force)
            .order_by(notices.c.id)
            .limit(1)
        ).one_or_none()
        if row is not None:
            terms = {"cascade": row.cascade, "at": row.at}
            audience = Audience.read(json.loads(row.facts), row.at)
            if reader.filters and not (audience and audience.includes(reader)):
                return terms
            return terms | {"note": row.note, "replacement": row.replacement}
    return None


def related(connection: Connection, article_id: str) -> set[str]:
    """Ids of all articles of the story of an article, its own included.

    These are the articles that it evolved from, that evolved from it, and that name the
    same story, and so on from each of them; at most :data:`MAX_RELATED`. Ids of
    articles that are not stored are among them, if they can be ids.
    """
    rows = connection.execute(_story(article_id, None).limit(MAX_RELATED))
    return {row.key for row in rows if len(row.key) <= MAX_ID}


def _story(article_id: str | None, story: str | None) -> Select[tuple[str]]:
    """A query for the ids of a story, the nearest articles first."""
    starts = [
        select(literal(named).label("named"), _Key(literal(key)).label("key"))
        for named, key in ((False, article_id), (True, story))
        if key is not None
    ]
    # Keys are ids of articles and, ``named``, names of stories. The UNION drops a key
    # that comes again, so circles end. It names itself once: PostgreSQL allows no more.
    of = starts[0].cte("of", recursive=True)
    linked = or_(
        (of.c.named == false()) & (articles.c.id == of.c.key),
        (of.c.named == false()) & (articles.c.evolved_from == of.c.key),
        (of.c.named == true()) & (articles.c.story == of.c.key),
    )
    key = case(
        *((_LINKS.c.n == n, articles.c[name]) for n, name in enumerate(_LINKING)),
        else_=null(),
    )
    of = of.union(
        *starts[1:],
        select(_LINKS.c.n == _LINKING.index("story"), key)
        .select_from(of.join(articles, linked).join(_LINKS, true()))
        .where(key.is_not(None)),
    )
    return select(of.c.key).where(of.c.named == false())
