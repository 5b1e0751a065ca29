"""The engine on a cluster: its indexes are read and written by many machines."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.article import Article
from index.engines.budget import SEARCH_MEMORY, SearchBudget, SearchMemory
from index.engines.engine import MEMORY, EngineState
from index.engines.opensearch.address import address_of
from index.engines.opensearch.cluster import Cluster, Refused
from index.engines.opensearch.commits import (
    Commit,
    Commits,
    Stored,
    now,
)
from index.engines.opensearch.mapping import VERSION
from index.engines.opensearch.rebuilding import PROBE, Generations
from index.engines.opensearch.searching import Counts
from index.engines.opensearch.snapshot import ClusterSnapshot
from index.engines.opensearch.words import Vocabulary
from index.engines.opensearch.writing import Writer
from index.errors import IndexDamaged, IndexMissing, IndexUnavailable
from index.text import ANALYZER_VERSION

_PROGRESS_SECONDS = 0.5
# How long sizes are kept, in seconds: the indexer asks for the state at each commit.
_SIZES_SECONDS = 5.0
# Points in time of older commits that stay open for searches under way. A node opens
# 300, one for each shard of an index that it holds.
_OLDER_POINTS = 40
_OLDER_SECONDS = 30.0
# Counts of the leaves of earlier searches.
_COUNTS_BYTES = 32_000_000


class ClusterEngine:
    """Indexes on an OpenSearch cluster; see :class:`index.engines.Engine`.

    Nothing is asked of the cluster until it is needed, so a service starts without it.
    """

    folder: Path | None = None

    def __init__(
        self,
        url: str,
        *,
        language: str,
        expansions: int,
        memory: int = MEMORY,
        search_memory: int = SEARCH_MEMORY,
    ) -> None:
        address = address_of(url)
        self.url = str(address)
        self.memory = memory
        self._language = language
        self._expansions = expansions
        self._cluster = Cluster(address)
        self._commits = Commits(self._cluster)
        self._generations = Generations(self._cluster, self._commits)
        self._budget = SearchBudget(search_memory)
        self._counts = Counts(_COUNTS_BYTES)
        self._newest: ClusterSnapshot | None = None
        self._lock = threading.Lock()
        # Of the writer: what is known of the words of a generation, and the points in
        # time of older commits, with the instants of their replacement.
        self._vocabulary: tuple[str, Vocabulary] | None = None
        self._older: deque[tuple[float, str]] = deque()
        self._sizes: tuple[float, str, tuple[int, int]] | None = None

    def snapshot(self) -> ClusterSnapshot:
        """Newest commit."""
        commit = self._readable().commit
        with self._lock:
            if self._newest is None or self._newest.token != commit.token:
                self._newest = ClusterSnapshot(
                    self._cluster,
                    self._commits,
                    commit,
                    expansions=self._expansions,
                    budget=self._budget,
                    counts=self._counts,
                )
            return self._newest

    def state(self) -> EngineState:
        """Counts and sequence number of the newest commit.

        :raises IndexUnavailable: the cluster cannot be asked; the index is not stale
            for that.
        """
        stored = self._commits.newest()
        progress = self._commits.progress()
        stale = self._stale(stored)
        if stale is None and stored is not None:
            commit = stored.commit
            try:
                segments, size = self._sizes_of(commit.generation)
            except IndexMissing:
                stale = "an index is missing; the indexer rebuilds it"
            else:
                return EngineState(
                    seq=commit.seq,
                    epoch=commit.epoch,
                    articles=commit.articles,
                    paragraphs=commit.paragraphs,
                    segments=segments,
                    bytes=size,
                    progress=progress,
                )
        return EngineState(
            seq=0, articles=0, paragraphs=0, stale=stale, progress=progress
        )

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        """Commit one batch: all of it or nothing, durable when this returns."""
        stored = self._readable()
        commit = stored.commit
        if not commit.dirty:
            stored = self._commits.replace(stored, replace(commit, dirty=True))
        if self._generations.remove_replaced(commit):
            commit = replace(commit, replaced=None)
        writer, vocabulary = self._writer(commit.generation)
        try:
            writer.put(puts, deletes, seq=seq)
        except BaseException:
            vocabulary.forget()
            raise
        new = self._commit(commit.generation, seq, commit.epoch, commit.replaced)
        self._publish(stored, writer, new)

    def rebuild(
        self,
        articles: Iterable[Article],
        *,
        seq: int,
        total: int,
        epoch: int | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Replace the whole index by these articles, in one commit."""
        self._commits.create()
        stored = self._commits.newest()
        kept = [] if stored is None else _generations_of(stored.commit)
        self._generations.remove_others(*kept)
        self._commits.write_progress(0.0)
        generation = self._generations.create()
        try:
            writer, _ = self._writer(generation)
            try:
                writer.put(self._with_progress(articles, total, progress), seq=seq)
                self._generations.replicate(generation)
            except BaseException:
                with suppress(IndexUnavailable, Refused):
                    self._generations.remove(generation)
                raise
            # If this fails, the commit may be stored nevertheless: what it names stays,
            # until the next rebuild knows.
            replaced = None if stored is None else (stored.commit.generation, now())
            self._publish(
                stored, writer, self._commit(generation, seq, epoch, replaced)
            )
        finally:
            self._commits.write_progress(None)

    def probe(self, article: Article) -> None:
        """Index an article alone, in indexes that are not searched, and remove it."""
        self._generations.create(PROBE)
        writer, _ = self._writer(PROBE)
        writer.put([article], seq=0)
        writer.put((), [article.id], seq=0)

    def check(self) -> Iterator[str]:
        """Yield a sentence for each index that is missing or is not whole."""
        stored = self._commits.newest()
        stale = self._stale(stored)
        if stored is None or stale is not None:
            yield stale or ""
            return
        for name in self._commits.generation(stored.commit.generation):
            rows = self._cluster.get(f"/_cat/indices/{name}?h=health&format=json")
            if rows is None:
                yield f"the index {name} is missing; the indexer rebuilds it"
            elif rows[0]["health"] == "red":
                yield (
                    f"the index {name} lacks a shard, since no node has a copy of it:"
                    " start the missing nodes"
                )

    def let_go(self) -> None:
        """Remove the indexes that a rebuild has replaced, once no search uses them."""
        with suppress(IndexUnavailable, Refused):
            stored = self._commits.newest()
            if stored is not None and stored.commit.replaced is not None:
                self._generations.remove_replaced(stored.commit)

    def cache_bytes(self) -> int:
        """Size of what this process keeps of the cluster, in bytes."""
        known = 0 if self._vocabulary is None else self._vocabulary[1].size
        return known + self._counts.bytes

    def search_memory(self) -> SearchMemory:
        """Memory that the searches under way in this process have reserved."""
        return self._budget.state()

    def close(self) -> None:
        """Close connections and free memory."""
        with self._lock:
            self._newest = self._vocabulary = None
        self._cluster.close()

    # Reading.

    def _readable(self) -> Stored:
        stored = self._commits.newest()
        stale = self._stale(stored)
        if stored is None or stale is not None:
            raise IndexUnavailable(stale or "", progress=self._commits.progress())
        return stored

    def _stale(self, stored: Stored | None) -> str | None:
        """Why the index must be rebuilt before it can be read, if it must."""
        if stored is None:
            return "there is no index yet; the indexer builds it"
        commit = stored.commit
        if (commit.mapping, commit.analyzer, commit.language) != (
            VERSION,
            ANALYZER_VERSION,
            self._language,
        ):
            return (
                "the index is of another version or language; the indexer rebuilds it"
            )
        return None

    def _sizes_of(self, generation: str) -> tuple[int, int]:
        """Segments and bytes of a generation, replicas included.

        :raises IndexMissing: one of its indexes is missing.
        """
        kept = self._sizes
        if kept and kept[1] == generation and time.monotonic() < kept[0]:
            return kept[2]
        names = ",".join(self._commits.generation(generation))
        answer = self._cluster.ask("GET", f"/{names}/_stats/store,segments")
        assert answer is not None, "404 is an error here"
        total: dict[str, Any] = answer["_all"]["total"]
        sizes = (
            int(total["segments"]["count"]),
            int(total["store"]["size_in_bytes"]),
        )
        self._sizes = (time.monotonic() + _SIZES_SECONDS, generation, sizes)
        return sizes

    # Writing.

    def _writer(self, generation: str) -> tuple[Writer, Vocabulary]:
        names = self._commits.generation(generation)
        if self._vocabulary is None or self._vocabulary[0] != generation:
            self._vocabulary = generation, Vocabulary(names.words)
        vocabulary = self._vocabulary[1]
        writer = Writer(self._cluster, names, vocabulary, language=self._language)
        return writer, vocabulary

    def _commit(
        self,
        generation: str,
        seq: int,
        epoch: int | None,
        replaced: tuple[str, float] | None,
    ) -> Commit:
        return Commit(
            generation=generation,
            seq=seq,
            epoch=epoch,
            mapping=VERSION,
            analyzer=ANALYZER_VERSION,
            language=self._language,
            replaced=replaced,
        )

    def _publish(self, stored: Stored | None, writer: Writer, commit: Commit) -> None:
        """Make what was written the newest commit."""
        try:
            writer.refresh()
            point = self._open_point(commit.generation)
            articles, paragraphs = self._sizes_at(point)
        except IndexMissing as error:
            raise IndexDamaged("one of its indexes is missing") from error
        self._commits.replace(
            stored,
            replace(commit, point=point, articles=articles, paragraphs=paragraphs),
        )
        if stored is not None:
            self._older.append((time.monotonic(), stored.commit.point))
        self._close_older(_OLDER_POINTS)

    def _open_point(self, generation: str) -> str:
        try:
            return self._commits.open_point(generation)
        except Refused:
            # There may be too many of them on a node.
            self._close_older(0)
            return self._commits.open_point(generation)

    def _close_older(self, most: int) -> None:
        """Close the points in time of older commits, but for so many young ones."""
        closed: list[str] = []
        oldest = time.monotonic() - _OLDER_SECONDS
        while self._older and (len(self._older) > most or self._older[0][0] < oldest):
            closed.append(self._older.popleft()[1])
        if closed:
            self._commits.close_points(closed)

    def _sizes_at(self, point: str) -> tuple[int, int]:
        """Numbers of articles and of paragraphs at a point in time."""
        body = {
            "size": 0,
            "track_total_hits": True,
            "pit": {"id": point},
            "aggs": {"paragraphs": {"sum": {"field": "paragraph_count"}}},
        }
        (answer,) = self._cluster.search([body], None)
        paragraphs = answer["aggregations"]["paragraphs"]["value"]
        return int(answer["hits"]["total"]["value"]), int(paragraphs)

    def _with_progress(
        self, articles: Iterable[Article], total: int, progress: Callable[[int], None]
    ) -> Iterator[Article]:
        written = time.monotonic()
        for done, article in enumerate(articles, 1):
            yield article
            if time.monotonic() - written > _PROGRESS_SECONDS:
                written = time.monotonic()
                self._commits.write_progress(min(1.0, done / max(total, 1)))
            progress(done)


def _generations_of(commit: Commit) -> list[str]:
    """The generations that searches may use."""
    replaced = () if commit.replaced is None else (commit.replaced[0],)
    return [commit.generation, *replaced]
