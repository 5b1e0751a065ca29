"""The keeper of the nodes that all processes of a test run share.

The first process that needs them starts it: ``python -m real.keeper FOLDER``. It ends,
and the nodes with it, when no process uses them any more, however these ended.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from checkout import ROOT
from real.amounts import NODES
from real.opensearch import Nodes

_FILE, _USERS, _STARTING = "nodes.json", "users", "starting"
_LOOKS_SECONDS = 0.5


class Kept:
    """The nodes of a test run, as one of its processes uses them until it ends.

    :param folder: of the whole run.
    """

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._use = _locked(folder / _USERS, fcntl.LOCK_SH)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._are_up = False
        with _locked(folder / _STARTING, fcntl.LOCK_EX):
            file = folder / _FILE
            if not file.exists():
                file.write_text(Nodes.in_(folder, count).to_json())
                self._keeper = subprocess.Popen(
                    [sys.executable, "-m", "real.keeper", folder],
                    env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            self._nodes = Nodes.from_json(file.read_text())

    def nodes(self) -> Nodes:
        """The nodes, once they answer."""
        if not self._are_up:
            self._nodes.wait()
            self._are_up = True
        return self._nodes


_of_this_process: list[Kept] = []


def begin(folder: Path) -> None:
    """Have the nodes started, for all processes that name the same folder."""
    _of_this_process.append(Kept(folder, NODES))


def shared_nodes() -> Nodes:
    """The nodes of this test run, once they answer: for tests marked ``opensearch``."""
    return _of_this_process[-1].nodes()


def keep(folder: Path) -> None:
    """Run the nodes until nobody uses them."""
    nodes = Nodes.from_json((folder / _FILE).read_text())
    nodes.start()
    with (folder / _USERS).open("a") as users:
        while True:
            with suppress(BlockingIOError):
                # Who wants to use them now waits until this process has ended.
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(_LOOKS_SECONDS)
        nodes.kill()
        for node in nodes.nodes:
            shutil.rmtree(node.folder, ignore_errors=True)
        (folder / _FILE).unlink()


def _locked(path: Path, kind: int) -> IO[str]:
    file = path.open("a")
    fcntl.flock(file, kind)
    return file


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
