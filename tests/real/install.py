"""OpenSearch for tests: ``install.py FOLDER`` has Maven put its jars there.

``make test`` and ``make cluster`` run it. Where it fails, it says so on stderr, and the
tests that need a node are skipped. A second run needs no network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

_POM = Path(__file__).with_name("pom.xml")
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_SECONDS = 300


def is_installed(folder: Path) -> bool:
    """Whether the jars of this ``pom.xml`` are there."""
    stamp = folder / _POM.name
    return stamp.exists() and stamp.read_text("utf-8") == _POM.read_text("utf-8")


def main(name: str) -> None:
    """Install the jars, unless they are there."""
    folder = Path(name).absolute()
    if is_installed(folder):
        return
    program = shutil.which("mvn")
    if program is None or shutil.which("java") is None:
        sys.stderr.write("Without OpenSearch: there is no java or no mvn\n")
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = ("-q", "-B", "-f", _POM, _GOAL, f"-DoutputDirectory={folder}")
    try:
        subprocess.run(
            [program, *options],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stdout", None) or str(error)
        sys.stderr.write(f"Without OpenSearch: {said.strip().splitlines()[0]}\n")
        return
    # Last, so that what is only half there is installed anew.
    shutil.copy(_POM, folder)


if __name__ == "__main__":
    main(sys.argv[1])
