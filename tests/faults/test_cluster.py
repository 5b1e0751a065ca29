"""A service whose nodes of OpenSearch are killed, parted, busy, or slow.

0 acknowledged writes are lost and 0 answers are wrong; what is killed stays so, at
once; and where there is no answer it is 503 with ``Retry-After``, never an empty page.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from faults.amounts import chance
from faults.cluster import path_of
from faults.trial import LATE, SECONDS, trial
from real import opensearch
from real.amounts import FULL, amount
from real.keeper import shared_nodes
from real.opensearch import Nodes, new_prefix
from real.proxy import Gate, Wire, half_of_bulks, passes, refuses
from waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.opensearch,
    pytest.mark.skipif(not FULL, reason="at length only (make cluster)"),
]


@pytest.fixture
def prefix() -> Iterator[str]:
    """Prefix of indexes on the nodes that all tests share; they are removed."""
    prefix = new_prefix()
    yield prefix
    shared_nodes().remove(prefix)


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    """A wire before each of the nodes that all tests share."""
    with ExitStack() as opened:
        yield [opened.enter_context(Wire(n.port)) for n in shared_nodes().nodes]


@pytest.fixture
def gates() -> Iterator[list[Gate]]:
    """A gate before each of the nodes that all tests share."""
    with ExitStack() as opened:
        yield [opened.enter_context(Gate(n.port)) for n in shared_nodes().nodes]


@pytest.mark.parametrize("loss", ["cut", "lose"])
def test_a_service_parted_from_its_nodes_keeps_writes_and_refuses_searches(
    tmp_path: Path, prefix: str, wires: list[Wire], loss: str
) -> None:
    url = shared_nodes().url(prefix, ports=[wire.port for wire in wires])
    with (
        trial(loss, tmp_path / "data", NUTGRAF_ENGINE=url) as tried,
        tried.under_load() as witnesses,
    ):
        for _ in range(amount(1, 10)):
            before = witnesses.answers()
            until(lambda: witnesses.answers() > before + 3, "searches", LATE)  # noqa: B023
            for wire in wires:
                getattr(wire, loss)()
            until(lambda: not tried.answers(), "no node answers", LATE)
            body = {"headline": "Later", "paragraphs": ["Stored meanwhile."]}
            stored = tried.client.ask("PUT", path_of("later"), body)
            assert stored.status == 200
            killed = tried.client.ask("POST", path_of("later", "kill"), {})
            assert killed.status == 200
            for kind in ({}, {"unit": "paragraph"}, {"q": "meanwhile"}):
                tried.refused(**kind)
            assert tried.client.ask("GET", path_of("stamped-0")).status == 200
            assert tried.client.ask("GET", path_of("later")).status == 410
            for wire in wires:
                wire.mend()
            until(tried.answers, "searches are answered again", LATE)
        tried.besides.add("later")


def test_busy_nodes_and_half_failed_bulks_lose_nothing(
    tmp_path: Path, prefix: str, gates: list[Gate]
) -> None:
    url = shared_nodes().url(prefix, ports=[gate.port for gate in gates])
    rules = {
        "half of all bulks": half_of_bulks,
        "no bulk": refuses(429, "/_bulk"),
        "no search": refuses(429, "/_search", "/_msearch"),
        "nothing": refuses(503, "", headers=(("Retry-After", "1"),)),
        "half of all bulks again": half_of_bulks,
    }
    with (
        trial("busy", tmp_path / "data", NUTGRAF_ENGINE=url) as tried,
        tried.under_load() as seen,
    ):
        for _ in range(amount(1, 5)):
            for refuses_searches, rule in [
                (name in ("no search", "nothing"), rule) for name, rule in rules.items()
            ]:
                changed = sum(gate.changed for gate in gates)
                for gate in gates:
                    gate.rule = rule
                if refuses_searches:
                    until(lambda: not tried.answers(), "searches are refused", LATE)
                    tried.refused()
                until(
                    lambda: sum(gate.changed for gate in gates) > changed + 1,  # noqa: B023
                    "something is refused",
                    LATE,
                )
                time.sleep(0.3)
                for gate in gates:
                    gate.rule = passes
                until(tried.answers, "searches are answered again", LATE)
    assert seen.stamper.written > 5


def test_slow_nodes_make_searches_end_at_their_deadline(
    tmp_path: Path, prefix: str, wires: list[Wire]
) -> None:
    url = shared_nodes().url(prefix, ports=[wire.port for wire in wires])
    with (
        trial("slow", tmp_path / "data", NUTGRAF_ENGINE=url) as tried,
        tried.under_load(),
    ):
        for wire in wires:
            wire.delay(0.05)  # as far away as another continent
        until(tried.answers, "searches are answered, if slowly", LATE)
        for wire in wires:
            wire.delay(SECONDS)
        begun = time.monotonic()
        assert tried.refused().json["code"] in ("search_timeout", "index_unavailable")
        assert time.monotonic() - begun < 2 * SECONDS + LATE
        for wire in wires:
            wire.mend()
        until(tried.answers, "searches are answered again", LATE)


# With three nodes of their own, which are processes that can be killed.


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Three nodes, of which each test leaves all running."""
    with opensearch.running(tmp_path_factory.mktemp("nodes"), 3) as nodes:
        yield nodes


