"""Rebuilds: a generation gets its replicas once all of it is written."""

from __future__ import annotations

import json

from engines.opensearch.conftest import Asked, Node

from index.engines.opensearch import rebuilding
from index.engines.opensearch.address import address_of
from index.engines.opensearch.cluster import Cluster
from index.engines.opensearch.commits import Commits
from index.engines.opensearch.rebuilding import Generations

NAMES = "t-articles-0123456789ab,t-words-0123456789ab"
CREATED = (200, {"shards_acknowledged": True})
DONE = (200, {"acknowledged": True})


def generations(node: Node, replicas: int) -> Generations:
    url = f"opensearch+http://127.0.0.1:{node.port}/t?replicas={replicas}"
    cluster = Cluster(address_of(url))
    return Generations(cluster, Commits(cluster))


def health(status: str, *, initializing: int = 0, asked: int = 0) -> tuple[int, object]:
    return 200, {
        "status": status,
        "initializing_shards": initializing,
        "number_of_in_flight_fetch": asked,
    }


def replicas_in(asked: Asked) -> int:
    return int(json.loads(asked.body)["settings"]["index"]["number_of_replicas"])


def test_a_new_generation_has_no_replicas_yet(node: Node) -> None:
    node.will(CREATED)
    generations(node, 2).create("0123456789ab")
    assert [replicas_in(asked) for asked in node.asked] == [0, 0]


def test_replicas_copy_files_and_are_waited_for(node: Node, quick: list[float]) -> None:
    node.will(
        *(DONE, DONE, health("yellow", asked=1), health("yellow", initializing=3)),
        health("green"),
    )
    generations(node, 2).replicate("0123456789ab")
    flush, settings, *_ = node.asked
    assert flush.path == f"/{NAMES}/_flush"
    assert settings.path == f"/{NAMES}/_settings"
    assert json.loads(settings.body) == {"index": {"number_of_replicas": 2}}
    assert node.paths[2:] == [f"/_cluster/health/{NAMES}"] * 3
    assert len(quick) == 2


def test_a_replica_that_no_node_can_take_is_not_waited_for(
    node: Node, quick: list[float]
) -> None:
    node.will(health("yellow"))
    generations(node, 1).replicate("0123456789ab")
    assert len(quick) == rebuilding._IDLE_LOOKS


def test_without_replicas_nothing_is_asked(node: Node) -> None:
    generations(node, 0).replicate("0123456789ab")
    assert not node.asked
