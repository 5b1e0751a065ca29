"""Endurance: the memory of web workers over many requests of every kind.

``python -m benchmarks.endurance FOLDER`` serves the archive in the folder of an earlier
run of the benchmark, writes to it, and shows each worker's own memory.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from benchmarks.data import Workload, workload_of
from benchmarks.measuring import (
    NUTGRAF,
    Failed,
    Server,
    nutgraf_server,
    running,
    unshared_by_kind,
)

CONNECTIONS = 8
SAMPLES = 10
# Of 100 requests; the rest are searches of the workload.
ARTICLES, WRITES, HOSTILE = 10, 5, 5
# Articles that are written again and again.
WRITTEN = 500

# Queries that are large, broken or match almost everything.
HOSTILE_QUERIES = (
    *("*", "?*", "a* *e* *i*", "***", "s*~2", "x" * 300 + "~99", "~", "NOT NOT a"),
    " OR ".join(f"only{n}" for n in range(300)),
    " OR ".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz"),
    *(" ".join(["the"] * 1_000), "(" * 1_000, "(a OR " * 200 + "b" + ")" * 200),
    *('"' * 999, '"a b"~99999999', "a^1e400", "published:[9999-12-31 TO 0001-01-01]"),
    *("a:b:c:d", "headline:(", "\\" * 500, "' OR 1=1 --", "\ufdfa" * 100, "\n" * 500),
)
# Bodies that are no articles.
HOSTILE_BODIES = (
    *(b"{", b"[" * 100_000, b'{"a":' * 10_000, b"\xff" * 1_000, b"{}", b'"' * 5_000),
    json.dumps({"headline": "x" * 100_000, "paragraphs": 7}).encode(),
    json.dumps({"paragraphs": ["word " * 20_000] * 10}).encode(),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to send; ``hostile`` may be refused."""

    method: str
    path: str
    body: bytes | None = None
    hostile: bool = False


@dataclass(slots=True)
class Endured:
    """What a run has shown.

    :ivar samples: requests answered → memory of each worker that it shares with no
        other process (USS), and the part of it that it wrote itself, in bytes.
    :ivar statuses: answers by status.
    """

    samples: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)


