"""Histories of a store: what desks, administrators and clocks do to it, at random."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from articles import sent_article
from hypothesis import strategies as st

from index.access import Scope
from index.article import Original, Status, draft_of
from index.dates import utc_now
from index.errors import InputError
from index.store import Store

IDS = ("a", "b", "c", "d", "ä", "a/1")
ACTIONS = (
    *("put", "put", "put", "put", "version", "force", "amend", "cancel", "story"),
    *("embargo", "expiry", "original", "kill", "kill up to", "cascade", "withhold"),
    *("reinstate", "delete", "purge", "purge", "key", "revoke", "rotate", "session"),
    *("use", "end", "later", "due", "rebuild"),
)
# One thing that is done: what, to which article, and a number that makes texts differ.
ACTION = st.tuples(st.sampled_from(ACTIONS), st.sampled_from(IDS), st.integers(0, 9))


class Clock:
    """The time of a test, which passes only when the test says so."""

    def __init__(self) -> None:
        self.instant = utc_now()

    def __call__(self) -> datetime:
        return self.instant


class Desk:
    """Somebody who does things to a store; what is refused changes nothing."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self.store = Store(url, clock=self.clock)
        self.secrets: list[str] = []
        self.sessions: list[str] = []

    def do(self, action: str, article_id: str, number: int) -> None:
        with suppress(InputError):
            self._do(action, article_id, number)

    def _do(self, action: str, id_: str, number: int) -> None:
        store, now = self.store, self.clock()
        text = f"Text {number} of {id_}."
        if action in ("kill", "withhold", "reinstate", "delete", "purge"):
            getattr(store, action)(id_)
        elif action == "kill up to":
            store.kill(id_, version=str(number), note=f"Note {number}.")
        elif action == "cascade":
            store.kill(id_, cascade=True)
        elif action == "key":
            key = store.keys.add(f"desk-{number % 2}", frozenset({Scope.SEARCH}))
            self.secrets.append(key.secret)
        elif action == "revoke":
            store.keys.revoke(f"desk-{number % 2}")
        elif action == "rotate":
            new, _ = store.keys.rotate(f"desk-{number % 2}", overlap=timedelta(hours=1))
            self.secrets.append(new.secret)
        elif action == "session":
            for key in store.keys.all()[:1]:
                self.sessions.append(store.sessions.begin(key))
        elif action == "use":
            for session_id in self.sessions[-1:]:
                session = store.sessions.find(session_id)
                if session is not None:
                    store.sessions.use(session_id, session)
        elif action == "end":
            for session_id in self.sessions[:1]:
                store.sessions.end(session_id)
        elif action == "later":
            self.clock.instant += timedelta(minutes=7 * (number + 1))
        elif action == "due":
            store.log_ended_embargoes()
        elif action == "rebuild":
            store.request_rebuild()
        else:
            self._put(action, id_, text, number, now)

    def _put(
        self, action: str, id_: str, text: str, number: int, now: datetime
    ) -> None:
        values: dict[str, Any] = {}
        if action in ("version", "force", "amend"):
            values["version"] = str(number)
        if action == "cancel":
            values["status"] = Status.CANCELED
        if action == "story":
            values |= {"story": "s", "evolved_from": IDS[number % len(IDS)]}
        if action == "embargo":
            values["embargoed_until"] = now + timedelta(minutes=5 * number)
        if action == "expiry":
            values["expires"] = now + timedelta(minutes=5 * number)
        original = Original(format="text", data=text.encode())
        draft = draft_of(
            sent_article(id_, text, **values),
            original if action == "original" else None,
        )
        self.store.put([draft], force=action == "force", amend=action == "amend")
