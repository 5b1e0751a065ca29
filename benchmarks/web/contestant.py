"""A contestant over HTTP: a server that is asked the same searches as the others."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any, Protocol

from benchmarks.data import TimedSearch
from benchmarks.measuring import Server, WebRequest


class Hits(StrEnum):
    """What a hit is."""

    ARTICLES = "articles"
    PARAGRAPHS = "paragraphs"


class Contestant(Protocol):
    """A server with the articles of the store.

    It answers a search with the best 10 hits and their fields, marked text (three
    fragments of an article, or the whole paragraph), the exact total and three facets.
    """

    name: str

    def prepare(self) -> None:
        """Index the articles, unless an earlier run did."""

    def serving(self) -> AbstractContextManager[Server]:
        """The server, running for the length of a block."""

    def request(self, search: TimedSearch, hits: Hits) -> WebRequest:
        """The request for a search."""

    def total(self, answer: Any, hits: Hits) -> int:
        """Number of hits that an answer says there are, from its JSON."""
