"""Transactions of changes: one each; of withdrawals also on a full disk."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from index.dates import Clock, micros
from index.errors import StoreFull
from index.store.database import Database
from index.store.embargoes import is_due, log_due_of, log_first_due
from index.store.stages import stage_of

T = TypeVar("T")
# Bytes of the reserve that a withdrawal on a full disk gets, attempt by attempt.
_ROOMS = tuple(256 * 1024 << n for n in range(5))


def _nothing(_: Connection) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A change that only hides articles, and so gets room from the reserve.

    :param ids: of the articles.
    :param least: bytes of text that it writes or overwrites at the least.
    """

    ids: Collection[str]
    least: Callable[[Connection], int] = _nothing


# What a change is about: the withdrawal that it is, or else the ids of its articles.
Scope = Withdrawal | Collection[str]


def changed(
    database: Database,
    clock: Clock,
    change: Callable[[Connection, int], T],
    scope: Scope,
) -> T:
    """The result of a change in a transaction of its own, at one instant.

    Embargoes that have ended, and articles that have expired, are logged first: no
    later change of an article may come before that. Of other articles than those of the
    change, a page is logged, and in a withdrawal nothing, however many are due.

    :param scope: on a full disk, a withdrawal gets room from the reserve: more with
        each attempt, so that what is left serves further withdrawals. If all of it is
        too little, the reserve is taken back.
    :raises StoreFull: nothing of the change was stored.
    """
    withdrawal = scope if isinstance(scope, Withdrawal) else None
    ids = scope.ids if isinstance(scope, Withdrawal) else scope

    def attempt(room: int) -> T:
        with database.writing(room=room, ordinary=withdrawal is None) as connection:
            at = micros(clock())
            if withdrawal is None:
                log_first_due(connection, at)
            log_due_of(connection, ids, at)
            return change(connection, at)

    try:
        return attempt(0)
    except StoreFull as error:
        full = error
    if withdrawal is None:
        raise full
    with database.reading() as connection:
        least = withdrawal.least(connection)
    if least > database.reserve():
        raise full
    for room in _ROOMS:
        try:
            return attempt(max(room, least))
        except StoreFull as error:
            full = error
            if not database.reserve():
                break
    database.fill_reserve()
    raise full


def log_in_pages(database: Database, now: Callable[[], int]) -> int:
    """Log all that is due, each page in a transaction; return how many entries.

    Others can write in between, however much there is. Of a store that is moved the log
    is as it is: what is due will be logged where the store is then.
    """
    logged = 0
    while True:
        with database.reading() as connection:
            if not is_due(connection, now()) or stage_of(connection) is not None:
                return logged
        with database.writing() as connection:
            logged += log_first_due(connection, now())
