"""Stories: which articles belong together, and which of them join one that was killed.

Articles are linked by what they evolved from, and by the name of their story. A link
may lead to what is not here yet, and links may go in circles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, exists, false, literal, select

from index.access import Audience
from index.article import Article
from index.history import Killed
from index.query import Reader
from index.store.tables import articles, notices
from index.store.view import CHUNK, IN_FORCE, chunks

# A story has some dozens of articles. What claims to have more is a mistake, of which
# only so many are killed at one go.
MOST_RELATED = 10_000


def add_joining(
    connection: Connection,
    batch: Sequence[Article],
    found: dict[str, Killed],
    reader: Reader,
) -> None:
    """Add those articles of a batch that come into a killed story by it.

    :param reader: who puts them: what they may not read, their articles do not say.
    """
    any_story = select(exists().where(notices.c.cascade, IN_FORCE))
    if not connection.execute(any_story).scalar_one():
        return
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
            known[link] = _killed_story(connection, *link, reader)
        adopted = known[link] or _killed_story(connection, article.id, None, reader)
        if adopted is not None:
            found[article.id] = Killed(None, adopted=adopted)


def _killed_story(
    connection: Connection, article_id: str | None, story: str | None, reader: Reader
) -> Mapping[str, Any] | None:
    """Return what the notice of a killed story says, ``None`` if it is not killed."""
    if article_id is None and story is None:
        return None
    found = connection.execute(_story(article_id, story)).scalars()
    for ids in found.partitions(CHUNK):
        row = connection.execute(
            select(notices)
            .where(notices.c.id.in_(ids), notices.c.cascade, IN_FORCE)
            .order_by(notices.c.id)
            .limit(1)
        ).one_or_none()
        if row is not None:
            told = {"cascade": row.cascade, "at": row.at}
            audience = Audience.read(json.loads(row.facts), row.at)
            if reader.filters and not (audience and audience.tells(reader)):
                return told
            return told | {"note": row.note, "replacement": row.replacement}
    return None


def related(connection: Connection, article_id: str) -> set[str]:
    """Return the ids of all articles that are of one story with one, this included.

    Those that one evolved from, that evolved from one, and that name the same story,
    and so on from each; at most :data:`MOST_RELATED`. Ids of which there is no article
    are among them.
    """
    rows = connection.execute(_story(article_id, None).limit(MOST_RELATED))
    return {row.key for row in rows}


def _story(article_id: str | None, story: str | None) -> Select[tuple[str]]:
    """Return what asks for the ids of a story, those that are nearest first."""
    starts = [
        select(literal(named).label("named"), literal(key).label("key"))
        for named, key in ((False, article_id), (True, story))
        if key is not None
    ]
    # By article, and by the name of a story: one that comes again goes no further.
    of = starts[0].cte("of", recursive=True)
    links = [
        select(literal(named), wanted).join(
            of, (of.c.key == key) & (of.c.named == by_name) & wanted.is_not(None)
        )
        for named, wanted, key, by_name in (
            (False, articles.c.evolved_from, articles.c.id, False),
            (False, articles.c.id, articles.c.evolved_from, False),
            (True, articles.c.story, articles.c.id, False),
            (False, articles.c.id, articles.c.story, True),
        )
    ]
    of = of.union(*starts[1:], *links)
    return select(of.c.key).where(of.c.named == false())
