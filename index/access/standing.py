"""Standings and audiences: who could see an article, and who may hear of its end.

The change log and the notices of kills keep them as JSON.
"""

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
    """The visibility of an article at some instant: its restrictions and values."""

    restrictions: Restrictions
    values: Values

    def shown(self, reader: Reader, now: int) -> bool:
        """Whether a reader sees the article at an instant."""
        shows = bool(shown(*self.restrictions, now, held=reader.held))
        return shows and self.entitles(reader)

    def entitles(self, reader: Reader) -> bool:
        """Whether the article passes a reader's filters."""
        return entitled(reader, self.values)

    def erased(self, salt: str) -> Standing:
        """The same with digests in place of values; it decides the same."""
        return Standing(self.restrictions, erased(self.values, salt))

    def text(self) -> str:
        """The record as JSON."""
        return orjson.dumps([[*self.restrictions], self.values]).decode()

    @classmethod
    def read(cls, parsed: Any) -> Standing:
        """Standing from its parsed JSON."""
        restrictions, values = parsed
        return cls(Restrictions(*restrictions), values)

    @staticmethod
    def values_text(values: Values) -> str:
        """Values of an article as JSON."""
        return orjson.dumps(values).decode()

    @staticmethod
    def facts(before: Standing | None, after: Standing | None) -> str | None:
        """Standings before and after a change, as the JSON of its log entry.

        Two equal standings are written once.
        """
        if before is None and after is None:
            return None
        if before == after and after is not None:
            return f"[{after.text()}]"
        parts = [
            "null" if standing is None else standing.text()
            for standing in (before, after)
        ]
        return f"[{parts[0]}, {parts[1]}]"


@dataclass(frozen=True, slots=True)
class Audience:
    """The readers who could ever see an article, and so may hear of its end.

    :param open: the values that it had when the public could last see it; ``None`` if
        the public never could.
    :param held: the values that it had when readers of held articles could last see it.
    """

    open: Values | None = None
    held: Values | None = None

    def with_readers_of(self, standing: Standing | None, now: int) -> Audience:
        """This audience and the readers who see a standing at ``now``."""
        if standing is None:
            return self
        restrictions, values = standing.restrictions, standing.values
        if shown(*restrictions, now):
            return Audience(values, values)
        if shown(*restrictions, now, held=True):
            return Audience(self.open, values)
        return self

    def includes(self, reader: Reader) -> bool:
        """Whether a reader belongs to the audience."""
        return _any_entitled(reader, self.open, self.held if reader.held else None)

    def entitles(self, reader: Reader) -> bool:
        """Whether the article passed a reader's filters, visible or not."""
        return _any_entitled(reader, self.open, self.held)

    def erased(self, salt: str) -> Audience:
        """The same with digests in place of values; it decides the same."""
        return Audience(
            *(
                None if values is None else erased(values, salt)
                for values in (self.open, self.held)
            )
        )

    def text(self) -> str:
        """The record as JSON."""
        return orjson.dumps([self.open, self.held]).decode()

    @classmethod
    def read(cls, parsed: Any, at: int) -> Audience | None:
        """Audience from its parsed JSON; ``None`` if no reader is known.

        :param at: the instant of the kill. Older releases stored a standing instead,
            whose readers at that instant are the audience.
        """
        if parsed is None:
            return None
        if isinstance(parsed[0], list):
            return audience_of(Standing.read(parsed), at)
        return cls(*parsed)


def _any_entitled(reader: Reader, *known: Values | None) -> bool:
    return any(values is not None and entitled(reader, values) for values in known)


NOBODY = Audience()


def audience_of(standing: Standing, at: int) -> Audience:
    """Readers who would see an article with a standing if it were not killed.

    For an article that arrived killed, nothing else is known about its readers.
    """
    restrictions = standing.restrictions
    if restrictions.status == CANCELED:
        restrictions = restrictions._replace(status=USABLE)
    return NOBODY.with_readers_of(Standing(restrictions, standing.values), at)


def facts_of_kill(
    before: Standing | None, after: Standing | None, audience: Audience | None
) -> str:
    """JSON of the log entry of a kill: both standings, and its audience."""
    texts = [record and record.text() for record in (before, after, audience)]
    return f"[{', '.join(text or 'null' for text in texts)}]"


def erased_facts(facts: str, salt: str) -> str:
    """Facts of a log entry with digests in place of values."""
    records = orjson.loads(facts)
    parts = [
        "null" if standing is None else Standing.read(standing).erased(salt).text()
        for standing in records[:2]
    ]
    parts += [
        "null" if audience is None else Audience(*audience).erased(salt).text()
        for audience in records[2:]
    ]
    return f"[{', '.join(parts)}]"
