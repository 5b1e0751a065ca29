"""Following a store: what was changed since it was copied is copied again.

Whatever changed about an article, all its rows are replaced by those that it has now.
Entries of the log say which articles those are; for what is in no log, tables are
compared. After a round the target is as the source was at one moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select

from index.access import NO_EXPIRY
from index.errors import StoreUnavailable
from index.store.change_log import SET_STATE, set_seq
from index.store.database import Database
from index.store.moves.comparison import Difference, differences, table_differences
from index.store.moves.copying import copy_numbers, reading_history
from index.store.moves.rows import NUMBERS, OF_ARTICLES, UNLOGGED, copy_rows, stream
from index.store.rows import CHUNK, value_of
from index.store.tables import articles, changes, notices, replaced, state, versions

_PAGE_CHANGES = 500  # followed in one transaction


class Follower:
    """A store that follows another one, of the same history, round by round.

    :param with_index: the number of the last rebuild stays that of the target's own
        index.
    """

    def __init__(self, source: Database, target: Database, *, with_index: bool) -> None:
        self._source, self._target = source, target
        self._with_index = with_index
        with target.reading() as copy:
            self._epoch = value_of(copy, "epoch")
            self._seq = value_of(copy, "seq")

    def pending(self) -> int:
        """Number of entries of the source's log that the target lacks."""
        with reading_history(self._source, self._epoch) as live:
            return value_of(live, "seq") - self._seq

    def round(self, *, compares: bool = False) -> set[str]:
        """Copy all that was changed; return the ids of the articles that were copied.

        :param compares: whether both stores are compared as a whole at the end.
        :raises StoreUnavailable: a backup was restored into the source; or the stores
            differ at the end.
        """
        copied: set[str] = set()
        is_erased = False
        while True:
            with reading_history(self._source, self._epoch) as live:
                page = self._page(live)
                if page:
                    ids = {row.id for row in page}
                    self._copy(live, ids, until=page[-1].seq)
                    copied |= ids
                if len(page) == _PAGE_CHANGES:
                    continue
                copied |= self._copy_turned(live)
                noticed, erased = self._copy_noticed(live)
                copied |= noticed
                is_erased = is_erased or bool(erased)
                for table in UNLOGGED:
                    if table is not notices:
                        self._copy_rows_that_differ(live, table)
                self._copy_numbers(live)
                if compares:
                    self._compare(live)
                break
        if is_erased:
            self._target.erase_deleted()
        return copied

    def check(self, ids: Collection[str]) -> None:
        """Compare some articles, and all that is in no log, with the source.

        :raises StoreUnavailable: they differ.
        """
        with (
            reading_history(self._source, self._epoch) as live,
            self._target.reading() as copy,
        ):
            for chunk in _chunks(sorted(ids)):
                for table in OF_ARTICLES:
                    where = table.c.id.in_(chunk)
                    self._refuse(table_differences(live, copy, table, where))
            for table in UNLOGGED:
                self._refuse(table_differences(live, copy, table))
            numbers = state.c.name.in_(NUMBERS)
            self._refuse(table_differences(live, copy, state, numbers))
            newest = copy.execute(select(func.max(changes.c.seq))).scalar_one() or 0
            assert newest == value_of(live, "seq"), "the log was followed to its end"

    def _page(self, live: Connection) -> list[Any]:
        return list(
            live.execute(
                select(changes.c.seq, changes.c.id)
                .where(changes.c.seq > self._seq)
                .order_by(changes.c.seq)
                .limit(_PAGE_CHANGES)
            )
        )

    def _copy(
        self,
        live: Connection,
        ids: Collection[str],
        *,
        until: int | None = None,
        noticed: Collection[str] = (),
        erased: Collection[str] = (),
    ) -> None:
        """Replace all rows of articles in one transaction.

        :param until: up to this one, new entries of the log are copied, too.
        :param noticed: ids of those whose notices are replaced, too.
        :param erased: ids of those whose entries of the log are replaced, too.
        """
        with self._target.writing() as copy:
            for table in (versions, replaced, articles):
                copy.execute(delete(table).where(table.c.id.in_(ids)))
            for table in OF_ARTICLES:
                rows = select(table).where(table.c.id.in_(ids))
                copy_rows(copy, table, stream(live, rows))
            if noticed:
                own = notices.c.id.in_(noticed)
                copy.execute(delete(notices).where(own))
                copy_rows(copy, notices, stream(live, select(notices).where(own)))
            if erased:
                of_log = changes.c.id.in_(erased) & (changes.c.seq <= self._seq)
                copy.execute(delete(changes).where(of_log))
                copy_rows(copy, changes, stream(live, select(changes).where(of_log)))
            if until is not None:
                new = (changes.c.seq > self._seq) & (changes.c.seq <= until)
                copy_rows(copy, changes, stream(live, select(changes).where(new)))
                set_seq(copy, until)
        if until is not None:
            self._seq = until

    def _copy_turned(self, live: Connection) -> set[str]:
        """Copy articles whose next end to be logged is another one; return their ids.

        It moves without an entry if nobody sees that it has passed.
        """
        copied: set[str] = set()
        columns, turning = (
            (articles.c.id, articles.c.turns),
            articles.c.turns != NO_EXPIRY,
        )
        with self._target.reading() as copy:
            found = table_differences(live, copy, articles, turning, columns)
            for some in _chunks(found):
                ids = {each.key[0] for each in some}
                self._copy(live, ids)
                copied |= ids
        return copied

    def _copy_noticed(self, live: Connection) -> tuple[set[str], set[str]]:
        """Copy articles whose notices differ; return all ids, and those of erased ones.

        Only these notices say that texts were erased. So no notice is replaced before
        the entries of the log from which they were erased as well.
        """
        copied: set[str] = set()
        all_erased: set[str] = set()
        with self._target.reading() as copy:
            for some in _chunks(table_differences(live, copy, notices)):
                ids = {each.key[0] for each in some}
                marked = [
                    each.key[0]
                    for each in some
                    if each.missing is not None or "purged" in each.columns
                ]
                purged = select(notices.c.id).where(
                    notices.c.id.in_(marked), notices.c.purged.is_not(None)
                )
                erased = set(live.execute(purged).scalars())
                self._copy(live, ids, noticed=ids, erased=erased)
                copied |= ids
                all_erased |= erased
        return copied, all_erased

    def _copy_rows_that_differ(self, live: Connection, table: Table) -> None:
        (key,) = table.primary_key.columns
        with self._target.reading() as before:
            for some in _chunks(table_differences(live, before, table)):
                keys = [each.key[0] for each in some]
                with self._target.writing() as copy:
                    copy.execute(delete(table).where(key.in_(keys)))
                    rows = select(table).where(key.in_(keys))
                    copy_rows(copy, table, stream(live, rows))

    def _copy_numbers(self, live: Connection) -> None:
        with self._target.writing() as copy:
            built = value_of(copy, "rebuilt")
            copy_numbers(live, copy)
            if self._with_index:
                copy.execute(SET_STATE, {"of": "rebuilt", "value": built})

    def _compare(self, live: Connection) -> None:
        with self._target.reading() as copy:
            self._refuse(differences(live, copy))

    def _refuse(self, found: Iterator[Difference]) -> None:
        for each in found:
            if not (self._with_index and each.key == ("rebuilt",)):
                raise StoreUnavailable(_DIFFER.format(each))


_DIFFER = (
    "the stores differ after the copy ({}); nothing was switched over. Run nutgraf"
    " verify here, then the move again into a new store"
)


def _chunks(items: Any) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
