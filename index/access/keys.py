"""API keys: what a caller may do with one, and how a key is written and stored.

A key is ``ng_``, its id, ``_`` and 32 random bytes in base64. Only its SHA-256 is
stored: for 256 random bits a slow hash is no safer, and it would slow down every
request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from index import dates
from index.errors import InvalidValue
from index.query import Filter, Reader, checked_filter
from index.settings import MAX_RATE, NONE
from index.text import value_key

KEY_PREFIX = "ng_"
UNLIMITED = 0  # value of a rate
_NAME = re.compile(r"\w[\w.@-]{0,63}\Z")
_ID = re.compile(r"[0-9a-f]{8}\Z")
_KEY = re.compile(rf"{KEY_PREFIX}([0-9a-f]{{8}})_")
_SPAN = re.compile(r"(\d{1,5})([hdw])\Z", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Scope(StrEnum):
    """What a key allows. No scope includes another one."""

    SEARCH = "search"  # read published articles
    FEED = "feed"  # read published articles in feeds only
    READ_EMBARGOED = "read-embargoed"  # read withheld and embargoed articles as well
    INGEST = "ingest"  # store, withdraw and delete articles
    ADMIN = "admin"  # read metrics and original bytes, replace versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A stored key: everything but the secret.

    :param filters: conditions of every article that it may read or write.
    :param rate: requests a minute; ``None`` for the rate in the settings,
        :data:`UNLIMITED` for no limit.
    :param expires: the instant from which it is invalid; ``None`` for never.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    filters: tuple[Filter, ...] = ()
    rate: int | None = None
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def __post_init__(self) -> None:
        if not _NAME.match(self.name) or _ID.match(self.name):
            raise InvalidValue(
                "name",
                "write at most 64 letters, digits, . _ @ -, but not the id of a key"
                " (8 hexadecimal digits)",
                got=self.name,
            )
        if not self.scopes:
            raise InvalidValue("scope", f"choose from {', '.join(Scope)}")
        if Scope.READ_EMBARGOED in self.scopes and Scope.SEARCH not in self.scopes:
            raise InvalidValue("scope", "read-embargoed needs search; give both")
        if self.rate is not None and not UNLIMITED <= self.rate <= MAX_RATE:
            raise InvalidValue(
                "rate", f"write 1 to {MAX_RATE:,}, or none", got=self.rate
            )

    @property
    def reader(self) -> Reader:
        """What the key may read."""
        return Reader(held=Scope.READ_EMBARGOED in self.scopes, filters=self.filters)

    def state(self, now: datetime) -> str:
        """``live``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "live"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key and its secret, which is not stored."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        """Text without the secret, for logs."""
        return f"NewKey({self.key!r})"


def new_id() -> str:
    """New id of a key: 32 random bits, not secret."""
    return secrets.token_hex(4)


def new_secret(key_id: str) -> str:
    """New key with this id, as callers send it; it cannot be recovered later."""
    return f"{KEY_PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def secret_digest(secret: str) -> bytes:
    """SHA-256 of a key, under which it is stored and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def equal_digests(one: bytes, other: bytes) -> bool:
    """Whether two digests are equal, in constant time."""
    return hmac.compare_digest(one, other)


def key_id_in(text: str) -> str:
    """Id in a whole key; any other text, a name or an id, as it is."""
    match = _KEY.match(text)
    return match[1] if match else text


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """Scopes by their names.

    :raises InvalidValue: a name is not a scope.
    """
    try:
        return frozenset(map(Scope, names))
    except ValueError as error:
        raise InvalidValue(
            "scope", f"choose from {', '.join(Scope)}", got=str(error).split(" is ")[0]
        ) from None


def filters_of(
    only: Iterable[tuple[str, str]], exclude: Iterable[tuple[str, str]] = ()
) -> tuple[Filter, ...]:
    """Filters from pairs of field and value; values of one field are alternatives.

    :raises UnknownField: a field cannot be filtered by.
    :raises InvalidValue: a value does not fit its field.
    """
    filters = []
    for pairs, negated in ((only, False), (exclude, True)):
        values_of: defaultdict[str, list[str]] = defaultdict(list)
        for field, value in pairs:
            if not value_key(value):
                raise InvalidValue(field, "is blank; write the value to filter by")
            values_of[field].append(value)
        filters += [
            checked_filter(Filter(field=field, values=tuple(values), exclude=negated))
            for field, values in values_of.items()
        ]
    return tuple(filters)


def rate_of(text: str) -> int:
    """Rate from a number or ``none``.

    :raises InvalidValue: it is neither.
    """
    if text == NONE:
        return UNLIMITED
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= MAX_RATE):
        raise InvalidValue(
            "rate", f"write 1 to {MAX_RATE:,} a minute, or none", got=text
        )
    return int(text)


def duration_of(name: str, text: str) -> timedelta:
    """Duration from ``12h``, ``90d`` or ``4w``.

    :param name: of the parameter, for the error.
    :raises InvalidValue: it is not a duration.
    """
    match = _SPAN.match(text)
    if match is None:
        raise InvalidValue(name, "write hours, days or weeks: 12h, 90d, 4w", got=text)
    return int(match[1]) * _UNITS[match[2]]


def expiry_of(text: str, now: datetime) -> datetime:
    """Instant at which ``90d``, a date or an instant has passed; the end of a date.

    :raises InvalidValue: it is none of these, or in the past.
    """
    if _SPAN.match(text):
        try:
            expires = now + duration_of("expires", text)
        except OverflowError as error:
            raise InvalidValue("expires", "is after the year 9999", got=text) from error
    else:
        try:
            first, after = dates.period(text, tz=UTC, now=now)
        except ValueError as error:
            raise InvalidValue(
                "expires", "write 2027-01-31, an instant, or 90d", got=text
            ) from error
        # The period of an instant is one microsecond, but the key expires at its start.
        expires = after if after - first > timedelta(microseconds=1) else first
    if expires <= now:
        raise InvalidValue("expires", "has passed; choose a later one", got=text)
    return expires


def scopes_text(scopes: frozenset[Scope]) -> str:
    """Scopes as stored: names separated by spaces, in the order of :class:`Scope`."""
    return " ".join(scope.value for scope in Scope if scope in scopes)


def filters_json(filters: tuple[Filter, ...]) -> str:
    """Filters as stored: JSON."""
    return json.dumps(
        [
            {
                "field": condition.field,
                "values": condition.values,
                "exclude": condition.exclude,
            }
            for condition in filters
        ],
        ensure_ascii=False,
    )


# Every request reads its key again, but equal texts give equal scopes and filters.
@lru_cache(maxsize=256)
def scopes_of_text(text: str) -> frozenset[Scope]:
    """Scopes from the text of :func:`scopes_text`."""
    return frozenset(map(Scope, text.split()))


@lru_cache(maxsize=256)
def filters_of_json(text: str) -> tuple[Filter, ...]:
    """Filters from the JSON of :func:`filters_json`."""
    return tuple(
        Filter(
            field=condition["field"],
            values=tuple(condition["values"]),
            exclude=condition["exclude"],
        )
        for condition in json.loads(text)
    )
