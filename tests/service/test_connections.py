"""Connections are shared by the workers: each goes to the one with the fewest open."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from faults.cluster import HOST, Cluster, running
from waiting import until

from service.connections import PATIENCE_SECONDS, SURPLUS, Connections, Share

EVENTS = {"Accept": "text/event-stream"}


def workers(*opened: int) -> list[Share]:
    """Rows of one table, for accepting workers with so many connections."""
    table = Connections()
    shares = [table.join() for _ in opened]
    for share, number in zip(shares, opened, strict=True):
        share.open = number
        share.accepting(True)
    return shares


def take(share: Share) -> None:
    share.accepted()
    share.open += 1


def test_a_connection_is_left_to_the_worker_with_fewer_open() -> None:
    one, other = workers(2, 1)
    assert one.yields(0)
    assert not other.yields(0)
    take(other)
    assert not one.yields(0.001)
    assert not one.yields(0.002)
    assert not other.yields(0.002)


def test_a_worker_that_is_alone_takes_every_connection() -> None:
    (only,) = workers(9)
    assert not only.yields(0)


def test_nobody_waits_for_a_worker_that_accepts_nothing() -> None:
    one, other = workers(2, 1)
    other.accepting(False)  # it is at its limit, or it ends
    assert not one.yields(0)
    other.accepting(True)
    assert one.yields(1)
    other.accepting(False)
    assert not one.yields(1.001)


def test_a_worker_that_hangs_is_waited_for_only_once() -> None:
    one, other = workers(2, 1)
    assert one.yields(0)
    assert one.yields(PATIENCE_SECONDS * 0.9)
    assert not one.yields(PATIENCE_SECONDS * 1.1)
    for later in (1, 2, 3):
        take(one)
        assert not one.yields(later)
    take(other)
    assert one.yields(4)


def test_short_waits_for_a_worker_that_takes_nothing_add_up() -> None:
    one, _ = workers(2, 1)
    waits = 0
    while one.yields(waits):
        one.yields(waits + PATIENCE_SECONDS / 4)
        one.open = 1  # a connection of its own is closed
        assert not one.yields(waits + PATIENCE_SECONDS / 2)
        one.open = 2
        waits += 1
        assert waits < 6
    assert waits > 1


def test_a_worker_with_far_more_connections_ends_some() -> None:
    one, other = workers(SURPLUS, 0)
    assert not one.has_surplus()
    one.open += 1
    assert one.has_surplus()
    assert not other.has_surplus()
    other.accepting(False)
    assert not one.has_surplus()


def test_no_connection_is_ended_for_a_worker_that_hangs() -> None:
    one, other = workers(8, 0)
    assert one.has_surplus()
    assert one.yields(0)
    assert not one.yields(PATIENCE_SECONDS * 1.1)
    assert not one.has_surplus()
    take(other)
    assert one.has_surplus()


def test_others_go_on_when_a_worker_has_died() -> None:
    one, other = workers(2, 1)
    assert one.yields(0)
    other.leave()
    assert not one.yields(0.001)
    assert one.open_by_worker() == {1: 2}


def test_a_worker_that_replaces_a_dead_one_begins_with_no_connection() -> None:
    table = Connections()
    one, other = table.join(), table.join()
    for share in (one, other):
        share.accepting(True)
        share.open = 5
    take(one)
    assert one.yields(0)
    assert not one.yields(PATIENCE_SECONDS * 2)
    other.leave()
    other = table.join()
    assert table.open_by_worker() == {1: 6, 2: 0}
    assert not one.yields(1)  # it does not accept yet
    other.accepting(True)
    assert one.yields(2)


def test_more_workers_than_the_table_has_rows_are_served_alone() -> None:
    table = Connections(2)
    shares = [table.join() for _ in range(3)]
    for number, share in enumerate(shares):
        share.open = number
        share.accepting(True)
    assert table.open_by_worker() == {1: 0, 2: 1}
    assert [share.yields(0) for share in shares] == [False, True, False]


def get(client: HTTPConnection, path: str) -> str:
    """Body of an answer, which must be a success; the connection stays open."""
    client.request("GET", path)
    answer = client.getresponse()
    assert answer.status == 200
    return answer.read().decode()


def open_connections(client: HTTPConnection) -> dict[str, int]:
    """Open connections of each worker, as /metrics shows them."""
    lines = re.findall(
        r'nutgraf_open_connections\{worker="(\d+)"\} (\d+)', get(client, "/metrics")
    )
    return {worker: int(number) for worker, number in lines}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers, without an indexer."""
    folder = tmp_path_factory.mktemp("connections") / "data"
    with running(folder, indexer=False, NUTGRAF_ENGINE="memory:") as cluster:
        until(lambda: both_accept(cluster), "both workers accept", 30)
        yield cluster


