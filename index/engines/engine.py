"""The engine seam: what an engine promises, and how one is opened.

An engine holds nothing that the store does not: it can be deleted at any time and built
again. One process writes (the indexer), any number read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.article import Article
from index.engines.result import Page, WordCount
from index.query import Search

# What articles may take on their way into an index on disk, where nothing else is set.
MEMORY = 512 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """What an engine holds.

    :param seq: the newest change applied; 0 for none.
    :param epoch: of the store's history that it was built from, if it knows.
    :param stale: why it must be rebuilt before it can be read, ``None`` if it need not.
    :param progress: share of a rebuild that is done, where one is under way.
    """

    seq: int
    articles: int
    paragraphs: int
    epoch: int | None = None
    segments: int = 0
    bytes: int = 0
    stale: str | None = None
    progress: float | None = None


class Snapshot(Protocol):
    """One committed state of an engine; every answer it gives comes from that state.

    Safe to use from several threads. Costs nothing to drop.
    """

    @property
    def seq(self) -> int:
        """The newest change of the store that it includes."""

    @property
    def epoch(self) -> int | None:
        """Which of the store's histories ``seq`` is of; ``None`` if it was not told."""

    def search(self, search: Search) -> Page:
        """Return what matches.

        :raises SearchTimeout: the deadline passed.
        :raises LimitExceeded: a wildcard stands for too many words, or a date facet
            has too many buckets.
        """

    def words(self, prefix: str, search: Search, limit: int) -> tuple[WordCount, ...]:
        """Return the words that start with a folded prefix, commonest first.

        Only words of visible articles, counted in visible articles; of ``search`` only
        ``now``, ``reader``, ``hidden``, ``places`` and ``deadline`` are used.
        """

    def similar(self, form: str, search: Search) -> str | None:
        """Return the word of visible articles that ``form`` is a slip from.

        At most 1 edit away for words of up to 4 letters, 2 beyond; the nearest, of
        those the commonest, of those the first. ``None`` if there is none.
        """


class Engine(Protocol):
    """An index of articles.

    :ivar folder: where it lies on a disk, ``None`` if it does not; absolute.
    """

    url: str
    folder: Path | None

    def snapshot(self) -> Snapshot:
        """Return the newest committed state.

        :raises IndexUnavailable: there is none that can be read.
        """

    def state(self) -> EngineState:
        """Return what the engine holds, from its newest committed state."""

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        """Commit one batch: all of it or nothing, durable when this returns.

        An article replaces the one of its id. No id stands twice in a batch, nor in
        both lists. Each article has a version.
        """

    def rebuild(
        self,
        articles: Iterable[Article],
        *,
        seq: int,
        total: int,
        epoch: int | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Replace everything by these articles, in one commit; readers go on meanwhile.

        :param epoch: which of the store's histories ``seq`` is of; it holds for what is
            applied from here on.
        :param total: how many articles will come, for progress only.
        :param progress: called now and then with the number of articles done.
        """

    def check(self) -> Iterator[str]:
        """Yield a sentence for everything in its files that is not what was written.

        All of them are read; what an article should be only the store knows.
        """

    def cache_bytes(self) -> int:
        """Return what this process keeps of earlier searches, for later ones."""

    def close(self) -> None:
        """Let go of files and memory."""


OTHER_HISTORY = (
    "the index was built from another store, or before a backup was restored"
)


def of_one_history(index: EngineState | Snapshot, epoch: int) -> bool:
    """Return whether the sequence numbers of an index are those of a store.

    An engine that holds nothing yet, or was built before stores had a history of their
    own, goes with any store.
    """
    return index.epoch is None or index.epoch == epoch
