"""The one rule of visibility: who may see an article, and when.

An article shows when its status is usable, its embargo has passed and it has not
expired; to readers who may see what is held, also before that; and to readers with a
filter only if it passes it. The rule is applied when a question is answered, never when
it is indexed. It is written once, over plain numbers, so that the same line serves one
article and an array of all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from index.article import FILTERABLE, Article, Status
from index.dates import micros
from index.query import PUBLIC, Reader, value_key

STATUS_CODES = {Status.USABLE: 0, Status.WITHHELD: 1, Status.CANCELED: 2}
STATUSES = {code: status for status, code in STATUS_CODES.items()}
USABLE = STATUS_CODES[Status.USABLE]
WITHHELD = STATUS_CODES[Status.WITHHELD]
CANCELED = STATUS_CODES[Status.CANCELED]
NO_EMBARGO = -(2**63)
NO_EXPIRY = 2**63 - 1


class Restrictions(NamedTuple):
    """What of an article decides whether it shows, as three integers.

    Instants are microseconds since 1970 UTC; none is :data:`NO_EMBARGO` or
    :data:`NO_EXPIRY`.
    """

    status: int
    embargoed_until: int
    expires: int

    def open(self, now: int) -> bool:
        """Return whether it was to be read by all, be it until it expired."""
        return self.status == USABLE and self.embargoed_until <= now


def restrictions_of(article: Article) -> Restrictions:
    """Return an article's restrictions."""
    embargo, expires = article.embargoed_until, article.expires
    return Restrictions(
        STATUS_CODES[article.status],
        NO_EMBARGO if embargo is None else micros(embargo),
        NO_EXPIRY if expires is None else micros(expires),
    )


def shown(
    status: Any, embargoed_until: Any, expires: Any, now: int, *, held: bool = False
) -> Any:
    """Return whether articles with these restrictions show at ``now``.

    The first three are integers, or NumPy arrays of one length; so is the answer.
    An embargo ends at its instant, and an article expires at its.

    :param held: to somebody who also sees what is withheld or under embargo.
    """
    if held:
        return (status <= WITHHELD) & (now < expires)
    return (status == USABLE) & (embargoed_until <= now) & (now < expires)


Values = Mapping[str, Sequence[str]]  # of an article, by field
_ERASED = "\0"  # begins what stands for a value that was erased; no text has it


def values_of(article: Article) -> dict[str, list[str]]:
    """Return what readers with a filter are judged by: an article's values by field."""
    found = {}
    for name in FILTERABLE:
        value = getattr(article, name)
        if value is None or value == ():
            continue
        if isinstance(value, tuple):
            found[name] = [concept.name for concept in value]
        else:
            found[name] = [str(value)]
    return found


def entitled(reader: Reader, values: Values) -> bool:
    """Return whether an article with these values is within a reader's filters."""
    for each in reader.filters:
        here = values.get(each.field, ())
        wanted = {value_key(value) for value in each.values}
        has = any(_among(value, wanted) for value in here)
        has = has or (each.missing and not here)
        if has is each.exclude:
            return False
    return True


def _among(value: str, wanted: set[str]) -> bool:
    if not value.startswith(_ERASED):
        return value_key(value) in wanted
    salt = value[1:].partition(":")[0]
    return any(value == _digest_of(each, salt) for each in wanted)


def erased(values: Values, salt: str) -> dict[str, list[str]]:
    """Return what decides the same as some values, and does not say what they were.

    Values that were erased before stay as they are. Whoever knows which values there
    may be can still try them all.
    """
    return {
        name: [
            each if each.startswith(_ERASED) else _digest_of(value_key(each), salt)
            for each in those
        ]
        for name, those in values.items()
    }


def _digest_of(value: str, salt: str) -> str:
    text = f"{salt}:{value}".encode("utf-8", "surrogatepass")
    return f"{_ERASED}{salt}:{hashlib.sha256(text).hexdigest()}"


def visible(article: Article, now: datetime, reader: Reader = PUBLIC) -> bool:
    """Return whether one article shows to a reader at ``now``."""
    if not shown(*restrictions_of(article), micros(now), held=reader.held):
        return False
    return not reader.filters or entitled(reader, values_of(article))


def shows_less(before: Restrictions, after: Restrictions) -> bool:
    """Return whether a change can hide an article, from anybody, that showed before."""
    return (
        after.status > before.status
        or after.embargoed_until > before.embargoed_until
        or after.expires < before.expires
    )
