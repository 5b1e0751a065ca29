"""Lines about the service: its rate under load, memory of a worker, time of a write."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from benchmarks.lines.line import Measured
from benchmarks.measuring import (
    NUTGRAF,
    Failed,
    median_ratio,
    milliseconds,
    nutgraf_server,
    percentile,
    request_json,
    running,
)
from benchmarks.session import BARE, CONNECTIONS, OURS, Session
from benchmarks.workplace import Workplace
from index.jobs import Indexer

WARM_UPS = 2  # writes before those that count


def http(session: Session) -> Measured:
    """Our rate of searches, in percent of the rate of a bare answer."""
    loads = session.served.loads
    rates = {name: [load.rate for load in rounds] for name, rounds in loads.items()}
    share = 100 * median_ratio(rates[OURS], rates[BARE])
    ours, bare = (statistics.median(rates[name]) for name in (OURS, BARE))
    p50 = statistics.median(load.p50_ms for load in loads[OURS])
    return Measured(
        value=share,
        note=f"{ours:,.0f}/s, p50 {p50:.1f} ms, bare {bare:,.0f}/s",
        details={
            "connections": CONNECTIONS,
            "rounds": {
                name: [asdict(load) for load in rounds]
                for name, rounds in loads.items()
            },
        },
    )


def uss(session: Session) -> Measured:
    """Memory that the last web worker shares with no other process, in MB."""
    unshared = session.served.unshared_bytes
    return Measured(
        value=unshared[-1] / 1e6,
        note=f"first worker {unshared[0] / 1e6:,.0f} MB, after the load of line http",
        details={"unshared_bytes": list(unshared)},
    )


def write(session: Session) -> Measured:
    """Median time of a write that waits until it is searchable, in milliseconds."""
    workplace = session.workplace
    workplace.engine().close()
    writes = range(WARM_UPS + session.effort.writes)
    times: list[float] = []
    with (
        _indexer(workplace),
        nutgraf_server(workplace.variables) as server,
        closing(server.connection()) as connection,
    ):
        session.announce("writes")
        for n in writes:
            path, body = _path(n), json.dumps(_article(n)).encode()

            def put(path: str = path, body: bytes = body) -> None:
                answer = request_json(connection, "PUT", f"{path}?wait=1", body)
                if not answer["indexed"]:
                    raise Failed("a write was not indexed in time")

            times.append(milliseconds(put))
        for n in writes:
            request_json(connection, "DELETE", _path(n))
    with closing(workplace.store()) as store, closing(workplace.engine()) as engine:
        Indexer(store, engine).catch_up()
    times = times[WARM_UPS:]
    return Measured(
        value=statistics.median(times),
        note=f"{len(times)} one after the other, p95 {percentile(times, 95):.0f} ms",
        details={"milliseconds": times},
    )


@contextmanager
def _indexer(workplace: Workplace) -> Iterator[None]:
    """Run the indexer for the length of a block."""
    with running((*NUTGRAF, "indexer"), workplace.variables):
        with closing(workplace.store()) as store:
            for _ in range(200):
                if store.indexer_running():
                    break
                time.sleep(0.05)
        yield


def _path(n: int) -> str:
    return f"/v1/articles/{quote(f'urn:nutgraf:written:{n}', safe='')}"


def _article(n: int) -> dict[str, Any]:
    return {
        "headline": f"Written during a measurement, number {n}",
        "paragraphs": [
            "This article exists for as long as it takes to find it.",
            "Its second paragraph repeats what the first one says.",
        ],
        "source": "Benchmark",
        "published": "2024-01-01T00:00:00Z",
    }
