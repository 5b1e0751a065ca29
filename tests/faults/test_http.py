"""Abuse over sockets, queries that explode elsewhere, and workers that die."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from faults.amounts import LATE_SECONDS, SIZE, amount, chance, progress
from faults.cluster import HOST, Client, Cluster, received, running
from waiting import until

from service.receiving import REQUEST_SECONDS
from service.worker import LINGER_SECONDS

pytestmark = pytest.mark.slow

BODY_BYTES = 1_000_000  # NUTGRAF_BODY_BYTES here
ARTICLES = amount(2_000, 20_000)
DEADLINE_SECONDS = 2.0  # of a search
SLACK_SECONDS = 3.0  # on a machine that does other things too
# What four others who send such queries may cost somebody: below that nobody minds.
NOTICED_SECONDS = 0.3 if SIZE == "full" else SLACK_SECONDS
STRENGTH_SECONDS = amount(30, 2)  # until there is another worker for one that died
PAUSE_SECONDS = 0.01  # between two requests of somebody who sends nothing hostile
MOST_GROWTH = 100 * 1024 * 1024  # bytes of memory, of all workers together
THREADS = 16  # of two workers


def corpus() -> Iterator[list[dict[str, Any]]]:
    """Yield batches of articles whose words are as unevenly spread as in a language."""
    seed = chance("corpus")
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = sorted({"".join(seed.choices(letters, k=8)) for _ in range(ARTICLES * 3)})
    words[:5] = ["harbour", "grain", "talks", "minister", "strike"]
    sums = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    for start in range(0, ARTICLES, 500):
        yield [
            {
                "id": f"c{n}",
                "headline": " ".join(seed.choices(words, cum_weights=sums, k=7)),
                "paragraphs": [
                    " ".join(seed.choices(words, cum_weights=sums, k=45))
                    for _ in range(2)
                ],
                "published": f"20{n % 25:02}-01-01",
            }
            for n in range(start, min(start + 500, ARTICLES))
        ]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers that the tests of this file share; none is killed."""
    folder = tmp_path_factory.mktemp("http") / "data"
    with running(
        folder,
        NUTGRAF_BODY_BYTES=str(BODY_BYTES),
        NUTGRAF_SEARCH_SECONDS=str(DEADLINE_SECONDS),
    ) as shared:
        with shared.client(timeout=120) as client:
            for batch in corpus():
                assert client.ask("POST", "/v1/articles", batch).status == 200
            until(lambda: shared.caught_up(client), "the corpus is indexed", 60)
        workers = shared.workers()
        yield shared
        assert shared.workers() == workers
        assert '"level": "critical"' not in shared.log("web")
        mistakes = [
            line for line in shared.log("web").splitlines() if "Exception on" in line
        ]
        assert mistakes == []


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Client]:
    with cluster.client() as client:
        yield client


# Requests as bytes.

JSON = "Content-Type: application/json"


def head(line: str, *headers: str, host: str | None = HOST) -> bytes:
    """Head of a request that is the last of its connection."""
    named = [] if host is None else [f"Host: {host}"]
    return "\r\n".join([line, *named, *headers, "Connection: close", "", ""]).encode()


def put(body: bytes, *headers: str) -> bytes:
    length = f"Content-Length: {len(body)}"
    return head("PUT /v1/articles/abuse HTTP/1.1", JSON, length, *headers) + body


