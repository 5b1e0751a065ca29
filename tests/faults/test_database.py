"""A service on PostgreSQL, whose server is killed, parted, and replaced by its standby.

0 acknowledged writes are lost and 0 answers are wrong; what is killed stays so, at
once; and where there is no answer it is 503 with ``Retry-After``, never an empty page.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.amounts import chance, progress
from faults.cluster import Cluster
from faults.trial import LATE, Trial, trial
from real import opensearch, postgresql
from real.amounts import FULL, amount
from real.opensearch import new_prefix
from real.postgresql import Server
from real.proxy import Wire
from waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FULL, reason="at length only (make cluster)"),
]

_TAKES_OVER = 10  # seconds until another indexer works, when the first is gone


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that syncs what it has acknowledged, and can be killed."""
    with postgresql.running({"synchronous_commit": "on"}) as server:
        yield server


def url_by(server: Server, port: int) -> str:
    """URL of a new store in a server that is reached by another port."""
    url = server.url(server.new_database())
    return url.replace(f":{server.port}/", f":{port}/")


def keep_indexing(cluster: Cluster) -> None:
    """Start the indexer again if it has ended, as a supervisor does."""
    if cluster.indexer_has_ended():
        cluster.start_indexer(waits=False)


def recovers(tried: Trial, seconds: float = LATE) -> None:
    """Wait until a service answers searches again and indexes what is written."""

    def works() -> bool:
        keep_indexing(tried.cluster)
        return tried.answers() and tried.cluster.caught_up(tried.client)

    until(works, "the service works again", seconds)


def test_a_database_that_is_killed_under_load_loses_nothing_acknowledged(
    tmp_path: Path, server: Server
) -> None:
    seed = chance("database")
    store = server.url(server.new_database())
    with trial("database", tmp_path / "data", NUTGRAF_STORE=store) as tried:
        with tried.under_load() as witnesses:
            for _ in range(amount(2, 30)):
                written = witnesses.stamper.written
                until(lambda: witnesses.stamper.written > written + 2, "writes", LATE)  # noqa: B023
                time.sleep(seed.uniform(0, 0.2))
                server.kill()
                tried.refused()
                server.start()
                recovers(tried)
        assert sum(each.acknowledged for each in tried.ledgers) > 20


@pytest.mark.parametrize("loss", ["cut", "lose"])
def test_a_service_parted_from_its_database_refuses_and_recovers(
    tmp_path: Path, server: Server, loss: str
) -> None:
    with Wire(server.port) as wire:
        store = url_by(server, wire.port)
        with (
            trial(f"db{loss}", tmp_path / "data", NUTGRAF_STORE=store) as tried,
            tried.under_load() as witnesses,
        ):
            for _ in range(amount(1, 10)):
                written = witnesses.stamper.written
                until(lambda: witnesses.stamper.written > written + 2, "writes", LATE)  # noqa: B023
                getattr(wire, loss)()
                tried.refused()
                if loss == "lose":
                    time.sleep(amount(1, 15))
                    wire.reset()  # as a system does that has heard nothing for long
                wire.mend()
                recovers(tried, 60)


def test_another_indexer_takes_over_when_the_first_is_killed(
    tmp_path: Path, server: Server
) -> None:
    store = server.url(server.new_database())
    with trial("indexers", tmp_path / "data", NUTGRAF_STORE=store) as tried:
        second = tried.cluster.run("indexer")
        assert second.returncode == 1
        assert "Traceback" not in second.stderr
        os.kill(tried.cluster.indexer, signal.SIGKILL)
        begun = time.monotonic()
        until(tried.cluster.indexer_has_ended, "it has ended")
        while tried.cluster.indexer_has_ended():
            tried.cluster.start_indexer(waits=False)
            time.sleep(0.5)
        until(tried.cluster.indexer_follows, "another indexer follows")
        assert time.monotonic() - begun < _TAKES_OVER


def standby_of(server: Server, folder: Path) -> Server:
    """A running standby without which the server acknowledges nothing."""
    standby = Server(folder, server.settings)
    standby.make_folder()
    postgresql.run(
        *("pg_basebackup", "-h", "127.0.0.1", "-p", str(server.port), "-U", "lab"),
        *("-D", str(standby.data), "-R", "-c", "fast"),
    )
    standby.start()
    server.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    server.sql("SELECT pg_reload_conf()")
    until(
        lambda: server.sql("SELECT sync_state FROM pg_stat_replication") == [("sync",)],
        "the standby is synchronous",
    )
    return standby


def test_a_synchronous_standby_that_is_promoted_has_all_that_was_acknowledged(
    tmp_path: Path, server: Server
) -> None:
    seed = chance("failover")
    database = server.new_database()
    standby = standby_of(server, server.folder.with_name("standby"))
    store = (
        f"postgresql+psycopg://lab@/{database}"
        f"?host=127.0.0.1:{server.port}&host=127.0.0.1:{standby.port}"
    )
    try:
        with trial("failover", tmp_path / "data", NUTGRAF_STORE=store) as tried:
            with tried.under_load():
                time.sleep(seed.uniform(1, 3))
                server.kill()
                tried.refused()
                postgresql.run("pg_ctl", "-D", str(standby.data), "-w", "promote")
                recovers(tried, 60)
                time.sleep(1)
            assert sum(each.acknowledged for each in tried.ledgers) > 20
    finally:
        standby.stop("immediate")


@pytest.mark.opensearch
def test_killing_any_node_the_database_or_the_indexer_loses_nothing_acknowledged(
    tmp_path: Path, server: Server
) -> None:
    seed = chance("everything")
    killed: dict[str, int] = {}
    store = server.url(server.new_database())
    with opensearch.running(tmp_path / "nodes", 3) as nodes:
        servers = {"NUTGRAF_STORE": store, "NUTGRAF_ENGINE": nodes.url(new_prefix())}
        with trial("everything", tmp_path / "data", **servers) as tried:
            for number in range(10):
                with tried.under_load():
                    for _ in range(4):
                        time.sleep(seed.uniform(0.05, 1.5))
                        victim = seed.choice(["node", "database", "indexer", "worker"])
                        killed[victim] = killed.get(victim, 0) + 1
                        if victim == "node":
                            node = seed.choice(nodes.nodes)
                            node.kill()
                            time.sleep(seed.uniform(0, 2))
                            node.start()
                            nodes.wait()
                        elif victim == "database":
                            server.kill()
                            time.sleep(seed.uniform(0, 1))
                            server.start()
                        elif victim == "worker":
                            os.kill(
                                seed.choice(tried.cluster.workers()), signal.SIGKILL
                            )
                        elif not tried.cluster.indexer_has_ended():
                            tried.cluster.kill_indexer()
                            tried.cluster.start_indexer(waits=False)
                        keep_indexing(tried.cluster)
                    recovers(tried, 120)
                acknowledged = sum(each.acknowledged for each in tried.ledgers)
                progress(f"round {number + 1}: {killed}; {acknowledged:,} acknowledged")
    assert len(killed) == 4
