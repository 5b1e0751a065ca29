"""The first answer of a new process: ``python -m benchmarks.measuring.opening``.

It reads an engine's URL and a search from stdin and writes to stdout how long opening
and searching took, both as JSON. The time includes opening the index, but not starting
Python and importing modules.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

from benchmarks.data import search_of
from index.engines import open_engine


def main() -> None:
    """Open an engine, search once, and write how long that took."""
    question = json.load(sys.stdin)
    search = search_of(question["search"]).compiled()
    kind = question["url"].partition(":")[0]
    importlib.import_module(f"index.engines.{kind}")
    started = time.perf_counter()
    engine = open_engine(question["url"])
    snapshot = engine.snapshot()
    opened = time.perf_counter()
    page = snapshot.search(search)
    ended = time.perf_counter()
    engine.close()
    answer = {
        "seconds": ended - started,
        "opening_seconds": opened - started,
        "articles": page.articles,
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
