"""A rolling update: rolling.sh with a real nginx and two real web machines.

There is no Docker here. A program of that name does what the script asks of it: it
reloads nginx, and restarts a web machine with SIGTERM.
"""

from __future__ import annotations

import http.server
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from checkout import ROOT
from faults.amounts import SIZE, progress
from faults.cluster import HOST, Cluster
from faults.site import NGINX, SITE, Site, nginx_in_front
from waiting import until

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    # Two machines of two workers each take half a minute of both cores.
    pytest.mark.skipif(SIZE != "full", reason="at length only (make faults)"),
    pytest.mark.slow,
]

MACHINES = ("web1", "web2")
DOCKER = """#!{python}
import json, sys, urllib.request
body = json.dumps(sys.argv[1:]).encode()
with urllib.request.urlopen("http://{host}:{port}/", body) as answer:
    sys.exit(int(answer.read()))
"""


@dataclass(slots=True)
class Machines:
    """Two web machines behind nginx, and the folder of the script."""

    webs: dict[str, Cluster]
    site: Site
    folder: Path
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    asked_late: int = 0

    def searches(self, name: str) -> int:
        """How many of 20 searches through nginx a machine answers."""
        before = self.webs[name].logged().count('"path": "/v1/search"')
        for _ in range(20):
            assert self.site.ask("GET", "/v1/search?q=harbour").status == 200
        return self.webs[name].logged().count('"path": "/v1/search"') - before

    def do(self, arguments: list[str]) -> int:
        """Do what the script asks of docker; return the exit code."""
        assert arguments[:3] == ["compose", "-f", "compose.yaml"]
        command = " ".join(arguments[3:])
        self.asked.append(command)
        if command == "exec -T nginx nginx -s reload":
            return self.site.reload()
        if command == "run --rm -T migrate":
            return self.webs["web1"].run("migrate").returncode
        *options, name = arguments[3:]
        assert options[:4] == ["up", "--detach", "--no-deps", "--force-recreate"]
        if name not in self.webs:
            return 0
        assert options[4:] == ["--wait"]
        self.asked_late += self.searches(name)
        self.webs[name].stop_web()
        if name in self.broken:
            return 1
        self.webs[name].start_web()
        return 0

    def roll(self) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        return subprocess.run(
            [self.folder / "deploy/rolling.sh"],
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "DRAIN_SECONDS": "0.5",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@contextmanager
def docker(folder: Path, does: Callable[[list[str]], int]) -> Iterator[None]:
    """Put a program named docker into a folder, which asks us."""

    class Asked(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            code = str(does(json.loads(body))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(code)))
            self.end_headers()
            self.wfile.write(code)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer((HOST, 0), Asked) as server:
        path = folder / "docker"
        program = DOCKER.format(
            python=sys.executable, host=HOST, port=server.server_port
        )
        path.write_text(program)
        path.chmod(0o755)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Two web machines of one store behind nginx; a test leaves both running."""
    tmp_path = tmp_path_factory.mktemp("rolling")
    folder = tmp_path / "release"
    shown = folder / "deploy/compose/machines"
    shown.mkdir(parents=True)
    (folder / "bin").mkdir()
    shutil.copy(ROOT / "deploy/rolling.sh", folder / "deploy/rolling.sh")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with ExitStack() as stack:
        first = Cluster(folder=data)
        stack.callback(first.stop)
        first.start_indexer()
        added = first.run("keys", "add", "desk", "--scope", "search,ingest", "--json")
        key = json.loads(added.stdout)["key"]
        environ = first.environment()
        same = {name: environ[name] for name in ("NUTGRAF_STORE", "NUTGRAF_ENGINE")}
        webs = {}
        for name in MACHINES:
            own = tmp_path / name
            own.mkdir(mode=0o700)
            web = Cluster(
                folder=own,
                worker_count=1,
                variables={**same, "NUTGRAF_HOSTS": SITE, "NUTGRAF_RATE": "none"},
            )
            stack.callback(web.stop)
            web.start_web()
            webs[name] = web
            line = f"server {HOST}:{web.port} max_fails=3 fail_timeout=5s;\n"
            (shown / f"{name}.conf").write_text(line)
        site = stack.enter_context(nginx_in_front(tmp_path, shown, key))
        all_machines = Machines(webs, site, folder)
        stack.enter_context(docker(folder / "bin", all_machines.do))
        yield all_machines


@dataclass(slots=True)
class Load:
    """Clients that send one request after the other, each on a new connection."""

    site: Site
    sent: int = 0
    lost: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def _run(self, number: int) -> None:
        json_type = {"Content-Type": "application/json"}
        for turn in itertools.count():
            if self._stop.wait(0.02):  # the machine has two cores for all of this
                return
            article = f"article-{number}-{turn}"
            body = json.dumps({"headline": "Harbour"}).encode()
            batch = json.dumps([{"id": f"{article}-b", "headline": "Harbour"}]).encode()
            for method, path, sent in (
                ("GET", "/v1/search?q=harbour", None),
                ("PUT", f"/v1/articles/{article}", body),
                ("POST", "/v1/search", b'{"q": "harbour"}'),
                ("POST", "/v1/articles", batch),
                ("GET", f"/v1/articles/{article}", None),
            ):
                self.sent += 1
                try:
                    reply = self.site.ask(method, path, sent, json_type if sent else {})
                except OSError as error:
                    self.lost.append(f"{method} {path}: {error}")
                    continue
                if reply.status != 200:
                    self.lost.append(f"{method} {path}: {reply.status} {reply.body!r}")
            self.stored += [article, f"{article}-b"]

    def __enter__(self) -> Load:
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(2)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_a_rolling_update_loses_no_request(machines: Machines) -> None:
    before = {name: web.master for name, web in machines.webs.items()}
    machines.asked.clear()
    with Load(machines.site) as load:
        done = machines.roll()
        time.sleep(0.5)
    assert done.returncode == 0, done.stderr
    assert load.lost == []
    assert load.sent > 20
    assert machines.asked_late == 0, "a machine must get nothing when it is stopped"
    assert machines.searches("web1") > 0
    assert machines.searches("web2") > 0
    progress(f"{load.sent} requests, none lost")
    for name, web in machines.webs.items():
        assert web.master != before[name]
    for article in load.stored:
        assert machines.site.ask("GET", f"/v1/articles/{article}").status == 200
    restarts = [each for each in machines.asked if each.startswith("up ")]
    assert [each.rpartition(" ")[2] for each in restarts] == [
        *MACHINES,
        "standby",
        "indexer",
    ]
    assert machines.asked[0].endswith("migrate")


def test_a_machine_that_does_not_start_costs_no_request(machines: Machines) -> None:
    machines.broken.add("web1")
    with Load(machines.site) as load:
        done = machines.roll()
        time.sleep(0.5)
    assert done.returncode == 1
    assert "web1 does not start" in done.stderr
    assert load.lost == []
    # Nor does one that nginx still asks. It cannot be reached, so that nothing of a
    # request has arrived: the other machine gets it, even if it is a POST.
    shown = machines.folder / "deploy/compose/machines"
    (shown / "web1.out").rename(shown / "web1.conf")
    assert machines.site.reload() == 0
    with Load(machines.site) as load:
        until(lambda: load.sent > 50, "requests are sent")
    assert load.lost == []
    machines.broken.clear()
    machines.webs["web1"].start_web()
