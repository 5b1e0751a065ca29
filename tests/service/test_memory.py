"""Memory of large requests: bounded while they are read, and given back afterwards."""

from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service import memory
from service.context import EXTENSION
from service.exchange import submissions
from tests.checkout import ROOT

# Sends hostile bodies, and prints its resident memory: before, at the most, afterwards.
CHILD = """
import gzip, sys, time
from pathlib import Path
from index.settings import Settings
from service import create_app
from service.memory import SECONDS

def megabytes(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if name in line)

folder = sys.argv[1]
app = create_app(Settings(store=f"sqlite:///{folder}/s.db", engine="memory"))
client = app.test_client()

def send(kind, body):
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
    sent = gzip.compress(body, 1)
    return client.post("/v1/articles", data=sent, headers=headers).status_code

send("application/json", b'{"id": "a", "headline": "b"}')
before = megabytes("VmRSS")
size = 32 * 1024 * 1024 - 100
page = b'{"id":"a","body_html":"' + b"<p>a" * (size // 4 - 20) + b'"}'
blocks = b'{"id":"a","blocks":[' + b"[]," * (size // 3 - 20) + b"[]]}"
bodies = (
    ("text/plain", b"ab\\n" * (size // 3)),
    ("text/plain", b"Head\\n" + b" \\n" * (size // 2 - 10)),
    ("application/x-ndjson", b'{"id":\\n' + b"a\\n" * (size // 2 - 10)),
    ("application/json", page),
    ("application/json", blocks),
)
statuses = [send(*body) for body in bodies]
del bodies, page, blocks
time.sleep(1.5 * SECONDS)
print(before, megabytes("VmHWM"), megabytes("VmRSS"), *statuses)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists() or memory._trim() is None,
    reason="needs Linux and glibc",
)
def test_what_a_large_body_took_is_bounded_and_given_back(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    before, most, after, *statuses = map(int, child.stdout.split())
    assert statuses == [422, 200, 413, 422, 400]
    # The child itself holds the bodies, 160 MB, as they are sent.
    assert most - before < 700
    assert after - before < 100


def test_memory_is_given_back_at_most_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trims: list[int] = []
    planned: list[float] = []

    class Timer:
        daemon = False

        def __init__(self, seconds: float, task: object) -> None:
            planned.append(seconds)

        def start(self) -> None:
            pass

    monkeypatch.setattr(memory, "_trim", lambda: trims.append)
    monkeypatch.setattr(memory.threading, "Timer", Timer)
    monkeypatch.setattr(memory, "_last", 0.0)
    monkeypatch.setattr(memory, "_planned", False)
    monkeypatch.setattr(memory.time, "monotonic", lambda: 100.0)
    for _ in range(3):
        memory.give_back()
    assert (trims, planned) == ([0], [memory.SECONDS])
    memory._give_back()
    assert trims == [0, 0]
    monkeypatch.setattr(memory, "_trim", lambda: None)
    memory.give_back()
    assert trims == [0, 0]


def test_the_articles_of_a_request_have_limits_together(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "PARAGRAPHS_PER_REQUEST", 25)
    read = 0
    sized = submissions._sized

    def counted(*arguments: object) -> object:
        nonlocal read
        read += 1
        return sized(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(submissions, "_sized", counted)
    lines = b"".join(
        b'{"id": "a%d", "body_html": "%s"}\n' % (number, b"<p>a" * 10)
        for number in range(50)
    )
    answer = client.post(
        "/v1/articles",
        data=gzip.compress(lines),
        headers={"Content-Type": "application/jsonl", "Content-Encoding": "gzip"},
    )
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert read == 3


def test_few_large_bodies_are_read_at_a_time(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = client.application.extensions[EXTENSION]
    large = gzip.compress(b'{"id": "a", "headline": "b"}' + b" " * 2_000_000)
    small = gzip.compress(b'{"id": "b", "headline": "b"}')

    def status(body: bytes) -> int:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return client.post("/v1/articles", data=body, headers=headers).status_code

    ctx.use_threads(8)
    monkeypatch.setattr(ctx, "settings", replace(ctx.settings, wait_seconds=0.01))
    others = [ctx.take_room(), ctx.take_room()]
    assert None not in others
    assert (status(large), status(small)) == (503, 200)
    others[0]()
    for _ in range(3):  # each releases what it took, also when it is refused
        assert status(large) == 200
        assert status(gzip.compress(b" " * 2_000_000)) == 400
    others[1]()
