"""Notes of the indexer as rows, so that an indexer on another machine finds them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, insert, select

from index.store.postgresql.connections import driver_of
from index.store.postgresql.own_tables import notes

_Opener = Callable[[], AbstractContextManager[Connection]]


class NoteRows:
    """Notes in a table; see :class:`index.store.quarantine.Notes`.

    :param reading: opens a connection for one read.
    :param writing: opens a connection in a transaction that waits for no other.
    """

    def __init__(self, reading: _Opener, writing: _Opener) -> None:
        self._reading, self._writing = reading, writing

    def place(self, name: str) -> str:
        return f"the row {name} of the table {notes.name}"

    def read(self, name: str) -> bytes | None:
        with self._reading() as connection:
            row = connection.execute(
                select(notes.c.document).where(notes.c.name == name)
            ).one_or_none()
        return None if row is None else bytes(row.document)

    def write(self, name: str, document: bytes, *, durable: bool) -> None:
        with self._writing() as connection:
            if not durable:
                driver_of(connection).execute("SET LOCAL synchronous_commit = off")
            connection.execute(delete(notes).where(notes.c.name == name))
            connection.execute(insert(notes).values(name=name, document=document))

    def remove(self, name: str) -> None:
        with self._writing() as connection:
            connection.execute(delete(notes).where(notes.c.name == name))
