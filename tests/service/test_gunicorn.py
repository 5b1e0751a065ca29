"""How gunicorn serves the app: its configuration, and the entry module."""

from __future__ import annotations

import json
import logging
import os
import runpy
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checkout import ROOT
from gunicorn.config import Config  # type: ignore[import-untyped]
from waiting import until

from index.access import UNLIMITED, Scope
from index.store import Store

pytestmark = pytest.mark.slow

GUNICORN = (sys.executable, "-m", "gunicorn", "wsgi:app")


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    others = {k: v for k, v in os.environ.items() if not k.startswith("NUTGRAF_")}
    return others | {
        "NUTGRAF_STORE": f"sqlite:///{tmp_path / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": "memory:",
        "TMPDIR": str(tmp_path),
        "WEB_CONCURRENCY": "1",
        **more,
    }


@pytest.mark.parametrize(
    ("variables", "options", "message"),
    [
        ({"NUTGRAF_BIND": "0.0.0.0:0"}, (), "will not bind to 0.0.0.0:0"),
        ({}, ("--bind", "[::]:0"), "will not bind to [::]:0"),
        (
            {"NUTGRAF_BIND": "0.0.0.0:0", "NUTGRAF_STORE": "sqlite:////dev/null/x.db"},
            (),
            "will not bind to 0.0.0.0:0: cannot find out whether",
        ),
        ({"NUTGRAF_BIND": "nowhere"}, (), "NUTGRAF_BIND"),
        ({"NUTGRAF_BINT": "127.0.0.1:1"}, (), "NUTGRAF_BINT"),
    ],
)
def test_it_refuses_clearly(
    tmp_path: Path, variables: dict[str, str], options: tuple[str, ...], message: str
) -> None:
    done = subprocess.run(
        [*GUNICORN, *options],
        cwd=ROOT,
        env=environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def serving(
    tmp_path: Path, host: str = "127.0.0.1", **more: str
) -> Iterator[tuple[str, int]]:
    """Run a server for the length of a block; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = environment(tmp_path, NUTGRAF_BIND=f"{host}:{port}", **more)
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(GUNICORN, cwd=ROOT, env=variables, stderr=log) as server,
    ):

        def listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        until(listening, "the server listens", 60)
        yield "127.0.0.1", port
        server.terminate()
        assert server.wait(20) == 0
    assert not list(tmp_path.glob("nutgraf-metrics-*"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the server that the tests of this file share."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[tuple[str, int]]:
    """Host and port of a running server, which tests share; ids are their own."""
    with serving(folder) as address:
        yield address


def call(
    address: tuple[str, int], head: str, body: bytes = b"", *, ends: bool = False
) -> tuple[int, bytes]:
    """Send raw bytes as a request; return the status and body of the answer.

    :param ends: shut the sending side of the connection afterwards.
    """
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    start, _, rest = answer.partition(b"\r\n\r\n")
    return int(start.split()[1]), rest


def test_a_real_server_keeps_ids_apart_and_counts_chunks(
    address: tuple[str, int],
) -> None:
    host = f"Host: {address[0]}:{address[1]}"
    put = f"HTTP/1.1\r\n{host}\r\nContent-Type: application/json"
    body = b'{"headline":"A"}'
    status, answer = call(
        address, f"PUT /v1/articles/a%2Fversions {put}\r\nContent-Length: 16", body
    )
    assert (status, b'"id":"a/versions"' in answer) == (200, True)
    status, _ = call(address, f"GET /v1/articles/a%2Fversions HTTP/1.1\r\n{host}")
    assert status == 200
    status, _ = call(address, f"GET /v1/articles/a/versions HTTP/1.1\r\n{host}")
    assert status == 404
    chunked = b"10\r\n" + body + b"\r\n0\r\n\r\n"
    status, answer = call(
        address, f"PUT /v1/articles/%2E%2E {put}\r\nTransfer-Encoding: chunked", chunked
    )
    assert (status, b'"id":".."' in answer) == (200, True)
    status, answer = call(address, f"PUT /v1/articles/b {put}")
    assert (status, b"length_required" in answer) == (411, True)
    status, answer = call(address, f"GET /v1/articles/%ff HTTP/1.1\r\n{host}")
    assert (status, b"invalid_encoding" in answer) == (400, True)
    status, answer = call(address, "GET /v1/fields HTTP/1.1\r\nHost: evil.example")
    assert (status, b"host_refused" in answer) == (400, True)
    for head in ("HTTP/1.0", "HTTP/1.1\r\nHost: 10.0.0.1:8000"):
        assert call(address, f"GET /healthz {head}")[0] == 200
    long = f"/v1/articles/{'%E2%82%AC' * 400}"
    status, answer = call(address, f"GET {long} HTTP/1.1\r\n{host}")
    assert (status, b"article_not_found" in answer) == (404, True)
    url = f"http://{address[0]}:{address[1]}/metrics"
    with urllib.request.urlopen(url, timeout=10) as response:
        text = response.read().decode()
    route = 'method="PUT",route="/v1/articles/<article_id>",status="200"'
    assert f"nutgraf_requests_total{{{route}}} 2.0" in text


# Bodies after a head with Content-Length: 5000 or Transfer-Encoding: chunked.
CUT_OFF = [
    ("Content-Length: 5000", b'{"headline": "Cut", "paragraphs": ["Only the start."]}'),
    ("Content-Length: 5000", b""),
    ("Transfer-Encoding: chunked", b'11\r\n{"headline": "Cut"}\r\n'),
    ("Transfer-Encoding: chunked", b'50\r\n{"headline": "Cut"}'),
    ("Transfer-Encoding: chunked", b'12\r\n{"headline": "Cut"}\r\n0\r\n'),
    ("Transfer-Encoding: chunked", b'zz\r\n{"headline": "Cut"}\r\n0\r\n\r\n'),
    ("Transfer-Encoding: chunked", b'5\r\n{"headline": "Cut"}\r\n0\r\n\r\n'),
    ("Transfer-Encoding: chunked", b""),
]


def test_nothing_is_stored_of_a_body_that_does_not_arrive_whole(
    address: tuple[str, int], folder: Path
) -> None:
    host = f"Host: {address[0]}:{address[1]}"
    for header, body in CUT_OFF:
        for media_type in ("text/plain", "application/json"):
            head = f"PUT /v1/articles/cut HTTP/1.1\r\n{host}\r\n{header}"
            status, answer = call(
                address, f"{head}\r\nContent-Type: {media_type}", body, ends=True
            )
            assert (status, b"incomplete_body" in answer) == (400, True), body
    status, _ = call(address, f"GET /v1/articles/cut HTTP/1.1\r\n{host}")
    assert status == 404
    log = (folder / "log").read_text()
    assert '"level": "error"' not in log
    assert "Traceback" not in log


def test_only_its_own_hosts_are_served_in_any_form_of_request(
    address: tuple[str, int],
) -> None:
    own = f"{address[0]}:{address[1]}"
    refused = [
        "GET /docs HTTP/1.1",
        "GET /docs HTTP/1.0",
        f"GET http://evil.example/docs HTTP/1.1\r\nHost: {own}",
        f"GET http://{own}@evil.example/docs HTTP/1.1\r\nHost: {own}",
        f"GET http://{own}/docs HTTP/1.1\r\nHost: evil.example",
    ]
    for head in refused:
        status, answer = call(address, head)
        assert (status, b"host_refused" in answer) == (400, True), head
    for head in (
        f"GET http://{own}/healthz HTTP/1.1\r\nHost: {own}",
        f"GET /healthz HTTP/1.0\r\nHost: {own}",
        f"OPTIONS * HTTP/1.1\r\nHost: {own}",
    ):
        status, answer = call(address, head)
        assert b"host_refused" not in answer, head


def test_lines_and_headers_that_are_too_long_are_refused_by_the_server(
    address: tuple[str, int],
) -> None:
    host = f"Host: {address[0]}:{address[1]}"
    assert call(address, f"GET /healthz?{'x' * 8_000} HTTP/1.1\r\n{host}")[0] == 400
    for head, status in (
        (f"GET /healthz?{'x' * 8_200} HTTP/1.1\r\n{host}", 414),
        (f"GET /healthz HTTP/1.1\r\n{host}\r\nX-Long: {'x' * 8_200}", 431),
        (f"GET /healthz HTTP/1.1\r\n{host}" + "\r\nX-Many: x" * 101, 431),
    ):
        actual, answer = call(address, head)
        assert actual == status
        assert b"Traceback" not in answer
    assert call(address, f"GET /healthz HTTP/1.1\r\n{host}")[0] == 200


def test_no_header_changes_where_the_app_is_mounted(address: tuple[str, int]) -> None:
    host = f"Host: {address[0]}:{address[1]}"
    for name in ("SCRIPT_NAME", "Script-Name", "PATH_INFO"):
        for value in ("/x", "/v1"):
            status, answer = call(
                address,
                f"GET /v1/search?facet=source HTTP/1.1\r\n{host}\r\n{name}: {value}",
            )
            assert status == 200, (name, value)
            assert b'"hits":[]' in answer


def test_the_entry_module_takes_its_settings_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("NUTGRAF_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NUTGRAF_STORE", f"sqlite:///{tmp_path / 'here.db'}")
    monkeypatch.setenv("NUTGRAF_ENGINE", "memory:")
    module: dict[str, Any] = runpy.run_path(str(ROOT / "wsgi.py"))
    assert module["app"].test_client().get("/v1/search").status_code == 200
    assert (tmp_path / "here.db").exists()


def logged(tmp_path: Path) -> list[dict[str, Any]]:
    """Lines of a server's log."""
    return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def test_it_warns_that_there_are_no_keys(
    address: tuple[str, int], folder: Path
) -> None:
    status, _ = call(
        address, f"GET /v1/fields HTTP/1.1\r\nHost: localhost:{address[1]}"
    )
    assert status == 200
    (line,) = [each for each in logged(folder) if "key" in each["message"]]
    assert line["message"].startswith("no key was ever made")
    assert line["level"] == "warning"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of open files")
def test_no_connection_to_the_store_is_open_when_workers_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    configured = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    server = SimpleNamespace(
        cfg=SimpleNamespace(bind=["127.0.0.1:0"]), log=logging.getLogger("test")
    )
    configured["on_starting"](server)
    assert (tmp_path / "nutgraf.db").exists()
    opened = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the handle that lists them
            opened.append(str(each.readlink()))
    assert [each for each in opened if str(tmp_path / "nutgraf.db") in each] == []


def test_gunicorn_composes_no_access_log_that_nobody_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    configured = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    log = configured["logger_class"](Config())
    log.cfg.set("logconfig_dict", configured["logconfig_dict"])
    # gunicorn's own would read the answer and the request.
    assert log.access(None, None, None, None) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (("127.0.0.1", 80), "127.0.0.1:80"),
        (("::1", 80, 0, 0), "[::1]:80"),
        (("::", 80, 0, 0), "[::]:80"),
        ("/run/nutgraf.sock", "unix:/run/nutgraf.sock"),
    ],
)
def test_the_address_of_a_socket_has_the_form_of_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: Any, expected: str
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    configured = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert configured["_address"](SimpleNamespace(getsockname=lambda: name)) == expected


