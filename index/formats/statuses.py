"""Statuses of other systems: what WordPress, Ghost and the like hold back.

Fail closed: whatever holds an article back wins over whatever lets it out, and a word
that we do not know refuses the article.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from index.article import Status, status_of
from index.dates import instant
from index.errors import InvalidArticle
from index.formats.property_names import names, plain_name

Warn = Callable[[str], None]


class _Hold(IntEnum):
    """What a word means, from the freest to the strictest."""

    USABLE = 0
    SCHEDULED = 1  # embargoed until the date of publication
    WITHHELD = 2
    CANCELED = 3


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Status of an article that is embargoed until its date of publication.

    :param word: as it came.
    """

    word: object


_HOLDS = {
    Status.USABLE: _Hold.USABLE,
    Status.WITHHELD: _Hold.WITHHELD,
    Status.CANCELED: _Hold.CANCELED,
}
_STATUSES = {hold: status for status, hold in _HOLDS.items()}
# Words besides those of ``status_of``, in small letters without hyphens. WordPress:
# publish, future, draft, pending, private, trash, auto-draft, inherit. Ghost:
# published, scheduled, draft, sent (by mail only).
WORDS: dict[str, _Hold] = {
    word: hold
    for hold, words in {
        _Hold.USABLE: "publish published",
        _Hold.SCHEDULED: "future scheduled",
        _Hold.WITHHELD: "draft pending private trash autodraft inherit sent",
    }.items()
    for word in words.split()
}
_PUBLIC = frozenset(names("public published visible everyone all open world"))
_RESTRICTED = frozenset(
    names(
        "members paid tiers private internal hidden none password filter subscribers"
        " premium registered restricted draft unlisted"
    )
)
_YES = frozenset(("true", "yes", "1", "on"))
_NO = frozenset(("false", "no", "0", "off"))
_VISIBILITIES = frozenset(("visibility",))
_PASSWORDS = frozenset(("password", "postpassword"))
# Flags that hold an article back if they are true, and that do if they are false.
_HELD_IF = frozenset(
    names(
        "draft isdraft private isprivate hidden ishidden deleted isdeleted trashed"
        " istrashed unlisted isunlisted unpublished isunpublished membersonly"
        " ismembersonly protected isprotected isembargoed underembargo"
    )
)
_HELD_UNLESS = frozenset(names("ispublished ispublic isvisible islive"))
# Names that are flags only if they say no; else they are a date, or a text.
_HELD_IF_NO = frozenset(names("published public visible live"))
# Statuses of other systems, which hold back if their word is known to.
_STATES = frozenset(
    names("state poststate moderationstate workflowstate creativeworkstatus")
)
_NAMES = _VISIBILITIES | _PASSWORDS | _HELD_IF | _HELD_UNLESS | _HELD_IF_NO | _STATES


def holds_back(name: str, value: Any, warn: Warn) -> bool:
    """Whether a property that is no status holds its article back.

    That is a visibility other than public, a password, a flag such as ``draft``, and a
    text that WordPress marks as protected. ``published`` is such a flag only if it is
    true or false. A value that is neither yes nor no holds back too, with a warning.
    """
    plain = plain_name(name)
    if plain not in _NAMES:
        return isinstance(value, dict) and _word(value.get("protected")) in _YES
    if value is None or value == "":
        return False
    if is_password(name):
        return value is not False
    if plain in _HELD_IF_NO:
        return _word(value) in _NO
    if plain in _STATES:
        return _is_hold(value)  # else the state of a workflow, or of a country
    if plain in _VISIBILITIES:
        word = _word(value)
        if word in _PUBLIC or word in _YES:
            return False
        if word not in _RESTRICTED and word not in _NO:
            warn(f"{name}: {str(value)[:50]!r} is an unknown visibility; withheld")
        return True
    if plain in _HELD_IF or plain in _HELD_UNLESS:
        word = _word(value)
        if word in _YES or word in _NO:
            return (word in _YES) is (plain in _HELD_IF)
        warn(f"{name}: {str(value)[:50]!r} is neither true nor false; withheld")
        return True
    return False


def holds_record_back(
    record: Mapping[str, Any], mapping: Mapping[str, str], warn: Warn
) -> bool:
    """Whether a property of a record holds it back, also a ``status`` that it has.

    For records of formats whose own properties say nothing of it.

    :param mapping: names that are read as fields, and mean nothing else.
    """
    return any(
        holds_back(name, value, warn)
        or (plain_name(name) == "status" and _is_hold(value))
        for name, value in record.items()
        if name not in mapping
    )


def _is_hold(word: Any) -> bool:
    try:
        return _hold(word) > _Hold.USABLE
    except InvalidArticle:
        return False


def is_password(name: str) -> bool:
    """Whether a property is the password of a post, which nobody may read."""
    return plain_name(name) in _PASSWORDS


def take(
    document: dict[str, Any],
    words: Sequence[tuple[int, Any]],
    *,
    held: bool,
) -> None:
    """Set the status of a document to the strictest that its record gives.

    ``future`` and the like become :class:`Scheduled`, until the dates are read.

    :param words: (rank, word) of each status; only the best ranked must be known if the
        mapping chose it, rank 0.
    :param held: whether another property holds the article back.
    """
    if not held and len(words) == 1 and _is_ours(words[0][1]):
        document["status"] = words[0][1]  # left as sent: the record counts as unchanged
        return
    strictest = _Hold.WITHHELD if held else _Hold.USABLE
    mapped = any(rank == 0 for rank, _ in words)
    for rank, word in words:
        try:
            strictest = max(strictest, _hold(word))
        except InvalidArticle:
            if rank == 0 or not mapped:
                document["status"] = word  # article_of refuses it, and names it
                return
    if strictest is _Hold.SCHEDULED:
        word = next(word for _, word in words if _hold(word) is strictest)
        document["status"] = Scheduled(word)
    elif words or strictest is not _Hold.USABLE:
        document["status"] = _STATUSES[strictest].value


def hold(document: dict[str, Any]) -> None:
    """Withhold a document whose status is not stricter, nor unknown and refused."""
    status = document.get("status")
    if status in (None, "") or (
        _is_ours(status) and status_of(status) is Status.USABLE
    ):
        document["status"] = Status.WITHHELD.value


def settle(document: dict[str, Any], warnings: list[str]) -> None:
    """Turn a status of the kind ``future`` into an embargo until publication.

    Without a day of publication the article is withheld: the beginning of a month or
    year would end the embargo too early.

    :param document: with its dates read, in ISO 8601.
    """
    status = document.get("status")
    if not isinstance(status, Scheduled):
        return
    document["status"] = Status.USABLE.value
    published, embargo = document.get("published"), document.get("embargoed_until")
    extra = document.get("extra")
    if published is None or (extra and "published_precision" in extra):
        warnings.append(
            f"status: {str(status.word)[:50]!r} without a day of publication; withheld"
        )
        document["status"] = Status.WITHHELD.value
    else:
        ends = (published, embargo or published)
        document["embargoed_until"] = max(ends, key=instant)


def _hold(word: Any) -> _Hold:
    known = WORDS.get(_word(word))
    return _HOLDS[status_of(word)] if known is None else known


def _is_ours(word: Any) -> bool:
    try:
        status_of(word)
    except InvalidArticle:
        return False
    return True


def _word(value: Any) -> str:
    """A word in small letters only; a number or a truth value as its digits or name."""
    if isinstance(value, str):
        return re.sub(r"[\s_-]", "", value[:60]).lower()
    return str(value).lower() if isinstance(value, bool | int) else ""
