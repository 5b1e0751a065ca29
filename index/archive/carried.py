"""Carried articles: the fields and first paragraphs that entries of the feed have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from index.access import Standing, Validity
from index.archive.answers import Excerpt
from index.archive.hits import excerpt_of
from index.history import Entry
from index.query import SHORT_FIELDS, Reader, Request
from index.store import Clipping, View

_DEFAULTS = Request()
# Bytes of JSON that one page of the feed reads for its articles: 16 of the largest
# articles, which take some 0.2 s.
MOST_CARRIED = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriage:
    """What an entry of the change feed has of its article.

    :param fields: names of article fields; empty for those that a hit has. ``id`` and
        ``version`` are always there.
    :param passages: number of paragraphs, from the first after the headline.
    :param passage_length: characters of each, cut at the end of a sentence; 0: not cut.
    """

    fields: tuple[str, ...] = ()
    passages: int = _DEFAULTS.passages
    passage_length: int = _DEFAULTS.passage_length


class CarriedArticle(NamedTuple):
    """Parts of an article as it is when the feed is read, which may be later."""

    article: dict[str, Any]
    passages: tuple[Excerpt, ...]


def carried_articles(
    view: View,
    entries: Sequence[Entry],
    carriage: Carriage,
    reader: Reader,
    now: datetime,
) -> tuple[CarriedArticle | None, ...]:
    """Articles of the first entries, in their order; ``None`` if one cannot be seen.

    There are fewer than entries if the articles are large: after the one with which
    :data:`MOST_CARRIED` is reached there are no more.
    """
    articles: dict[str, tuple[CarriedArticle | None, int]] = {}
    carried: list[CarriedArticle | None] = []
    validity, size = Validity(now), 0
    standings = view.standings({entry.id for entry in entries if not entry.removed})
    for entry in entries:
        if entry.removed:
            carried.append(None)
            continue
        if entry.id not in articles:
            articles[entry.id] = _carried(
                view,
                entry.id,
                standings.get(entry.id),
                carriage=carriage,
                reader=reader,
                validity=validity,
            )
        article, added = articles[entry.id]
        carried.append(article)
        size += added  # also of one that is listed again: the answer has it twice
        if size >= MOST_CARRIED:
            break
    return tuple(carried)


def _carried(
    view: View,
    article_id: str,
    current: tuple[str, Standing] | None,
    *,
    carriage: Carriage,
    reader: Reader,
    validity: Validity,
) -> tuple[CarriedArticle | None, int]:
    """Parts of an article, and the size of its JSON.

    :param current: its current version, and its standing.
    """
    if current is None:
        return None, 0
    version, standing = current
    if not standing.shown(reader, validity.now):
        return None, 0
    names = carriage.fields or SHORT_FIELDS
    ((_, clipping),) = view.clippings([(article_id, version)], names)
    article = {
        "id": clipping.id,
        "version": clipping.version,
        **clipping.fields(validity),
        **clipping.rights(),
    }
    passages = _passages(clipping, carriage)
    return CarriedArticle(article, passages), clipping.size


def _passages(clipping: Clipping, carriage: Carriage) -> tuple[Excerpt, ...]:
    length = carriage.passage_length
    return tuple(
        [
            # As in a hit: the key is that of the whole paragraph.
            excerpt_of(clipping.id, paragraph, (), length=length)._replace(key=None)
            for paragraph in clipping.opening(carriage.passages)
        ]
    )
