"""The folders of this checkout that tests read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
SEEDS = ROOT / "seeds"
# Files of the trade, which are not part of the project; tests of them skip without it.
SHARED = ROOT.parent / "shared"