def test_with_a_key_other_machines_may_call_and_need_one(
    tmp_path: Path,
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'nutgraf.db'}")
    search = frozenset({Scope.SEARCH})
    good = store.keys.add("good", search, rate=UNLIMITED)
    slow = store.keys.add("slow", search, rate=2)

    with serving(
        tmp_path, "0.0.0.0", WEB_CONCURRENCY="2", NUTGRAF_HOSTS="desk.example"
    ) as address:

        def get(secret: str | None) -> int:
            key = "" if secret is None else f"\r\nX-API-Key: {secret}"
            status, _ = call(
                address, f"GET /v1/fields HTTP/1.1\r\nHost: desk.example{key}"
            )
            return status

        def workers(name: str | None) -> set[int]:
            return {
                each["process"]
                for each in logged(tmp_path)
                if each["message"] == "request" and each["key"] == name
            }

        started = time.monotonic()
        passed = calls = 0
        # Both workers count for the rate of one key.
        while calls < 8 or len(workers("slow")) < 2:
            calls += 1
            passed += get(slow.secret) == 200
        assert 2 <= passed <= 2 + (time.monotonic() - started) // 30
        while len(workers("good")) < 2:
            assert get(good.secret) == 200
        assert get(None) == 401
        # A key revoked here is refused by each worker from the next request on.
        store.keys.revoke("good")
        refused = 0
        while refused < 8 or len(workers(None)) < 2:
            assert get(good.secret) == 401
            refused += 1
        store.keys.revoke("slow")
        assert get(slow.secret) == get(None) == 401
    log = (tmp_path / "log").read_text()
    for each in (good, slow):
        assert each.secret.split("_", 2)[2][:12] not in log
    store.close()


def test_a_refused_body_is_not_waited_for(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'nutgraf.db'}")
    secret = store.keys.add("reader", frozenset({Scope.SEARCH})).secret
    store.close()
    with serving(tmp_path) as address:
        for key, expected, code in (
            (f"\r\nX-API-Key: {secret}", 403, b'"code":"scope"'),
            ("", 401, b'"code":"unauthorized"'),
        ):
            # The body is never sent.
            status, answer = call(
                address,
                f"PUT /v1/articles/a HTTP/1.1\r\nHost: localhost{key}"
                "\r\nContent-Type: application/json\r\nContent-Length: 30000000",
            )
            assert status == expected
            assert code in answer