def is_green(nodes: Nodes) -> Callable[[], bool]:
    return lambda: nodes.health() == "green"


def test_a_node_that_is_killed_during_ingest_and_search_loses_nothing(
    tmp_path: Path, nodes: Nodes
) -> None:
    seed = chance("node")
    url = nodes.url(new_prefix())
    with trial("node", tmp_path / "data", NUTGRAF_ENGINE=url) as tried:
        for _ in range(6):
            with tried.under_load() as witnesses:
                time.sleep(seed.uniform(0.5, 2.0))
                victim = seed.choice(nodes.nodes)
                if seed.random() < 0.3:
                    victim.freeze()
                    time.sleep(seed.uniform(0.5, 4.0))
                victim.kill()
                before = witnesses.answers()
                until(lambda: witnesses.answers() > before + 5, "searches", LATE)  # noqa: B023
                time.sleep(seed.uniform(0.1, 3.0))
                victim.start()
                nodes.wait()
            until(is_green(nodes), "all copies are back", 120)


def test_a_cluster_that_is_gone_and_comes_back_has_all_that_was_written_meanwhile(
    tmp_path: Path, nodes: Nodes
) -> None:
    url = nodes.url(new_prefix())
    with (
        trial("gone", tmp_path / "data", NUTGRAF_ENGINE=url) as tried,
        tried.under_load(),
    ):
        for _ in range(3):
            time.sleep(1)
            nodes.kill()
            until(lambda: not tried.answers(), "no node answers", LATE)
            tried.refused()
            assert tried.client.ask("GET", path_of("stamped-0")).status == 200
            nodes.start()
            nodes.wait()
            until(tried.answers, "searches are answered again", 120)


def test_an_index_that_lacks_a_shard_answers_nothing_rather_than_a_part(
    tmp_path: Path, nodes: Nodes
) -> None:
    url = nodes.url(new_prefix(), shards=3, replicas=0)
    with (
        trial("red", tmp_path / "data", NUTGRAF_ENGINE=url) as tried,
        tried.under_load(),
    ):
        for victim in nodes.nodes:
            time.sleep(1)
            victim.kill()
            until(lambda: not tried.answers(), "a shard is missing", LATE)
            until(lambda: nodes.health() == "red", "the cluster is red", LATE)
            for _ in range(10):
                tried.refused()
            victim.start()
            nodes.wait()
            until(tried.answers, "searches are answered again", 120)


def test_a_minority_of_nodes_that_is_left_answers_rightly_or_not_at_all(
    tmp_path: Path, nodes: Nodes
) -> None:
    url = nodes.url(new_prefix())
    with (
        trial("minority", tmp_path / "data", NUTGRAF_ENGINE=url) as tried,
        tried.under_load(),
    ):
        for left in nodes.nodes:
            others = [node for node in nodes.nodes if node is not left]
            time.sleep(1)
            for node in others:
                node.kill()
            ends = time.monotonic() + 5
            while time.monotonic() < ends:
                tried.answers()
            for node in others:
                node.start()
            nodes.wait()
            until(tried.answers, "searches are answered again", 120)


def test_an_indexer_that_is_killed_beside_its_nodes_loses_nothing(
    tmp_path: Path, nodes: Nodes
) -> None:
    seed = chance("indexer")
    url = nodes.url(new_prefix())
    with (
        trial("indexer", tmp_path / "data", NUTGRAF_ENGINE=url) as tried,
        tried.under_load(),
    ):
        for _ in range(15):
            time.sleep(seed.uniform(0.05, 1.0))
            tried.cluster.kill_indexer()
            tried.cluster.start_indexer(waits=seed.random() < 0.7)
            if seed.random() < 0.4:
                os.kill(seed.choice(tried.cluster.workers()), signal.SIGKILL)
