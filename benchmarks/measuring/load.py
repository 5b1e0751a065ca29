"""The load on a server: requests over a few connections, counted and timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measuring.processes import Failed, answer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The answers to a load.

    :param requests: answered requests, the failed ones included.
    :param failed: answers with another status than 200.
    """

    requests: int
    failed: int
    seconds: float
    p50_ms: float
    p95_ms: float

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return self.requests / self.seconds


def measure_load(
    port: int, paths: Sequence[str], *, connections: int, seconds: float
) -> Load:
    """Put load on a server, from :mod:`benchmarks.measuring.client`.

    :param paths: requested in turn, again and again.
    :raises Failed: the client failed, or not every answer was a success.
    """
    question = {
        "port": port,
        "paths": list(paths),
        "connections": connections,
        "seconds": seconds,
    }
    answer = answer_of(
        "benchmarks.measuring.client", question, timeout_seconds=seconds + 60
    )
    load = Load(**answer)
    if load.failed or not load.requests:
        raise Failed(f"{load.failed} of {load.requests} requests failed")
    return load
