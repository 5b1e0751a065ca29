"""Processes that are measured from outside: commands, servers, their memory."""

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
NUTGRAF = (sys.executable, "-m", "index")
_POLL_SECONDS = 0.02
_START_SECONDS = 60.0


class Failed(Exception):
    """A process that was measured did not do its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did.

    :param peak_bytes: the most memory that it and its children held at one time; pages
        of mapped files are part of it, those of several processes once for each.
    """

    seconds: float
    peak_bytes: int
    output: str


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with Nutgraf's settings replaced."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NUTGRAF_")}
    return {**kept, **variables}


def run(
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    accepted: tuple[int, ...] = (0,),
) -> Done:
    """Run a command to its end.

    :raises Failed: its exit code is none of those accepted.
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
        watch = _Watch(process.pid)
        output, errors = process.communicate()
        seconds = time.perf_counter() - started
        peak = watch.end()
    if process.returncode not in accepted:
        said = (errors or output).strip()[-2_000:]
        raise Failed(
            f"{' '.join(command[1:4])} ended with {process.returncode}: {said}"
        )
    return Done(seconds=seconds, peak_bytes=peak, output=output)


class _Watch:
    """A thread that notes the most memory a process and its children hold.

    The kernel's own figure for a child (``ru_maxrss``) starts at that of its parent.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop looking and return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            family = [self._pid, *descendants(self._pid)]
            now = sum(_kilobytes(pid, "VmRSS") for pid in family)
            # The kernel keeps the highest of each process, also between two looks.
            highest = max(_kilobytes(pid, "VmHWM") for pid in family)
            self._peak = max(self._peak, now * 1_024, highest * 1_024)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return []
    found = [int(each) for each in listed]
    for child in tuple(found):
        found += descendants(child)
    return found


def unshared_bytes(pid: int) -> int:
    """Return the memory that a process has to itself (USS)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return 1_024 * sum(
        int(n) for n in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.M)
    )


def _kilobytes(pid: int, name: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.M)
    return 0 if found is None else int(found[1])


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn."""

    pid: int
    port: int

    def workers(self) -> list[int]:
        """Return its worker processes, the first one first."""
        return sorted(descendants(self.pid))

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection."""
        return http.client.HTTPConnection(HOST, self.port, timeout=60)


@contextmanager
def nutgraf_server(
    variables: Mapping[str, str], *, workers: int = 2
) -> Iterator[Server]:
    """Serve Nutgraf with its own gunicorn.conf.py."""
    port = free_port()
    more = {"NUTGRAF_BIND": f"{HOST}:{port}", "WEB_CONCURRENCY": str(workers)}
    command = (sys.executable, "-m", "gunicorn", "wsgi:app")
    with _serving(command, {**variables, **more}, port, workers) as server:
        yield server


@contextmanager
def bare_server(*, workers: int = 2) -> Iterator[Server]:
    """Serve the bare application of :mod:`benchmarks.peers.bare`."""
    port = free_port()
    module = "benchmarks.peers.bare"
    command = (
        *(sys.executable, "-m", "gunicorn", "-c", f"python:{module}"),
        *("--workers", str(workers), "--bind", f"{HOST}:{port}", f"{module}:app"),
    )
    with _serving(command, {}, port, workers) as server:
        yield server


@contextmanager
def _serving(
    command: Sequence[str], variables: Mapping[str, str], port: int, workers: int
) -> Iterator[Server]:
    with (
        tempfile.TemporaryFile() as log,
        started(command, variables, log) as process,
    ):
        server = Server(process.pid, port)
        limit = time.monotonic() + _START_SECONDS
        while len(server.workers()) < workers or not _listens(port):
            if process.poll() is not None or time.monotonic() > limit:
                log.seek(0)
                said = log.read().decode(errors="replace").strip()[-1_000:]
                raise Failed(f"{' '.join(command[1:4])} did not start: {said}")
            time.sleep(0.05)
        yield server


@contextmanager
def started(
    command: Sequence[str],
    variables: Mapping[str, str],
    log: BinaryIO | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a command running for the length of a block, then end it by its id.

    :param log: where it writes what it has to say.
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

    :raises Failed: the answer is none of success.
    """
    headers = {} if body is None else {"Content-Type": "application/json"}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    data = response.read()
    if response.status != 200:
        raise Failed(f"{method} {path}: {response.status} {data[:500]!r}")
    return json.loads(data)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
