"""The deadline of a search, looked at between its steps: no signals, in any thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from index.errors import SearchTimeout

Check = Callable[[], None]


def until(deadline: float | None) -> Check:
    """Return what to call between steps: it raises once a deadline has passed.

    :param deadline: on :func:`time.monotonic`'s clock; ``None`` never passes.
    :raises SearchTimeout: by what is returned.
    """
    started = time.monotonic()

    def check() -> None:
        if deadline is not None and time.monotonic() > deadline:
            raise SearchTimeout(round(max(0.0, deadline - started), 3))

    return check


def never() -> None:
    """Check nothing: there is no deadline."""
