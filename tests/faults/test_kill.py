"""Processes that are killed under load, and the writes that they acknowledged."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from faults.amounts import amount, chance, progress
from faults.cluster import Cluster, members, running
from faults.ledger import Ledger, Load, hold_to, is_sound, settles

pytestmark = pytest.mark.slow

CYCLES = amount(10, 500)
ROUNDS = amount(1, 10)  # so often everything is compared
WRITERS = 3
MOST_FILES = 50  # that an index of this size may have, what is left behind included


def kill_one(cluster: Cluster, seed: random.Random) -> str:
    """Kill a process at some moment, replace it as a supervisor would, and name it."""
    time.sleep(seed.uniform(0.005, 0.4))
    victim = seed.choices(
        ["a worker", "the indexer", "its helper", "the master", "everything"],
        weights=[50, 30, 5, 9, 6],
    )[0]
    if victim == "its helper" and not (helpers := cluster.helpers()):
        victim = "a worker"  # it writes only where there is much to write
    if victim == "a worker":
        workers = cluster.workers()  # the master starts another
        os.kill(seed.choice(workers), signal.SIGKILL)
    elif victim == "its helper":
        os.kill(helpers[0], signal.SIGKILL)
    elif victim == "the master":
        cluster.kill_web()
        cluster.start_web()
    else:
        if victim == "everything":
            cluster.kill_web()
        cluster.kill_indexer()
        # One that is killed while it starts is a case too.
        cluster.start_indexer(waits=seed.random() < 0.7)
        if victim == "everything":
            cluster.start_web()
    return victim


def test_killing_any_process_under_load_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    seed = chance("kill")
    ledgers = [Ledger(f"w{n}", chance("writer", n)) for n in range(WRITERS)]
    killed: dict[str, int] = {}
    with running(tmp_path / "data") as cluster, cluster.client() as client:
        for number in range(ROUNDS):
            with Load(cluster, ledgers):
                for _ in range(CYCLES // ROUNDS):
                    victim = kill_one(cluster, seed)
                    killed[victim] = killed.get(victim, 0) + 1
            settles(cluster, client, seconds=10)
            hold_to(ledgers, cluster, client)
            is_sound(cluster)
            assert len(list(cluster.index.iterdir())) <= MOST_FILES
            acknowledged = sum(each.acknowledged for each in ledgers)
            progress(
                f"round {number + 1} of {ROUNDS}: {killed};"
                f" {acknowledged:,} acknowledged"
            )
        # Kills came while there was something to lose.
        assert acknowledged > CYCLES * 10
        assert sum(each.unacknowledged for each in ledgers) > 0
        for log in (cluster.log("web"), cluster.log("indexer")):
            assert "Traceback" not in log


def test_a_second_indexer_is_refused_also_while_the_first_one_hangs(
    tmp_path: Path,
) -> None:
    ledger = Ledger("w", chance("second"))
    with running(tmp_path / "data") as cluster, cluster.client() as client:
        with Load(cluster, [ledger]):
            for number in range(amount(2, 20)):
                hangs = number % 2 == 1
                if hangs:
                    os.kill(cluster.indexer, signal.SIGSTOP)
                second = cluster.run("indexer")
                if hangs:
                    os.kill(cluster.indexer, signal.SIGCONT)
                assert second.returncode == 1
                assert f"(process {cluster.indexer})" in second.stderr
                assert "Traceback" not in second.stderr
        settles(cluster, client)
        hold_to([ledger], cluster, client)
        is_sound(cluster)


def test_no_process_is_left_when_a_test_fails(tmp_path: Path) -> None:
    sessions: list[int] = []

    def fail() -> None:
        quick = "--graceful-timeout 1"
        with running(tmp_path / "data", GUNICORN_CMD_ARGS=quick) as cluster:
            sessions.extend([cluster.master, cluster.indexer])
            assert [len(members(each)) for each in sessions] == [3, 1]
            os.kill(cluster.workers()[0], signal.SIGSTOP)  # it would not end by itself
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    assert [members(each) for each in sessions] == [[], []]
    assert any("the end of web.log" in note for note in caught.value.__notes__)
