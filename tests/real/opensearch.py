"""Nodes of OpenSearch, each a process of its own, on this machine's loopback address.

No two clusters meet: each has a name that nobody else has, its nodes know the ports of
each other, and all ports were free when they were chosen.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from checkout import ROOT
from commands import tied
from ports import HOST, free_port
from real.amounts import FULL, REPLICAS, SHARDS
from real.install import is_installed
from waiting import until

JARS = ROOT / "build" / "opensearch"  # git ignores it
# The runner takes no port above this one for HTTP.
_HTTP_PORTS = range(2_000, 9_299)
_STARTS_SECONDS = 120
_HEAP = "384m" if FULL else "512m"
_SHOWN = 4_000  # characters of the end of a log
_OPTIONS = (
    *("-Xms128m", f"-Xmx{_HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *("-XX:-UsePerfData", "-Xshare:auto"),
)
# One engine of a test after another has indexes, and disks may be nearly full.
_SETTINGS = """\
network.host: {host}
transport.port: {own}
discovery.seed_hosts: [{all}]
cluster.initial_cluster_manager_nodes: [{all}]
cluster.max_shards_per_node: 100000
indices.query.bool.max_clause_count: 16384
cluster.routing.allocation.disk.threshold_enabled: false
cluster.fault_detection.follower_check.interval: 500ms
cluster.fault_detection.leader_check.interval: 500ms
"""


def lacking() -> str | None:
    """Why there can be no node here, if so."""
    if not Path("/proc/self/task").exists():
        return "OpenSearch is run on Linux only"
    if shutil.which("java") is None:
        return "no Java found; apt-get install default-jre-headless maven"
    if not is_installed(JARS):
        return "no OpenSearch found; make test installs it with Maven"
    return None


@dataclass(slots=True)
class Node:
    """A node, and its process while it runs."""

    folder: Path
    cluster: str
    port: int
    transports: list[int]  # of all nodes, its own first
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start its process, on the ports and with the data of the last one."""
        home = self.folder / "node_1"
        (home / "config").mkdir(parents=True, exist_ok=True)
        hosts = ", ".join(f"{HOST}:{port}" for port in sorted(self.transports))
        (home / "config" / "opensearch.yml").write_text(
            _SETTINGS.format(host=HOST, own=self.transports[0], all=hosts)
        )
        java = shutil.which("java")
        assert java is not None
        command = (
            *(java, *_OPTIONS, "-cp", f"{JARS}/*"),
            "org.codelibs.opensearch.runner.OpenSearchRunner",
            *("-basePath", str(self.folder), "-numOfNode", "1"),
            *("-baseHttpPort", str(self.port - 1), "-clusterName", self.cluster),
        )
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                tied(command),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Id of its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill its process, if it has one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop its process, whose connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def ask(
        self, method: str, path: str, body: object = None, *, seconds: float = 30
    ) -> Any:
        """Body of the answer to a request, parsed as JSON.

        :raises OSError: there is no answer, or it is an error.
        """
        connection = http.client.HTTPConnection(HOST, self.port, timeout=seconds)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: no answer") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return json.loads(content) if content else None


@dataclass(slots=True)
class Nodes:
    """The nodes of one cluster."""

    nodes: list[Node]

    @classmethod
    def in_(cls, folder: Path, count: int) -> Nodes:
        """Nodes with a folder each below one, and with free ports; none runs yet."""
        name = f"test-{secrets.token_hex(6)}"
        transports = [free_port() for _ in range(count)]
        nodes = []
        for number in range(count):
            own = folder / f"node{number + 1}"
            own.mkdir(parents=True, exist_ok=True)
            others = transports[number:] + transports[:number]
            nodes.append(Node(own, name, free_port(_HTTP_PORTS), others))
        return cls(nodes)

    @classmethod
    def from_json(cls, text: str) -> Nodes:
        """Nodes as another process has described them, which has started them."""
        return cls(
            [
                Node(
                    Path(row["folder"]), row["cluster"], row["port"], row["transports"]
                )
                for row in json.loads(text)
            ]
        )

    def to_json(self) -> str:
        """Folders, names and ports."""
        rows = [{**asdict(node), "folder": str(node.folder)} for node in self.nodes]
        for row in rows:
            del row["_process"]
        return json.dumps(rows)

    def start(self) -> None:
        """Start all processes; ``wait`` says when they answer."""
        for node in self.nodes:
            node.start()

    def wait(self) -> None:
        """Wait until all nodes are one cluster that has all shards."""
        try:
            until(self._are_up, "the nodes are one cluster", _STARTS_SECONDS)
        except AssertionError as error:
            for node in self.nodes:
                log = (node.folder / "log").read_text("utf-8", errors="replace")
                error.add_note(f"--- the end of {node.folder.name}\n{log[-_SHOWN:]}")
            raise

    def _are_up(self) -> bool:
        for node in self.nodes:
            try:
                health = node.ask("GET", "/_cluster/health", seconds=10)
            except OSError:
                return False
            assert health["cluster_name"] == node.cluster
            # Red is also what has not yet read its state.
            if health["number_of_nodes"] < len(self.nodes) or health["status"] == "red":
                return False
        return True

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Body of the answer of any node that answers, parsed as JSON.

        :raises OSError: none does, or the answer is an error.
        """
        failure = OSError("there are no nodes")
        for node in self.nodes:
            try:
                return node.ask(method, path, body)
            except OSError as error:
                failure = error
        raise failure

    def health(self) -> str:
        """Color of the cluster's health."""
        return str(self.ask("GET", "/_cluster/health?timeout=5s")["status"])

    def url(
        self,
        prefix: str,
        *,
        shards: int = SHARDS,
        replicas: int = REPLICAS,
        ports: list[int] | None = None,
    ) -> str:
        """URL of an engine on these nodes.

        :param prefix: what the names of its indexes begin with.
        :param ports: other ports to reach the nodes by.
        """
        hosts = ",".join(
            f"{HOST}:{port}" for port in ports or [node.port for node in self.nodes]
        )
        return f"opensearch+http://{hosts}/{prefix}?shards={shards}&replicas={replicas}"

    def remove(self, prefix: str) -> None:
        """Remove all indexes whose names begin so."""
        self.ask("DELETE", f"/{prefix}*?expand_wildcards=all")

    def kill(self) -> None:
        """Kill all processes that were started here."""
        for node in self.nodes:
            node.kill()


@contextmanager
def running(folder: Path, count: int) -> Iterator[Nodes]:
    """Keep nodes of their own running for the length of a block."""
    nodes = Nodes.in_(folder, count)
    try:
        nodes.start()
        nodes.wait()
        yield nodes
    finally:
        nodes.kill()


def new_prefix() -> str:
    """Prefix of the names of indexes, which no other engine has."""
    return f"t{secrets.token_hex(6)}"
