"""Commits: which index is read, up to which seq, and through which point in time.

A refresh of an index is not atomic: one shard shows a batch before another does. So one
document, the commit, says what counts. The indexer marks it as dirty before it writes a
batch; then it writes, refreshes, opens a point in time, and replaces the commit by one
that names it. Readers search that point in time, so they see a batch as a whole or not
at all. A point in time that is lost can be opened again only while the commit is
not dirty, for then all shards show just what was committed.

Every replacement is a compare-and-set, so of two indexers at once one is refused.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from index.deadline import Deadline
from index.engines.opensearch.cluster import Cluster, Refused
from index.errors import IndexerRunning, IndexUnavailable

# How long a point in time lives after it was last searched.
KEEP_ALIVE = "10m"
# How long the indexes of an older generation stay for searches under way, in seconds.
GRACE_SECONDS = 60.0


class Generation(NamedTuple):
    """The names of the indexes that one rebuild made."""

    articles: str
    words: str


def alias_of(index: str) -> str:
    """The alias of an index, which it is written by."""
    return f"{index}-written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A committed state of the index.

    :param generation: random name of the rebuild that made the indexes.
    :param token: random name of the commit.
    :param mapping: version of the mapping and of the documents.
    :param analyzer: version of the text analysis.
    :param language: of articles without a language.
    :param point: the point in time of the articles.
    :param dirty: whether a batch has been begun since.
    :param replaced: generation before this one, and when it was replaced, in seconds
        since 1970; its indexes are removed later.
    """

    generation: str = ""
    seq: int = 0
    epoch: int | None = None
    mapping: int = 0
    analyzer: int = 0
    language: str = ""
    articles: int = 0
    paragraphs: int = 0
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    point: str = ""
    dirty: bool = False
    replaced: tuple[str, float] | None = None


_FIELDS = frozenset(each.name for each in fields(Commit))


class Stored(NamedTuple):
    """A commit as it is stored, with what a compare-and-set compares."""

    commit: Commit
    seq_no: int
    primary_term: int


class Commits:
    """The document of the newest commit, and the progress of a rebuild."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._prefix = cluster.address.prefix
        self.index = f"{self._prefix}-commit"

    def generation(self, name: str) -> Generation:
        """Names of the indexes of a generation."""
        return Generation(
            *(f"{self._prefix}-{kind}-{name}" for kind in Generation._fields)
        )

    def newest(self, deadline: Deadline | None = None) -> Stored | None:
        """The newest commit, ``None`` if there is none.

        Of one that another release wrote, what this one does not know is left out.

        :raises IndexUnavailable: it cannot be read now.
        """
        found = self._cluster.get(f"/{self.index}/_doc/commit", deadline=deadline)
        if found is None:
            return None
        source: dict[str, Any] = found["_source"]
        values = {name: value for name, value in source.items() if name in _FIELDS}
        if values.get("replaced") is not None:
            values["replaced"] = tuple(values["replaced"])
        return Stored(Commit(**values), found["_seq_no"], found["_primary_term"])

    def create(self) -> None:
        """Create the index of the commit if it is missing."""
        settings = {
            "number_of_shards": 1,
            "number_of_replicas": self._cluster.address.replicas,
        }
        body = {"settings": settings, "mappings": {"enabled": False}}
        try:
            self._cluster.ask("PUT", f"/{self.index}", body, repeat=False)
        except Refused as error:
            if error.kind != "resource_already_exists_exception":
                raise

    def replace(self, previous: Stored | None, commit: Commit) -> Stored:
        """Store a commit in place of the one that was read.

        :raises IndexerRunning: another process has replaced that one.
        :raises IndexUnavailable: it is not known whether the commit was stored.
        """
        path = f"/{self.index}/_create/commit"
        if previous is not None:
            path = (
                f"/{self.index}/_doc/commit?if_seq_no={previous.seq_no}"
                f"&if_primary_term={previous.primary_term}"
            )
        try:
            answer = self._cluster.ask("PUT", path, asdict(commit), repeat=False)
        except Refused as error:
            if error.status == 409:
                raise IndexerRunning(f"the index {self._prefix}") from error
            raise
        assert answer is not None, "only a GET may find nothing"
        return Stored(commit, answer["_seq_no"], answer["_primary_term"])

    # Points in time.

    def open_point(self, generation: str, deadline: Deadline | None = None) -> str:
        """Open a point in time of the articles of a generation; return its name.

        :raises IndexMissing: the index is missing.
        :raises IndexUnavailable: a shard is not there now.
        """
        index = self.generation(generation).articles
        answer = self._cluster.ask(
            "POST",
            f"/{index}/_search/point_in_time?keep_alive={KEEP_ALIVE}"
            "&allow_partial_pit_creation=false",
            deadline=deadline,
        )
        assert answer is not None, "only a GET may find nothing"
        return str(answer["pit_id"])

    def close_points(self, points: list[str]) -> None:
        """Close points in time; those that are gone already do not matter."""
        with suppress(IndexUnavailable, Refused):  # they end by themselves
            self._cluster.ask(
                "DELETE", "/_search/point_in_time", {"pit_id": points}, missing_ok=True
            )

    # The progress of a rebuild.

    def progress(self) -> float | None:
        """Share of a rebuild that is done, ``None`` if none is running."""
        found = self._cluster.get(f"/{self.index}/_doc/rebuild")
        return None if found is None else float(found["_source"]["done"])

    def write_progress(self, done: float | None) -> None:
        """Record which share of a rebuild is done, or with ``None`` that it is over.

        Nothing depends on this, so errors are ignored.
        """
        path = f"/{self.index}/_doc/rebuild"
        with suppress(IndexUnavailable, Refused):
            if done is None:
                self._cluster.ask("DELETE", path, missing_ok=True)
            else:
                self._cluster.ask("PUT", path, {"done": round(done, 4)})


def now() -> float:
    """Seconds since 1970."""
    return time.time()
