"""Hostile searches: what they take, and who is answered beside them."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
from faults.amounts import SIZE, amount, chance
from faults.cluster import Client, Cluster, running
from waiting import until

pytestmark = pytest.mark.slow

CLIENTS = 16
WORKERS = 2
ARTICLES = amount(400, 6_000)
SECONDS = amount(3, 60)
WORDS = [f"common{n}" for n in range(64)]
MB = 1024 * 1024
# The long form has more than 64 MB can hold of all words at once: it would be refused.
SEARCH_MEMORY = amount(64, 256) * MB
# Of both workers and their master, in the 2 GB of a unit.
MEMORY = 2 * 1024 * MB
# Beside the searches a worker has its code, caches of words and lists, and one answer.
OTHER = 250 * MB
ANSWERED = 0.3 if SIZE == "full" else 3.0


def fill(client: Client, seed: random.Random) -> None:
    """Store articles, in whose paragraphs nearly every common word is."""
    for start in range(0, ARTICLES, 100):
        batch = [
            {
                "id": f"a{n}",
                "headline": f"Report {n}",
                "paragraphs": [" ".join(seed.sample(WORDS, 60)) for _ in range(12)],
            }
            for n in range(start, start + 100)
        ]
        assert client.ask("POST", "/v1/articles", batch).status == 200


def resident(pid: int) -> int:
    """Memory of a process in bytes, without what it has mapped from files."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def attack(cluster: Cluster, end: threading.Event, statuses: list[int]) -> None:
    """Search for all common words, in one form after the other, until the end."""
    forms = [
        {"q": " OR ".join(WORDS), "unit": "paragraph"},
        {"q": " OR ".join(WORDS), "scope": "paragraph", "explain": 1},
        {"q": " OR ".join(f"comm*^{1 + n / 100}" for n in range(60))},
        {"q": " OR ".join(WORDS), "limit": 100, "passages": 20},
    ]
    turn = 0
    with cluster.client() as client:
        while not end.is_set():
            reply = client.ask("GET", "/v1/search", **forms[turn % len(forms)])
            if reply.status == 503:
                assert reply.headers["Retry-After"]
            statuses.append(reply.status)
            turn += 1


def test_hostile_searches_stay_within_the_budget_and_others_are_answered(
    tmp_path: Path,
) -> None:
    with running(
        tmp_path / "n",
        workers=WORKERS,
        NUTGRAF_SEARCH_MEMORY=str(SEARCH_MEMORY),
        NUTGRAF_SEARCH_SECONDS="2",
        NUTGRAF_RATE="none",
    ) as cluster:
        client = cluster.client()
        fill(client, chance("budget"))
        until(lambda: cluster.caught_up(client), "all is indexed", 120)
        workers = cluster.workers()
        end, statuses = threading.Event(), list[int]()
        attackers = [
            threading.Thread(target=attack, args=(cluster, end, statuses))
            for _ in range(CLIENTS)
        ]
        seconds, peak = list[float](), 0
        for attacker in attackers:
            attacker.start()
        try:
            over = time.monotonic() + SECONDS
            while time.monotonic() < over:
                started = time.monotonic()
                reply = client.ask("GET", "/v1/search", q="report", limit=5)
                seconds.append(time.monotonic() - started)
                assert reply.status == 200, reply.body
                peak = max(peak, *map(resident, workers))
                time.sleep(0.02)
        finally:
            end.set()
            for attacker in attackers:
                attacker.join(30)
        assert cluster.workers() == workers  # none died
        assert set(statuses) <= {200, 503}
        assert 200 in statuses
        assert peak < SEARCH_MEMORY + OTHER
        assert WORKERS * peak < MEMORY
        assert sorted(seconds)[int(len(seconds) * 0.95)] < ANSWERED
        # Nothing is kept: the next search gives back what the last ones took.
        time.sleep(1)
        for _ in range(4 * WORKERS):
            client.ask("GET", "/v1/search", q=" OR ".join(WORDS), unit="paragraph")
        assert max(map(resident, workers)) < OTHER
