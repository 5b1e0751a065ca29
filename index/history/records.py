"""Records of the store: a version, the notice of a kill, a chain of stories, counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from index.access import Audience
from index.article import Article, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One version of an article as it is kept.

    :param seq: the change that brought it, ``at`` the instant of that change.
    """

    article: Article
    current: bool
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo:
    """One version of an article, without its text."""

    version: str
    current: bool
    seq: int
    at: datetime
    status: Status
    headline: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is left to be read of a killed article.

    :param version: the highest that was killed, ``None`` if none was ever here.
    :param audience: who may read it, ``None`` where nothing is known of the article:
        then whoever reads without a filter.
    :param purged: when its texts were erased for good.
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
    """How much a store holds: articles that are there now, and all their versions.

    :param searchable: articles that are not killed.
    """

    articles: int
    versions: int
    searchable: int


class Relation(StrEnum):
    """How an article of a chain stands to the one that the chain is of."""

    EARLIER = "earlier"  # it evolved from this one
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One article of a chain, to be shown."""

    id: str
    version: str
    headline: str | None
    published: datetime | None
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What an article evolved from and what evolved from it, the first one first.

    :param complete: ``False`` where there is more in one of the directions than
        :data:`STEPS` articles, or may be: more than :data:`MAX_CHECKED` evolved from
        these, most of them not to be shown.
    """

    members: tuple[Member, ...]
    complete: bool
