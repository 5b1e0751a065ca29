"""The log is written by a thread: in order, to the last line; nobody waits for it."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faults.cluster import Cluster, running
from waiting import until

from service import log_writer
from service.log_writer import LogWriter
from service.logs import JsonLines


@contextmanager
def writing(file: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogWriter]:
    """A writer to an open file, whose thread runs."""
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(fileno=lambda: file))
    writer = LogWriter()
    writer.setFormatter(JsonLines())
    writer.start()
    try:
        yield writer
    finally:
        monkeypatch.setattr(log_writer, "CLOSING_SECONDS", 0.01)
        writer.close()


def record(number: int, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "line", "number": number, **more})


def log(writer: LogWriter, numbers: range) -> None:
    """Log lines of both kinds: of requests, and others."""
    for number in numbers:
        more = {"request_id": f"r{number}"} if number % 3 else {}
        writer.handle(record(number, **more))


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_are_written_in_their_order_and_several_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def write(file: int, data: bytes) -> int:
        sizes.append(len(data))
        return real(file, data)

    real = os.write
    monkeypatch.setattr(os, "write", write)
    with (
        (tmp_path / "log").open("wb") as file,
        writing(file.fileno(), monkeypatch) as writer,
    ):
        log(writer, range(500))
    lines = read_lines(tmp_path / "log")
    assert [line["number"] for line in lines] == [*range(500)]
    assert lines[1]["request_id"] == "r1"
    assert len(sizes) < 50
    # Larger ones might be mixed with those of other processes, if it is a pipe.
    assert max(sizes) <= 4_096


def test_a_line_is_written_although_nothing_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        (tmp_path / "log").open("wb") as file,
        writing(file.fileno(), monkeypatch) as writer,
    ):
        log(writer, range(1))
        until((tmp_path / "log").read_text, "it is written")
        log(writer, range(1, 2))
        until(lambda: len(read_lines(tmp_path / "log")) == 2, "so is the next")


def test_before_the_start_each_line_is_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "log").open("wb") as file:
        monkeypatch.setattr(sys, "stderr", file)
        writer = LogWriter()
        writer.setFormatter(JsonLines())
        log(writer, range(5))
        assert len(read_lines(tmp_path / "log")) == 5


def test_nobody_waits_for_a_log_that_is_not_read_and_losses_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_writer, "LIMIT", 1_000 * log_writer.LINE)
    reader, file = os.pipe()
    with writing(file, monkeypatch) as writer:
        log(writer, range(20_000))
        pieces: list[bytes] = []

        def read() -> None:
            with suppress(OSError):
                while piece := os.read(reader, 65_536):
                    pieces.append(piece)

        reading = threading.Thread(target=read)
        reading.start()
        until(lambda: b"log lines were lost" in b"".join(pieces), "losses are told")
        writer.flush()
        log(writer, range(20_000, 20_100))
    os.close(file)
    reading.join()
    os.close(reader)
    lines = [json.loads(line) for line in b"".join(pieces).splitlines()]
    numbers = [line["number"] for line in lines if "number" in line]
    assert numbers == sorted(numbers)
    assert numbers[-100:] == [*range(20_000, 20_100)]
    lost = sum(line["lines"] for line in lines if "lines" in line)
    assert lost > 10_000
    assert len(numbers) + lost == 20_100


def test_after_a_line_that_a_full_disk_has_cut_a_new_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    write, room = os.write, [40]

    def limited(to: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "no space")
        number = write(to, data[: room[0]])
        room[0] -= number
        return number

    monkeypatch.setattr(os, "write", limited)
    with writing(file, monkeypatch) as writer:
        log(writer, range(1))
        writer.flush()
        room[0] = 100_000
        log(writer, range(1, 3))
        writer.flush()
    cut, *others = path.read_text().splitlines()
    assert len(cut) == 40
    lines = [json.loads(line) for line in others]
    assert [line.get("number", line.get("lines")) for line in lines] == [1, 2, 1]
    os.close(file)


@pytest.mark.parametrize("path", ["/dev/full", "pipe"])
def test_a_full_disk_or_a_closed_pipe_raises_nothing(
    monkeypatch: pytest.MonkeyPatch, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if path == "pipe":
        reader, file = os.pipe()
        os.close(reader)
    elif Path(path).exists():
        file = os.open(path, os.O_WRONLY)
    else:
        pytest.skip(f"there is no {path}")
    with writing(file, monkeypatch) as writer:
        log(writer, range(1_000))
        writer.flush()
        assert writer._lost == 1_000
        # As soon as there is space, lines are written again.
        taken, given = os.pipe()
        os.dup2(given, file)
        log(writer, range(3))
        writer.flush()
        lines = [json.loads(line) for line in os.read(taken, 65_536).splitlines()]
    assert [line.get("number", line.get("lines")) for line in lines] == [0, 1, 2, 1_000]
    for each in (file, taken, given):
        os.close(each)
    assert capfd.readouterr().err == ""


def test_a_record_that_cannot_be_formatted_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise ValueError("not to be printed")

    monkeypatch.setattr(logging, "raiseExceptions", False)
    with (
        (tmp_path / "log").open("wb") as file,
        writing(file.fileno(), monkeypatch) as writer,
    ):
        writer.handle(record(0, request_id="a", path=Unprintable()))
        writer.handle(record(1, path=Unprintable()))
        log(writer, range(2, 4))
    assert [line["number"] for line in read_lines(tmp_path / "log")] == [2, 3]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers, without an indexer."""
    folder = tmp_path_factory.mktemp("log") / "data"
    with running(folder, indexer=False, NUTGRAF_ENGINE="memory:") as cluster:
        yield cluster


@pytest.mark.slow
@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGQUIT, signal.SIGABRT])
def test_each_answered_request_is_logged_although_its_worker_ends(
    cluster: Cluster, ended: signal.Signals
) -> None:
    before = cluster.workers()
    ids = {f"{ended.name}-{number}" for number in range(200)}
    with cluster.client() as client:
        for request_id in sorted(ids):
            headers = {"X-Request-Id": request_id}
            assert client.ask("GET", "/healthz", headers=headers).status == 200
    for pid in before:
        os.kill(pid, ended)
    until(lambda: not set(before) & set(cluster.workers()), "the workers have ended")
    logged = [json.loads(line) for line in cluster.log("web").splitlines()]
    assert ids <= {line.get("request_id") for line in logged}
    until(cluster.at_full_strength, "there are new workers", 30)
