"""The comparison over HTTP: rounds in which contestants take turns under the same load.

Every search is sent once only, but for those that are to be answered again, so that no
contestant answers from a cache of answers what it is to find.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.data import TimedSearch, by_kind
from benchmarks.measuring import (
    Load,
    Server,
    measure_load,
    median_ratio,
    memory_bytes,
    request_json,
    unshared_bytes,
)
from benchmarks.web.contestant import Contestant, Hits
from benchmarks.web.services import BARE

CONNECTIONS = (1, 8)  # each with one request under way
WARM_UP_CONNECTIONS = 8
AGREEING = 0.1  # totals that differ by no more than this share agree


@dataclass(frozen=True, slots=True, kw_only=True)
class WebEffort:
    """The size of the comparison.

    :param searches: of each kind, in one turn of a contestant.
    :param nothing: searches without hits, in one turn.
    :param warm_up_passes: over the searches of one turn, for each contestant and kind
        of hits: Java compiles what was called some thousand times.
    :param warm_up_seconds: at least, for the same.
    """

    rounds: int = 5
    searches: int = 16
    nothing: int = 100
    warm_up_passes: int = 10
    warm_up_seconds: float = 10.0

    @property
    def sets(self) -> int:
        """Number of sets of searches: one to warm up, and one for each turn."""
        return 1 + self.rounds * len(CONNECTIONS)


@dataclass(slots=True, kw_only=True)
class Row:
    """The figures of one contestant with one kind of hits.

    :param loads: number of connections → load of each round.
    :param again: the searches of one connection once more, each round.
    :param nothing: searches without hits, over one connection, each round.
    :param compared: number of searches whose totals were compared.
    :param differing: those for which the first contestant has another total.
    """

    contestant: str
    hits: Hits
    loads: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    again: list[Load] = field(default_factory=list)
    nothing: list[Load] = field(default_factory=list)
    compared: int = 0
    differing: Sequence[str] = ()
    resident_bytes: int = 0
    proportional_bytes: int | None = None

    def cpu_ms(self, connections: int) -> float:
        """CPU time per request, in milliseconds: the median of the rounds."""
        return statistics.median(load.cpu_ms for load in self.loads[connections])

    @property
    def failed(self) -> int:
        """Number of failed requests."""
        passes = [*self.again, *self.nothing]
        for rounds in self.loads.values():
            passes += rounds
        return sum(load.failed for load in passes)

    def document(self) -> dict[str, Any]:
        """The figures for JSON: medians, and each round."""

        def medians(of: Callable[[Load], float]) -> dict[str, float]:
            return {
                str(connections): statistics.median(map(of, rounds))
                for connections, rounds in self.loads.items()
            }

        return {
            "contestant": self.contestant,
            "hits": self.hits.value,
            "cpu_ms": medians(lambda load: load.cpu_ms),
            "p50_ms": medians(lambda load: load.p50_ms),
            "p95_ms": medians(lambda load: load.p95_ms),
            "requests_per_second": medians(lambda load: load.rate),
            "answer_bytes": medians(lambda load: load.body_bytes / load.requests),
            "again_cpu_ms": _median_cpu(self.again),
            "nothing_cpu_ms": _median_cpu(self.nothing),
            "failed": self.failed,
            "totals": {"compared": self.compared, "differing": list(self.differing)},
            "rss_bytes": self.resident_bytes,
            "pss_bytes": self.proportional_bytes,
            "rounds": {
                **{
                    str(connections): [asdict(load) for load in rounds]
                    for connections, rounds in self.loads.items()
                },
                "again": [asdict(load) for load in self.again],
                "nothing": [asdict(load) for load in self.nothing],
            },
        }


def _median_cpu(loads: Sequence[Load]) -> float | None:
    return statistics.median(load.cpu_ms for load in loads) if loads else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebComparison:
    """What came of the comparison.

    :param unshared_bytes: USS of each process of the first contestant but its first,
        after the load.
    """

    rows: Mapping[tuple[str, Hits], Row]
    unshared_bytes: Sequence[int]


def cpu_ratio(ours: Row, theirs: Row) -> float:
    """Our CPU time per request relative to theirs: the median over all turns."""
    pairs = [
        (our.cpu_ms, their.cpu_ms)
        for connections in CONNECTIONS
        for our, their in zip(
            ours.loads[connections], theirs.loads[connections], strict=True
        )
    ]
    return median_ratio(*zip(*pairs, strict=True))


def search_sets(
    searches: Sequence[TimedSearch], count: int
) -> list[tuple[TimedSearch, ...]]:
    """Searches dealt to sets: each has as many of each kind, and none is in two.

    A corpus that is too small for a kind has less of it.
    """
    sets: list[list[TimedSearch]] = [[] for _ in range(count)]
    for _, group in by_kind(searches):
        share = len(group) // count
        for n, dealt in enumerate(sets):
            dealt += group[n * share : (n + 1) * share]
    return [tuple(dealt) for dealt in sets]


def compare(
    contestants: Sequence[Contestant],
    sets: Sequence[Sequence[TimedSearch]],
    nothing: Sequence[TimedSearch],
    *,
    effort: WebEffort,
    announce: Callable[[str], None] = lambda text: None,
) -> WebComparison:
    """Put each contestant under the same load in turn, for some rounds.

    :param contestants: ours is the first.
    :param sets: of searches that are sent once: the first warms up, then follow those
        of each round, for each number of connections.
    :param nothing: searches without hits, for all rounds.
    """
    for contestant in contestants:
        contestant.prepare()
    with ExitStack() as stack:
        servers = [
            (contestant, stack.enter_context(contestant.serving()))
            for contestant in contestants
        ]
        rows = {
            (contestant.name, hits): Row(contestant=contestant.name, hits=hits)
            for contestant in contestants
            for hits in Hits
            if contestant.name != BARE or hits is Hits.ARTICLES
        }
        for hits in Hits:
            announce(f"HTTP, totals of {hits.value}")
            _compare_totals(servers, sets[0], hits, rows)
            for contestant, server in servers:
                if (contestant.name, hits) in rows:
                    announce(f"HTTP, warming up {contestant.name}, {hits.value}")
                    measure_load(
                        server,
                        [contestant.request(search, hits) for search in sets[0]],
                        connections=WARM_UP_CONNECTIONS,
                        passes=effort.warm_up_passes,
                        seconds=effort.warm_up_seconds,
                    )
        _rounds(servers, rows, sets[1:], nothing, effort.rounds, announce)
        for contestant, server in servers:
            memory = memory_bytes(server.processes())
            for hits in Hits:
                if (row := rows.get((contestant.name, hits))) is not None:
                    row.resident_bytes, row.proportional_bytes = memory
        unshared = [unshared_bytes(pid) for pid in servers[0][1].workers()]
    return WebComparison(rows=rows, unshared_bytes=unshared)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One load that every contestant gets in turn."""

    hits: Hits
    connections: int
    searches: Sequence[TimedSearch]
    nothing: bool = False


