"""A node of a cluster that answers as a test says, over real HTTP on this machine."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from index.engines.opensearch import cluster
from index.engines.opensearch.address import address_of
from index.engines.opensearch.cluster import Cluster

Answer = Callable[["Asked"], tuple[int, Any]]


@dataclass(frozen=True)
class Asked:
    """A request that a node got."""

    method: str
    path: str
    body: bytes

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Node:
    """A node: it gives its answers in turn, and the last of them ever after.

    An answer of ``None`` closes the connection.
    """

    port: int = 0
    answers: deque[Answer | tuple[int, Any] | None] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def will(self, *answers: Answer | tuple[int, Any] | None) -> None:
        """Set its answers: a status and JSON each, or a function that makes them."""
        self.answers = deque(answers)

    def take(self) -> Answer | tuple[int, Any] | None:
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]

    @property
    def paths(self) -> list[str]:
        return [asked.path.partition("?")[0] for asked in self.asked]


def _handler(node: Node) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            asked = Asked(self.command, self.path, self.rfile.read(length))
            node.asked.append(asked)
            answer = node.take()
            if callable(answer):
                answer = answer(asked)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def node() -> Iterator[Node]:
    """A node that answers ``{}`` until it is told otherwise."""
    yield from _running()


@pytest.fixture
def other() -> Iterator[Node]:
    """A second node."""
    yield from _running()


def _running() -> Iterator[Node]:
    node = Node()
    node.will((200, {}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(node))
    server.daemon_threads = True
    node.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield node
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses are not waited for but kept here."""
    pauses: list[float] = []
    monkeypatch.setattr(cluster.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def connect() -> Iterator[Callable[..., Cluster]]:
    """A function that opens a cluster of nodes."""
    opened: list[Cluster] = []

    def connect(*nodes: Node) -> Cluster:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        opened.append(Cluster(address_of(f"opensearch+http://{hosts}/t")))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()
