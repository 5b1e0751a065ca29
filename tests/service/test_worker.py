"""The gunicorn worker: when a thread gets a request, and how long clients may take."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from checkout import ROOT
from faults.cluster import HOST, Cluster, received, running
from gunicorn.config import Config  # type: ignore[import-untyped]

from service import receiving
from service.receiving import ROOM, Connection
from service.worker import Worker

pytestmark = pytest.mark.slow

GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
PUT = b"PUT /v1/articles/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def connection(sock: socket.socket) -> Connection:
    return Connection(Config(), sock, ("127.0.0.1", 1), ("127.0.0.1", 2))


@pytest.mark.parametrize(
    ("sent", "whole"),
    [
        (GET, False),
        (GET + b"\r", False),
        (GET + b"\r\n", True),
        (b"\r\n" + GET + b"\r\n", True),
        (GET + b"\r\n" + GET, True),
        (GET + b"X: content-length: 9\r\n\r\n", True),
        (GET + b"a line that ends otherwise\n", True),
        (GET + b"\n", True),
        (PUT + b"Content-Length: 3\r\n\r\n", False),
        (PUT + b"Content-Length: 3\r\n\r\nab", False),
        (PUT + b"Content-Length: 3\r\n\r\nabc", True),
        (PUT + b"content-LENGTH:3  \r\n\r\nabc", True),
        (PUT + b"Content-Length: 0\r\n\r\n", True),
        # A thread finds out how long these are.
        (PUT + b"Content-Length: 00000000000000003\r\n\r\nabc", False),
        (PUT + b"Content-Length: +3\r\n\r\nabc", False),
        (PUT + b"Content-Length: 3, 3\r\n\r\nabc", False),
        (PUT + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
        (PUT + b"Transfer-Encoding: 3\r\nContent-Length: 3\r\n\r\nabc", True),
    ],
)
def test_a_request_may_arrive_in_any_pieces(
    sockets: tuple[socket.socket, socket.socket], sent: bytes, whole: bool
) -> None:
    for size in (1, 2, 3, 7, len(sent)):
        conn = connection(sockets[0])
        for start in range(0, len(sent), size):
            conn.take(sent[start : start + size])
        assert conn.is_whole() is whole
        conn.hand_over()
        assert conn.parser.unreader.take_buffered() == sent


def test_a_body_is_read_while_it_arrives_fast_enough(
    sockets: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = sockets
    monkeypatch.setattr(receiving, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(receiving, "BYTES_PER_SECOND", 10)
    rest = connection(ours).parser.unreader
    rest.deadline = time.monotonic()
    theirs.sendall(b"abcdefghij")
    assert rest.read() == b"abcdefghij"  # it had arrived
    assert (
        rest.deadline <= time.monotonic() + 0.3
    )  # not the whole second that it is worth
    with pytest.raises(TimeoutError):
        rest.read()
    theirs.sendall(b"k")
    assert rest.read() == b"k"
    with pytest.raises(TimeoutError):
        rest.read()
    theirs.close()
    assert rest.read() == b""


@pytest.mark.parametrize(
    "request_sent",
    [
        GET + b"\r\n",
        PUT + b"Content-Length: 3\r\n\r\nabc",
        PUT + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_who_awaits_no_answers_does_not_fill_the_memory(
    sockets: tuple[socket.socket, socket.socket], request_sent: bytes
) -> None:
    ours, theirs = sockets
    theirs.setblocking(False)
    conn = connection(ours)
    loop = Worker(0, os.getpid(), [], None, 30, Config(), None)
    loop.tpool = SimpleNamespace(submit=lambda _: None)
    with closing(loop.tmp):
        for _ in range(50):
            with suppress(BlockingIOError):
                theirs.sendall(request_sent * 1_000)
            loop.enqueue_req(conn)
            assert len(conn.parser.unreader.buf.getvalue()) < 2 * ROOM
            # A thread does this then.
            assert next(conn.parser).path in ("/healthz", "/v1/articles/a")
            assert conn.parser.finish_body()
            loop._bodies = 1


@pytest.mark.parametrize(
    ("sent", "comes", "kept"),
    [
        (GET + b"\r\n", True, b""),
        (PUT + b"Content-Length: 3\r\n\r\nabc", True, b""),
        (GET, False, GET),
        (
            PUT + b"Content-Length: 3\r\n\r\nab",
            False,
            PUT + b"Content-Length: 3\r\n\r\nab",
        ),
        (b"", False, b""),
        (None, False, b""),
    ],
)
def test_a_thread_stays_only_for_a_request_that_comes_whole(
    sockets: tuple[socket.socket, socket.socket],
    sent: bytes | None,
    comes: bool,
    kept: bytes,
) -> None:
    ours, theirs = sockets
    conn = connection(ours)
    if sent is None:
        theirs.close()
    else:
        theirs.sendall(sent)
    assert conn.next_comes(0.01) is comes
    assert conn.received == kept


@pytest.fixture
def loop() -> Iterator[Worker]:
    worker = Worker(0, os.getpid(), [], None, 30, Config(), None)
    worker.tpool = SimpleNamespace(has_half_free=lambda: True)
    with closing(worker.tmp):
        yield worker


@pytest.mark.parametrize("has_half_free", [True, False])
def test_a_client_that_goes_on_keeps_its_thread_while_half_of_them_are_free(
    sockets: tuple[socket.socket, socket.socket], loop: Worker, has_half_free: bool
) -> None:
    ours, theirs = sockets
    loop.tpool.has_half_free = lambda: has_half_free
    left, answered = [], []

    def handle(conn: Connection) -> bool:
        answered.append(next(conn.parser).path)
        if len(answered) < 5:
            theirs.sendall(GET + b"\r\n")
        return True

    loop.handle = handle
    loop.method_queue.defer = lambda *call: left.append(call)
    conn = connection(ours)
    conn.take(GET + b"\r\n")
    conn.hand_over()
    loop._serve(conn)
    assert len(answered) == (5 if has_half_free else 1)
    assert left == [(loop._served, conn, True)]


def test_a_thread_leaves_its_connection_however_an_answer_ends(
    sockets: tuple[socket.socket, socket.socket], loop: Worker
) -> None:
    left = []
    loop.method_queue.defer = lambda *call: left.append(call)
    conn = connection(sockets[0])

    def handle(_: Connection) -> bool:
        raise SystemExit

    loop.handle = handle
    with suppress(SystemExit):
        loop._serve(conn)
    assert left == [(loop._served, conn, False)]


@pytest.mark.parametrize(
    "options",
    [("--certfile", "LICENSE", "--keyfile", "LICENSE"), ("--protocol", "uwsgi")],
)
def test_a_configuration_the_loop_cannot_serve_is_refused(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    others = {k: v for k, v in os.environ.items() if not k.startswith("NUTGRAF_")}
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app", *options],
        cwd=ROOT,
        env={
            **others,
            "NUTGRAF_STORE": f"sqlite:///{tmp_path / 'nutgraf.db'}",
            "NUTGRAF_ENGINE": "memory:",
            "NUTGRAF_BIND": f"{HOST}:0",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "nutgraf speaks plain HTTP/1.1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One worker, without an indexer."""
    folder = tmp_path_factory.mktemp("worker") / "data"
    with running(folder, workers=1, indexer=False, NUTGRAF_ENGINE="memory:") as cluster:
        yield cluster


