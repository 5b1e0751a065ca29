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
from typing import Any

import orjson

from index.query import Reader
from index.visibility import WITHHELD, Restrictions, Values, entitled, erased, shown


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
TOLD = tuple(each.value for each in ChangeType if each is not ChangeType.STORED)
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
INDEXED = frozenset(ChangeType) - {
    ChangeType.STORED,
    ChangeType.EMBARGO_LIFTED,
    ChangeType.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an article stood at some instant, as far as it decides who may see it."""

    restrictions: Restrictions
    values: Values

    def shown(self, reader: Reader, now: int) -> bool:
        """Return whether a reader sees the article at an instant."""
        return bool(shown(*self.restrictions, now, held=reader.held)) and self.entitles(
            reader
        )

    def entitles(self, reader: Reader) -> bool:
        """Return whether the article is within a reader's filters."""
        return entitled(reader, self.values)

    def tells(self, reader: Reader, now: int) -> bool:
        """Return whether the notice of its kill is for a reader.

        It is for those who could have read the article, be it that it expired since.
        """
        own = self.restrictions
        # What came killed was never here to be read: its status says nothing of whom.
        withheld = own.status == WITHHELD or own.embargoed_until > now
        return (reader.held or not withheld) and self.entitles(reader)

    def erased(self, salt: str) -> Standing:
        """Return one that decides the same, without the words of its values."""
        return Standing(self.restrictions, erased(self.values, salt))

    def text(self) -> str:
        """Return it as JSON."""
        return orjson.dumps([[*self.restrictions], self.values]).decode()

    @classmethod
    def read(cls, found: Any) -> Standing:
        """Return it from its parsed JSON."""
        restrictions, values = found
        return cls(Restrictions(*restrictions), values)

    @staticmethod
    def values_text(values: Values) -> str:
        """Return an article's values as JSON."""
        return orjson.dumps(values).decode()

    @classmethod
    def erased_facts(cls, facts: str, salt: str) -> str:
        """Return an entry's facts without the words of values."""
        parts = [
            "null" if each is None else cls.read(each).erased(salt).text()
            for each in orjson.loads(facts)
        ]
        return f"[{', '.join(parts)}]"

    @staticmethod
    def facts(before: Standing | None, after: Standing | None) -> str | None:
        """Return both as JSON, as an entry of the log keeps them.

        What is after is left out where it is as before.
        """
        if before is None and after is None:
            return None
        if before == after and after is not None:
            return f"[{after.text()}]"
        parts = ["null" if each is None else each.text() for each in (before, after)]
        return f"[{parts[0]}, {parts[1]}]"


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
            for each in orjson.loads(self.facts)
        ]
        return found[0], found[-1]


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


def told(change: Change, reader: Reader, at: int) -> Entry | None:
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
    was = before is not None and before.shown(reader, at)
    now = after is not None and after.shown(reader, at)
    if kind is ChangeType.KILLED:
        # Its notice is for those who could ever have read the article. So what is
        # before says here how it stood when it was read last, see index.log.as_read.
        known = before or after
        if was or (known is not None and known.tells(reader, at)):
            return _entry(change, kind, removed=True)
        if known is None and not reader.filters:
            return _entry(change, kind, removed=True)
        return None
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
