"""A complete Nutgraf for tests: gunicorn with workers, an indexer, and their logs.

Its processes are real ones, on a folder of the test's own. All of them are ended when
the block ends, whatever a test does to them; if a test fails, it shows the ends of
their logs.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode
from weakref import WeakSet

import pytest
from checkout import ROOT
from commands import tied
from faults.amounts import SEED
from ports import HOST, free_port
from waiting import until

from index.settings import Settings

# A server may close a connection that is idle for longer, just when it is used again.
IDLE_SECONDS = 2.0
_SHOWN = 4_000  # characters of the end of a log


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body, parsed as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """Its body."""
        return self.body.decode()


class Client:
    """A client of a server, which uses one connection as long as it is open.

    :ivar stays: it never opens another connection by itself.
    """

    def __init__(self, port: int, *, timeout: float = 30) -> None:
        self.stays = False
        self._connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
        self._used = time.monotonic()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        /,
        *,
        if_none_match: str | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: object,
    ) -> Reply:
        """Send a request once, and return the answer.

        :param body: bytes, or what is sent as JSON.
        :param if_none_match: the tag of an answer that the client already has.
        :param headers: further headers; a body is JSON unless they name another type.
        :raises OSError: there is no server, or it ended before it had answered.
        """
        target = path + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")
        sent = {} if body is None else {"Content-Type": "application/json"}
        if if_none_match is not None:
            sent["If-None-Match"] = if_none_match
        sent |= headers or {}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if not self.stays and time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
        try:
            self._connection.request(method, target, data, sent)
            answer = self._connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
            self._used = time.monotonic()
            return reply
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()  # the next request opens another
            raise OSError(f"{method} {path}: no answer") from error

    def search(self, q: str = "", **parameters: object) -> Any:
        """Answer to a search, which must succeed."""
        reply = self.ask("GET", "/v1/search", q=q, **parameters)
        assert reply.status == 200, reply.body
        return reply.json

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def path_of(article_id: str, *more: str) -> str:
    """Path of an article, or of a resource below it."""
    return "/".join(["/v1/articles", quote(article_id, safe=""), *more])


@dataclass(slots=True, kw_only=True)
class _Process:
    """A process that was started here, which leads a session of its own."""

    popen: subprocess.Popen[bytes]
    log: Path
    log_from: int

    def said(self) -> str:
        """Log of this process, without that of earlier ones."""
        with self.log.open("rb") as file:
            file.seek(self.log_from)
            return file.read().decode(errors="replace")


@dataclass(kw_only=True)
class Cluster:
    """A gunicorn and an indexer on one folder; processes are named by their ids.

    :param variables: settings, and other variables of the environment.
    :param code: checkout that the processes run.
    """

    folder: Path
    worker_count: int = 2
    code: Path = ROOT
    variables: Mapping[str, str] = field(default_factory=dict)
    _web: _Process | None = None
    _indexer: _Process | None = None
    _clients: WeakSet[Client] = field(default_factory=WeakSet)

    # Its processes.

    def start_web(self) -> None:
        """Start gunicorn, and wait until it has its workers and answers."""
        self._web = self._started("web.log", "gunicorn", "wsgi:app")
        until(self.at_full_strength, "the server answers", 30)

    def start_indexer(self, *, waits: bool = True) -> None:
        """Start the indexer, and wait until it follows the store."""
        self._indexer = self._started("indexer.log", "index", "indexer")
        if waits:
            until(self.indexer_follows, "the indexer follows", 30)

    def kill_web(self) -> None:
        """Kill gunicorn's master, then its workers, as any supervisor does."""
        assert self._web is not None
        self._web.popen.kill()
        _end(self._web.popen)
        self._web = None

    def kill_indexer(self) -> None:
        """Kill the indexer, and nothing that it has started."""
        assert self._indexer is not None
        killed, self._indexer = self._indexer.popen, None
        killed.kill()
        killed.wait()
        until(lambda: not members(killed.pid), "what it had started ends by itself")

    def stop_indexer(self) -> None:
        """End the indexer with SIGTERM: it finishes its batch."""
        assert self._indexer is not None
        stopped, self._indexer = self._indexer.popen, None
        stopped.terminate()
        stopped.wait(60)

    def stop(self) -> None:
        """End all processes: with SIGTERM first."""
        for process in (self._web, self._indexer):
            if process is not None:
                process.popen.terminate()
        for process in (self._web, self._indexer):
            if process is not None:
                with suppress(subprocess.TimeoutExpired):
                    process.popen.wait(20)
                _end(process.popen)
        self._web = self._indexer = None
        for client in self._clients:
            client.close()

    @property
    def master(self) -> int:
        """Gunicorn's first process, which starts the workers."""
        assert self._web is not None
        return self._web.popen.pid

    @property
    def indexer(self) -> int:
        """The indexer."""
        assert self._indexer is not None
        return self._indexer.popen.pid

    def workers(self) -> list[int]:
        """Ids of the workers that answer, the oldest first."""
        return sorted(children(self.master)) if self._web is not None else []

    def helpers(self) -> list[int]:
        """Ids of the processes that the indexer has started."""
        return children(self.indexer) if self._indexer is not None else []

    def at_full_strength(self) -> bool:
        """Whether all workers run."""
        return self._answers() and len(self.workers()) == self.worker_count

    def indexer_follows(self) -> bool:
        """Whether the indexer has logged that it follows the store."""
        if self._indexer is None:
            return False
        assert self._indexer.popen.poll() is None, self._indexer.said()[-_SHOWN:]
        return '"event": "started"' in self._indexer.said()

    def log(self, name: str) -> str:
        """Log of all processes of a kind, ``web`` or ``indexer``."""
        return (self.folder / f"{name}.log").read_text("utf-8", errors="replace")

    def logged(self) -> str:
        """Log of the web workers, with the lines of all requests that were answered.

        A worker writes its lines a little later, in their order.
        """
        for worker in self.workers():
            last = secrets.token_hex(16)
            with self.client_of(worker) as client:
                client.ask("GET", "/v1/fields", headers={"X-Request-Id": last})
            until(partial(self._has_logged, last), "the log is written")
        return self.log("web")

    def _has_logged(self, request_id: str) -> bool:
        return request_id in self.log("web")

    # What they are asked.

    @cached_property
    def port(self) -> int:
        """The port, which stays the same after every restart."""
        return free_port()

    @property
    def index(self) -> Path:
        """The index's folder."""
        return self.folder / "index"

    def client(self, *, timeout: float = 30) -> Client:
        """A new client."""
        client = Client(self.port, timeout=timeout)
        self._clients.add(client)
        return client

    def client_of(self, worker: int) -> Client:
        """A new client of one worker, for as long as its connection is not idle.

        The others are stopped until it has taken the connection.
        """
        others = [pid for pid in self.workers() if pid != worker]
        client = self.client()
        client.stays = True
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert client.ask("GET", "/healthz").status == 200
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)
        return client

    def settings(self) -> Settings:
        """Settings of the processes."""
        return Settings.from_environ(self.environment())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``nutgraf``."""
        return subprocess.run(
            [sys.executable, "-m", "index", *arguments],
            cwd=self.code,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def raw(self, data: bytes, *, ends: bool = False, timeout: float = 10) -> bytes:
        """Send bytes on a new connection, and return the whole answer.

        :param ends: shut the sending side afterwards.
        """
        with socket.create_connection((HOST, self.port), timeout=timeout) as connection:
            with suppress(ConnectionError):  # it may answer and close before the end
                connection.sendall(data)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            return received(connection)

    def caught_up(self, client: Client) -> bool:
        """Whether searches include everything that was written."""
        try:
            reply = client.ask("GET", "/readyz")
        except OSError:
            return False
        return reply.status == 200 and reply.json["behind"] == 0

    def _answers(self) -> bool:
        if self._web is None:
            return False
        assert self._web.popen.poll() is None, self._web.said()[-_SHOWN:]
        with suppress(OSError), self.client(timeout=5) as client:
            return client.ask("GET", "/healthz").status == 200
        return False

    def environment(self) -> dict[str, str]:
        """Environment of the processes."""
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith("NUTGRAF_")
        }
        return {
            **inherited,
            "NUTGRAF_STORE": f"sqlite:///{self.folder / 'nutgraf.db'}",
            "NUTGRAF_ENGINE": f"whoosh:{self.index}",
            "NUTGRAF_BIND": f"{HOST}:{self.port}",
            "TMPDIR": str(self.folder),
            "WEB_CONCURRENCY": str(self.worker_count),
            # What is right must not depend on what else the machine does.
            "NUTGRAF_SEARCH_SECONDS": "20",
            **self.variables,
        }

    def _started(self, log: str, module: str, argument: str) -> _Process:
        path = self.folder / log
        before = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            command = (sys.executable, "-m", module, argument)
            popen = subprocess.Popen(
                tied(command),
                cwd=self.code,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                start_new_session=True,
            )
        return _Process(popen=popen, log=path, log_from=before)


@contextmanager
def running(
    folder: Path,
    *,
    workers: int = 2,
    indexer: bool = True,
    code: Path = ROOT,
    **variables: str,
) -> Iterator[Cluster]:
    """Keep a complete Nutgraf running for the length of a block.

    :param folder: is made, and holds store, index and logs.
    :param code: checkout that the processes run.
    :param variables: settings, by the names of their variables.
    """
    if not Path("/proc/self/task").exists():
        pytest.skip("processes are looked at through Linux' /proc")
    # As a service's own folder is: others have no business there.
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    cluster = Cluster(
        folder=folder, worker_count=workers, code=code, variables=variables
    )
    try:
        if indexer:
            cluster.start_indexer(waits=False)
        cluster.start_web()
        if indexer:
            until(cluster.indexer_follows, "the indexer follows", 30)
        yield cluster
    except BaseException as error:
        error.add_note(f"FAULTS_SEED={SEED}")
        for path in sorted(folder.glob("*.log")):
            end = path.read_text("utf-8", errors="replace")[-_SHOWN:]
            error.add_note(f"--- the end of {path.name}\n{end}")
        raise
    finally:
        cluster.stop()


def received(connection: socket.socket) -> bytes:
    """Bytes received on a connection until the other side closes it."""
    pieces = []
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def children(pid: int) -> list[int]:
    """Ids of the running child processes of a process."""
    with suppress(OSError):  # it has ended
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(each) for each in listed.split() if state_of(int(each)) != "Z"]
    return []


def open_files(pid: int) -> int:
    """Number of files, sockets and pipes that a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def deleted_mappings(pid: int) -> int:
    """Number of deleted files that a process still has mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return sum(line.endswith(".seg (deleted)") for line in maps.splitlines())


def members(session: int) -> list[int]:
    """Ids of the running processes of a session."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            # Behind the name, which may hold anything: state, parent, group, session.
            facts = path.read_text().rpartition(")")[2].split()
            if facts[3] == str(session) and facts[0] not in "ZX":
                processes.append(int(path.parent.name))
    return processes


def state_of(pid: int) -> str:
    """State letter of a process: T if it is stopped, Z if it is a zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


def _end(leader: subprocess.Popen[bytes]) -> None:
    """Kill the remaining processes of a session, and wait until all have ended."""
    while left := members(leader.pid):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    leader.wait()
