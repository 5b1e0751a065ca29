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
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.measuring import HOST, Load, cpu_seconds, percentile

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNK_BYTES = 1 << 18
_SILENCE_SECONDS = 60.0


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

    def read(self) -> tuple[int, int] | None:
        """Read on; status and length of the body once it is complete."""
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
        return int(self._answer[9:12]), int(length[1])


def loads(question: dict[str, Any]) -> list[Load]:
    """Send all requests once in each pass, and more passes while there is time."""
    port = question["port"]
    requests = [_encoded(port, **request) for request in question["requests"]]
    connections = [_Connection(port) for _ in range(question["connections"])]
    passes: list[Load] = []
    started = time.perf_counter()
    try:
        while (
            len(passes) < question["passes"]
            or time.perf_counter() - started < question["seconds"]
        ):
            passes.append(_pass(connections, requests, question["pids"]))
    finally:
        for connection in connections:
            connection.socket.close()
    return passes


def _pass(
    connections: Sequence[_Connection], requests: Sequence[bytes], pids: Sequence[int]
) -> Load:
    """Send each request once, over all connections."""
    times: list[float] = []
    failed = body_bytes = 0
    waiting = iter(requests)
    with selectors.DefaultSelector() as selector:
        cpu, started = cpu_seconds(pids), time.perf_counter()
        for connection, request in zip(connections, waiting, strict=False):
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request)
        while len(times) < len(requests):
            ready = selector.select(_SILENCE_SECONDS)
            if not ready:
                raise ConnectionError("the server does not answer")
            for key, _ in ready:
                connection = key.data
                answer = connection.read()
                if answer is None:
                    continue
                times.append(time.perf_counter() - connection.sent_at)
                status, length = answer
                failed += status != 200
                body_bytes += length
                if (following := next(waiting, None)) is not None:
                    connection.send(following)
        elapsed = time.perf_counter() - started
        cpu = cpu_seconds(pids) - cpu
    return Load(
        requests=len(times),
        failed=failed,
        seconds=elapsed,
        cpu_seconds=cpu,
        body_bytes=body_bytes,
        p50_ms=percentile(times, 50) * 1_000,
        p95_ms=percentile(times, 95) * 1_000,
    )


def _encoded(port: int, *, path: str, body: str | None) -> bytes:
    """A request as bytes: GET, or POST of JSON."""
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n"
    if body is None:
        return f"{head}\r\n".encode()
    content = body.encode()
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(load) for load in loads(json.load(sys.stdin))]))
