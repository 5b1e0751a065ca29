"""Slow clients and long bodies, through the nginx that deploy/nginx.conf sets up."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from faults.amounts import amount, progress
from faults.cluster import HOST, ROOT, Cluster, Reply, running
from ports import free_port
from waiting import until

SITE = "nutgraf.example.org"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
OPENSSL = shutil.which("openssl")
pytestmark = [
    pytest.mark.skipif(
        NGINX is None or OPENSSL is None, reason="nginx and openssl are not installed"
    ),
    pytest.mark.slow,
]

# What any nginx has around a site; every file of it is in the folder of the test.
AROUND = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/a; uwsgi_temp_path {folder}/b; scgi_temp_path {folder}/c;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An nginx in front of a Nutgraf, and a key of the service."""

    cluster: Cluster
    port: int
    key: str

    def connect(self, *, takes: int | None = None) -> ssl.SSLSocket:
        """A new connection.

        :param takes: bytes of the answer that it has room for.
        """
        plain = socket.socket()
        if takes is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        plain.settimeout(30)
        plain.connect((HOST, self.port))
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        return trusting.wrap_socket(plain, server_hostname=SITE)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request on a connection of its own."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        connection.sock = self.connect()
        try:
            named = {"Host": SITE, "X-API-Key": self.key, **(headers or {})}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


def replaced(text: str, **changes: tuple[str, str]) -> str:
    for what, (old, new) in changes.items():
        assert text.count(old) == 1, what
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, cluster: Cluster) -> Iterator[int]:
    """Run nginx with the site as shipped, except for file names and ports."""
    assert NGINX is not None and OPENSSL is not None
    subprocess.run(
        (
            *(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", f"/CN={SITE}", "-keyout", folder / "key"),
            *("-out", folder / "pem"),
        ),
        check=True,
        capture_output=True,
    )
    port = free_port()
    site = replaced(
        (ROOT / "deploy/nginx.conf").read_text("utf-8"),
        listen=("listen 443 ssl;", f"listen {HOST}:{port} ssl;"),
        certificate=("/etc/nginx/tls/nutgraf.pem", f"{folder}/pem"),
        key=("/etc/nginx/tls/nutgraf.key", f"{folder}/key"),
        service=("http://127.0.0.1:8000", f"http://{HOST}:{cluster.port}"),
    )
    (folder / "site.conf").write_text(site, "utf-8")
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder), "utf-8")
    log = folder / "nginx.log"
    command = [NGINX, "-e", log, "-p", folder, "-c", folder / "nginx.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:

            def listens() -> bool:
                assert process.poll() is None, log.read_text()
                with socket.socket() as probe:
                    return probe.connect_ex((HOST, port)) == 0

            until(listens, "nginx listens")
            yield port
            assert not [x for x in log.read_text().splitlines() if "[emerg]" in x]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A complete Nutgraf behind nginx, with a few articles."""
    folder = tmp_path_factory.mktemp("proxy")
    with running(folder / "data", NUTGRAF_HOSTS=SITE) as cluster:
        added = cluster.run("keys", "add", "desk", "--scope", "search,ingest", "--json")
        assert added.returncode == 0, added.stderr
        with nginx(folder, cluster) as port:
            started_proxy = Proxy(cluster, port, json.loads(added.stdout)["key"])
            articles = [
                {"id": f"a/{n}", "headline": "Harbour", "paragraphs": ["grain " * 900]}
                for n in range(100)
            ]
            reply = started_proxy.ask("POST", "/v1/articles?wait=1", *as_json(articles))
            assert reply.status == 200, reply.body
            yield started_proxy


def as_json(value: Any) -> tuple[bytes, dict[str, str]]:
    return json.dumps(value).encode(), {"Content-Type": "application/json"}


def test_the_site_passes_on_what_it_should_and_nothing_else(proxy: Proxy) -> None:
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


def test_a_stream_of_changes_is_not_held_back(proxy: Proxy) -> None:
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


def test_200_slow_clients_keep_nobody_waiting(proxy: Proxy) -> None:
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


def test_who_sends_slowly_is_answered_when_all_is_there(proxy: Proxy) -> None:
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
