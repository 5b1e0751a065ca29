"""Proxies between Nutgraf and its servers: they delay, cut, lose and refuse.

``Wire`` knows bytes only, and stands before any server. ``Gate`` knows HTTP requests,
and answers those that a test wants to be answered otherwise.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from ports import HOST

_PIECE = 65_536
# A connection that is closed so is reset: the other side loses what was under way.
_RESET = struct.pack("ii", 1, 0)


class Wire:
    """A TCP proxy before a server, whose connections a test can disturb.

    :param target: port of the server.
    :ivar port: port of the proxy.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._delay = 0.0
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._ended = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def delay(self, seconds: float) -> None:
        """Hold each piece that is sent, in each direction, for so long."""
        self._delay = seconds

    def lose(self) -> None:
        """Let nothing through, and say nothing: as when the network is parted."""
        self._flows.clear()

    def cut(self) -> None:
        """Reset all connections, and those that are opened from now on."""
        self._refuses = True
        self.reset()

    def reset(self) -> None:
        """Reset all connections that are open now."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _reset(connection)

    def mend(self) -> None:
        """Let everything through again, what was held included."""
        self._delay, self._refuses = 0.0, False
        self._flows.set()

    def close(self) -> None:
        """End the proxy and all its connections."""
        self._ended = self._refuses = True
        self._flows.set()
        # A listener that is only closed would go on accepting.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(10)
        self.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                _reset(client)
                continue
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        """Connect a client with the server, in both directions."""
        self._flows.wait()
        try:
            server = socket.create_connection((HOST, self._target), timeout=10)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        if self._refuses:
            self.reset()
        back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
        back.start()
        self._copy(client, server)
        back.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if self._delay:
                    time.sleep(self._delay)
                self._flows.wait()
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)  # who reads from it wakes up
    connection.close()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has come to a gate."""

    method: str
    path: str  # with its query
    body: bytes

    def is_to(self, *ends: str) -> bool:
        """Whether its path, without the query, ends with one of these."""
        return self.path.partition("?")[0].endswith(ends)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that a gate gives by itself, or has got from the node."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


Send = Callable[[Asked], Answered]
Rule = Callable[[Asked, Send], Answered]


def passes(asked: Asked, send: Send) -> Answered:
    """The answer of the node itself."""
    return send(asked)


def refuses(status: int, *ends: str, headers: tuple[tuple[str, str], ...] = ()) -> Rule:
    """A rule that answers requests to paths with these ends with an error's status."""

    def rule(asked: Asked, send: Send) -> Answered:
        if not asked.is_to(*ends):
            return send(asked)
        reason = {"type": "rejected_execution_exception", "reason": "queue is full"}
        body = json.dumps(
            {"error": {**reason, "root_cause": [reason]}, "status": status}
        )
        return Answered(
            status, body.encode(), (("Content-Type", "application/json"), *headers)
        )

    return rule


def half_of_bulks(asked: Asked, send: Send) -> Answered:
    """The answer of the node to every second item of a bulk; the others are refused."""
    if not asked.is_to("/_bulk"):
        return send(asked)
    kept, lines, results = [], asked.body.splitlines(), []
    position = 0
    while position < len(lines):
        ((kind, item),) = json.loads(lines[position]).items()
        length = 1 if kind == "delete" else 2
        if len(results) % 2 == 0:
            kept += lines[position : position + length]
            results.append(None)
        else:
            error = {"type": "rejected_execution_exception", "reason": "queue is full"}
            refused = {"_index": item.get("_index"), "_id": item["_id"]}
            results.append({kind: {**refused, "status": 429, "error": error}})
        position += length
    items: list[Any] = []
    if kept:
        body = b"\n".join([*kept, b""])
        answered = send(Asked(asked.method, asked.path, body))
        if answered.status != 200:
            return answered
        items = json.loads(answered.body)["items"]
    there = iter(items)
    whole = [next(there) if result is None else result for result in results]
    body = json.dumps({"took": 1, "errors": True, "items": whole}).encode()
    return Answered(200, body)


class Gate:
    """An HTTP proxy before a node, which follows the rule that a test has set.

    :ivar port: port of the proxy.
    :ivar rule: what it answers; at first what the node does.
    :ivar changed: number of answers that are not the node's own.
    """

    def __init__(self, target: int) -> None:
        self.rule: Rule = passes
        self.changed = 0
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                asked = Asked(self.command, self.path, self.rfile.read(length))
                own: list[Answered] = []

                def send(request: Asked) -> Answered:
                    own.append(_sent(target, request, self.headers))
                    return own[-1]

                try:
                    answered = gate.rule(asked, send)
                except (OSError, http.client.HTTPException):
                    self.close_connection = True  # as if the node had closed it
                    return
                gate.changed += answered not in own
                self.send_response(answered.status)
                for name, value in answered.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answered.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answered.body)

            def log_message(self, *_: object) -> None:
                pass

        for method in ("HEAD", "POST", "PUT", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.do_GET)
        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.port: int = self._server.server_address[1]
        self._serving = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._serving.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _sent(target: int, asked: Asked, headers: Any) -> Answered:
    """Answer of the node to a request."""
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() not in ("connection", "content-length", "host")
    }
    connection = http.client.HTTPConnection(HOST, target, timeout=60)
    try:
        connection.request(asked.method, asked.path, asked.body or None, kept)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    # The length is set anew; what is compressed stays so.
    passed = ("content-type", "content-encoding", "warning", "retry-after")
    told = tuple((k, v) for k, v in answer.getheaders() if k.lower() in passed)
    return Answered(answer.status, body, told)
