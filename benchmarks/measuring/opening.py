"""The first answer of a new process: ``python -m benchmarks.measuring.opening``.

It reads an engine's URL and a search from stdin and writes to stdout how long it took,
both JSON. Starting Python and importing are not part of it, opening the index is.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

from benchmarks.data.workload import Asked
from index.engines import open_engine


def main() -> None:
    """Open an engine, ask it one thing, and say how long that took."""
    asked = json.load(sys.stdin)
    search = Asked(**{**asked["search"], "facets": tuple(asked["search"]["facets"])})
    wanted = search.search()
    kind = asked["url"].partition(":")[0]
    importlib.import_module(f"index.engines.{kind}")
    started = time.perf_counter()
    engine = open_engine(asked["url"])
    snapshot = engine.snapshot()
    opened = time.perf_counter()
    page = snapshot.search(wanted)
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
