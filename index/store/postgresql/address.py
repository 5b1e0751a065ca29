"""The address of a database: its URL, as the parameters that libpq connects with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import ArgumentError

from index.errors import InvalidValue

EXAMPLE = "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
# Attributes of the server that reads may come from, too: a standby lags behind, and a
# killed article would still show there.
_CURRENT = ("primary", "read-write")
# What a URL need not say. A peer that is gone is noticed within some ten seconds.
_DEFAULTS: dict[str, Any] = {
    "application_name": "nutgraf",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "target_session_attrs": "primary",
}


def parameters_of(url: URL) -> dict[str, Any]:
    """The parameters of libpq that a URL stands for, with our defaults.

    Several hosts are tried in their order: ``?host=a:5432&host=b:5432``.

    :raises InvalidValue: it names no database, or a server that may be a standby.
    """
    if url.drivername != "postgresql+psycopg":
        raise InvalidValue("store", f"write {EXAMPLE}")
    if "@" in f"{url.host}{url.database}":  # the rest of a password
        raise InvalidValue("store", f"write %40 for @ in a password: {EXAMPLE}")
    if not url.database:
        raise InvalidValue("store", f"names no database; write {EXAMPLE}")
    wanted = url.query.get("target_session_attrs", "primary")
    if wanted not in _CURRENT:
        raise InvalidValue(
            "store",
            "a standby may lag behind and show killed articles; write"
            " target_session_attrs=primary",
            got=str(wanted),
        )
    try:
        dialect = create_engine("postgresql+psycopg://").dialect
        _, named = dialect.create_connect_args(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidValue("store", f"{error}; write {EXAMPLE}") from error
    return {**_DEFAULTS, **named}


def place_of(url: URL) -> str:
    """A database in words, for messages: without the user and the password."""
    host = url.query.get("host", url.host or "the local socket")
    hosts = host if isinstance(host, str) else ", ".join(host)
    port = f":{url.port}" if url.port else ""
    return f"{url.database} at {hosts}{port}"
