"""A message of a wire: its text, and what its header and its editors say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# Words that say what a message is to others: a lead, an add, a repetition.
_WORDS = (
    "LEAD|LD|NET|ADD|TAKE|UPDATE|WRITETHRU|EXTRA|REFILE|RPT|REPETITION|CORRECTION|URGENT"
    "|FLASH|BULLETIN|ADVISORY|ALERT|SUMMARY|FEATURE|PREVIEW|KILL|ELIMINATION|WITHHOLD"
)
_MARK = re.compile(
    rf"\(?(?=.*\b(?:{_WORDS})\b)"
    rf"(?:(?:\d{{1,2}}(?:ST|ND|RD|TH)?|FIRST|SECOND|THIRD|NEW|MANDATORY|{_WORDS})\b"
    r"[ ,-]*){1,6}\)?"
)
_ORDER = r"\b(?:bulletin|mandatory)[ -]+(?:kill|elimination|withhold)\b"
_KILL_ORDER = re.compile(_ORDER, re.IGNORECASE)
_KILL_MARK = re.compile(rf"{_ORDER}|\b(?:kill|elimination)\b", re.IGNORECASE)
_EMBARGO = re.compile(
    r"\b(?:embargo(?:ed)?|sperrfrist|hold for release|not for release before)\b"
    r"[\s:,-]*(?:(?:until|till|bis)\b[\s:,-]*)?",
    re.IGNORECASE,
)


class CutOff(Exception):
    """Message that has no end."""


@dataclass(slots=True)
class Message:
    """The parts of a message.

    :param byline: lines of the byline, in ANPA.
    :param abstract: lines of the summary, in ANPA.
    :param lines: of its text.
    :param notes: lines for editors, which nobody else may read.
    """

    number: str  # service and number of the transmission
    slugline: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    byline: list[str] = field(default_factory=list)
    abstract: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kills: bool = False
    embargoes: list[str] = field(default_factory=list)

    def mark(self, text: str) -> None:
        """Take a text that says what the message is to others: ``1st Ld-Writethru``."""
        if text:
            self.extra.setdefault("takes", []).append(text)
            self.kills = self.kills or _KILL_MARK.search(text) is not None

    def note(self, text: str) -> None:
        """Take a line for editors, and the embargo that it may speak of."""
        self.notes.append(text)
        if embargo := _EMBARGO.search(text):
            self.embargoes.append(text[embargo.end() :].strip(" .()<"))


def is_mark(line: str) -> bool:
    """Whether a line says what its message is to others: ``2ND LEAD``."""
    return _MARK.fullmatch(line) is not None


def is_kill(line: str) -> bool:
    """Whether a headline or a text orders that a story must not be used."""
    return _KILL_ORDER.search(line[:200]) is not None


def is_embargo(line: str) -> bool:
    """Whether a line before a text speaks of an embargo."""
    return _EMBARGO.search(line) is not None
