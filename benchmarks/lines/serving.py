"""Lines about the service: searches over HTTP, memory of a worker, time of a write."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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
from benchmarks.session import Session
from benchmarks.web import OURS as WEB_OURS
from benchmarks.web import Hits, Row, cpu_ratio
from benchmarks.workplace import Workplace
from index.jobs import Indexer

WARM_UPS = 2  # writes before those that count


def cpu(contestant: str, hits: Hits) -> Callable[[Session], Measured]:
    """A measurement of our CPU time per request relative to a contestant's."""

    def measure(session: Session) -> Measured:
        ours, theirs = _rows(session, contestant, hits)
        return Measured(
            value=cpu_ratio(ours, theirs),
            note=", ".join(
                f"{row.contestant} {row.cpu_ms(1):.2f} ms over 1 connection,"
                f" {row.cpu_ms(8):.2f} over 8"
                for row in (ours, theirs)
            ),
            details={"web": [row.document() for row in (ours, theirs)]},
        )

    return measure


def rate(contestant: str) -> Callable[[Session], Measured]:
    """A measurement of our requests per second relative to a contestant's."""

    def measure(session: Session) -> Measured:
        rows = _rows(session, contestant, Hits.ARTICLES)
        ours, theirs = ([load.rate for load in row.loads[8]] for row in rows)
        return Measured(
            value=median_ratio(ours, theirs),
            note=f"{statistics.median(ours):,.0f}/s, {contestant}"
            f" {statistics.median(theirs):,.0f}/s",
            details={"web": [row.document() for row in rows]},
        )

    return measure


def again(session: Session) -> Measured:
    """Our CPU time of the same request again, relative to the first time."""
    row = session.web.rows[WEB_OURS, Hits.ARTICLES]
    first, second = (
        [load.cpu_ms for load in loads] for loads in (row.loads[1], row.again)
    )
    return Measured(
        value=median_ratio(second, first),
        note=f"{statistics.median(second):.2f} ms after {statistics.median(first):.2f}",
        details={"web": [each.document() for each in session.web.rows.values()]},
    )


def nothing(session: Session) -> Measured:
    """Our CPU time of a search without hits, relative to one with hits."""
    row = session.web.rows[WEB_OURS, Hits.ARTICLES]
    without, ordinary = (
        [load.cpu_ms for load in loads] for loads in (row.nothing, row.loads[1])
    )
    return Measured(
        value=median_ratio(without, ordinary),
        note=f"{statistics.median(without):.2f} ms,"
        f" others {statistics.median(ordinary):.2f}",
        details={"web": [each.document() for each in session.web.rows.values()]},
    )


def _rows(session: Session, contestant: str, hits: Hits) -> tuple[Row, Row]:
    rows = session.web.rows
    return rows[WEB_OURS, hits], rows[contestant, hits]


def uss(session: Session) -> Measured:
    """Memory that the last web worker shares with no other process, in MB."""
    unshared = session.web.unshared_bytes
    return Measured(
        value=unshared[-1] / 1e6,
        note=f"first worker {unshared[0] / 1e6:,.0f} MB, after the load over HTTP",
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