def chunked(size: int, *, piece: bytes = b"x" * 50_000) -> bytes:
    start = head(
        "PUT /v1/articles/abuse HTTP/1.1",
        "Content-Type: text/plain",
        "Transfer-Encoding: chunked",
    )
    chunk = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    return start + chunk * (size // len(piece)) + b"0\r\n\r\n"


# What is sent, the statuses it may have (0: closed without a word), and a code in it.
ABUSE: dict[str, tuple[bytes, set[int], bytes]] = {
    "chunks above the limit": (chunked(5 * BODY_BYTES), {413}, b"body_too_large"),
    "a chunk above the limit": (
        chunked(2 * BODY_BYTES, piece=b"x" * (2 * BODY_BYTES)),
        {413},
        b"body_too_large",
    ),
    "a length above the limit": (
        head("PUT /v1/articles/abuse HTTP/1.1", JSON, "Content-Length: 9999999999"),
        {413},
        b"body_too_large",
    ),
    "a length below 0": (
        head("PUT /v1/articles/abuse HTTP/1.1", JSON, "Content-Length: -5") + b"{}",
        {400},
        b"",
    ),
    "JSON 100,000 deep": (put(b"[" * 100_000), {400}, b"invalid_json"),
    "JSON that closes 100,000 deep": (
        put(b"[" * 100_000 + b"]" * 100_000),
        {400},
        b"invalid_json",
    ),
    "NaN": (put(b'{"headline": "abuse", "urgency": NaN}'), {400}, b"invalid_json"),
    "1e400": (put(b'{"headline": "abuse", "urgency": 1e400}'), {400}, b"invalid_json"),
    "a name twice": (
        put(b'{"headline": "abuse", "headline": "b"}'),
        {400},
        b"invalid_json",
    ),
    "a lone surrogate": (put(b'{"headline": "\\ud800"}'), {400}, b"invalid_json"),
    "no body at all": (
        head("PUT /v1/articles/abuse HTTP/1.1", JSON),
        {411},
        b"length_required",
    ),
    "a length and chunks": (
        head(
            "PUT /v1/articles/abuse HTTP/1.1",
            JSON,
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
        )
        + b"0\r\n\r\n",
        {400},
        b"",
    ),
    "two lengths": (
        head(
            "PUT /v1/articles/abuse HTTP/1.1",
            JSON,
            "Content-Length: 2",
            "Content-Length: 20",
        )
        + b"{}",
        {400},
        b"",
    ),
    "chunks twice": (
        head(
            "PUT /v1/articles/abuse HTTP/1.1",
            JSON,
            "Transfer-Encoding: chunked, chunked",
        )
        + b"0\r\n\r\n",
        {400, 501},
        b"",
    ),
    "an unknown coding": (put(b"{}", "Content-Encoding: br"), {415}, b"unsupported"),
    "gzip that is none": (
        put(b"{}", "Content-Encoding: gzip"),
        {422},
        b"invalid_gzip",
    ),
    "TLS": (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300,
        {0, 400},
        b"",
    ),
    "no HTTP": (b"hello there\r\n\r\n", {400}, b""),
    "HTTP 9.9": (head("GET /healthz HTTP/9.9"), {400, 505}, b""),
    "a method of its own": (head("BREW /v1/search HTTP/1.1"), {405}, b"method_not"),
    "150 headers": (
        head("GET /healthz HTTP/1.1", *(f"X-{n}: a" for n in range(150))),
        {431},
        b"",
    ),
    "a header of 9,000 bytes": (
        head("GET /healthz HTTP/1.1", f"X-Long: {'a' * 9_000}"),
        {431},
        b"",
    ),
    "a header with a NUL": (head("GET /healthz HTTP/1.1", "X-A: a\0b"), {400}, b""),
    "a header over two lines": (
        head("GET /healthz HTTP/1.1", "X-A: a\r\n b"),
        {400},
        b"",
    ),
    "an address of 9,000 bytes": (
        head(f"GET /v1/search?q={'a' * 9_000} HTTP/1.1"),
        {414},
        b"",
    ),
    "no Host": (head("GET /v1/fields HTTP/1.1", host=None), {400}, b"host_refused"),
    "a foreign Host": (
        head("GET /v1/fields HTTP/1.1", host="evil.example"),
        {400},
        b"host_refused",
    ),
    "two Hosts": (head("GET /v1/fields HTTP/1.1", "Host: evil.example"), {400}, b""),
    "a foreign Origin": (
        head("GET /healthz HTTP/1.1", "Origin: https://evil.example"),
        {403},
        b"origin_refused",
    ),
    "an id that climbs": (
        head("GET /v1/articles/..%2f..%2fetc%2fpasswd HTTP/1.1"),
        {404},
        b"article_not_found",
    ),
    "an id with a NUL": (
        head("GET /v1/articles/a%00b HTTP/1.1"),
        {400},
        b"invalid",
    ),
    "an id with a new line": (
        head("GET /v1/articles/a%0d%0aX-Injected:%201 HTTP/1.1"),
        {400},
        b"invalid_id",
    ),
    "an id that is no UTF-8": (
        head("GET /v1/articles/%ff%fe HTTP/1.1"),
        {400},
        b"invalid_encoding",
    ),
    "a query that is no UTF-8": (
        head("GET /v1/search?q=%ff HTTP/1.1"),
        {400},
        b"invalid_encoding",
    ),
    "a query with a new line": (
        head("GET /v1/search?q=a%0a%7b%22level%22:%22critical%22%7d HTTP/1.1"),
        {200},
        b"hits",
    ),
    "a path with a new line": (
        head("GET /nothing%0a%7b%22level%22:%22critical%22%7d HTTP/1.1"),
        {404},
        b"not_found",
    ),
    "a range of an answer": (
        head("GET /v1/search HTTP/1.1", "Range: bytes=0-3"),
        {200},
        b"hits",
    ),
    "an expectation": (put(b'{"a": 1}', "Expect: 200-ok"), {400, 417, 422}, b""),
}


def status_of(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else 0


@pytest.mark.parametrize(("sent", "statuses", "code"), ABUSE.values(), ids=ABUSE)
def test_what_nobody_should_send_is_refused_and_changes_nothing(
    cluster: Cluster, client: Client, sent: bytes, statuses: set[int], code: bytes
) -> None:
    answer = cluster.raw(sent, ends=sent.startswith(b"\x16"))
    assert status_of(answer) in statuses, answer[:500]
    assert code in answer, answer[:500]
    assert b"Traceback" not in answer
    assert b"X-Injected" not in answer.partition(b"\r\n\r\n")[0]
    assert str(cluster.folder).encode() not in answer
    assert client.ask("GET", "/v1/articles/abuse").status == 404
    for line in cluster.log("web").splitlines()[-20:]:
        assert isinstance(json.loads(line), dict)


def test_what_follows_a_refused_request_is_no_request_of_its_own(
    cluster: Cluster, client: Client
) -> None:
    # A body that is not read must not be taken for the next request on the connection.
    hidden = head("DELETE /v1/articles/c1 HTTP/1.1")
    for start in (
        b"PUT /v1/articles/abuse HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: 5000000\r\n\r\n",
        b"PUT /v1/articles/abuse HTTP/1.1\r\nHost: evil.example\r\n"
        b"Content-Length: %d\r\n\r\n" % len(hidden),
        b"GET /v1/search?limit=x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Length: %d\r\n\r\n" % len(hidden),
    ):
        answer = cluster.raw(start + hidden, ends=True)
        assert b'"deleted"' not in answer, answer
    assert client.ask("GET", "/v1/articles/c1").status == 200


# Clients that are slow.

PUT = (
    b"PUT /v1/articles/abuse HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\n"
)
# What they send at once, and what again and again.
SLOW = {
    "nothing": (b"", b""),
    "half of a head": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: a", b""),
    "a head in drops": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", b"a"),
    "half of a body": (PUT + b"Content-Length: 900\r\n\r\n{", b""),
    "a body in drops": (PUT + b"Content-Length: 900\r\n\r\n{", b" "),
    "a long body in drops": (PUT + b"Content-Length: 900000\r\n\r\n{", b" " * 64),
    "chunks in drops": (PUT + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}
DROP_SECONDS = 0.1


class Slow:
    """A slow client, and the bytes that it has received."""

    def __init__(self, port: int, sends: bytes, drop: bytes) -> None:
        self.sends, self.received, self.ended = sends, b"", False
        self._drop = drop
        self._connection = socket.create_connection((HOST, port), timeout=30)
        self._connection.sendall(sends)
        self._connection.setblocking(False)

    def go_on(self) -> None:
        """Send a few bytes, and receive what has arrived."""
        try:
            while piece := self._connection.recv(65_536):
                self.received += piece
            self.ended = True
        except BlockingIOError:
            with suppress(OSError):
                self._connection.send(self._drop)
        except ConnectionError:
            self.ended = True

    def close(self) -> None:
        self._connection.close()


def test_slow_clients_keep_nobody_waiting_and_are_given_up(cluster: Cluster) -> None:
    with ExitStack() as stack:
        slow = []
        for _ in range(amount(8, 40)):
            for sends, drop in SLOW.values():
                slow.append(Slow(cluster.port, sends, drop))
                stack.callback(slow[-1].close)
        stop = time.monotonic() + REQUEST_SECONDS + LINGER_SECONDS + SLACK_SECONDS
        slowest = 0.0
        rounds = 0
        while not all(client.ended for client in slow):
            assert time.monotonic() < stop
            for client in slow:
                if not client.ended:
                    client.go_on()
            started = time.monotonic()
            with cluster.client() as other:
                assert other.search("harbour")["total"]["articles"]
                article = {"headline": "drops", "paragraphs": ["water " * 200]}
                assert other.ask("PUT", "/v1/articles/other", article).status == 200
            slowest = max(slowest, time.monotonic() - started)
            rounds += 1
            time.sleep(DROP_SECONDS)
        progress(f"{len(slow)} slow clients, others {slowest:.2f} s, {rounds} times")
        assert slowest < SLACK_SECONDS
        for client in slow:
            if client.sends:
                assert status_of(client.received) == 408, client.received
                assert b'"request_timeout"' in client.received
            else:
                assert client.received == b""
    with cluster.client() as other:
        assert other.ask("GET", "/v1/articles/abuse").status == 404


def test_clients_who_do_not_take_their_answers_keep_nobody_out_for_long(
    cluster: Cluster,
) -> None:
    ask = head("GET /v1/search?q=harbour&limit=100&passages=20 HTTP/1.1")
    with ExitStack() as stack:
        for _ in range(THREADS + 4):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            deaf.connect((HOST, cluster.port))
            deaf.sendall(ask)
        with cluster.client(timeout=60) as client:
            assert client.ask("GET", "/healthz").status == 200


def test_a_request_that_drips_is_answered_like_any_other(cluster: Cluster) -> None:
    sent = head("GET /v1/articles/c1 HTTP/1.1")
    with socket.create_connection((HOST, cluster.port), timeout=30) as slow:
        for start in range(0, len(sent), 7):
            slow.sendall(sent[start : start + 7])
            time.sleep(0.01)
        assert status_of(received(slow)) == 200


# Queries that took other engines seconds or their memory.

EXPLODING = (
    *("*", "har*", "str*", "?*", "*a* *e* *i*", " OR ".join(["aaa*"] * 30)),
    *("strike~2", "harbour~9", "x" * 300 + "~99", "minister~1 OR strike~2"),
    " OR ".join(["harbour", "grain", "talks", "minister", "strike"] * 12),
    " OR ".join(f"w{n}" for n in range(500)),
    " ".join(["harbour"] * 400),
    *("(" * 1_000 + "a" + ")" * 1_000, "(a OR " * 400 + "b" + ")" * 400),
    *("NOT NOT harbour", "NOT harbour", "-harbour -grain -talks", "x" * 8_000),
    *("[a TO z]", "headline:[a TO z]", "published:[0001-01-01 TO 9999-12-31]"),
    *("/.*/", "/([a-z]+)+!/", '"harbour grain"~50', '"harbour harbour harbour"'),
    '"' + " ".join(["harbour", "grain"] * 30) + '"',
)


def memory(cluster: Cluster) -> int:
    """Bytes of memory that the workers do not share."""
    kilobytes = 0
    for pid in cluster.workers():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                kilobytes += int(line.split()[1])
    return kilobytes * 1_024


def explode(client: Client, q: str) -> None:
    for more in ({}, {"scope": "paragraph", "facet": "published:auto", "limit": 100}):
        reply = client.ask("POST", "/v1/search", {"q": q, **more})
        assert reply.status in (200, 400, 503), reply.body
        if reply.status == 400:
            assert reply.json["parameter"] == "q" and reply.json["detail"]
        if reply.status == 503:
            assert reply.json["code"] == "search_timeout"


@contextmanager
def in_time(cluster: Cluster) -> Iterator[None]:
    """Check the searches of a block against their deadline, by the server's clock."""
    before = len(cluster.log("web"))
    yield
    lines = map(json.loads, cluster.logged()[before:].splitlines())
    seconds = [each["ms"] / 1_000 for each in lines if each.get("path") == "/v1/search"]
    progress(f"{len(seconds)} searches, {max(seconds):.2f} s at most")
    assert max(seconds) < DEADLINE_SECONDS + LATE_SECONDS


def test_queries_that_explode_elsewhere_are_answered_in_time(
    cluster: Cluster, client: Client
) -> None:
    client.search("harbour", facet="published:auto", limit=100)
    before = memory(cluster)
    with in_time(cluster):
        for q in EXPLODING:
            explode(client, q)
    growth = memory(cluster) - before
    progress(f"{growth / 1024 / 1024:.0f} MB more")
    assert growth < MOST_GROWTH


def percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]


def test_others_are_answered_while_several_send_such_queries(cluster: Cluster) -> None:
    failed: list[BaseException] = []

    enough = threading.Event()

    def send(number: int) -> None:
        try:
            with cluster.client() as client:
                # Until the others have asked often enough: how many questions fit
                # beside one round is a matter of how fast the machine is.
                while not enough.is_set():
                    for q in EXPLODING[number::4]:
                        explode(client, q)
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    def ask(client: Client) -> float:
        """Seconds until another client is answered."""
        started = time.monotonic()
        reply = client.ask("GET", "/v1/search", q="harbour grain", limit=3)
        # Of all that is sent at once some may get no turn within the deadline.
        assert reply.status in (200, 503), reply.body
        time.sleep(PAUSE_SECONDS)
        return time.monotonic() - started - PAUSE_SECONDS

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    with cluster.client() as client, in_time(cluster):
        alone = [ask(client) for _ in range(100)]
        for thread in threads:
            thread.start()
        try:
            beside = [ask(client) for _ in range(amount(25, 1_000))]
        finally:
            enough.set()
            for thread in threads:
                thread.join()
    for error in failed:
        raise error
    was, became = percentile(alone, 95), percentile(beside, 95)
    progress(f"{len(beside)} others: p95 {was * 1_000:.0f} ms, {became * 1_000:.0f} ms")
    assert became < max(2 * was, NOTICED_SECONDS)


# Workers that die, hang, or have no memory left.


def goes_on(cluster: Cluster) -> None:
    """Ask on a new connection, and again if it met a worker that was dying."""
    for last in (False, True):
        try:
            with cluster.client(timeout=20) as client:
                assert client.search("still")["total"]["articles"] == 1
            return
        except OSError:
            if last:
                raise


def test_others_answer_while_a_worker_dies_and_another_takes_its_place(
    tmp_path: Path,
) -> None:
    seed = chance("workers")
    faults = ["SIGKILL", "SIGSEGV", "no memory", "hangs"]
    with running(tmp_path / "data", GUNICORN_CMD_ARGS="--timeout 3") as cluster:
        with cluster.client() as client:
            body = {"headline": "still here"}
            assert client.ask("PUT", "/v1/articles/a", body, wait=1).json["indexed"]
        for number in range(amount(4, 100)):
            fault = faults[number % len(faults)]
            victim = seed.choice(cluster.workers())
            # gunicorn waits for ever for one that hangs before it is up.
            cluster.client_of(victim).close()
            if fault == "no memory":
                without_memory(cluster, victim)
                continue
            signals = {"hangs": signal.SIGSTOP, "SIGSEGV": signal.SIGSEGV}
            os.kill(victim, signals.get(fault, signal.SIGKILL))
            for _ in range(20):
                goes_on(cluster)
            until(
                lambda gone=victim: (
                    gone not in cluster.workers() and cluster.at_full_strength()
                ),
                f"full strength after {fault}",
                # gunicorn takes some seconds to see that one hangs.
                30 if fault == "hangs" else STRENGTH_SECONDS,
            )
            goes_on(cluster)
            progress(f"{number + 1}: {fault}")
        assert "Traceback" not in cluster.log("indexer")


def without_memory(cluster: Cluster, worker: int) -> None:
    """Give a worker no more memory than it has: it must answer, also with an error."""
    pages = int(Path(f"/proc/{worker}/statm").read_text().split()[0])
    (other,) = set(cluster.workers()) - {worker}
    _, hard = resource.prlimit(worker, resource.RLIMIT_AS)
    with cluster.client_of(worker) as client, cluster.client_of(other) as sound:
        limit = pages * os.sysconf("SC_PAGE_SIZE")
        resource.prlimit(worker, resource.RLIMIT_AS, (limit, hard))
        for _ in range(20):
            with suppress(OSError):  # it may be too little to answer at all
                reply = client.ask("GET", "/v1/search", q="still", facet="source")
                assert reply.status in (200, 500, 503), reply.body
                assert b"Traceback" not in reply.body
            assert sound.search("still")["total"]["articles"] == 1
    if worker in cluster.workers():
        resource.prlimit(worker, resource.RLIMIT_AS, (hard, hard))
        with cluster.client_of(worker) as client:
            assert client.search("still")["total"]["articles"] == 1
    until(cluster.at_full_strength, "full strength after having no memory")
