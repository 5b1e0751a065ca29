"""Sessions of a store: begun at a log-in, looked up, used and ended.

A session is read together with its key in every request, so it ends with its key at
once in every process. Backups hold none, and a restore ends all of them.
"""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import (
    ColumnElement,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from index.access import (
    SESSION_IDLE,
    SESSION_LIFE,
    SESSIONS_PER_KEY,
    Key,
    Session,
    equal_digests,
    new_session_id,
    secret_digest,
)
from index.dates import Clock, from_micros, micros
from index.store.keyring import COLUMNS, Opener, WritingOpener, key_of_row
from index.store.prepared import PreparedRead
from index.store.tables import keys, sessions

# A use is recorded if the last one is this old, so that few requests write.
_RECORDED_EVERY = timedelta(minutes=10)
_LOOK_SECONDS = 60.0  # between two looks of a process for sessions that have ended

_FIND = PreparedRead(
    select(
        *(sessions.c.digest, sessions.c.created, sessions.c.seen, sessions.c.expires),
        *COLUMNS,
    )
    .join(keys, keys.c.id == sessions.c.key)
    .where(sessions.c.digest == bindparam("sent"))
)


def _ended() -> ColumnElement[bool]:
    """Whether a row's session has ended at ``now``, ``idle`` being the last use."""
    live_key = (
        (keys.c.id == sessions.c.key)
        & keys.c.revoked.is_(None)
        & (keys.c.expires > bindparam("now"))
    )
    return or_(
        sessions.c.expires <= bindparam("now"),
        sessions.c.seen <= bindparam("idle"),
        ~exists(select(keys.c.id).where(live_key)),
    )


_ANY_ENDED = PreparedRead(select(exists(select(sessions.c.digest).where(_ended()))))
_REMOVE_ENDED = delete(sessions).where(_ended())
_NEWEST = (
    select(sessions.c.digest)
    .where(sessions.c.key == bindparam("of_key"))
    .order_by(sessions.c.created.desc(), sessions.c.digest)
    .limit(SESSIONS_PER_KEY - 1)
)
_REMOVE_OLDEST = delete(sessions).where(
    sessions.c.key == bindparam("of_key"), sessions.c.digest.not_in(_NEWEST)
)


class Sessions:
    """The sessions of one store; safe to use from several threads and processes.

    :param reading: opens a connection for one read.
    :param writing: opens a connection in a transaction that writes.
    """

    def __init__(self, reading: Opener, writing: WritingOpener, clock: Clock) -> None:
        self._reading, self._writing, self._clock = reading, writing, clock
        self._next_look = 0.0

    def begin(self, key: Key) -> str:
        """Begin a session with a key; return its id, which is stored as a digest only.

        Of a key with as many sessions as it may have, the oldest ends.

        :raises StoreFull: it was not begun.
        """
        session_id, now = new_session_id(), self._clock()
        expires = now + SESSION_LIFE
        if key.expires is not None:
            expires = min(expires, key.expires)
        with self._writing() as connection:
            connection.execute(_REMOVE_ENDED, self._instants())
            connection.execute(_REMOVE_OLDEST, {"of_key": key.id})
            connection.execute(
                insert(sessions).values(
                    digest=secret_digest(session_id),
                    key=key.id,
                    created=micros(now),
                    seen=micros(now),
                    expires=micros(expires),
                )
            )
        return session_id

    def find(self, session_id: str) -> Session | None:
        """The live session with this id, and its key; ``None`` if there is none."""
        sent = secret_digest(session_id)
        with self._reading() as connection:
            rows = _FIND.rows(connection, sent=sent)
        for digest, created, seen, expires, *key in rows:
            session = Session(
                key=key_of_row(key),
                created=from_micros(created),
                seen=from_micros(seen),
                expires=from_micros(expires),
            )
            if equal_digests(digest, sent) and session.is_live(self._clock()):
                return session
        return None

    def use(self, session_id: str, session: Session) -> None:
        """Record that a session is used, unless that was recorded a short time ago.

        :raises StoreFull: it was not recorded; the session stays as it is.
        """
        now = self._clock()
        if now < session.seen + _RECORDED_EVERY:
            return
        with self._writing() as connection:
            connection.execute(
                update(sessions)
                .where(sessions.c.digest == secret_digest(session_id))
                .values(seen=micros(now))
            )

    def end(self, session_id: str) -> None:
        """End a session, also on a full disk; nothing happens if there is none."""
        with self._writing(ordinary=False) as connection:
            connection.execute(
                delete(sessions).where(sessions.c.digest == secret_digest(session_id))
            )

    def tend(self) -> None:
        """Remove the sessions that have ended, if the last look was a minute ago."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        with self._reading() as connection:
            ((any_ended,),) = _ANY_ENDED.rows(connection, **self._instants())
        if any_ended:
            with self._writing(ordinary=False) as connection:
                connection.execute(_REMOVE_ENDED, self._instants())

    def _instants(self) -> dict[str, int]:
        now = self._clock()
        return {"now": micros(now), "idle": micros(now - SESSION_IDLE)}
