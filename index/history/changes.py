"""The change feed: the entries of the log as a reader may see them.

A change records the standing of its article before and after it: restrictions and
values. They alone decide whether a reader saw the article before the change and sees it
after, whenever the feed is read. So an entry never depends on what happens to the
article later, no entry is missing, and readers learn nothing of articles that they may
not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from index.access import Audience, Standing
from index.dates import micros
from index.query import Reader


class ChangeType(StrEnum):
    """Type of a change."""

    CREATED = "created"
    UPDATED = "updated"
    CORRECTED = "corrected"
    STORED = "stored"  # an older version arrived; never shown to readers
    KILLED = "killed"
    WITHHELD = "withheld"
    RESTORED = "restored"
    EMBARGO_LIFTED = "embargo_lifted"
    EXPIRED = "expired"
    DELETED = "deleted"


FEED_TYPES = tuple(kind.value for kind in ChangeType if kind is not ChangeType.STORED)
# After these the article must no longer be shown, and copies of it must be deleted.
REMOVALS = frozenset(
    (
        ChangeType.KILLED,
        ChangeType.WITHHELD,
        ChangeType.EXPIRED,
        ChangeType.DELETED,
    )
)
# Changes that the index must apply; the others only change visibility.
INDEXED_TYPES = frozenset(ChangeType) - {
    ChangeType.STORED,
    ChangeType.EMBARGO_LIFTED,
    ChangeType.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change in the log.

    :param type: a :class:`ChangeType`; ``stored`` (an older version arrived) is never
        shown to readers.
    :param version: ``None`` for a deletion, and for a kill of an article that is not
        stored.
    :param hides: whether the change may hide the article from some reader.
    :param facts: the standings before and after, as JSON of :meth:`Standing.facts`.
    """

    seq: int
    type: str
    id: str
    version: str | None
    at: datetime
    hides: bool
    facts: str | None = None

    def standings(self) -> tuple[Standing | None, Standing | None]:
        """Standings of the article before and after the change."""
        if self.facts is None:
            return None, None
        standings = [
            None if parsed is None else Standing.read(parsed)
            for parsed in orjson.loads(self.facts)[:2]
        ]
        return standings[0], standings[-1]

    def audience(self) -> Audience | None:
        """The readers who are told of a kill; ``None`` if no reader is known."""
        facts = [None] if self.facts is None else orjson.loads(self.facts)
        if len(facts) < 3:  # written by an older release
            facts.append(facts[0] or facts[-1])
        return Audience.read(facts[-1], micros(self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the change feed: a change as a reader may see it.

    :param version: the version that shows since then, ``None`` if none does.
    :param removed: whether the article no longer shows, so that copies must be deleted.
    """

    seq: int
    type: ChangeType
    id: str
    version: str | None
    at: datetime
    removed: bool


def entry_for(change: Change, reader: Reader, at: int) -> Entry | None:
    """Feed entry of a change for a reader, ``None`` if the reader is not told.

    :param at: the instant of the change, in microseconds since 1970 UTC.
    """
    kind = ChangeType(change.type)
    if kind is ChangeType.STORED:
        return None
    before, after = change.standings()
    if kind is ChangeType.EMBARGO_LIFTED:
        shows = after is not None and after.shown(reader, at)
        return _entry(change, kind, removed=False) if shows else None
    if kind is ChangeType.EXPIRED:
        showed = after is not None and after.shown(
            reader, after.restrictions.expires - 1
        )
        return _entry(change, kind, removed=True) if showed else None
    if kind is ChangeType.KILLED:
        audience = change.audience()
        listed = not reader.filters if audience is None else audience.includes(reader)
        return _entry(change, kind, removed=True) if listed else None
    showed = before is not None and before.shown(reader, at)
    shows = after is not None and after.shown(reader, at)
    if shows:
        if not showed and kind in (ChangeType.UPDATED, ChangeType.CORRECTED):
            embargoed = before and before.restrictions.embargoed_until > at
            kind = ChangeType.EMBARGO_LIFTED if embargoed else ChangeType.CREATED
        return _entry(change, kind, removed=False)
    if showed:
        # Whatever the cause, the article is withheld from this reader from now on.
        if kind not in REMOVALS:
            kind = ChangeType.WITHHELD
        return _entry(change, kind, removed=True)
    return None


def _entry(change: Change, kind: ChangeType, *, removed: bool) -> Entry:
    return Entry(
        seq=change.seq,
        type=kind,
        id=change.id,
        version=None if removed else change.version,
        at=change.at,
        removed=removed,
    )
