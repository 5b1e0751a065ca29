"""Opening the database of a store by its URL, and migrating it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from index.errors import InvalidValue
from index.store.database import Database, Migration

if TYPE_CHECKING:
    from index.store.postgresql import PostgreSQL
    from index.store.sqlite import SQLite

_FORMS = "write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"


def open_database(url: str) -> Database:
    """The database at a URL, with its tables; both are created if need be.

    One of an older schema stays as it is.

    :raises InvalidValue: the URL names no known kind of database.
    :raises StoreFull: there is no room to create it.
    :raises MigrationNeeded: it is of an older schema.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: it cannot be opened, belongs to another program, or other
        users may write to it.
    """
    parsed = _parsed(url)
    return _kind_of(parsed).open(parsed)


def migrate_database(url: str) -> Migration:
    """Take the database at a URL to the schema of this release; create it if need be.

    :raises InvalidValue: the URL names no known kind of database.
    :raises StoreFull: there is no room for it.
    :raises ReleaseOutdated: a newer release has migrated it, and this one must stop.
    :raises StoreUnavailable: as for :func:`open_database`; or processes of a release
        that would not notice have it open.
    """
    parsed = _parsed(url)
    return _kind_of(parsed).migrate(parsed)


def begin_history(url: str) -> None:
    """Begin a new history in a database that other tools have restored.

    :raises InvalidValue: the URL names no known kind of database.
    :raises MigrationNeeded: it is of an older schema.
    :raises StoreUnavailable: as for :func:`open_database`.
    """
    parsed = _parsed(url)
    _kind_of(parsed).begin_history(parsed)


def _kind_of(url: URL) -> type[SQLite | PostgreSQL]:
    # Imported here, so that the libraries of a kind are loaded only if it is used.
    kind = url.get_backend_name()
    if kind == "sqlite":
        from index.store.sqlite import SQLite

        return SQLite
    if kind != "postgresql":
        raise InvalidValue("store", _FORMS)
    try:
        from index.store.postgresql import PostgreSQL
    except ImportError as error:
        raise InvalidValue(
            "store",
            f"needs psycopg ({error}); run pip install 'nutgraf[postgresql]'",
        ) from error
    return PostgreSQL


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidValue("store", _FORMS) from error
