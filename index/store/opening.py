"""Opening the database of a store by its URL, and migrating it."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from index.errors import InvalidValue
from index.store.database import Database, Migration
from index.store.schema import Check, check_release
from index.store.sqlite import SQLite


def open_database(url: str, check: Check = check_release) -> Database:
    """The database at a URL, with its tables; both are created if need be.

    One of an older schema stays as it is.

    :param check: what every transaction begins with.
    :raises InvalidValue: the URL names no known kind of database.
    :raises StoreFull: there is no room to create it.
    :raises MigrationNeeded: it is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: it cannot be opened, belongs to another program, or other
        users may write to it.
    """
    return SQLite.open(_parsed(url), check)


def migrate_database(url: str) -> Migration:
    """Take the database at a URL to the schema of this release; create it if need be.

    :raises InvalidValue: the URL names no known kind of database.
    :raises StoreFull: there is no room for it.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: as for :func:`open_database`; or processes of a release
        that would not notice have it open.
    """
    return SQLite.migrate(_parsed(url))


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidValue("store", "write sqlite:///FILE") from error
    if parsed.get_backend_name() != "sqlite":
        raise InvalidValue("store", "write sqlite:///FILE; there is no other kind yet")
    return parsed
