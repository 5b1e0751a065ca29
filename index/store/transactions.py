"""Transactions of changes: one each; of withdrawals also on a full disk."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from index.dates import Clock, micros
from index.errors import StoreFull
from index.store.database import Database
from index.store.embargoes import log_due, log_due_of

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


def changed(
    database: Database,
    clock: Clock,
    change: Callable[[Connection, int], T],
    withdrawal: Withdrawal | None = None,
) -> T:
    """The result of a change in a transaction of its own, at one instant.

    Embargoes that have ended, and articles that have expired, are logged first: no
    later change of an article may come before that. In a withdrawal this is done of its
    articles only, however many others are due.

    :param withdrawal: on a full disk, it gets room from the reserve: more with each
        attempt, so that what is left serves further withdrawals. If all of it is too
        little, the reserve is taken back.
    :raises StoreFull: nothing of the change was stored.
    """

    def attempt(room: int) -> T:
        with database.writing(room=room, ordinary=withdrawal is None) as connection:
            at = micros(clock())
            if withdrawal is None:
                log_due(connection, at)
            else:
                log_due_of(connection, withdrawal.ids, at)
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
