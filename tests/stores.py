"""Stores of each kind, for tests that must hold for all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from real import postgresql
from real.amounts import FULL

from index.store import Store

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A server that all tests of a process share, each with a database of its own."""
    with postgresql.running() as server:
        yield server


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a test's own store, which is empty, on each kind of database in turn."""
    yield from _url_of(request, tmp_path)


@pytest.fixture(params=KINDS if FULL else KINDS[:1])
def store_url_at_length(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """The same, with PostgreSQL in ``make cluster`` only."""
    yield from _url_of(request, tmp_path)


def _url_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'nutgraf.db'}"
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    with server.lent() as url:
        yield url


def is_file(store: Store) -> bool:
    """Whether a store is a file, and so of SQLite."""
    return store.path is not None


@contextmanager
def behind(url: str) -> Iterator[Any]:
    """A connection that changes a store as another program does, without its rules.

    Parameters are written as ``?``, and references between rows are not checked.
    """
    if url.startswith("sqlite"):
        file = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as connection, connection:
            yield connection
        return
    import psycopg

    class Connection(psycopg.Connection[tuple[Any, ...]]):
        def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
            return super().execute(query.replace("?", "%s"), params, **kwargs)

    with Connection.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


# For a test of what only a file has.
on_a_file = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
