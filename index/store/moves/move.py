"""A move: a store is filled with all of another one, which is written to meanwhile.

The two never accept writes at one time. The old store refuses them first for a moment,
in which what is left is copied, and then for good; only after that the new one is open
to anybody. So it goes on in the same history: its numbers of changes, its cursors and
the index that was built of the old store stay valid. A move that is interrupted at any
point leaves the old store in use, or is completed by the same command.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from shutil import disk_usage
from typing import Self

from sqlalchemy import Connection, func, select

from index.dates import micros, utc_now
from index.errors import (
    IndexerRunning,
    InvalidValue,
    ServiceError,
    StoreMoved,
    StoreUnavailable,
)
from index.store.database import Database
from index.store.moves import copying
from index.store.moves.comparison import Difference, differences, table_differences
from index.store.moves.following import Follower
from index.store.opening import open_database
from index.store.rows import value_of
from index.store.schema import Schema, check_schema, set_schema
from index.store.stages import (
    Stage,
    clear_stage,
    is_stopped_until,
    place_of,
    refused_in,
    set_stage,
    stage_of,
)
from index.store.store import Store
from index.store.tables import SCHEMA, articles, keys, notices, state, versions

# Stopped writes go on after this long, whatever became of the mover.
STOP_SECONDS = 60
_STOPS = 3  # tried, if what was left could not be copied in that time
_LITTLE = 200  # changes that are left to the stop
_ROUNDS = 20  # in which so few must be left


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A store that was moved.

    :param place: of the new one, without a password.
    :param seq: its newest change.
    :param stopped: seconds for which nobody could write to either; 0 if that was
        before the move was interrupted.
    :param refused: number of writes that were refused in that time.
    """

    place: str
    seq: int
    articles: int
    versions: int
    stopped: float
    refused: int


class Move:
    """A move of one store into another, which only this object may use until its end.

    ::

        with Move.open("sqlite:///data/nutgraf.db", "sqlite:///new/nutgraf.db") as move:
            move.copy()
            move.follow()
            move.compare()
            moved = move.finish()

    :param urls: of the store that is moved, and of the one that is filled.
    :param databases: of both, open.
    :param with_index: whether an index is built of the target while it is filled.
    """

    def __init__(
        self,
        urls: tuple[str, str],
        databases: tuple[Database, Database],
        *,
        with_index: bool,
    ) -> None:
        self._old, self._new = databases
        self.source = Store(urls[0], database=self._old)
        self.target = Store(urls[1], database=self._new)
        self._from, self._to = self._old.place, self._new.place
        self._with_index = with_index
        self._is_over = self._begin()

    @classmethod
    @contextmanager
    def open(
        cls, source: str, target: str, *, with_index: bool = False
    ) -> Iterator[Self]:
        """Begin a move, or go on with one that was interrupted.

        The target is created if need be. At the end of the block both are closed.

        :param source: URL of the store that is moved.
        :param target: URL of the one that is filled.
        :param with_index: see the class.
        :raises InvalidValue: the target is the source, or neither empty nor half of
            this move; or its disk has too little room.
        :raises StoreMoved: the source was moved to another place.
        :raises StoreUnavailable: also if the target is in use, by a move or an indexer.
        """
        with _opened(source, target) as (old, new):
            yield cls((source, target), (old, new), with_index=with_index)

    def copy(self, progress: copying.Progress = lambda done, total: None) -> None:
        """Copy all articles and the log, as far as that was not done before.

        :raises StoreUnavailable: a backup was restored into the source.
        """
        if self._is_over:
            return
        with self._new.reading() as copy:
            stage = stage_of(copy)
        if stage is Stage.COPYING:
            copying.copy_all(self._old, self._new, progress)
            with self._new.writing() as copy:
                set_stage(copy, Stage.FOLLOWING, self._from)

    def follow(self) -> None:
        """Copy what was changed since, until little is left.

        :raises StoreUnavailable: more is written than can be copied; or a backup was
            restored into the source.
        """
        if self._is_over:
            return
        follower = self._follower()
        for _ in range(_ROUNDS):
            follower.round()
            if follower.pending() <= _LITTLE:
                return
        raise StoreUnavailable(
            "articles are written faster than they can be copied; run the same command"
            " again at a quieter time, it goes on from here"
        )

    def compare(self) -> None:
        """Copy what was changed since, and compare both stores as a whole.

        :raises StoreUnavailable: they differ, or one of them cannot be read.
        """
        if not self._is_over:
            self._follower().round(compares=True)

    def finish(self) -> Moved:
        """Stop writes, copy what is left, and open the target in place of the source.

        :raises StoreUnavailable: what is left cannot be copied in the time for which
            writes may be stopped; they go on.
        """
        stopped, refused = 0.0, 0
        if not self._is_over:
            for _ in range(_STOPS):
                self.follow()
                ended = self._stop()
                if ended is not None:
                    break
            else:
                raise StoreUnavailable(
                    f"writes were stopped {_STOPS} times for {STOP_SECONDS} s, and that"
                    " was too short; they go on. Run the same command again at a"
                    " quieter time"
                )
            stopped, refused = ended
        if not self._with_index:
            # The index of the source goes on; it lacks these.
            epoch = self._epoch()
            for article in self.source.quarantine.articles(epoch).values():
                self.target.quarantine.put(epoch, article)
        # What a page that was undone has left, too.
        self._new.erase_deleted()
        with self._new.writing() as copy:
            clear_stage(copy)
            counts = [
                copy.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (articles, versions)
            ]
            seq = value_of(copy, "seq")
        return Moved(
            place=self._to,
            seq=seq,
            articles=counts[0],
            versions=counts[1],
            stopped=stopped,
            refused=refused,
        )

    def _begin(self) -> bool:
        """Begin, or find where to go on; return whether the source is moved already."""
        with self._old.writing() as live:
            stage = stage_of(live)
            is_ours = stage is not None and place_of(live) == self._to
            if stage is Stage.MOVED:
                self._check_moved(live)
                return True
            if is_ours:  # its mover is gone: we have its lock
                clear_stage(live)
            # An older release would not notice that writes are stopped.
            set_schema(live, Schema(SCHEMA, SCHEMA))
        free = (
            None if self._new.path is None else disk_usage(self._new.path.parent).free
        )
        needed = self._old.size() - self._new.size()
        if free is not None and free < needed:
            raise InvalidValue(
                "--to",
                f"that disk has {free / 1e6:,.0f} MB free, and the store needs"
                f" {needed / 1e6:,.0f} MB more",
            )
        copying.begin(self._old, self._new, self._from)
        return False

    def _check_moved(self, live: Connection) -> None:
        """Check that a source that was moved lacks at most the opening of the target.

        :raises StoreMoved: it was moved to another place.
        """
        with self._new.reading() as copy:
            if place_of(live) != self._to or value_of(live, "epoch") != value_of(
                copy, "epoch"
            ):
                raise StoreMoved(place_of(live))

    def _follower(self) -> Follower:
        return Follower(self._old, self._new, with_index=self._with_index)

    def _epoch(self) -> int:
        with self._new.reading() as copy:
            return value_of(copy, "epoch")

    def _stop(self) -> tuple[float, int] | None:
        """Stop writes to the source, for good if all that is left can be copied.

        Returns for how many seconds, and how many were refused; ``None`` if it took too
        long, and writes went on.
        """
        started = time.monotonic()
        until = micros(utc_now()) + STOP_SECONDS * 1_000_000
        with self._old.writing() as live:
            if stage_of(live) is not None:
                raise StoreUnavailable(
                    "another move of this store is at its end; look where it went"
                )
            set_stage(live, Stage.STOPPED, self._to, until)
        try:
            follower = self._follower()
            follower.check(follower.round())
            with self._old.writing() as live:
                if not is_stopped_until(live, until):
                    return None
                refused = refused_in(live)
                set_stage(live, Stage.MOVED, self._to)
        except BaseException:
            with suppress(ServiceError), self._old.writing() as live:
                if is_stopped_until(live, until):
                    clear_stage(live)
            raise
        return time.monotonic() - started, refused


