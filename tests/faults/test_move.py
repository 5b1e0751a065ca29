"""A store that is moved under load by a mover that is killed again and again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from faults.amounts import amount, chance, progress
from faults.cluster import Cluster, path_of, running
from faults.ledger import Ledger, Load, hold_to, is_sound, settles
from real import postgresql

from index.store import store_differences

pytestmark = pytest.mark.slow

KILLS = amount(4, 60)
WRITERS = 2


@contextmanager
def new_store(kind: str, folder: Path) -> Iterator[str]:
    """URL of an empty store of a kind, for the length of a block."""
    with ExitStack() as opened:
        if kind == "server":
            server = opened.enter_context(postgresql.running())
            yield opened.enter_context(server.lent())
        else:
            folder.mkdir(mode=0o700)
            yield f"sqlite:///{folder / 'nutgraf.db'}"


def mover(cluster: Cluster, url: str, *options: str) -> subprocess.Popen[str]:
    """A process that moves the store of a cluster."""
    return subprocess.Popen(
        [sys.executable, "-m", "index", "move", "--to", url, *options],
        cwd=cluster.code,
        env=cluster.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("kind", ["file", "server"])
def test_a_store_that_moves_under_load_loses_nothing_acknowledged(
    kind: str, tmp_path: Path
) -> None:
    seed = chance("move")
    ledgers = [Ledger(f"w{n}", chance("mover", n)) for n in range(WRITERS)]
    with (
        new_store(kind, tmp_path / "new") as url,
        running(tmp_path / "old") as cluster,
        cluster.client() as client,
    ):
        with Load(cluster, ledgers):
            time.sleep(1)
            for number in range(KILLS):
                process = mover(cluster, url)
                time.sleep(seed.uniform(0.5, 3))
                process.kill()
                process.communicate()
                progress(f"killed {number + 1} of {KILLS}")
            process = mover(cluster, url, "--json")
            out, err = process.communicate(timeout=180)
            assert process.returncode == 0, err
            assert '"refused"' in out
            # Others ask on, and are refused; what is there is read.
            assert client.ask("POST", path_of("w0-1", "kill"), {}).status == 503
            assert client.search("", limit=0)["total"]["articles"]
        is_sound(cluster)
        old = cluster.settings().store
        assert list(store_differences(old, url)) == []
        cluster.stop()
        # The new store goes on with the index of the old one.
        variables = {"NUTGRAF_STORE": url, "NUTGRAF_ENGINE": f"whoosh:{cluster.index}"}
        with (
            running(tmp_path / "again", **variables) as moved,
            moved.client() as client,
        ):
            settles(moved, client)
            hold_to(ledgers, moved, client)
            is_sound(moved)
            assert client.ask("POST", path_of("w0-1", "kill"), {}).status == 200
