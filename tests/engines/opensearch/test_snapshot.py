"""Snapshots: all answers are of one commit, whatever is lost or written meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest
from engines.opensearch.conftest import Asked, Node

from index.engines.opensearch.cluster import Cluster
from index.engines.opensearch.commits import Commit, Commits, Stored
from index.engines.opensearch.snapshot import Point
from index.errors import IndexerRunning, IndexUnavailable

Connect = Callable[..., Cluster]
MOVED_ON = "changed while it was searched"


@dataclass
class Store:
    """What a cluster holds: a commit, and points in time that are open.

    :param on_open: done when a point in time is opened, after that.
    """

    commit: Commit
    number: int = 1
    open: set[str] = field(default_factory=set)
    on_open: Callable[[], None] = lambda: None

    def put(self, **changes: Any) -> None:
        self.commit = replace(self.commit, **changes)
        self.number += 1

    def __call__(self, asked: Asked) -> tuple[int, Any]:
        path, _, options = asked.path.partition("?")
        if path.endswith("/_search/point_in_time"):
            self.open.add(name := f"point {len(self.open)} of {self.commit.token}")
            self.on_open()
            return 200, {"pit_id": name}
        if path == "/_search":
            name = asked.lines[0]["pit"]["id"]
            if name not in self.open:
                error = {"type": "search_context_missing_exception", "reason": "x"}
                return 404, {"error": error}
            return 200, {"timed_out": False, "_shards": {"failed": 0}, "point": name}
        if asked.method == "PUT":
            if f"if_seq_no={self.number}&" not in f"{options}&":
                error = {"type": "version_conflict_engine_exception", "reason": "x"}
                return 409, {"error": error}
            self.number += 1
        return 200, {
            "_source": asdict(self.commit),
            "_seq_no": self.number,
            "_primary_term": 1,
        }


@pytest.fixture
def store(node: Node) -> Store:
    """A cluster with one commit."""
    store = Store(Commit(generation="1", seq=4, point="first"), open={"first"})
    node.will(store)
    return store


@pytest.fixture
def commits(node: Node, connect: Connect, store: Store) -> Commits:
    return Commits(connect(node))


@pytest.fixture
def point(node: Node, connect: Connect, commits: Commits, store: Store) -> Point:
    return Point(connect(node), commits, store.commit)


def test_the_point_in_time_of_the_commit_is_searched(point: Point) -> None:
    assert point.ask({}, None)["point"] == "first"


def test_a_commit_is_read_as_it_was_stored(commits: Commits, store: Store) -> None:
    store.put(replaced=("0", 12.5), dirty=True, epoch=3)
    assert commits.newest() == Stored(store.commit, store.number, 1)


def test_a_lost_point_in_time_is_opened_again_once(
    point: Point, store: Store, node: Node
) -> None:
    store.open.clear()
    again = point.ask({}, None)["point"]
    assert again != "first"
    assert point.ask({}, None)["point"] == again
    assert sum(path.endswith("/point_in_time") for path in node.paths) == 1


def test_nothing_is_opened_while_a_batch_is_written(
    point: Point, store: Store, node: Node
) -> None:
    store.open.clear()
    store.put(dirty=True)
    with pytest.raises(IndexUnavailable, match="is being written"):
        point.ask({}, None)
    assert not store.open


def test_what_was_opened_while_a_batch_began_is_not_used(
    point: Point, store: Store
) -> None:
    store.open.clear()
    store.on_open = lambda: store.put(dirty=True)
    with pytest.raises(IndexUnavailable, match="is being written"):
        point.ask({}, None)


def test_a_snapshot_does_not_become_a_newer_commit(point: Point, store: Store) -> None:
    store.open.clear()
    store.put(token="another", seq=5)
    with pytest.raises(IndexUnavailable, match=MOVED_ON):
        point.ask({}, None)


def test_a_snapshot_does_not_become_a_commit_of_the_meantime(
    point: Point, store: Store
) -> None:
    store.open.clear()
    store.on_open = lambda: store.put(token="another", seq=5)
    with pytest.raises(IndexUnavailable, match=MOVED_ON):
        point.ask({}, None)


def test_of_two_indexers_one_is_refused(commits: Commits, store: Store) -> None:
    one = other = commits.newest()
    commits.replace(one, replace(store.commit, seq=5))
    with pytest.raises(IndexerRunning):
        commits.replace(other, replace(store.commit, seq=5))