def undo_move(source: str, target: str) -> None:
    """Take a move back: the source accepts writes again, and the target is closed.

    The target stays as it is, so that a later move goes on from it.

    :raises InvalidValue: the source was not moved there; or the target has accepted
        writes since, which would be lost.
    :raises StoreUnavailable: also if an indexer or a move uses the target.
    """
    with _opened(source, target) as (old, new):
        with old.reading() as live:
            stage = stage_of(live)
            if stage is None or place_of(live) != new.place:
                raise InvalidValue("--undo", "this store was not moved there")
        if stage is Stage.MOVED:
            with old.reading() as live, new.writing() as copy:
                _check_unchanged(live, copy)
                set_stage(copy, Stage.FOLLOWING, old.place)
        with old.writing() as live:
            clear_stage(live)


def _check_unchanged(live: Connection, copy: Connection) -> None:
    """Check that nothing was written to a target since it was opened.

    Sessions do not count: people log in again.
    """
    numbers = state.c.name.in_(("seq", "epoch", "rebuild"))
    for table, where in ((state, numbers), (notices, None), (keys, None)):
        for each in table_differences(live, copy, table, where):
            raise InvalidValue(
                "--undo",
                f"that store was written to since the move ({each}); to go back, move"
                " it: set NUTGRAF_STORE to it, and --to to a new store",
            )


def store_differences(one: str, other: str) -> Iterator[Difference]:
    """Yield every difference between two stores; reads all of both.

    :param one: URL of a store; ``other`` of another one.
    :raises StoreIncomplete: a move into one of them has not ended.
    """
    with (
        closing(open_database(one)) as here,
        closing(open_database(other)) as there,
        here.reading() as left,
        there.reading() as right,
    ):
        yield from differences(left, right)


@contextmanager
def _opened(source: str, target: str) -> Iterator[tuple[Database, Database]]:
    """Open two stores for a move, and keep others from the target.

    :raises InvalidValue: they are one and the same.
    :raises StoreUnavailable: a move or an indexer uses the target.
    """
    with ExitStack() as opened:
        old = opened.enter_context(closing(open_database(source, check_schema)))
        new = opened.enter_context(closing(open_database(target, check_schema)))
        if old.place == new.place:
            raise InvalidValue("--to", "that is the store itself")
        try:
            opened.enter_context(new.indexer_lock())
        except IndexerRunning as error:
            raise StoreUnavailable(
                f"an indexer or another move uses {new.place}; stop it first"
            ) from error
        yield old, new
