"""Other engines, doing the same work on the same articles in the same run.

A peer indexes one document a paragraph, the headline as its own, unless it says else,
and is asked through its own query objects, never through a string parser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from index.article import Article
from index.query import Interval, Search

# Peers have buckets of one width only; ours are those of the calendar.
DAYS = {Interval.WEEK: 7, Interval.MONTH: 30, Interval.YEAR: 365}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a peer found: as much as is needed to see that it did the work.

    :param hits: how many of the best it gave; ``total`` of its documents match.
    :param facets: how many values it counted, over all facets.
    """

    hits: int
    total: int
    facets: int


Run = Callable[[], Answer]


class Unsupported(Exception):
    """The peer has nothing like what is asked."""


class Peer(Protocol):
    """An engine to measure against."""

    name: str

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles, all of it on disk when this returns; return their number."""

    def open(self) -> None:
        """Open what was built."""

    def compile(self, search: Search) -> Run:
        """Return a function that answers a search: 10 best, exact total, facets.

        :raises Unsupported: there is no way to ask this.
        """

    def size(self) -> int:
        """Return how many bytes the index has on disk."""

    def close(self) -> None:
        """Let go of files and memory."""
