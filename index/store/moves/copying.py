"""The first copy of a store, in pages, while it is written to.

Each page is read from a state of its own and is one transaction of the target, so a
copy that was interrupted goes on behind the last page. What is changed meanwhile is
copied again later: the target begins with the number of a change that is older than
anything read here, and its log is followed from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, delete, exists, func, select

from index.errors import InvalidValue, StoreUnavailable
from index.store.database import Database
from index.store.moves.rows import (
    EVERY_TABLE,
    NUMBERS,
    OF_ARTICLES,
    copy_rows,
    stream,
)
from index.store.rows import value_of
from index.store.stages import Stage, place_of, set_stage, stage_of
from index.store.tables import articles, changes, notices, secrets, state

_PAGE_ARTICLES = 200
_PAGE_CHANGES = 5_000

Progress = Callable[[int, int], None]  # articles done, of how many


def begin(source: Database, target: Database, place: str) -> Stage:
    """Begin to fill an empty store, or find out how far an earlier move was.

    A move of another history of the source begins anew.

    :param place: of the source.
    :raises InvalidValue: the target is no empty store, and no move fills it.
    """
    with source.reading() as live, target.writing() as copy:
        stage = stage_of(copy)
        is_same = value_of(copy, "epoch") == value_of(live, "epoch")
        if stage is Stage.MOVED:
            raise InvalidValue(
                "--to",
                f"that store was itself moved, to {place_of(copy)}; name another one,"
                " or remove it first",
            )
        if stage is not None and is_same:
            return stage
        if stage is not None:
            for table in reversed(EVERY_TABLE):
                copy.execute(delete(table))
        elif is_same:
            raise InvalidValue("--to", "that is the store itself, or a copy of it")
        elif not _is_empty(copy):
            raise InvalidValue("--to", "that store is not empty; name an empty one")
        set_stage(copy, Stage.COPYING, place)
        copy_numbers(live, copy)
        # Before the log: later erasures of its texts are found by their notices.
        copy_rows(copy, notices, stream(live, select(notices)))
        return Stage.COPYING


def _is_empty(connection: Connection) -> bool:
    return not any(
        connection.execute(select(exists(select(*table.primary_key)))).scalar_one()
        for table in EVERY_TABLE
        if table is not secrets  # each store is created with some
    )


def copy_numbers(source: Connection, target: Connection) -> None:
    """Give a store the numbers of the source, that of the newest change too."""
    chosen = state.c.name.in_(NUMBERS)
    target.execute(delete(state).where(chosen))
    copy_rows(target, state, source.execute(select(state).where(chosen)))


@contextmanager
def reading_history(source: Database, epoch: int) -> Iterator[Connection]:
    """Read one state of a store, if its history is still the one that is moved.

    :raises StoreUnavailable: a backup was restored into it.
    """
    with source.reading() as connection:
        if value_of(connection, "epoch") != epoch:
            raise StoreUnavailable(
                "a backup was restored into the store while it was moved; run the same"
                " command again, which begins anew"
            )
        yield connection


def copy_all(source: Database, target: Database, progress: Progress) -> None:
    """Copy what the target lacks of the log, and of all articles.

    :raises StoreUnavailable: a backup was restored into the source.
    """
    with target.reading() as copy:
        epoch, newest = value_of(copy, "epoch"), value_of(copy, "seq")
        seq = copy.execute(select(func.max(changes.c.seq))).scalar_one() or 0
        last = copy.execute(select(func.max(articles.c.id))).scalar_one()
        done = copy.execute(select(func.count()).select_from(articles)).scalar_one()
    while seq < newest:
        until = min(seq + _PAGE_CHANGES, newest)
        page = select(changes).where(changes.c.seq > seq, changes.c.seq <= until)
        with reading_history(source, epoch) as live, target.writing() as copy:
            copy_rows(copy, changes, stream(live, page.order_by(changes.c.seq)))
        seq = until
    while True:
        with reading_history(source, epoch) as live, target.writing() as copy:
            ids = _next_ids(live, last)
            for table in OF_ARTICLES:
                rows = select(table).where(table.c.id.in_(ids))
                copy_rows(copy, table, stream(live, rows))
            total = live.execute(select(func.count()).select_from(articles))
            total_count = total.scalar_one()
        done += len(ids)
        progress(done, max(done, total_count))
        if not ids:
            return
        last = ids[-1]


def _next_ids(connection: Connection, after: str | None) -> list[str]:
    ids = select(articles.c.id).order_by(articles.c.id).limit(_PAGE_ARTICLES)
    if after is not None:
        ids = ids.where(articles.c.id > after)
    return list(connection.execute(ids).scalars())
