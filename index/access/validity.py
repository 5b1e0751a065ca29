"""Validity: the span of instants in which an answer stays as it is, without a write."""

from __future__ import annotations

from datetime import datetime

from index.access.visibility import NO_EMBARGO, NO_EXPIRY, Restrictions, turns_of
from index.dates import micros


class Validity:
    """The instants in which an answer holds; what is read for it narrows them.

    Whatever compares an instant with ``now`` while it makes the answer tells of it
    here. In microseconds since 1970 UTC.

    :ivar first: the first instant at which the answer is as it is now.
    :ivar end: the first at which it may be another one.
    """

    def __init__(self, now: datetime) -> None:
        self.now = micros(now)
        self.first, self.end = NO_EMBARGO, NO_EXPIRY

    def __repr__(self) -> str:
        return f"Validity({self.first}, {self.end})"

    def turns_at(self, instant: int) -> None:
        """Note an instant from which on the answer is another one than before it."""
        if instant <= self.now:
            self.first = max(self.first, instant)
        else:
            self.end = min(self.end, instant)

    def depends_on(self, restrictions: Restrictions, *, held: bool) -> None:
        """Note the instants at which an article with restrictions shows or ends.

        :param held: the reader may see withheld and embargoed articles.
        """
        for instant in turns_of(restrictions, held=held):
            self.turns_at(instant)