def test_requests_sent_at_once_are_answered_in_turn(cluster: Cluster) -> None:
    body = b"Sent in one go."
    put = PUT + b"Content-Length: %d\r\n\r\n" % len(body) + body
    last = GET + b"Connection: close\r\n\r\n"
    for pieces in (1, 2, 5):
        sent = (GET + b"\r\n" + put) * 3 + last
        size = len(sent) // pieces + 1
        with socket.create_connection((HOST, cluster.port), timeout=30) as client:
            for start in range(0, len(sent), size):
                client.sendall(sent[start : start + size])
                time.sleep(0.02)
            answers = received(client)
        assert answers.count(b"HTTP/1.1 200 OK") == 7


def test_many_long_bodies_at_once_are_all_read(cluster: Cluster) -> None:
    statuses = []

    def send(number: int) -> None:
        text = f"{number} " + "long words " * (ROOM // 5)
        with cluster.client() as client:
            reply = client.ask(
                "PUT",
                f"/v1/articles/l{number}",
                {"headline": text[:50], "paragraphs": [text]},
            )
            statuses.append(reply.status)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 12


def test_a_head_of_many_long_headers_is_refused(cluster: Cluster) -> None:
    answer = cluster.raw(
        GET + b"X-Long: " + b"a" * 8_000 + b"\r\n" + b"X: b\r\n" * 12_000
    )
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b'"code":"head_too_large"' in answer
    assert b'"limit":65536' in answer


def test_a_half_closed_connection_is_still_answered(cluster: Cluster) -> None:
    assert cluster.raw(GET + b"\r\n", ends=True).startswith(b"HTTP/1.1 200 OK")
    assert cluster.raw(GET[:30], ends=True)[:12] in (b"", b"HTTP/1.1 400")
    assert cluster.raw(b"", ends=True) == b""


def test_workers_that_end_after_some_requests_leave_none_unanswered(
    tmp_path: Path,
) -> None:
    variables = {"GUNICORN_CMD_ARGS": "--max-requests 5", "NUTGRAF_ENGINE": "memory:"}
    with running(tmp_path / "data", indexer=False, **variables) as cluster:
        first = cluster.workers()
        for _ in range(30):
            with cluster.client() as client:
                for _ in range(2):
                    assert client.ask("GET", "/healthz").status == 200
        assert not set(first) & set(cluster.workers())


def test_a_worker_that_ends_waits_for_requests_under_way_but_for_nobody_silent(
    tmp_path: Path,
) -> None:
    with (
        running(
            tmp_path / "data", workers=1, indexer=False, NUTGRAF_ENGINE="memory:"
        ) as cluster,
        ExitStack() as stack,
    ):
        (pid,) = cluster.workers()
        for _ in range(20):
            silent = socket.create_connection((HOST, cluster.port), timeout=30)
            stack.enter_context(silent)
        half = socket.create_connection((HOST, cluster.port), timeout=30)
        # Its first request was answered, so the connection is accepted.
        stack.enter_context(half).sendall(GET + b"\r\n")
        while not half.recv(65_536).endswith(b"}\n"):
            pass
        half.sendall(GET)
        stopping = threading.Thread(target=cluster.stop)
        stopping.start()
        time.sleep(0.5)
        half.sendall(b"\r\n")
        assert received(half).startswith(b"HTTP/1.1 200 OK")
        stopping.join(20)
        assert not stopping.is_alive()
        assert not Path(f"/proc/{pid}").exists()


def test_idle_connections_leave_room_even_with_few_open_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (200, 200))
    worker = Worker(0, os.getpid(), [], None, 30, Config(), None)
    with closing(worker.tmp):
        assert worker.max_keepalived < worker.worker_connections == 100


def test_more_connections_than_there_may_be_files_end_no_worker(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        with running(
            tmp_path / "data", indexer=False, NUTGRAF_ENGINE="memory:"
        ) as cluster:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            before = cluster.workers()
            with ExitStack() as stack:
                for _ in range(500):
                    silent = socket.create_connection((HOST, cluster.port), timeout=30)
                    stack.enter_context(silent)
                with cluster.client(timeout=60) as client:
                    assert client.ask("GET", "/healthz").status == 200
            assert cluster.workers() == before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
