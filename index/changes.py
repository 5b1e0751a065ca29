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

from index.dates import micros
from index.query import Reader
from index.visibility import (
    CANCELED,
    USABLE,
    Restrictions,
    Values,
    entitled,
    erased,
    shown,
)


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
        shows = bool(shown(*self.restrictions, now, held=reader.held))
        return shows and self.entitles(reader)

    def entitles(self, reader: Reader) -> bool:
        """Return whether the article is within a reader's filters."""
        return entitled(reader, self.values)

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


@dataclass(frozen=True, slots=True)
class Audience:
    """Who ever saw an article, and so may hear of its end: by the values it had then.

    :param open: the values with which it last showed to all; ``None`` if it never did.
    :param held: those with which it last showed to who may see what is held.
    """

    open: Values | None = None
    held: Values | None = None

    def saw(self, standing: Standing | None, now: int) -> Audience:
        """Return it with those who see an article that stands so at an instant."""
        if standing is None:
            return self
        own, values = standing.restrictions, standing.values
        if shown(*own, now):
            return Audience(values, values)
        if shown(*own, now, held=True):
            return Audience(self.open, values)
        return self

    def tells(self, reader: Reader) -> bool:
        """Return whether a reader is of it."""
        known = (self.open, self.held if reader.held else None)
        return any(each is not None and entitled(reader, each) for each in known)

    def entitles(self, reader: Reader) -> bool:
        """Return whether the article was within a reader's filters, seen or not."""
        known = (self.open, self.held)
        return any(each is not None and entitled(reader, each) for each in known)

    def erased(self, salt: str) -> Audience:
        """Return one that decides the same, without the words of its values."""
        known = (self.open, self.held)
        return Audience(
            *(None if each is None else erased(each, salt) for each in known)
        )

    def text(self) -> str:
        """Return it as JSON."""
        return orjson.dumps([self.open, self.held]).decode()

    @classmethod
    def read(cls, found: Any, at: int) -> Audience | None:
        """Return it from its parsed JSON; ``None`` where nothing is known of anybody.

        :param at: the instant of the kill, by which a standing is judged: what an older
            Nutgraf kept.
        """
        if found is None:
            return None
        if isinstance(found[0], list):
            return audience_of(Standing.read(found), at)
        return cls(*found)


NOBODY = Audience()


def audience_of(standing: Standing, at: int) -> Audience:
    """Return who would see what came killed, by how else it stands.

    Of what was never here to be read that is all there is to know.
    """
    own = standing.restrictions
    if own.status == CANCELED:
        own = own._replace(status=USABLE)
    return NOBODY.saw(Standing(own, standing.values), at)


def facts_of_kill(
    before: Standing | None, after: Standing | None, audience: Audience | None
) -> str:
    """Return what an entry of a kill keeps: as others do, and who is told of it."""
    known = [each and each.text() for each in (before, after, audience)]
    return f"[{', '.join(each or 'null' for each in known)}]"


def erased_facts(facts: str, salt: str) -> str:
    """Return an entry's facts without the words of values."""
    found = orjson.loads(facts)
    parts = [
        "null" if each is None else Standing.read(each).erased(salt).text()
        for each in found[:2]
    ]
    for each in found[2:]:
        parts.append("null" if each is None else Audience(*each).erased(salt).text())
    return f"[{', '.join(parts)}]"


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
    if kind is ChangeType.KILLED:
        audience = change.audience()
        tells = not reader.filters if audience is None else audience.tells(reader)
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
