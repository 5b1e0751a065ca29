"""Records of the store: versions, results of writes, notices, chains and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from index.access import Audience, Standing
from index.article import Article, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One stored version of an article.

    :param current: whether it is the current version.
    :param seq: number of the change that stored it.
    :param at: the instant of that change.
    """

    article: Article
    current: bool
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo:
    """One version of an article, without its text.

    :param status: as that version was sent.
    :param standing: who may see it; for the current version with the status in force.
    """

    version: str
    current: bool
    seq: int
    at: datetime
    status: Status
    headline: str | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The notice that replaces a killed article.

    :param version: the highest version that was killed, ``None`` if none was stored.
    :param cascade: whether the kill included the other articles of its story.
    :param audience: the readers who may read it, ``None`` if no reader is known: then
        all readers without filters.
    :param purged: the instant at which the texts were erased for good.
    """

    id: str
    version: str | None
    seq: int
    at: datetime
    note: str | None
    replacement: str | None
    cascade: bool
    audience: Audience | None
    purged: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of stored articles and of all their versions.

    :param searchable: number of articles that are not killed.
    """

    articles: int
    versions: int
    searchable: int


class Relation(StrEnum):
    """Relation of a member of a chain to the article that the chain is for."""

    EARLIER = "earlier"  # the article evolved from it
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One article of a chain that the reader may see."""

    id: str
    version: str
    headline: str | None
    published: datetime | None
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The articles that one evolved from, and those that evolved from it, oldest first.

    :param complete: ``False`` if one direction has, or could have, more articles than
        :mod:`index.store.lineage` reads.
    """

    members: tuple[Member, ...]
    complete: bool


class Outcome(StrEnum):
    """Result of putting an article; every one but ``unchanged`` stores something."""

    CREATED = "created"
    UPDATED = "updated"
    # Only for the history: the version is older than the current one, or killed.
    STORED = "stored"
    REPLACED = "replaced"  # the version existed with other content
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Result of one article of a :meth:`Store.put`.

    :param version: the version that holds the content that was sent.
    :param seq: number of the change in the log; ``None`` if nothing was stored.
    """

    id: str
    version: str
    outcome: Outcome
    seq: int | None
