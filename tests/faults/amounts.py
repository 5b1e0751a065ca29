"""How much the fault tests do: a little in every test run, all of it on demand.

``FAULTS=full`` in the environment, which ``make faults`` sets, is the only switch. Both
run the same tests; the short form only repeats them less often.
"""

from __future__ import annotations

import os
import random
import sys

_SIZES = ("smoke", "full")
SIZE = os.environ.get("FAULTS", _SIZES[0])
if SIZE not in _SIZES:
    raise SystemExit(f"FAULTS={SIZE}: choose from {', '.join(_SIZES)}")

# Another one tries other moments and places; it is in the report of a test that fails.
SEED = int(os.environ.get("FAULTS_SEED", "20160929"))

# How much later than its deadline a search may end: a little, at length, where the
# machine has nothing else to do.
LATE_SECONDS = 0.3 if SIZE == "full" else 3.0


def amount(smoke: int, full: int) -> int:
    """Number of cycles, examples or seconds of a fault test."""
    return full if SIZE == "full" else smoke


def chance(*what: object) -> random.Random:
    """Source of random choices of a test; one seed gives the same ones in every run."""
    return random.Random(f"{SEED} {' '.join(map(str, what))}")


def progress(text: str) -> None:
    """Show how far a long test has come."""
    if SIZE == "full":
        sys.stderr.write(f"  {text} (seed {SEED})\n")
