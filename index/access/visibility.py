"""Visibility: the one rule that decides who may see an article, and when.

An article shows if its status is usable, its embargo has passed and it has not expired.
Readers of held articles also see it while it is withheld or embargoed. Readers with
filters see it only if it passes them. The rule is applied when a search is answered,
never when an article is indexed. It is written once, over integers, so that the same
lines serve a single article and an array of all articles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from index.article import FILTERABLE, Article, Status
from index.dates import micros
from index.query import PUBLIC, Filter, Reader
from index.text import field_key, value_key

STATUS_CODES = {Status.USABLE: 0, Status.WITHHELD: 1, Status.CANCELED: 2}
STATUSES = {code: status for status, code in STATUS_CODES.items()}
USABLE = STATUS_CODES[Status.USABLE]
WITHHELD = STATUS_CODES[Status.WITHHELD]
CANCELED = STATUS_CODES[Status.CANCELED]
NO_EMBARGO = -(2**63)
NO_EXPIRY = 2**63 - 1


class Restrictions(NamedTuple):
    """Status, embargo and expiry of an article, as integers.

    Instants are microseconds since 1970 UTC, or :data:`NO_EMBARGO`, :data:`NO_EXPIRY`.
    """

    status: int
    embargoed_until: int
    expires: int


def restrictions_of(article: Article) -> Restrictions:
    """Restrictions of an article."""
    embargo, expires = article.embargoed_until, article.expires
    return Restrictions(
        STATUS_CODES[article.status],
        NO_EMBARGO if embargo is None else micros(embargo),
        NO_EXPIRY if expires is None else micros(expires),
    )


def shown(
    status: Any, embargoed_until: Any, expires: Any, now: int, *, held: bool = False
) -> Any:
    """Whether articles with these restrictions show at ``now``.

    The first three are integers, or NumPy arrays of equal length; so is the result. At
    its instant an embargo is over, and an article has expired.

    :param held: for readers of withheld and embargoed articles.
    """
    if held:
        return (status <= WITHHELD) & (now < expires)
    return (status == USABLE) & (embargoed_until <= now) & (now < expires)


Values = Mapping[str, Sequence[str]]  # of an article, by field
_ERASED = "\0"  # first character of an erased value; texts never contain it


def values_of(article: Article) -> dict[str, list[str]]:
    """Values of an article by field: what the filters of readers are tested on."""
    values = {}
    for name in FILTERABLE:
        value = getattr(article, name)
        if value is None or value == ():
            continue
        if isinstance(value, tuple):
            values[name] = [concept.name for concept in value]
        else:
            values[name] = [str(value)]
    return values


def entitled(reader: Reader, values: Values) -> bool:
    """Whether an article with these values passes a reader's filters."""
    for condition in reader.filters:
        own = values.get(condition.field, ())
        matches = _have_one_of(own, condition) or (condition.missing and not own)
        if matches is condition.exclude:
            return False
    return True


def _have_one_of(own: Sequence[str], condition: Filter) -> bool:
    field, chosen = condition.field, condition.values
    keys = {field_key(field, value) for value in chosen}
    # Older releases digested the casefolded value. If it was spelled in another way
    # than the filter's, nobody can tell any more that it is the same. Then the filter
    # decides as it did when the article was readable: who could see it is told.
    digested = keys | {key for value in chosen for key in _older_keys(value)}
    for value in own:
        if not value.startswith(_ERASED):
            if field_key(field, value) in keys:
                return True
            continue
        salt = value[1:].partition(":")[0]
        if any(value == _digest_of(key, salt) for key in digested):
            return True
    return False


def _older_keys(value: str) -> tuple[str, str]:
    """Keys by which earlier releases digested a value."""
    return value.casefold(), value_key(value)


def erased(values: Values, salt: str) -> dict[str, list[str]]:
    """Digests in place of values: :func:`entitled` decides the same with them.

    Values that are digests already stay as they are. Somebody who knows the possible
    values can still try them all.
    """
    return {
        name: [
            value
            if value.startswith(_ERASED)
            else _digest_of(field_key(name, value), salt)
            for value in field_values
        ]
        for name, field_values in values.items()
    }


def _digest_of(key: str, salt: str) -> str:
    text = f"{salt}:{key}".encode("utf-8", "surrogatepass")
    return f"{_ERASED}{salt}:{hashlib.sha256(text).hexdigest()}"


def visible(article: Article, now: datetime, reader: Reader = PUBLIC) -> bool:
    """Whether an article shows to a reader at ``now``."""
    if not shown(*restrictions_of(article), micros(now), held=reader.held):
        return False
    return not reader.filters or entitled(reader, values_of(article))


def turns_of(restrictions: Restrictions, *, held: bool = False) -> tuple[int, ...]:
    """Instants at which an article with these restrictions appears or disappears.

    :param held: for readers of withheld and embargoed articles.
    """
    status, embargoed_until, expires = restrictions
    begin = NO_EMBARGO if held else embargoed_until
    if status > (WITHHELD if held else USABLE) or expires <= begin:
        return ()
    return tuple(
        instant
        for instant, none in ((begin, NO_EMBARGO), (expires, NO_EXPIRY))
        if instant != none
    )


def shows_less(before: Restrictions, after: Restrictions) -> bool:
    """Whether a change of restrictions can hide an article from some reader."""
    return (
        after.status > before.status
        or after.embargoed_until > before.embargoed_until
        or after.expires < before.expires
    )
