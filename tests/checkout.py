"""The folders of this checkout that tests read."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
SEEDS = ROOT / "seeds"
# Files of the trade, which are not part of the project; tests of them skip without it.
SHARED = ROOT.parent / "shared"


def names_of_tests(pattern: str = "test_*.py") -> set[str]:
    """Names of the tests in files of a pattern, below the folder of all tests."""
    return {
        name
        for path in (ROOT / "tests").rglob(pattern)
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.M)
    }
