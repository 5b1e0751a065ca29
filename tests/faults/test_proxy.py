"""Slow clients and long bodies, through the nginx that deploy/nginx.conf sets up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import cycle
from typing import Any

import pytest
from faults.amounts import amount, progress
from faults.cluster import HOST, running
from faults.site import NGINX, SITE, Site, nginx_in_front

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A complete Nutgraf behind nginx, with a few articles."""
    folder = tmp_path_factory.mktemp("proxy")
    machines = folder / "machines"
    machines.mkdir()
    with running(folder / "data", NUTGRAF_HOSTS=SITE) as cluster:
        added = cluster.run("keys", "add", "desk", "--scope", "search,ingest", "--json")
        assert added.returncode == 0, added.stderr
        key = json.loads(added.stdout)["key"]
        (machines / "web.conf").write_text(f"server {HOST}:{cluster.port};\n")
        with nginx_in_front(folder, machines, key) as site:
            articles = [
                {"id": f"a/{n}", "headline": "Harbour", "paragraphs": ["grain " * 900]}
                for n in range(100)
            ]
            reply = site.ask("POST", "/v1/articles?wait=1", *as_json(articles))
            assert reply.status == 200, reply.body
            yield site


def as_json(value: Any) -> tuple[bytes, dict[str, str]]:
    return json.dumps(value).encode(), {"Content-Type": "application/json"}


def test_the_site_passes_on_what_it_should_and_nothing_else(proxy: Site) -> None:
    reply = proxy.ask("GET", "/v1/search?q=harbour", None, {"Accept-Encoding": "gzip"})
    assert reply.status == 200
    assert reply.headers["Content-Encoding"] == "gzip"
    assert "max-age" in reply.headers["Strict-Transport-Security"]
    assert proxy.ask("GET", "/v1/articles/a%2F1").status == 200
    assert proxy.ask("GET", "/v1/articles/a/1").status == 404
    assert proxy.ask("GET", "/v1/search", None, {"X-API-Key": ""}).status == 401
    assert proxy.ask("GET", "/v1/search", None, {"Host": "evil.example"}).status == 400
    assert b"nutgraf_" not in proxy.ask("GET", "/metrics").body
    letters = "%E0%B7%83" * 1_000  # a q of Sinhala, above what gunicorn takes
    assert proxy.ask("GET", f"/v1/search?q={letters}").status == 414
    text = {"headline": "Long", "paragraphs": ["water " * 1_000] * 150}
    assert proxy.ask("PUT", "/v1/articles/long", *as_json(text)).status == 200
    assert proxy.ask("PUT", "/v1/articles/long", b" " * 2**25 + b" ").status == 413


def test_a_stream_of_changes_is_not_held_back(proxy: Site) -> None:
    with proxy.connect() as stream:
        stream.sendall(
            f"GET /v1/changes HTTP/1.1\r\nHost: {SITE}\r\nX-API-Key: {proxy.key}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        received = b""
        while b"data:" not in received:
            received += stream.recv(65_536)
        article = {"headline": "Told at once"}
        reply = proxy.ask("PUT", "/v1/articles/told-now", *as_json(article))
        assert reply.status == 200
        while b"told-now" not in received:  # or the connection times out
            received = received[-100:] + stream.recv(65_536)


# What slow clients send at once, what again and again, and what they have room for.
PUT = f"PUT /v1/articles/slow HTTP/1.1\r\nHost: {SITE}\r\n".encode()
ALL = b"GET /v1/search?q=grain&limit=100&passages=20&fields=all HTTP/1.1\r\n"
SLOW: tuple[tuple[bytes, bytes, int | None], ...] = (
    (b"", b"", None),
    (b"GET /v1/search HTTP/1.1\r\nX-Slow: ", b"a", None),
    (PUT + b"Content-Length: 90000\r\n\r\n{", b" ", None),
    (PUT + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", None),
    (b"", b"", 2_048),
)
CLIENTS = 200
PATIENCE_SECONDS = amount(3, 1)  # at length the machine has nothing else to do
DROP_SECONDS = 0.1


def test_200_slow_clients_keep_nobody_waiting(proxy: Site) -> None:
    deaf = ALL + f"Host: {SITE}\r\nX-API-Key: {proxy.key}\r\n\r\n".encode()
    slowest = 0.0
    with ExitStack() as stack:
        clients = []
        for (sends, drop, takes), _ in zip(cycle(SLOW), range(CLIENTS), strict=False):
            client = stack.enter_context(proxy.connect(takes=takes))
            client.sendall(deaf if takes is not None else sends)
            client.setblocking(False)
            clients.append((client, drop))
        stop = time.monotonic() + amount(3, 60)
        rounds = 0
        while time.monotonic() < stop:
            for client, drop in clients:
                if drop:
                    with suppress(OSError):  # nginx has given it up
                        client.send(drop)
            for method, path, body in (
                ("GET", "/v1/search?q=harbour", None),
                ("PUT", "/v1/articles/quick", b'{"headline": "Quick"}'),
            ):
                started = time.monotonic()
                kind = {"Content-Type": "application/json"}
                reply = proxy.ask(method, path, body, kind)
                slowest = max(slowest, time.monotonic() - started)
                assert reply.status == 200, reply.body
                assert slowest < PATIENCE_SECONDS
            rounds += 1
            time.sleep(DROP_SECONDS)
    progress(f"{CLIENTS} slow clients, others {slowest:.2f} s at most, {rounds} times")
    assert proxy.ask("GET", "/v1/articles/slow").status == 404


def test_who_sends_slowly_is_answered_when_all_is_there(proxy: Site) -> None:
    body = json.dumps({"headline": "Drop by drop", "paragraphs": ["rain " * 40]})
    sent = (
        f"PUT /v1/articles/drops HTTP/1.1\r\nHost: {SITE}\r\nX-API-Key: {proxy.key}\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    with proxy.connect() as client:
        for start in range(0, len(sent), 20):
            client.sendall(sent[start : start + 20])
            time.sleep(0.05)
        answer = b""
        with suppress(ConnectionError):
            while piece := client.recv(65_536):
                answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert proxy.ask("GET", "/v1/articles/drops").status == 200
