"""The deadline of a search, checked between its steps: no signals, in any thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from index.errors import SearchTimeout

Check = Callable[[], None]


def until(deadline: float | None) -> Check:
    """A check to call between steps: it raises once the deadline has passed.

    :param deadline: on the clock of :func:`time.monotonic`; ``None`` for no deadline.
    :raises SearchTimeout: raised by the check.
    """
    started = time.monotonic()

    def check() -> None:
        if deadline is not None and time.monotonic() > deadline:
            raise SearchTimeout(round(max(0.0, deadline - started), 3))

    return check


def never() -> None:
    """A check without a deadline."""