class Mix:
    """An endless mix of requests; the ids of articles come from the answers."""

    def __init__(self, workload: Workload, *, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._searches = [
            f"/v1/search?{urlencode(search.parameters())}"
            for search in workload.searches
        ]
        self._words = [
            word for search in workload.searches for word in search.q.split()
        ]
        self._numbers = itertools.count()
        self._ids = ["urn:nutgraf:endurance:0"]

    def __iter__(self) -> Iterator[Sent]:
        while True:
            draw = self._random.randrange(100)
            if draw < ARTICLES:
                yield Sent(
                    "GET", f"/v1/articles/{_escaped(self._random.choice(self._ids))}"
                )
            elif draw < ARTICLES + WRITES:
                yield self._write()
            elif draw < ARTICLES + WRITES + HOSTILE:
                yield self._hostile()
            else:
                yield Sent("GET", self._random.choice(self._searches))

    def learn(self, answer: bytes) -> None:
        """Remember the ids of articles in the answer to a search."""
        for hit in json.loads(answer).get("hits", ()):
            if "id" in hit and len(self._ids) < 10_000:
                self._ids.append(hit["id"])

    def _write(self) -> Sent:
        number = next(self._numbers)
        article = {
            "headline": " ".join(self._random.choices(self._words, k=8)),
            "paragraphs": [
                " ".join(self._random.choices(self._words, k=60)) for _ in range(12)
            ],
            "source": "Endurance",
        }
        path = f"/v1/articles/{_escaped(f'urn:nutgraf:endurance:{number % WRITTEN}')}"
        return Sent("PUT", path, json.dumps(article).encode())

    def _hostile(self) -> Sent:
        if self._random.random() < 0.3:
            body = self._random.choice(HOSTILE_BODIES)
            return Sent("PUT", "/v1/articles/urn:nutgraf:hostile", body, hostile=True)
        parameters = {
            "q": self._random.choice(HOSTILE_QUERIES),
            "scope": self._random.choice(("article", "paragraph")),
            "unit": self._random.choice(("article", "paragraph", "neither")),
        }
        path = f"/v1/search?{urlencode(parameters)}"
        return Sent("GET", path[:8_000], hostile=True)


def endure(
    server: Server, mix: Mix, requests: int, show: Callable[[str], None] = print
) -> Endured:
    """Send a number of requests over a few connections, and watch the workers.

    :raises Failed: a worker ended, or an answer is an error of the server.
    """
    workers = server.workers()
    endured = Endured()
    source, lock = iter(mix), threading.Lock()
    started = time.monotonic()
    left = requests
    errors: list[Exception] = []

    def sample(answered: int) -> None:
        if server.workers() != workers:
            raise Failed("a worker ended")
        kinds = [unshared_by_kind(pid) for pid in workers]
        memory = [(sum(kind.values()), kind["Dirty"]) for kind in kinds]
        endured.samples[answered] = memory
        seconds = time.monotonic() - started
        shown = "  ".join(
            f"{unshared / 1e6:6.1f} MB, {changed / 1e6:.1f} of it written"
            for unshared, changed in memory
        )
        rate = answered / seconds if answered else 0
        show(f"{answered:>9,} requests {rate:5,.0f}/s  {shown}")

    def work() -> None:
        nonlocal left
        connection = server.connection()
        try:
            while not errors:
                with lock:
                    if left <= 0:
                        return
                    left -= 1
                    sent = next(source)
                status, answer = _answer(connection, sent)
                with lock:
                    endured.statuses[status] += 1
                    if status == 200 and sent.path.startswith("/v1/search"):
                        mix.learn(answer)
                    answered = endured.statuses.total()
                    if answered % max(1, requests // SAMPLES) == 0:
                        sample(answered)
        except Exception as error:  # noqa: BLE001 - it is raised below
            errors.append(error)
        finally:
            connection.close()

    sample(0)
    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return endured


def _answer(connection: http.client.HTTPConnection, sent: Sent) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"} if sent.body else {}
    for again in (True, False):
        try:
            connection.request(sent.method, sent.path, sent.body, headers)
            response = connection.getresponse()
            answer = response.read()
            break
        except (http.client.HTTPException, OSError):
            # The server may close a connection after an error.
            connection.close()
            if not again:
                raise
    # 404: the article was not written yet. 503: a search or the indexer is too slow.
    expected = (200, 404, 503)
    if response.status >= 500 and response.status != 503:
        raise Failed(f"{sent.method} {sent.path[:200]}: {response.status}")
    if not sent.hostile and response.status not in expected:
        raise Failed(
            f"{sent.method} {sent.path[:200]}: {response.status} {answer[:300]!r}"
        )
    return response.status, answer


def _escaped(article_id: str) -> str:
    return quote(article_id, safe="")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a folder, send the requests, and show the memory of the workers."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.endurance",
        description="Show the own memory of web workers over many requests.",
    )
    parser.add_argument(
        "folder", type=Path, help="folder of a run of the benchmark; it is written to"
    )
    parser.add_argument("--requests", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    given = parser.parse_args(arguments)
    about = json.loads((given.folder / "about.json").read_text("utf-8"))
    folder = given.folder.resolve()
    variables = {
        "NUTGRAF_STORE": f"sqlite:///{folder / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": f"whoosh:{folder / 'index'}",
    }
    mix = Mix(workload_of(about["workload"]), seed=given.seed)
    with (
        running((*NUTGRAF, "indexer"), variables),
        nutgraf_server(variables) as server,
    ):
        endured = endure(server, mix, given.requests)
    statuses = sorted(endured.statuses.items())
    print("answers:", ", ".join(f"{status}: {n:,}" for status, n in statuses))  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
