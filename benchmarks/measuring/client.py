"""The load client, in a process of its own: ``python -m benchmarks.measuring.client``.

It reads from stdin what to request and writes the figures to stdout, both as JSON. Each
connection sends its next request when the last one is answered, so the speed of the
server limits the load. The client does little more than count bytes: on a machine with
as many workers as cores, every microsecond of the client is one less for the server.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from dataclasses import asdict
from itertools import cycle
from typing import Any

from benchmarks.measuring import HOST, Load, percentile

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNK_BYTES = 1 << 18


class _Connection:
    """A connection with one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        """Send the next request."""
        self._answer, self.sent_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> int | None:
        """Read on; the status once the answer is complete, else ``None``."""
        chunk = self.socket.recv(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionError("the server closed a connection that is kept alive")
        self._answer += chunk
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = _LENGTH.search(self._answer, 0, end)
        if length is None:
            raise ConnectionError("an answer has no Content-Length")
        if len(self._answer) < end + 4 + int(length[1]):
            return None
        return int(self._answer[9:12])


def load(question: dict[str, Any]) -> Load:
    """Send requests to a server for as long as the question says."""
    port, seconds = question["port"], question["seconds"]
    requests = cycle(
        f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode()
        for path in question["paths"]
    )
    times: list[float] = []
    failed = 0
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for _ in range(question["connections"]):
            connection = _Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(requests))
        end = started + seconds
        while (now := time.perf_counter()) < end:
            for key, _ in selector.select(timeout=end - now):
                connection = key.data
                status = connection.read()
                if status is not None:
                    times.append(time.perf_counter() - connection.sent_at)
                    failed += status != 200
                    connection.send(next(requests))
        elapsed = time.perf_counter() - started
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return Load(
        requests=len(times),
        failed=failed,
        seconds=elapsed,
        p50_ms=percentile(times, 50) * 1_000 if times else 0.0,
        p95_ms=percentile(times, 95) * 1_000 if times else 0.0,
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(load(json.load(sys.stdin)))))
