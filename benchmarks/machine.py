"""The machine that is measured on, without names of machines, people or folders."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = (
    "nutgraf",
    "numpy",
    "Whoosh-Reloaded",
    "PyStemmer",
    "orjson",
    "SQLAlchemy",
    "Flask",
    "gunicorn",
    "tantivy",
)


def description() -> dict[str, Any]:
    """Processor, memory, Python and libraries, for JSON."""
    return {
        "processor": _first_match("/proc/cpuinfo", r"model name\s*:\s*(.+)")
        or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(_memory() / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        "libraries": {
            name: installed for name in LIBRARIES if (installed := _version(name))
        },
        "load_before": round(os.getloadavg()[0], 2),
    }


def summary(machine: Mapping[str, Any]) -> str:
    """The machine as one line of text."""
    libraries = ", ".join(
        f"{name} {release}" for name, release in machine["libraries"].items()
    )
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB,"
        f" {machine['system']}, {machine['python']}, SQLite {machine['sqlite']},"
        f" {libraries}; load average before the run {machine['load_before']}"
    )


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _first_match(name: str, pattern: str) -> str | None:
    path = Path(name)
    match = re.search(pattern, path.read_text()) if path.exists() else None
    return None if match is None else match[1].strip()
