"""The load on a server: requests over a few connections, counted and timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.measuring.processes import Failed, Server, answer_of

_LONGEST_SECONDS = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """A GET of a path, or a POST if it has a body, which is JSON."""

    path: str
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The answers to one pass over some requests.

    :param requests: answered requests, the failed ones included.
    :param failed: answers with another status than 200.
    :param cpu_seconds: of all processes of the server.
    :param body_bytes: of all answers, without their headers.
    """

    requests: int
    failed: int
    seconds: float
    cpu_seconds: float
    body_bytes: int
    p50_ms: float
    p95_ms: float

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return self.requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU time of the server per request, in milliseconds."""
        return 1_000 * self.cpu_seconds / self.requests


def measure_load(
    server: Server,
    requests: Sequence[WebRequest],
    *,
    connections: int,
    passes: int = 1,
    seconds: float = 0.0,
) -> list[Load]:
    """Put load on a server, from :mod:`benchmarks.measuring.client`.

    :param passes: how often all requests are sent, over the same connections.
    :param seconds: passes are added until they took so long.
    :return: each pass.
    :raises Failed: the client failed, or the server answered no request with success.
    """
    question = {
        "port": server.port,
        "pids": server.processes(),
        "requests": [asdict(request) for request in requests],
        "connections": connections,
        "passes": passes,
        "seconds": seconds,
    }
    answer = answer_of(
        "benchmarks.measuring.client", question, timeout_seconds=_LONGEST_SECONDS
    )
    loads = [Load(**load) for load in answer]
    if any(load.failed == load.requests for load in loads):
        raise Failed(f"all of {loads[0].requests} requests failed")
    return loads
