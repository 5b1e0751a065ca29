"""The keeper of the nodes that all processes of a test run share.

The first process that needs them starts it: ``python -m real.keeper FOLDER``. It ends,
and the nodes with it, when no process uses them any more, however these ended.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path

from checkout import ROOT
from real.amounts import NODES
from real.opensearch import Nodes

_FILE, _USERS, _STARTING = "nodes.json", "users", "starting"


class Kept:
    """The nodes of a test run, as one of its processes uses them until it ends.

    :param folder: of the whole run.
    """

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # For as long as this process lives: nothing closes it.
        _locked(folder / _USERS, fcntl.LOCK_SH)
        self._are_up = False
        starting = _locked(folder / _STARTING, fcntl.LOCK_EX)
        file = folder / _FILE
        if not file.exists():
            file.write_text(Nodes.in_(folder, count).to_json())
            _start_keeper(folder)
        os.close(starting)
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
    # Who wants to use them from here on waits until this process has ended.
    _locked(folder / _USERS, fcntl.LOCK_EX)
    nodes.kill()
    for node in nodes.nodes:
        shutil.rmtree(node.folder, ignore_errors=True)
    (folder / _FILE).unlink()


def _locked(path: Path, kind: int) -> int:
    """Descriptor of a file, locked until it is closed or this process ends."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(file, kind)
    return file


def _start_keeper(folder: Path) -> None:
    """Start the keeper, which is not ended with the processes of a terminal."""
    log = str(folder / "log")
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "real.keeper", str(folder)],
        {**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
