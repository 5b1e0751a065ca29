"""How an article stands, and who may hear of its end; kept with entries of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from index.access.visibility import (
    CANCELED,
    USABLE,
    Restrictions,
    Values,
    entitled,
    erased,
    shown,
)
from index.query import Reader


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

    def with_readers_of(self, standing: Standing | None, now: int) -> Audience:
        """This audience and the readers who can see an article at an instant."""
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
    return NOBODY.with_readers_of(Standing(own, standing.values), at)


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
