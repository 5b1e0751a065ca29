"""The snapshot of a commit: searches of its point in time, and of nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from index.deadline import Deadline
from index.engines.budget import SearchBudget
from index.engines.opensearch.cluster import Cluster
from index.engines.opensearch.commits import KEEP_ALIVE, Commit, Commits
from index.engines.opensearch.searching import Counts, View, search
from index.engines.opensearch.words import Words
from index.engines.result import Page, WordCount
from index.errors import IndexMissing, IndexUnavailable, PointLost
from index.query import Search

_MOVED_ON = "the index changed while it was searched; try again"


class Point:
    """The point in time of a commit, opened again if it is lost.

    All snapshots of a commit in a process share it.
    """

    def __init__(self, cluster: Cluster, commits: Commits, commit: Commit) -> None:
        self._cluster, self._commits, self._commit = cluster, commits, commit
        self._name = commit.point
        self._lock = threading.Lock()

    def ask(self, body: dict[str, Any], deadline: Deadline | None) -> dict[str, Any]:
        """Whole answer to a search."""
        return self.ask_many([body], deadline)[0]

    def ask_many(
        self, bodies: Sequence[dict[str, Any]], deadline: Deadline | None
    ) -> list[dict[str, Any]]:
        """Whole answers to searches, in one request.

        :raises IndexUnavailable: the commit is no longer the newest one, and its point
            in time is gone.
        """
        for _ in range(2):
            name = self._name
            pit = {"id": name, "keep_alive": KEEP_ALIVE}
            try:
                return self._cluster.search(
                    [{**body, "pit": pit} for body in bodies], deadline
                )
            except (IndexMissing, PointLost):
                self._reopen(name, deadline)
        raise IndexUnavailable(_MOVED_ON)

    def _reopen(self, lost: str, deadline: Deadline | None) -> None:
        with self._lock:
            if self._name != lost:
                return  # another thread did it
            try:
                self._check(deadline)
                name = self._commits.open_point(self._commit.generation, deadline)
                # Nothing was written since before it was opened.
                self._check(deadline)
            except IndexMissing as error:
                raise IndexUnavailable(_MOVED_ON) from error
            self._name = name

    def _check(self, deadline: Deadline | None) -> None:
        """Check that all shards show just this commit: nothing was written after it."""
        newest = self._commits.newest(deadline)
        if newest is None or newest.commit.token != self._commit.token:
            raise IndexUnavailable(_MOVED_ON)
        if newest.commit.dirty:
            raise IndexUnavailable("the index is being written; try again")


class ClusterSnapshot:
    """One commit; see :class:`index.engines.Snapshot`."""

    def __init__(
        self,
        cluster: Cluster,
        commits: Commits,
        commit: Commit,
        *,
        expansions: int,
        budget: SearchBudget,
        counts: Counts,
    ) -> None:
        self.seq, self.epoch, self.token = commit.seq, commit.epoch, commit.token
        self._budget = budget
        point = Point(cluster, commits, commit)
        words = commits.generation(commit.generation).words
        self._words = Words(cluster, words, point.ask_many)
        self._view = View(
            token=commit.token,
            seq=commit.seq,
            expansions=expansions,
            counts=counts,
            ask=point.ask,
            ask_many=point.ask_many,
            expand=self._words.expand,
        )

    def search(self, search_: Search) -> Page:
        """Answer a search."""
        return search(self._view, search_)

    def reserved(self, size: int, search: Search) -> AbstractContextManager[None]:
        """Memory of the budget, for the answer to a search."""
        budget, deadline = self._budget, search.deadline
        return budget.reserved(
            min(size, budget.limit), None if deadline is None else deadline.at
        )

    def names(
        self, field: str, typed: Sequence[str], search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Values of a field with words that start with the typed ones, in any order."""
        return self._words.names(field, typed, search, limit)

    def completions(
        self, prefix: str, search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Words that start with a folded prefix, most frequent first."""
        return self._words.completions(prefix, search, limit)

    def corrections(self, form: str, search: Search) -> Iterator[str]:
        """Yield words of visible articles that ``form`` may be a misspelling of."""
        yield from self._words.corrections(form, search)
