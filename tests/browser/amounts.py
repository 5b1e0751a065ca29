"""How much the browser tests do: one theme and one width, or on demand all of them.

``PAGES=full`` in the environment, which ``make pages`` sets, is the only switch. The
short form runs a test for each thing that a page can do, in one theme and one width.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

_T = TypeVar("_T")

_SIZES = ("smoke", "full")
SIZE = os.environ.get("PAGES", _SIZES[0])
if SIZE not in _SIZES:
    raise SystemExit(f"PAGES={SIZE}: choose from {', '.join(_SIZES)}")


def amount(smoke: _T, full: _T) -> _T:
    """What a browser test goes through, or how often it repeats."""
    return full if SIZE == "full" else smoke


# The short form runs the tests that are marked so, and no others.
in_every_run = pytest.mark.in_every_run

# What the fixture ``page`` emulates: colour scheme and forced colours of the system.
THEMES = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "dark", "forced_colors": "active"},
}
HEIGHTS = {320: 640, 768: 1024, 1280: 800, 1920: 1080}  # of the window, by its width

# A test that is marked so runs once for each of them.
each_theme = pytest.mark.parametrize("theme", amount(("light",), tuple(THEMES)))
each_width = pytest.mark.parametrize("width", amount((1280,), tuple(HEIGHTS)))
