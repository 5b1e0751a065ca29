"""Child processes: commands, servers, measuring programs, and their memory."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
NUTGRAF = (sys.executable, "-m", "index")
_POLL_SECONDS = 0.02
_START_SECONDS = 60.0
_CPU_CLOCK = 2  # CPUCLOCK_SCHED, of a whole process


class Failed(Exception):
    """A process that is measured failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """The time, memory and output of a command.

    :param peak_bytes: peak resident memory of the command and its children together,
        including pages of mapped files; shared pages count once for each process.
    """

    seconds: float
    peak_bytes: int
    output: str


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process, with Nutgraf's settings replaced."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("NUTGRAF_")}
    return {**others, **variables}


def run(
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    accepted: tuple[int, ...] = (0,),
) -> CommandResult:
    """Run a command to its end.

    :param accepted: exit codes that are no failure.
    :raises Failed: the command ended with another exit code.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watch = _MemoryWatch(process.pid)
        output, errors = process.communicate()
        seconds = time.perf_counter() - started
        peak = watch.end()
    if process.returncode not in accepted:
        message = (errors or output).strip()[-2_000:]
        raise Failed(
            f"{' '.join(command[1:4])} ended with {process.returncode}: {message}"
        )
    return CommandResult(seconds=seconds, peak_bytes=peak, output=output)


def answer_of(
    module: str, question: object, *, timeout_seconds: float | None = None
) -> Any:
    """Run a measuring program, and return the answer to a question; both are JSON.

    :param module: run as ``python -m``; reads the question from stdin and writes the
        answer to stdout.
    :raises Failed: the program failed.
    """
    process = subprocess.run(
        (sys.executable, "-m", module),
        cwd=ROOT,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if process.returncode:
        raise Failed(f"{module} failed: {process.stderr.strip()[-500:]}")
    return json.loads(process.stdout)


class _MemoryWatch:
    """A thread that records the peak memory of a process and its children.

    The kernel's own figure for a child (``ru_maxrss``) starts at that of its parent.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop and return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            family = [self._pid, *descendants(self._pid)]
            current = sum(_kilobytes(pid, "VmRSS") for pid in family)
            # The kernel knows the peak of each process, also between two polls.
            highest = max(_kilobytes(pid, "VmHWM") for pid in family)
            self._peak = max(self._peak, current * 1_024, highest * 1_024)


def descendants(pid: int) -> list[int]:
    """Ids of the children of a process, and of their children."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return []
    children = [int(pid) for pid in listed]
    return children + [pid for child in children for pid in descendants(child)]


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that processes took so far, with all their threads.

    A process has a clock that Linux counts in nanoseconds; ``/proc/PID/stat`` has it in
    steps of 10 ms.
    """
    return sum(time.clock_gettime((~pid << 3) | _CPU_CLOCK) for pid in pids)


def memory_bytes(pids: Iterable[int]) -> tuple[int, int | None]:
    """Resident memory of processes together (RSS), and with shared pages divided (PSS).

    The second is ``None`` if a process belongs to somebody else.
    """
    resident = proportional = 0
    readable = True
    for pid in pids:
        resident += 1_024 * _kilobytes(pid, "VmRSS")
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except PermissionError:
            readable = False
        else:
            line = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
            proportional += 0 if line is None else 1_024 * int(line[1])
    return resident, proportional if readable else None


def unshared_bytes(pid: int) -> int:
    """Bytes of memory that a process shares with no other (USS)."""
    return sum(unshared_by_kind(pid).values())


def unshared_by_kind(pid: int) -> dict[str, int]:
    """The same by kind: ``Dirty`` is what the process wrote itself.

    ``Clean`` are pages of files that no other process has mapped at the moment.
    """
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kinds = re.findall(r"^Private_(\w+):\s+(\d+) kB", text, re.M)
    return {kind: 1_024 * int(number) for kind, number in kinds}


def _kilobytes(pid: int, name: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0
    line = re.search(rf"^{name}:\s+(\d+) kB", text, re.M)
    return 0 if line is None else int(line[1])


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the process that started the others, and its port."""

    pid: int
    port: int

    def processes(self) -> list[int]:
        """Ids of all its processes."""
        return [self.pid, *descendants(self.pid)]

    def workers(self) -> list[int]:
        """Ids of its worker processes, the first worker first."""
        return sorted(descendants(self.pid))

    def connection(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection(HOST, self.port, timeout=60)


@contextmanager
def nutgraf_server(
    variables: Mapping[str, str], *, workers: int = 2
) -> Iterator[Server]:
    """Serve Nutgraf with its own gunicorn.conf.py."""
    port = free_port()
    settings = {"NUTGRAF_BIND": f"{HOST}:{port}", "WEB_CONCURRENCY": str(workers)}
    command = (sys.executable, "-m", "gunicorn", "wsgi:app")
    with _serving(command, {**variables, **settings}, port, workers) as server:
        yield server


@contextmanager
def peer_server(
    app: str, variables: Mapping[str, str], *, workers: int = 2
) -> Iterator[Server]:
    """Serve another application with the settings of ours.

    They are in :mod:`benchmarks.measuring.bare`.

    :param app: module and name of a WSGI application.
    """
    port = free_port()
    command = (
        *(sys.executable, "-m", "gunicorn", "-c", "python:benchmarks.measuring.bare"),
        *("--workers", str(workers), "--bind", f"{HOST}:{port}", app),
    )
    with _serving(command, variables, port, workers) as server:
        yield server


@contextmanager
def _serving(
    command: Sequence[str], variables: Mapping[str, str], port: int, workers: int
) -> Iterator[Server]:
    with (
        tempfile.TemporaryFile() as log,
        running(command, variables, log) as process,
    ):
        server = Server(process.pid, port)
        deadline = time.monotonic() + _START_SECONDS
        while len(server.workers()) < workers or not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                message = log.read().decode(errors="replace").strip()[-1_000:]
                raise Failed(f"{' '.join(command[1:4])} did not start: {message}")
            time.sleep(0.05)
        yield server


@contextmanager
def running(
    command: Sequence[str],
    variables: Mapping[str, str],
    log: BinaryIO | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a command running for the length of a block, then terminate it.

    :param log: its stderr.
    """
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(variables),
        stdout=subprocess.DEVNULL,
        stderr=log,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def request_json(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
) -> Any:
    """Send a request and return the JSON of its answer.

    :raises Failed: the status of the answer is not 200.
    """
    headers = {} if body is None else {"Content-Type": "application/json"}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    data = response.read()
    if response.status != 200:
        raise Failed(f"{method} {path}: {response.status} {data[:500]!r}")
    return json.loads(data)


def free_port() -> int:
    """A port that no process listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
