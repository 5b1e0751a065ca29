"""Memory that a large request took, given back to the machine."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from functools import cache

SECONDS = 1.0  # between two times that memory is given back

_lock = threading.Lock()
_last = 0.0
_planned = False


def give_back() -> None:
    """Return free memory to the machine; does nothing without glibc.

    The allocator keeps what was freed, for good if anything small lies above it. It is
    searched at most once a second; a call that comes too soon is made up for later.
    """
    global _last, _planned
    if _trim() is None:
        return
    with _lock:
        if _planned:
            return
        wait = _last + SECONDS - time.monotonic()
        _planned = wait > 0
        _last = max(_last + SECONDS, time.monotonic())
    if wait <= 0:
        _give_back()
        return
    timer = threading.Timer(wait, _give_back)
    timer.daemon = True
    timer.start()


def _give_back() -> None:
    global _planned
    with _lock:
        _planned = False
    trim = _trim()
    assert trim is not None, "it was there before"
    trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """malloc_trim(3) of glibc; ``None`` with another C library."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return trim
