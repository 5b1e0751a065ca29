"""What was measured on, without names of machines, people or folders."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
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
    """Return processor, memory, Python and libraries, as JSON can hold it."""
    return {
        "processor": _first_match("/proc/cpuinfo", r"model name\s*:\s*(.+)")
        or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(_memory() / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        "load_before": round(os.getloadavg()[0], 2),
    }


def in_a_line(machine: dict[str, Any]) -> str:
    """Return the machine as a line for people."""
    libraries = ", ".join(f"{n} {v}" for n, v in machine["libraries"].items())
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
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return None if found is None else found[1].strip()
