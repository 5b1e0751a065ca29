"""The store's keys: made, listed, revoked, rotated, and found by what is sent.

A key is read anew in every request, so that a revoked one is none from that moment on,
in every process. That any key was *ever* made closes the service to callers without
one, and revoking the last does not open it again: rows stay.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

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
from index.dates import from_micros, micros
from index.errors import InvalidValue
from index.query import Filter
from index.store.sqlite.connections import Direct
from index.store.tables import keys

_COLUMNS = (
    *(keys.c.id, keys.c.name, keys.c.digest, keys.c.scopes, keys.c.filters),
    *(keys.c.rate, keys.c.created, keys.c.expires, keys.c.revoked),
)
_FIND = Direct(select(*_COLUMNS).where(keys.c.digest == bindparam("digest")))
_BY_ID = Direct(select(*_COLUMNS).where(keys.c.id == bindparam("id")))
_ANY = Direct(select(exists(select(keys.c.id))))
_ALL = select(*_COLUMNS).order_by(keys.c.name, keys.c.created, keys.c.id)
_ID_TRIES = 5

Opened = Callable[[], AbstractContextManager[Connection]]


class Keyring:
    """The keys of one store.

    :param reading: opens a connection to read one thing with.
    :param writing: opens a connection in a transaction that writes.
    """

    def __init__(self, reading: Opened, writing: Opened) -> None:
        self._reading, self._writing = reading, writing

    def ever(self) -> bool:
        """Return whether any key was ever made, whatever has become of it."""
        with self._reading() as connection:
            ((found,),) = _ANY.rows(connection)
            return bool(found)

    def find(self, secret: str) -> Key | None:
        """Return the key that this is, ended ones too; ``None`` if it is none."""
        sent = secret_digest(secret)
        with self._reading() as connection:
            rows = _FIND.rows(connection, digest=sent)
        for row in rows:
            # What the index of the table found is compared once more, whole.
            if equal_digests(row[2], sent):
                return _key(row)
        return None

    def known(self, key_id: str) -> Key | None:
        """Return the key of an id, as it is now; ``None`` if there is none."""
        with self._reading() as connection:
            rows = _BY_ID.rows(connection, id=key_id)
        return _key(rows[0]) if rows else None

    def all(self) -> tuple[Key, ...]:
        """Return every key that was ever made, by name, the oldest first."""
        with self._reading() as connection:
            return tuple(map(_key, connection.execute(_ALL)))

    def add(
        self,
        name: str,
        scopes: frozenset[Scope],
        *,
        filters: tuple[Filter, ...] = (),
        rate: int | None = None,
        expires: datetime | None = None,
    ) -> NewKey:
        """Make a key; what is returned is the only place that has it whole.

        :raises InvalidValue: there is a live key of this name, or a value does not fit.
        """
        now = _now()
        with self._writing() as connection:
            if _live(connection, name, now):
                raise InvalidValue(
                    "name",
                    "a live key has this name; choose another name, or rotate that key",
                    got=name,
                )
            return _insert(connection, name, scopes, filters, rate, now, expires)

    def revoke(self, which: str) -> tuple[Key, ...]:
        """End keys at once: the one of an id, or all live ones of a name.

        :raises InvalidValue: there is no live key of this id or name.
        """
        now = _now()
        with self._writing() as connection:
            found = _some_live(connection, which, now)
            for each in found:
                _set(connection, each.id, revoked=micros(now))
            return tuple(_one(connection, each.id) for each in found)

    def rotate(self, which: str, *, overlap: timedelta) -> tuple[NewKey, Key]:
        """Make a key with the rights of another one, which ends after ``overlap``.

        The new one lives as long as the old one was to live, from now on. Without an
        overlap the old one is revoked at once.

        :return: the new key, and the old one as it is now.
        :raises InvalidValue: there is no live key of this id or name, or several.
        """
        now = _now()
        with self._writing() as connection:
            found = _some_live(connection, which, now)
            if len(found) > 1:
                ids = ", ".join(each.id for each in found)
                raise InvalidValue(
                    "key",
                    f"several live keys have this name ({ids}), so it is being rotated"
                    " already; revoke one of them first, or name one by its id",
                    got=which,
                )
            (old,) = found
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
            return new, _one(connection, old.id)


def _now() -> datetime:
    return datetime.now(UTC)


def _key(row: Any) -> Key:
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


def _live(connection: Connection, name: str, now: datetime) -> list[Key]:
    rows = connection.execute(
        select(*_COLUMNS).where(keys.c.name == name).order_by(keys.c.created)
    )
    return [key for key in map(_key, rows) if key.state(now) == "live"]


def _some_live(connection: Connection, which: str, now: datetime) -> list[Key]:
    meant = key_id_in(which)
    rows = connection.execute(select(*_COLUMNS).where(keys.c.id == meant))
    found = [key for key in map(_key, rows) if key.state(now) == "live"]
    found = found or _live(connection, meant, now)
    if not found:
        raise InvalidValue(
            "key", "no live key has this id or name; see nutgraf keys list", got=meant
        )
    return found


def _one(connection: Connection, key_id: str) -> Key:
    rows = connection.execute(select(*_COLUMNS).where(keys.c.id == key_id))
    return _key(rows.one())


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
    for left in reversed(range(_ID_TRIES)):
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
        except IntegrityError:  # the id is another key's: one in four thousand million
            if not left:
                raise
        else:
            return NewKey(key, secret)
    raise AssertionError("the last try returns or raises")
