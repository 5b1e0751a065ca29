"""Commands of Nutgraf in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from checkout import ROOT


def nutgraf(environ: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command of ``nutgraf``; its output can be read from pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "index", *arguments],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
