"""The deadline of a search, checked between its steps: no signals, in any thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from index.errors import SearchTimeout

Check = Callable[[], None]


class Deadline(NamedTuple):
    """Instant by which a search must end.

    :param at: on the clock of :func:`time.monotonic`.
    :param seconds: from the start of the search until then.
    """

    at: float
    seconds: float


def deadline_in(seconds: float) -> Deadline:
    """Deadline of a search that starts now."""
    return Deadline(time.monotonic() + seconds, seconds)


def halfway_to(deadline: Deadline | None) -> Deadline | None:
    """Deadline after half of the time that is left, for a part that can be left out."""
    if deadline is None:
        return None
    now = time.monotonic()
    return Deadline(now + max(deadline.at - now, 0) / 2, deadline.seconds)


def until(deadline: Deadline | None) -> Check:
    """A check to call between steps: it raises once the deadline has passed.

    :param deadline: ``None`` for no deadline.
    :raises SearchTimeout: raised by the check, with the seconds of the whole search.
    """

    def check() -> None:
        if deadline is not None and time.monotonic() > deadline.at:
            raise SearchTimeout(deadline.seconds)

    return check


def never() -> None:
    """A check without a deadline."""
