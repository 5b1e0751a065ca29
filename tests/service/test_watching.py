"""Monitoring: two web workers and an indexer, seen through health and metrics."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from waiting import until

from benchmarks.measuring import HOST, NUTGRAF, Server, nutgraf_server, running

pytestmark = pytest.mark.slow

REQUESTS = 40


class Watched:
    """A server with two workers, and its indexer if it was started."""

    def __init__(self, server: Server, variables: dict[str, str]) -> None:
        self.server, self._variables = server, variables
        self._indexer = ExitStack()

    def call(
        self, path: str, method: str = "GET", body: bytes | None = None
    ) -> tuple[int, Any]:
        """Status and body of an answer, over a new connection."""
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=60)
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(data) if data[:1] == b"{" else data.decode()

    def number(self, name: str) -> float:
        """A metric, from whichever worker answers."""
        _, text = self.call("/metrics")
        (value,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(value)

    def start_indexer(self) -> None:
        self._indexer.enter_context(running((*NUTGRAF, "indexer"), self._variables))

    def stop_indexer(self) -> None:
        self._indexer.close()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    variables = {
        "NUTGRAF_STORE": f"sqlite:///{folder / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": f"whoosh:{folder / 'index'}",
        "NUTGRAF_BEHIND": "3",
        "NUTGRAF_WAIT_SECONDS": "30",
        "TMPDIR": str(folder),
    }
    with nutgraf_server(variables) as server:
        watched = Watched(server, variables)
        try:
            yield watched
        finally:
            watched.stop_indexer()


def article(name: str) -> tuple[str, str, bytes]:
    """Path, method and body of a request that puts an article."""
    body = json.dumps({"headline": f"Head of {name}"}).encode()
    return f"/v1/articles/{name}", "PUT", body


def test_readiness_follows_the_indexer_and_its_progress(watched: Watched) -> None:
    def problems() -> str:
        status, answer = watched.call("/readyz")
        assert status == (503 if answer["problems"] else 200)
        return " ".join(answer["problems"])

    assert "no indexer is running" in problems()
    watched.start_indexer()
    until(lambda: problems() == "")
    watched.stop_indexer()
    for n in range(4):
        assert watched.call(*article(f"behind-{n}"))[0] == 200
    assert "no indexer is running" in problems()
    assert "behind by more than 3 changes" in problems()
    assert watched.number("nutgraf_index_behind") == 4
    assert watched.number("nutgraf_ready") == 0
    watched.start_indexer()
    until(lambda: problems() == "")
    assert watched.number("nutgraf_index_behind") == 0
    assert watched.number("nutgraf_ready") == 1


def test_each_worker_shows_the_sum_of_both(
    watched: Watched,
) -> None:
    counted = 'nutgraf_requests_total{method="GET",route="/v1/fields",status="200"}'
    refused = 'nutgraf_refused_writes_total{code="invalid_json"}'
    for _ in range(REQUESTS):
        assert watched.call("/v1/fields")[0] == 200
        assert watched.call("/v1/articles/bad", "PUT", b"{")[0] == 400
    # Either worker may accept a connection.
    for _ in range(8):
        assert watched.number(counted) == REQUESTS
        assert watched.number(refused) == REQUESTS
        assert watched.number("nutgraf_waiting_slots") == 8
    # Each has its own cache; the metric is the sum.
    words = " OR ".join(f"head{n}" for n in range(60))
    for n in range(REQUESTS):
        watched.call(f"/v1/search?q=head%20{n}%20{words.replace(' ', '%20')}")
    assert watched.number("nutgraf_cache_bytes") > 0


def test_waiting_requests_are_counted_unless_their_worker_died(
    watched: Watched,
) -> None:
    watched.stop_indexer()
    waits: list[object] = []

    def wait() -> None:
        path, method, body = article("waits")
        try:
            waits.append(watched.call(f"{path}?wait=1", method, body)[0])
        except (OSError, http.client.HTTPException) as error:
            waits.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: watched.number("nutgraf_waiting_requests") == 1)
    before = watched.server.workers()
    for worker in before:
        # Both, since it is unknown which of them waits.
        os.kill(worker, signal.SIGKILL)
    thread.join(30)
    assert waits[0] != 200
    until(lambda: len(set(watched.server.workers()) - set(before)) == 2)
    assert watched.number("nutgraf_waiting_requests") == 0
    # The two new workers have their own.
    until(lambda: watched.number("nutgraf_waiting_slots") == 8)
