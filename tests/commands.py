"""Commands of Nutgraf in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType

from checkout import ROOT

# The process ends with the one that runs the tests, however that one ends.
_TIED = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9);"
    " os.execv(sys.argv[1], sys.argv[1:])"
)


class Command(subprocess.Popen[bytes]):
    """A command that is killed when its block fails: nobody is left to end it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.kill()
        super().__exit__(kind, error, traceback)


def tied(command: Sequence[str]) -> tuple[str, ...]:
    """A command whose process ends with the one that starts it, on Linux.

    :param command: its first word is the path of a program.
    """
    return (sys.executable, "-S", "-c", _TIED, *command)


def nutgraf(environ: Mapping[str, str], *arguments: str) -> Command:
    """Start a command of ``nutgraf``; its output can be read from pipes."""
    return Command(
        [sys.executable, "-m", "index", *arguments],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
