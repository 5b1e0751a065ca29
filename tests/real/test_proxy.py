"""The proxies of fault tests do to a connection what they say."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ports import HOST
from real.proxy import Gate, Wire, half_of_bulks, refuses


class Echo(BaseHTTPRequestHandler):
    """A server that answers with what it was asked, each item of a bulk included."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer: Any = {"path": self.path, "body": body.decode()}
        if self.path == "/_bulk":
            # The documents of this test are not longer than their actions.
            actions = [json.loads(line) for line in body.splitlines()]
            items = [each for each in actions if {"index", "delete"} & each.keys()]
            answer = {
                "items": [
                    {kind: {"_id": item["_id"], "status": 200}}
                    for each in items
                    for kind, item in each.items()
                ]
            }
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """Port of a server that echoes."""
    with ThreadingHTTPServer((HOST, 0), Echo) as echo:
        thread = threading.Thread(target=echo.serve_forever, args=(0.01,))
        thread.start()
        yield echo.server_address[1]
        echo.shutdown()
        thread.join()


def asked(port: int, path: str = "/x", body: str = "{}", timeout: float = 10) -> Any:
    """Status and body of the answer to a request on a new connection."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_wire_hands_everything_on(server: int) -> None:
    with Wire(server) as wire:
        assert asked(wire.port, body="x" * 300_000)[1]["body"] == "x" * 300_000


def test_a_wire_that_is_cut_ends_connections_until_it_is_mended(server: int) -> None:
    with Wire(server) as wire:
        with socket.create_connection((HOST, wire.port), timeout=10) as connection:
            connection.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\n{")
            assert connection.recv(10)
            wire.cut()
            # The end of the answer may have come before the reset.
            with suppress(ConnectionResetError):
                while connection.recv(1_000):
                    pass
        with pytest.raises((OSError, http.client.HTTPException)):
            asked(wire.port)
        wire.mend()
        assert asked(wire.port)[0] == 200


def test_a_wire_that_loses_everything_says_nothing_until_it_is_mended(
    server: int,
) -> None:
    with Wire(server) as wire:
        wire.lose()
        with pytest.raises(TimeoutError):
            asked(wire.port, timeout=0.05)
        wire.mend()
        assert asked(wire.port)[0] == 200


def test_a_wire_delays_each_piece(server: int) -> None:
    with Wire(server) as wire:
        wire.delay(0.05)
        begun = time.monotonic()
        assert asked(wire.port)[0] == 200
        assert time.monotonic() - begun >= 0.1  # there and back


def test_a_gate_refuses_the_requests_that_it_is_told_to(server: int) -> None:
    with Gate(server) as gate:
        gate.rule = refuses(429, "/_search", headers=(("Retry-After", "1"),))
        status, answer = asked(gate.port, "/index/_search?size=1")
        assert (status, answer["status"]) == (429, 429)
        assert asked(gate.port, "/index/_doc") == (
            200,
            {"path": "/index/_doc", "body": "{}"},
        )
        assert gate.changed == 1


def test_a_gate_lets_every_second_item_of_a_bulk_through(server: int) -> None:
    lines: list[dict[str, Any]] = [
        *({"index": {"_index": "i", "_id": "a"}}, {"text": "a"}),
        {"delete": {"_index": "i", "_id": "b"}},
        *({"index": {"_index": "i", "_id": "c"}}, {"text": "c"}),
        {"delete": {"_index": "i", "_id": "d"}},
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    with Gate(server) as gate:
        gate.rule = half_of_bulks
        status, answer = asked(gate.port, "/_bulk", body)
    results = [result for item in answer["items"] for result in item.values()]
    assert (status, answer["errors"]) == (200, True)
    assert [(each["_id"], each["status"]) for each in results] == [
        ("a", 200),
        ("b", 429),
        ("c", 200),
        ("d", 429),
    ]
