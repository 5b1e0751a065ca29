"""The keyring: the keys of a store, created, listed, revoked, rotated and looked up.

A key is read anew in every request, so revoking it takes effect at once in every
process. Once any key was *ever* created, the service refuses callers without one.
Revoking the last key does not open it again: rows stay. Nor does a restore: a store
that gets the content of one with keys is *locked*, even if it has no keys itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from index.access import (
    NO_EXPIRY,
    Key,
    NewKey,
    Scope,
    equal_digests,
    filters_json,
    filters_of_json,
    key_id_in,
    new_id,
    new_secret,
    scopes_of_text,
    scopes_text,
    secret_digest,
)
from index.dates import Clock, from_micros, micros
from index.errors import InvalidValue
from index.query import Filter
from index.store.prepared import PreparedRead
from index.store.tables import keys, state

COLUMNS = (
    *(keys.c.id, keys.c.name, keys.c.digest, keys.c.scopes, keys.c.filters),
    *(keys.c.rate, keys.c.created, keys.c.expires, keys.c.revoked),
)
_FIND = PreparedRead(select(*COLUMNS).where(keys.c.digest == bindparam("digest")))
_BY_ID = PreparedRead(select(*COLUMNS).where(keys.c.id == bindparam("id")))
LOCKED = "locked"  # name of a row of the table state; it is never taken away
_ANY = PreparedRead(
    select(
        exists(select(keys.c.id))
        | exists(select(state.c.name).where(state.c.name == LOCKED))
    )
)
_ALL = select(*COLUMNS).order_by(keys.c.name, keys.c.created, keys.c.id)
_ID_TRIES = 5

Opener = Callable[[], AbstractContextManager[Connection]]


class WritingOpener(Protocol):
    """What opens a transaction that writes; see ``Database.writing``."""

    def __call__(
        self, *, ordinary: bool = True
    ) -> AbstractContextManager[Connection]: ...


class Keyring:
    """The keys of one store.

    :param reading: opens a connection for one read.
    :param writing: opens a connection in a transaction that writes.
    """

    def __init__(self, reading: Opener, writing: WritingOpener, clock: Clock) -> None:
        self._reading, self._writing, self._clock = reading, writing, clock

    def ever(self) -> bool:
        """Whether callers need a key: one was created here, or in a restored store.

        That stays so even if no key is live now, or none is left.
        """
        with self._reading() as connection:
            ((exists_,),) = _ANY.rows(connection)
            return bool(exists_)

    def find(self, secret: str) -> Key | None:
        """The key with this secret, live or not; ``None`` if there is none."""
        sent = secret_digest(secret)
        with self._reading() as connection:
            rows = _FIND.rows(connection, digest=sent)
        for row in rows:
            # The table's index has found it; the whole digest is compared once more.
            if equal_digests(row[2], sent):
                return key_of_row(row)
        return None

    def known(self, key_id: str) -> Key | None:
        """The key with this id; ``None`` if there is none."""
        with self._reading() as connection:
            rows = _BY_ID.rows(connection, id=key_id)
        return key_of_row(rows[0]) if rows else None

    def all(self) -> tuple[Key, ...]:
        """Every key that was ever created, by name, the oldest first."""
        with self._reading() as connection:
            return tuple(map(key_of_row, connection.execute(_ALL)))

    def add(
        self,
        name: str,
        scopes: frozenset[Scope],
        *,
        filters: tuple[Filter, ...] = (),
        rate: int | None = None,
        expires: datetime | None = None,
    ) -> NewKey:
        """Create a key. Only the returned value ever holds its secret.

        :raises InvalidValue: a live key has this name, or a value is invalid.
        """
        now = self._clock()
        with self._writing() as connection:
            if _live_of_name(connection, name, now):
                raise InvalidValue(
                    "name",
                    "a live key has this name; choose another name, or rotate that key",
                    got=name,
                )
            return _insert(connection, name, scopes, filters, rate, now, expires)

    def revoke(self, which: str) -> tuple[Key, ...]:
        """Revoke keys: the one with an id, or all live ones with a name.

        :raises InvalidValue: there is no live key of this id or name.
        """
        now = self._clock()
        with self._writing(ordinary=False) as connection:
            live = _live_keys(connection, which, now)
            for key in live:
                _set(connection, key.id, revoked=micros(now))
            return tuple(_key_of_id(connection, key.id) for key in live)

    def rotate(self, which: str, *, overlap: timedelta) -> tuple[NewKey, Key]:
        """Create a key with the rights of an old one, which ends after ``overlap``.

        The new key lives from now on, for as long as the old one was created to live.
        Without an overlap the old one is revoked at once.

        :return: the new key, and the old one as it is now.
        :raises InvalidValue: there is no live key of this id or name, or several.
        """
        now = self._clock()
        with self._writing() as connection:
            live = _live_keys(connection, which, now)
            if len(live) > 1:
                ids = ", ".join(key.id for key in live)
                raise InvalidValue(
                    "key",
                    f"several live keys have this name ({ids}), so it is being rotated"
                    " already; revoke one of them first, or name one by its id",
                    got=which,
                )
            (old,) = live
            try:
                expires = old.expires and now + (old.expires - old.created)
                ends = now + overlap
            except OverflowError as error:
                raise InvalidValue("overlap", "ends after the year 9999") from error
            if not overlap:
                _set(connection, old.id, revoked=micros(now))
            elif old.expires is None or ends < old.expires:
                _set(connection, old.id, expires=micros(ends))
            new = _insert(
                connection, old.name, old.scopes, old.filters, old.rate, now, expires
            )
            return new, _key_of_id(connection, old.id)


def key_of_row(row: Sequence[Any]) -> Key:
    """Key from the columns :data:`COLUMNS` of its row."""
    id_, name, _, scopes, filters, rate, created, expires, revoked = row
    return Key(
        id=id_,
        name=name,
        scopes=scopes_of_text(scopes),
        filters=filters_of_json(filters),
        rate=rate,
        created=from_micros(created),
        expires=None if expires == NO_EXPIRY else from_micros(expires),
        revoked=None if revoked is None else from_micros(revoked),
    )


def _live_of_name(connection: Connection, name: str, now: datetime) -> list[Key]:
    rows = connection.execute(
        select(*COLUMNS).where(keys.c.name == name).order_by(keys.c.created)
    )
    return [key for key in map(key_of_row, rows) if key.state(now) == "live"]


def _live_keys(connection: Connection, which: str, now: datetime) -> list[Key]:
    """The live key with this id, or else the live keys with this name."""
    id_or_name = key_id_in(which)
    rows = connection.execute(select(*COLUMNS).where(keys.c.id == id_or_name))
    live = [key for key in map(key_of_row, rows) if key.state(now) == "live"]
    live = live or _live_of_name(connection, id_or_name, now)
    if not live:
        raise InvalidValue(
            "key",
            "no live key has this id or name; see nutgraf keys list",
            got=id_or_name,
        )
    return live


def _key_of_id(connection: Connection, key_id: str) -> Key:
    rows = connection.execute(select(*COLUMNS).where(keys.c.id == key_id))
    return key_of_row(rows.one())


def _set(connection: Connection, key_id: str, **values: int) -> None:
    connection.execute(update(keys).where(keys.c.id == key_id).values(values))


def _insert(
    connection: Connection,
    name: str,
    scopes: frozenset[Scope],
    filters: tuple[Filter, ...],
    rate: int | None,
    now: datetime,
    expires: datetime | None,
) -> NewKey:
    for tries_left in reversed(range(_ID_TRIES)):
        key = Key(
            id=new_id(),
            name=name,
            scopes=scopes,
            filters=filters,
            rate=rate,
            created=now,
            expires=expires,
        )
        secret = new_secret(key.id)
        try:
            with connection.begin_nested():
                connection.execute(
                    insert(keys).values(
                        id=key.id,
                        name=name,
                        digest=secret_digest(secret),
                        scopes=scopes_text(scopes),
                        filters=filters_json(filters),
                        rate=rate,
                        created=micros(now),
                        expires=NO_EXPIRY if expires is None else micros(expires),
                        revoked=None,
                    )
                )
        except IntegrityError:  # another key has the id: one in four thousand million
            if not tries_left:
                raise
        else:
            return NewKey(key, secret)
    raise AssertionError("the last try returns or raises")
