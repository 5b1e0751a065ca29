"""Waiting for other threads and processes."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(true: Callable[[], object], what: str = "it", seconds: float = 20) -> None:
    """Wait until a condition is true; fail if it is not in time."""
    started = time.monotonic()
    while not true():
        waited = time.monotonic() - started
        if waited > seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        # Conditions may be requests: the longer it takes, the less often it is asked.
        time.sleep(min(0.1, 0.01 + waited / 20))
