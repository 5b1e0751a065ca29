"""How much is tested on real servers: a little in every test run, all of it on demand.

``CLUSTER=full`` in the environment, which ``make cluster`` sets, is the only switch.
"""

from __future__ import annotations

import os

_SIZES = ("short", "full")
SIZE = os.environ.get("CLUSTER", _SIZES[0])
if SIZE not in _SIZES:
    raise SystemExit(f"CLUSTER={SIZE}: choose from {', '.join(_SIZES)}")
FULL = SIZE == "full"

# Nodes that the tests share, and how each index is spread over them.
NODES, SHARDS, REPLICAS = (3, 3, 1) if FULL else (1, 1, 0)


def amount(short: int, full: int) -> int:
    """Number of cycles or examples of a test on real servers."""
    return full if FULL else short
