"""A peer: another engine that does the same work on the same articles, in the same run.

Unless it says otherwise, a peer has one document for each paragraph and one for the
headline. It gets its own query objects, never a string to parse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from index.article import Article
from index.query import Interval, Query, Search

# Buckets of peers have a fixed width; ours follow the calendar.
DAYS = {Interval.WEEK: 7, Interval.MONTH: 30, Interval.YEAR: 365}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The size of a peer's answer, to see that it did the work.

    :param hits: number of best documents returned.
    :param total: number of documents that match.
    :param facets: number of values counted, over all facets.
    """

    hits: int
    total: int
    facets: int


Run = Callable[[], Answer]


class Unsupported(Exception):
    """The peer has no such kind of query."""


class Builder(Protocol):
    """What builds an index of articles."""

    name: str

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles.

        On return all of the index is on disk.

        :return: the number of articles.
        """


class Peer(Builder, Protocol):
    """An engine to compare ours with."""

    def open(self) -> None:
        """Open the index."""

    def compile(self, search: Search) -> Run:
        """A function that answers a search: the best hits, exact total, facets.

        :raises Unsupported: the peer has no such kind of query.
        """

    def size(self) -> int:
        """Bytes of the index on disk."""

    def close(self) -> None:
        """Release files and memory."""


class RankingPeer(Peer, Protocol):
    """A peer whose ranking can be judged."""

    def ranking(self, query: Query, limit: int) -> list[str]:
        """Ids of the best documents, the best first.

        :raises Unsupported: the peer has no such kind of query.
        """
