"""Keys: what a caller may do, as one key says it, and how a key is written and read.

A key is ``ng_``, its id, ``_`` and 32 random bytes in letters. Only its SHA-256 is
kept: of 256 random bits a slow hash would protect no more, and would cost each request.
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

KEY_PREFIX = "ng_"
UNLIMITED = 0  # as a rate
_NAME = re.compile(r"\w[\w.@-]{0,63}\Z")
_ID = re.compile(r"[0-9a-f]{8}\Z")
_KEY = re.compile(rf"{KEY_PREFIX}([0-9a-f]{{8}})_")
_SPAN = re.compile(r"(\d{1,5})([hdw])\Z", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Scope(StrEnum):
    """What a key is for. None includes another one."""

    SEARCH = "search"  # to read what shows
    READ_EMBARGOED = "read-embargoed"  # also what is withheld or under embargo
    INGEST = "ingest"  # to store, withdraw and delete
    ADMIN = "admin"  # its numbers, what was sent, and to replace versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is kept of a key: all but the key.

    :param filters: what every article has that it lets anybody read or write.
    :param rate: requests a minute; ``None`` is as the settings say, and
        :data:`UNLIMITED` none.
    :param expires: from then on it is none; ``None`` is never.
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
                "write at most 64 letters, digits, . _ @ -, but nothing that looks"
                " like the id of a key",
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
        """Who reads with this key."""
        return Reader(held=Scope.READ_EMBARGOED in self.scopes, filters=self.filters)

    def state(self, now: datetime) -> str:
        """Return ``live``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "live"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made just now, with the one text that it is sent as."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        """Return what may be logged of it."""
        return f"NewKey({self.key!r})"


def new_id() -> str:
    """Return an id for a key, of 32 random bits: it is no secret."""
    return secrets.token_hex(4)


def new_secret(key_id: str) -> str:
    """Return a new key of this id, as it is sent; it can be had only here."""
    return f"{KEY_PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def secret_digest(secret: str) -> bytes:
    """Return what is kept of a key, and looked up by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def equal_digests(one: bytes, other: bytes) -> bool:
    """Return whether two digests are the same, in a time that tells nothing."""
    return hmac.compare_digest(one, other)


def key_id_in(text: str) -> str:
    """Return the name or id by which somebody means a key; a whole key means its id."""
    found = _KEY.match(text)
    return found[1] if found else text


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes of these names.

    :raises InvalidValue: one is none.
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
    """Return filters of pairs of field and value; values of one field are alternatives.

    :raises UnknownField: one is no field that filters.
    :raises InvalidValue: a value is not of its field's kind.
    """
    found = []
    for pairs, turned in ((only, False), (exclude, True)):
        values: defaultdict[str, list[str]] = defaultdict(list)
        for field, value in pairs:
            values[field].append(value)
        found += [
            checked_filter(Filter(field=field, values=tuple(some), exclude=turned))
            for field, some in values.items()
        ]
    return tuple(found)


def rate_of(text: str) -> int:
    """Return the rate that a number, or ``none``, stands for.

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
    """Return how long ``12h``, ``90d`` or ``4w`` is.

    :param name: what it is for, for the error.
    :raises InvalidValue: it is no such span.
    """
    match = _SPAN.match(text)
    if match is None:
        raise InvalidValue(name, "write hours, days or weeks: 12h, 90d, 4w", got=text)
    return int(match[1]) * _UNITS[match[2]]


def expiry_of(text: str, now: datetime) -> datetime:
    """Return when ``90d``, a date or an instant has passed; of a date, its whole day.

    :raises InvalidValue: it is none of these, or past.
    """
    if _SPAN.match(text):
        try:
            found = now + duration_of("expires", text)
        except OverflowError as error:
            raise InvalidValue("expires", "is after the year 9999", got=text) from error
    else:
        try:
            first, after = dates.period(text, tz=UTC, now=now)
        except ValueError as error:
            raise InvalidValue(
                "expires", "write 2027-01-31, an instant, or 90d", got=text
            ) from error
        # An instant is itself, and no microsecond longer.
        found = after if after - first > timedelta(microseconds=1) else first
    if found <= now:
        raise InvalidValue("expires", "has passed; choose a later one", got=text)
    return found


def scopes_text(scopes: frozenset[Scope]) -> str:
    """Return scopes as the store keeps them, in the order of :class:`Scope`."""
    return " ".join(each.value for each in Scope if each in scopes)


def filters_json(filters: tuple[Filter, ...]) -> str:
    """Return filters as the store keeps them: JSON."""
    return json.dumps(
        [
            {"field": each.field, "values": each.values, "exclude": each.exclude}
            for each in filters
        ],
        ensure_ascii=False,
    )


# Each request reads its key anew; what the same texts mean stays the same.
@lru_cache(maxsize=256)
def scopes_of_text(text: str) -> frozenset[Scope]:
    """Return the scopes that :func:`scopes_text` wrote."""
    return frozenset(map(Scope, text.split()))


@lru_cache(maxsize=256)
def filters_of_json(text: str) -> tuple[Filter, ...]:
    """Return the filters that :func:`filters_json` wrote."""
    return tuple(
        Filter(
            field=each["field"], values=tuple(each["values"]), exclude=each["exclude"]
        )
        for each in json.loads(text)
    )
