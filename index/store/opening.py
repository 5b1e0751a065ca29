"""Opening the database of a store by its URL."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from index.errors import InvalidValue
from index.store.database import Database
from index.store.sqlite import SQLite


def open_database(url: str) -> Database:
    """The database at a URL, with its tables; both are created if need be.

    :raises InvalidValue: the URL names no known kind of database.
    :raises StoreFull: there is no room to create it.
    :raises StoreUnavailable: it cannot be opened, belongs to another program or a newer
        Nutgraf, or other users may write to it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidValue("store", "write sqlite:///FILE") from error
    if parsed.get_backend_name() != "sqlite":
        raise InvalidValue("store", "write sqlite:///FILE; there is no other kind yet")
    return SQLite.open(parsed)
