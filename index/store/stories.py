"""Stories: which articles belong together, and which new ones join a killed story.

Articles are linked by the article that they evolved from, and by the name of their
story. A link may lead to an article that has not arrived yet; links may go in circles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select

from index.access import Audience
from index.article import Article
from index.history import Killed
from index.query import Reader
from index.store.rows import CHUNK, chunks
from index.store.tables import articles, in_force, notices

# A story has some dozens of articles. One with more is a mistake, and one call kills
# only so many of it.
MAX_RELATED = 10_000

# Read in pieces: of a story that is a mistake there may be any number of articles.
_LINKS = select(articles.c.id, articles.c.evolved_from, articles.c.story)
_OF_IDS, _OF_PARENTS, _OF_STORIES = (
    _LINKS.where(column.in_(bindparam("keys", expanding=True))).execution_options(
        yield_per=CHUNK
    )
    for column in (articles.c.id, articles.c.evolved_from, articles.c.story)
)


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
    keys = _story(connection, article_id, story)
    while ids := tuple(islice(keys, CHUNK)):
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
    articles that are not stored are among them.
    """
    return set(islice(_story(connection, article_id, None), MAX_RELATED))


def _story(
    connection: Connection, article_id: str | None, story: str | None
) -> Iterator[str]:
    """Yield the ids of a story, the nearest articles first; circles end.

    Each step reads the links of all articles that the step before came to.
    """
    ids: set[str] = set()
    names: set[str] = set()
    next_ids = [] if article_id is None else [article_id]
    next_names = [] if story is None else [story]
    while next_ids or next_names:
        yield from next_ids
        ids.update(next_ids)
        names.update(next_names)
        linked: set[str] = set()
        named: set[str] = set()
        for statement, keys in (
            (_OF_IDS, next_ids),
            (_OF_PARENTS, next_ids),
            (_OF_STORIES, next_names),
        ):
            for chunk in chunks(keys):
                for row in connection.execute(statement, {"keys": chunk}):
                    linked.update((row.id, row.evolved_from))
                    named.add(row.story)
        next_ids = sorted(key for key in linked - ids if key is not None)
        next_names = sorted(name for name in named - names if name is not None)
