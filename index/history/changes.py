"""The change feed: what of the log a reader is told.

An entry of the log knows how its article stood before it and after it: what restricted
it, and its values. From that it follows, whenever and by whomever the feed is read,
whether the reader saw the article before, and whether they see it since. So what a
reader is told never depends on what became of the article later, nothing is left out,
and who may not see an article is told nothing of it.
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
    """What happened to an article."""

    CREATED = "created"
    UPDATED = "updated"
    CORRECTED = "corrected"
    STORED = "stored"  # an older version came: nobody is told
    KILLED = "killed"
    WITHHELD = "withheld"
    RESTORED = "restored"
    EMBARGO_LIFTED = "embargo_lifted"
    EXPIRED = "expired"
    DELETED = "deleted"


# What readers can be told of.
FEED_TYPES = tuple(each.value for each in ChangeType if each is not ChangeType.STORED)
# After these the article is not to be shown any more, and a copy of it is to go.
REMOVALS = frozenset(
    (
        ChangeType.KILLED,
        ChangeType.WITHHELD,
        ChangeType.EXPIRED,
        ChangeType.DELETED,
    )
)
# What changes the index; the others only change what shows of it.
INDEXED_TYPES = frozenset(ChangeType) - {
    ChangeType.STORED,
    ChangeType.EMBARGO_LIFTED,
    ChangeType.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the change log.

    :param type: a :class:`ChangeType`; of ``stored``, an older version, nobody sees
        anything.
    :param version: ``None`` for a deletion, and for a kill of what is not here.
    :param hides: whether the article may show less from here on.
    :param facts: how the article stood, as :meth:`Standing.facts` wrote it.
    """

    seq: int
    type: str
    id: str
    version: str | None
    at: datetime
    hides: bool
    facts: str | None = None

    def standings(self) -> tuple[Standing | None, Standing | None]:
        """Return how the article stood before and after."""
        if self.facts is None:
            return None, None
        found = [
            None if each is None else Standing.read(each)
            for each in orjson.loads(self.facts)[:2]
        ]
        return found[0], found[-1]

    def audience(self) -> Audience | None:
        """Return who is told of a kill; ``None`` where nothing is known of anybody."""
        found = [None] if self.facts is None else orjson.loads(self.facts)
        if len(found) < 3:  # of an older Nutgraf
            found.append(found[0] or found[-1])
        return Audience.read(found[-1], micros(self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a reader is told of a change.

    :param type: a :class:`ChangeType` other than ``stored``.
    :param version: the one that shows since, ``None`` where none does.
    :param removed: the article no longer shows: a copy of it is to go.
    """

    seq: int
    type: ChangeType
    id: str
    version: str | None
    at: datetime
    removed: bool


def entry_for(change: Change, reader: Reader, at: int) -> Entry | None:
    """Return what a reader is told of a change, ``None`` if nothing.

    :param at: the instant of the change.
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
        tells = not reader.filters if audience is None else audience.includes(reader)
        return _entry(change, kind, removed=True) if tells else None
    was = before is not None and before.shown(reader, at)
    now = after is not None and after.shown(reader, at)
    if now:
        if not was and kind in (ChangeType.UPDATED, ChangeType.CORRECTED):
            embargoed = before and before.restrictions.embargoed_until > at
            kind = ChangeType.EMBARGO_LIFTED if embargoed else ChangeType.CREATED
        return _entry(change, kind, removed=False)
    if was:
        # However it came about, to this reader it is withheld from here on.
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
