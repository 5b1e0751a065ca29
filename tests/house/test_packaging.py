"""What is installed: setup.cfg against the imports, the pins and the Procfile."""

from __future__ import annotations

import ast
import http.server
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from checkout import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Import names that are not the distribution's own with an underscore for a dash.
IMPORT_NAMES = {
    "opensearch-py": "opensearchpy",
    "pystemmer": "Stemmer",
    "whoosh-reloaded": "whoosh",
}
# Declared, whether or not a line of ours imports them.
COMMANDS = {"honcho"}
DATA = {"tzdata"}  # what zoneinfo reads where the system has no time zones


def config() -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser


def requirements(section: str, option: str) -> dict[str, Requirement]:
    lines = config()[section][option].split("\n")
    declared = [Requirement(line) for line in lines if line]
    return {canonicalize_name(each.name): each for each in declared}


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "deploy/constraints.txt").read_text("utf-8").splitlines()
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


def foreign_imports() -> set[str]:
    """Top-level names of foreign packages that index and service import."""
    packages = set()
    paths = [*ROOT.glob("*.py"), *ROOT.glob("index/**/*.py")]
    for path in [*paths, *ROOT.glob("service/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                packages |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                packages.add(node.module.partition(".")[0])
    return packages - sys.stdlib_module_names - {"index", "service"}


@pytest.mark.slow
def test_every_library_that_is_imported_is_declared_and_the_other_way_round():
    declared = requirements("options", "install_requires").keys() - DATA
    for extra in ("opensearch", "postgresql"):
        declared |= requirements("options.extras_require", extra).keys()
    names = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in declared}
    assert foreign_imports() | COMMANDS == names


@pytest.mark.parametrize(
    ("section", "option"),
    [("options", "install_requires"), ("options.extras_require", "test")],
)
def test_every_requirement_is_pinned_within_its_range(section, option):
    # To pin anew: make pins.
    for name, requirement in requirements(section, option).items():
        assert name in pins(), f"{name} has no pin in deploy/constraints.txt"
        (version,) = pins()[name].specifier
        assert version.operator == "=="
        assert requirement.specifier.contains(version.version), requirement


def test_the_procfile_starts_web_and_indexer_with_commands_we_install():
    lines = (ROOT / "Procfile").read_text("utf-8").splitlines()
    processes = dict(line.split(": ", 1) for line in lines)
    assert processes.keys() == {"web", "indexer"}
    for command in processes.values():
        program = command.split()[0]
        assert entry_points(group="console_scripts", name=program), program


def test_the_procfile_serves_what_wsgi_py_defines():
    web = re.search(r"^web: .*\b(\w+):(\w+)$", (ROOT / "Procfile").read_text(), re.M)
    assert web is not None
    module, name = web.groups()
    tree = ast.parse((ROOT / f"{module}.py").read_text("utf-8"))
    targets = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert name in targets


def test_the_newest_release_in_the_changelog_is_the_version_of_the_package():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[([^\]]+)\]", text, re.M)
    assert headings[0] == "Unreleased"
    assert headings[1:2] in ([], [config()["metadata"]["version"]])


def test_the_ci_runs_make_test():
    run = ROOT / ".ci/run"
    assert run.stat().st_mode & 0o100, "not executable"
    assert "make test" in run.read_text("utf-8")


@pytest.mark.parametrize("target", ["run", "test", "lint", "format", "clean"])
def test_make_help_names_the_target(target):
    listing = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert re.search(rf"^{target} ", listing.stdout, re.M)


def test_the_ci_runs_make_test_even_if_nothing_can_be_installed(tmp_path):
    programs = {"make": 'echo "make $*"', "id": "echo 0", "apt-get": "echo no; exit 1"}
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("bash", "dirname", "grep", "timeout"):
        (tmp_path / name).symlink_to(shutil.which(name))
    run = subprocess.run(
        [ROOT / ".ci/run"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "make test\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tests", "switch", "short", "expected"),
    [
        (
            ["tests/browser/test_reference.py"],
            "PAGES",
            "smoke",
            r"\d+ browser tests skipped: no Chromium found; .*",
        ),
        (
            ["tests/engines/test_writing.py", "-m", "opensearch"],
            "CLUSTER",
            "short",
            r"\d+ tests on OpenSearch skipped: no Java found; .*",
        ),
    ],
    ids=["browser", "opensearch"],
)
def test_without_a_program_its_tests_are_skipped_and_the_last_line_says_so(
    tmp_path: Path, tests: list[str], switch: str, short: str, expected: str
) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environ |= {"PATH": str(tmp_path), "CHROMIUM": ""}

    def run(size: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-n0", *tests],
            cwd=ROOT,
            env=environ | {switch: size},
            capture_output=True,
            text=True,
        )

    some = run(short)
    assert some.returncode == 0, some.stdout
    assert re.fullmatch(expected, some.stdout.splitlines()[-1])
    assert run("full").returncode == 1, "it is asked for by name"


class Ours(http.server.BaseHTTPRequestHandler):
    """Answers health checks as Nutgraf does."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "ok"}).encode()
        self.send_response(200 if self.path == "/healthz" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[str]:
    """The address of a service that answers as ours."""
    with http.server.HTTPServer(("127.0.0.1", 0), Ours) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


NO_INDEXER = {"running": False, "process": None}


def refusal(bind: str, indexer: dict[str, object]) -> str:
    run = runpy.run_path(str(ROOT / "deploy/run.py"))
    with pytest.raises(SystemExit) as caught:
        run["refuse_running"](bind, indexer)
    return str(caught.value)


def test_make_run_says_that_nutgraf_runs_already_and_how_to_stop_it(answering):
    said = refusal(answering, NO_INDEXER)
    assert said.startswith(f"Nutgraf is running already: it answers on {answering}.")
    assert "make run NUTGRAF_BIND=127.0.0.1:8001" in said
    if sys.platform == "linux":
        assert f"kill {os.getpid()}\n" in said
    both = refusal(answering, {"running": True, "process": 12345})
    assert "and this store has an indexer" in both
    assert "12345" in both
    assert "NUTGRAF_BIND" not in both


def test_make_run_says_that_an_indexer_was_left_alone():
    said = refusal("127.0.0.1:1", {"running": True, "process": 12345})
    assert "this store has an indexer" in said
    assert "kill 12345" in said


def test_make_run_lets_another_address_and_store_be(answering):
    run = runpy.run_path(str(ROOT / "deploy/run.py"))
    run["refuse_running"]("127.0.0.1:1", NO_INDEXER)


@pytest.mark.parametrize("needs_key", [True, False])
def test_make_run_names_the_page_and_a_search(needs_key):
    greeting = runpy.run_path(str(ROOT / "deploy/run.py"))["greeting"]
    text = greeting("127.0.0.1:8000", needs_key=needs_key)
    assert "http://127.0.0.1:8000/\n" in text
    assert "curl " in text
    assert ("X-API-Key" in text) is needs_key


def test_every_file_that_is_no_module_is_installed():
    # Templates and what browsers load are read from beside the code.
    patterns = config()["options.package_data"]["service"].split()
    folder = ROOT / "service"
    shipped = {path for pattern in patterns for path in folder.glob(pattern)}
    beside = {
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert beside
    assert beside == shipped
