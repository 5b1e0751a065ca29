"""The nodes of a test run end with the last process that uses them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT
from commands import Command
from real import install
from waiting import until

pytestmark = pytest.mark.slow

# Uses no nodes at all, as long as somebody has its input open.
_USER = (
    "import sys; from pathlib import Path; from real.keeper import Kept;"
    " Kept(Path(sys.argv[1]), 0).nodes(); print('uses', flush=True); sys.stdin.read()"
)


def user(folder: Path) -> Command:
    """A process that uses the nodes in a folder."""
    process = Command(
        [sys.executable, "-c", _USER, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"uses\n"
    return process


def test_nodes_end_with_the_last_process_that_uses_them_however_it_ends(
    tmp_path: Path,
) -> None:
    description = tmp_path / "nodes.json"
    with user(tmp_path) as first, user(tmp_path) as second:
        first.kill()
        first.wait()
        assert description.exists()
        with user(tmp_path) as third:
            second.kill()
            second.wait()
            assert description.exists(), "a third process uses them"
            third.communicate()
    until(lambda: not description.exists(), "the keeper ends")
    with user(tmp_path) as another:
        assert description.exists(), "they were started anew"
        another.kill()
    until(lambda: not description.exists(), "the keeper ends")


def test_without_maven_nothing_is_installed_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    install.main(str(tmp_path / "jars"))
    assert capsys.readouterr().err == "Without OpenSearch: there is no java or no mvn\n"
    assert not install.is_installed(tmp_path / "jars")


def test_what_is_installed_is_not_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "pom.xml").write_text(
        Path(install.__file__).with_name("pom.xml").read_text("utf-8"), "utf-8"
    )
    install.main(str(tmp_path))
    assert capsys.readouterr().err == ""
