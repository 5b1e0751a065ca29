"""The interface of an engine, and of a snapshot of its index.

An engine stores nothing that the store does not have: its index can be deleted at any
time and rebuilt. One process writes (the indexer), any number read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.article import Article
from index.engines.budget import SearchMemory
from index.engines.result import Page, WordCount
from index.query import Search

# Default memory of articles on their way into an index on disk, in bytes.
MEMORY = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """The state of an index.

    :param seq: the newest change of the store that was applied; 0 for none.
    :param epoch: the history of the store that ``seq`` belongs to, if it is known.
    :param stale: why the index must be rebuilt before it can be read, or ``None``.
    :param progress: share of a rebuild that is done, ``None`` if none is running.
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
    """An immutable committed state of an index, which all its answers come from.

    Several threads may use it. It need not be closed.
    """

    @property
    def seq(self) -> int:
        """Newest change of the store in the snapshot."""

    @property
    def epoch(self) -> int | None:
        """History of the store that ``seq`` belongs to, ``None`` if it is unknown."""

    @property
    def token(self) -> str:
        """Random name of the commit: two commits of one seq have different ones.

        It is ``""`` before the first commit.
        """

    def search(self, search: Search) -> Page:
        """Answer a search.

        With the statistics of an earlier page, an article that has not changed since
        has the score that it had then: following ``after`` neither repeats nor leaves
        out such an article, whatever else was indexed in between.

        :raises SearchTimeout: the deadline passed.
        :raises SearchMemoryUsed: other searches take the memory that it needs.
        :raises LimitExceeded: a date facet has too many buckets, or the search needs
            more memory than all searches together may take.
        :raises InvalidQuery: a wildcard stands for too many words.
        """

    def reserved(self, size: int, search: Search) -> AbstractContextManager[None]:
        """Memory of the searches, reserved for the answer to one for a block.

        :param size: bytes; above the memory of all searches together, all of it.
        :raises SearchMemoryUsed: other searches take the memory.
        """

    def names(
        self, field: str, typed: Sequence[str], search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Values of a field with words that start with the typed ones, in any order.

        Those whose first word starts with the first typed one come first; then the most
        frequent; then the first by value without accents. Only visible articles count.

        :param field: of kind keyword.
        :param typed: folded words of :func:`index.text.typed_words`, at least one. Each
            starts a word of its own.
        :param search: see :meth:`completions`.
        """

    def completions(
        self, prefix: str, search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Words that start with a folded prefix, most frequent first.

        Only visible articles count. Of ``search`` only ``now``, ``reader``, ``hidden``,
        ``places`` and ``deadline`` are used.
        """

    def corrections(self, form: str, search: Search) -> Iterator[str]:
        """Yield words of visible articles that ``form`` may be a misspelling of.

        They are at most 1 edit away if ``form`` has up to 4 letters, else 2. The
        closest come first; of equally close words the most frequent, then the first.
        Of ``search`` the same is used as by :meth:`completions`.
        """


class Engine(Protocol):
    """An index of articles.

    :ivar folder: absolute path of the index, ``None`` if it is not on a disk.
    :ivar memory: budget in bytes for articles on their way into the index.
    """

    url: str
    folder: Path | None
    memory: int

    def snapshot(self) -> Snapshot:
        """Snapshot of the newest committed state.

        :raises IndexUnavailable: there is none that can be read.
        """

    def state(self) -> EngineState:
        """State of the index: its newest commit, sizes, and a rebuild's progress."""

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        """Commit one batch: all of it or nothing, durable when this returns.

        An article replaces the one with its id. An id occurs once in a batch, in only
        one of the two lists. Each article has a version.
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
        """Replace the whole index by these articles, in one commit.

        Readers can search the old index until then.

        :param epoch: the history of the store that ``seq`` belongs to, as will those of
            later batches.
        :param total: expected number of articles, for progress only.
        :param progress: called now and then with the number of articles done.
        """

    def probe(self, article: Article) -> None:
        """Do for an article what indexing it alone takes, and drop the result.

        It raises what :meth:`apply` would raise for the article.
        """

    def check(self) -> Iterator[str]:
        """Yield a sentence for each damaged part of the files, by reading all of them.

        It does not compare articles with the store.
        """

    def let_go(self) -> None:
        """Let go of files that a newer commit has removed; open nothing for it.

        A process that is asked nothing would keep them, and their words, on the disk.
        """

    def cache_bytes(self) -> int:
        """Size of this process's caches of earlier searches, in bytes."""

    def search_memory(self) -> SearchMemory:
        """Memory that the searches under way in this process have reserved."""

    def close(self) -> None:
        """Close files and free memory."""


OTHER_HISTORY = (
    "the index was built from another store, or before a backup was restored"
)


def of_one_history(index: EngineState | Snapshot, epoch: int) -> bool:
    """Whether the sequence numbers of an index are those of a store.

    True for an empty index, and for one that was built before stores had histories.
    """
    return index.epoch is None or index.epoch == epoch
