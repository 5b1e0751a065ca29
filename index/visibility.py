"""The one rule of visibility: who may see an article, and when.

An article shows when its status is usable, its embargo has passed and it has not
expired. The rule is applied when a question is answered, never when it is indexed. It
is written once, over plain numbers, so that the same line serves one article and an
array of all of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from index.article import Article, Status
from index.dates import micros

STATUS_CODES = {Status.USABLE: 0, Status.WITHHELD: 1, Status.CANCELED: 2}
USABLE = STATUS_CODES[Status.USABLE]
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


def restrictions(article: Article) -> Restrictions:
    """Return an article's restrictions."""
    embargo, expires = article.embargoed_until, article.expires
    return Restrictions(
        STATUS_CODES[article.status],
        NO_EMBARGO if embargo is None else micros(embargo),
        NO_EXPIRY if expires is None else micros(expires),
    )


def shown(status: Any, embargoed_until: Any, expires: Any, now: int) -> Any:
    """Return whether articles with these restrictions show at ``now``.

    The first three are integers, or NumPy arrays of one length; so is the answer.
    An embargo ends at its instant, and an article expires at its.
    """
    return (status == USABLE) & (embargoed_until <= now) & (now < expires)


def visible(article: Article, now: datetime) -> bool:
    """Return whether one article shows at ``now``."""
    return bool(shown(*restrictions(article), micros(now)))


def shows_less(before: Restrictions, after: Restrictions) -> bool:
    """Return whether a change can hide an article when it would have shown before."""
    return (
        (before.status == USABLE and after.status != USABLE)
        or after.embargoed_until > before.embargoed_until
        or after.expires < before.expires
    )