@contextmanager
def connected(cluster: Cluster, number: int = 1) -> Iterator[list[HTTPConnection]]:
    """Clients that connect at once, and keep their connections."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(closing(HTTPConnection(HOST, cluster.port, timeout=30)))
            for _ in range(number)
        ]
        for client in clients:
            client.connect()
        for client in clients:
            get(client, "/healthz")
        yield clients


def both_accept(cluster: Cluster) -> bool:
    with connected(cluster, 2) as clients:
        return list(open_connections(clients[0]).values()) == [1, 1]


def none_is_open(cluster: Cluster) -> bool:
    with connected(cluster) as (client,):
        return sum(open_connections(client).values()) == 1


@pytest.mark.slow
def test_connections_that_come_together_keep_both_workers_at_work(
    cluster: Cluster,
) -> None:
    for _ in range(10):
        until(lambda: none_is_open(cluster), "all connections are closed")
        with connected(cluster, 8) as clients:
            counts = open_connections(clients[0])
            assert sum(counts.values()) == 8
            assert min(counts["1"], counts["2"]) >= 2, counts


@pytest.mark.slow
def test_a_stream_of_changes_counts_as_an_open_connection(cluster: Cluster) -> None:
    until(lambda: none_is_open(cluster), "all connections are closed")
    with connected(cluster, 2) as streams:
        for stream in streams:
            stream.request("GET", "/v1/changes", headers=EVENTS)
            assert stream.getresponse().status == 200
        with connected(cluster) as (client,):
            assert sorted(open_connections(client).values()) == [1, 2]


@pytest.mark.slow
def test_connections_do_not_wait_for_a_worker_that_hangs(cluster: Cluster) -> None:
    until(lambda: none_is_open(cluster), "all connections are closed")
    hanging, _ = cluster.workers()
    os.kill(hanging, signal.SIGSTOP)
    try:
        with connected(cluster, 8) as clients:
            assert 8 in open_connections(clients[0]).values()
    finally:
        os.kill(hanging, signal.SIGCONT)


@pytest.mark.slow
def test_a_worker_that_dies_or_is_replaced_leaves_no_count(tmp_path: Path) -> None:
    with running(tmp_path / "data", indexer=False, NUTGRAF_ENGINE="memory:") as cluster:
        before = cluster.workers()
        with connected(cluster, 8):
            os.kill(before[0], signal.SIGKILL)
            until(lambda: replaced(cluster, before[:1]), "there is a new worker")
        until(lambda: both_accept(cluster), "nothing is counted of the dead", 30)
        before = cluster.workers()
        os.kill(cluster.master, signal.SIGHUP)
        until(lambda: replaced(cluster, before), "all workers are new")
        until(lambda: both_accept(cluster), "nothing is counted of the old", 30)


@pytest.mark.slow
def test_clients_that_one_worker_has_move_to_a_new_worker(cluster: Cluster) -> None:
    until(lambda: none_is_open(cluster), "all connections are closed")
    stopped, _ = cluster.workers()
    os.kill(stopped, signal.SIGSTOP)
    try:
        with connected(cluster, 8) as clients:
            assert 8 in open_connections(clients[0]).values()
            os.kill(stopped, signal.SIGKILL)
            until(lambda: replaced(cluster, [stopped]), "there is a new worker")

            def even() -> bool:
                for client in clients:
                    get(client, "/healthz")  # connects again if it must
                return min(open_connections(clients[0]).values()) >= 2

            until(even, "the new worker has some of them", 30)
    finally:
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)


def replaced(cluster: Cluster, workers: list[int]) -> bool:
    """Whether none of these workers runs, and others are at full strength."""
    return not set(workers) & set(cluster.workers()) and cluster.at_full_strength()