def _turns(
    sets: Sequence[Sequence[TimedSearch]], nothing: Sequence[TimedSearch], rounds: int
) -> Iterator[_Turn]:
    share = len(nothing) // rounds
    following = iter(sets)
    for n in range(rounds):
        for connections in CONNECTIONS:
            searches = next(following)
            for hits in Hits:
                yield _Turn(hits=hits, connections=connections, searches=searches)
        yield _Turn(
            hits=Hits.ARTICLES,
            connections=1,
            searches=nothing[n * share : (n + 1) * share],
            nothing=True,
        )


def _rounds(
    servers: list[tuple[Contestant, Server]],
    rows: Mapping[tuple[str, Hits], Row],
    sets: Sequence[Sequence[TimedSearch]],
    nothing: Sequence[TimedSearch],
    rounds: int,
    announce: Callable[[str], None],
) -> None:
    turns = list(_turns(sets, nothing, rounds))
    started, answered = time.monotonic(), 0
    for done, turn in enumerate(turns):
        elapsed = time.monotonic() - started
        progress = f"HTTP, turn {done + 1} of {len(turns)}"
        if done:
            left = elapsed / done * (len(turns) - done)
            progress += (
                f": {answered / elapsed:,.0f} requests/s, about {left:.0f} s left"
            )
        announce(progress)
        first = done % len(servers)
        for contestant, server in servers[first:] + servers[:first]:
            row = rows.get((contestant.name, turn.hits))
            if row is None:
                continue
            # The second pass over one connection reaches the same worker.
            twice = turn.connections == 1 and not turn.nothing
            first_time, *again = measure_load(
                server,
                [contestant.request(search, turn.hits) for search in turn.searches],
                connections=turn.connections,
                passes=2 if twice else 1,
            )
            answered += first_time.requests * (1 + len(again))
            if turn.nothing:
                row.nothing.append(first_time)
            else:
                row.loads[turn.connections].append(first_time)
                row.again += again


def _compare_totals(
    servers: Sequence[tuple[Contestant, Server]],
    searches: Sequence[TimedSearch],
    hits: Hits,
    rows: Mapping[tuple[str, Hits], Row],
) -> None:
    """Count the searches for which a contestant finds as many as the first one."""
    expected: list[int] = []
    for contestant, server in servers:
        row = rows.get((contestant.name, hits))
        if row is None or contestant.name == BARE:
            continue
        totals = list(_totals(contestant, server, searches, hits))
        expected = expected or totals
        row.compared = len(totals)
        row.differing = [
            f"{search.label}: {total:,} and {other:,}"
            for search, total, other in zip(searches, totals, expected, strict=True)
            if abs(total - other) > AGREEING * max(total, other)
        ]


def _totals(
    contestant: Contestant, server: Server, searches: Sequence[TimedSearch], hits: Hits
) -> Iterator[int]:
    with closing(server.connection()) as connection:
        for search in searches:
            request = contestant.request(search, hits)
            body = None if request.body is None else request.body.encode()
            method = "GET" if body is None else "POST"
            answer = request_json(connection, method, request.path, body)
            yield contestant.total(answer, hits)
