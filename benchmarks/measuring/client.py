"""A load client in a process of its own: ``python -m benchmarks.measuring.client``.

It reads what to ask from stdin and writes what came of it to stdout, both JSON. Each of
its connections sends the next request when the last one is answered, so the load is
bounded by how fast the server is. It does little more than to count bytes: on a machine
with as many workers as cores, every microsecond of the client is taken from the server.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

from benchmarks.measuring.processes import HOST, ROOT, Failed
from benchmarks.measuring.timing import percentile

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What became of a load.

    :param failed: answers with another status than 200.
    """

    requests: int
    failed: int
    seconds: float
    p50_ms: float
    p95_ms: float

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return self.requests / self.seconds


def measure(
    port: int, paths: Sequence[str], *, connections: int, seconds: float
) -> Load:
    """Run the client in a process of its own and return what came of it.

    :raises Failed: it ended early, or an answer was none of success.
    """
    asked = {
        "port": port,
        "paths": list(paths),
        "connections": connections,
        "seconds": seconds,
    }
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.measuring.client"),
        cwd=ROOT,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    if done.returncode:
        raise Failed(f"the load client ended: {done.stderr.strip()[-500:]}")
    load = Load(**json.loads(done.stdout))
    if load.failed or not load.requests:
        raise Failed(f"{load.failed} of {load.requests} requests failed")
    return load


class _Connection:
    """A connection that has one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._answer, self.asked_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> int | None:
        """Read on; return the status once the answer is complete."""
        piece = self.socket.recv(_CHUNK)
        if not piece:
            raise ConnectionError("the server closed a connection it was to keep")
        self._answer += piece
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = _LENGTH.search(self._answer, 0, end)
        if length is None:
            raise ConnectionError("an answer without a length")
        if len(self._answer) < end + 4 + int(length[1]):
            return None
        return int(self._answer[9:12])


def load(asked: dict[str, Any]) -> Load:
    """Ask a server, over and over, for as long as it says."""
    port, seconds = asked["port"], asked["seconds"]
    requests = cycle(
        f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode()
        for path in asked["paths"]
    )
    took: list[float] = []
    failed = 0
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for _ in range(asked["connections"]):
            connection = _Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask(next(requests))
        end = started + seconds
        while (now := time.perf_counter()) < end:
            for key, _ in selector.select(timeout=end - now):
                connection = key.data
                status = connection.read()
                if status is not None:
                    took.append(time.perf_counter() - connection.asked_at)
                    failed += status != 200
                    connection.ask(next(requests))
        passed = time.perf_counter() - started
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return Load(
        requests=len(took),
        failed=failed,
        seconds=passed,
        p50_ms=percentile(took, 50) * 1_000 if took else 0.0,
        p95_ms=percentile(took, 95) * 1_000 if took else 0.0,
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(load(json.load(sys.stdin)))))
