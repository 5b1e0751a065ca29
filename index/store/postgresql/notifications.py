"""Notifications: PostgreSQL says that something was committed, by any machine.

One connection of a process listens for all who wait in it. They are a hint only: who
waits looks at the store itself as well, every half a second, so that nothing depends on
a connection that was lost.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from index.errors import NutgrafError
from index.store.postgresql.connections import CHANNEL
from index.store.postgresql.driver import Driver

LOOK_SECONDS = 0.5  # between two looks at the store without a notification
_IDLE_SECONDS = 60.0  # without anybody waiting, after which the connection is closed
_PAUSE_SECONDS = 1.0  # after a connection was lost
_TURN_SECONDS = 0.1  # of listening, after which the thread sees that it is to end

LOG = logging.getLogger("nutgraf.store")


class Notifications:
    """The notifications of one process; safe to use from several threads.

    The thread that listens starts with the first wait, and ends when nobody has waited
    for a minute.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._changed = threading.Condition()
        self._count = 0  # of notifications
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._wanted = 0.0  # instant of the last wait
        self._closed = False

    def wait(self, newest: Callable[[], int], after: int, seconds: float) -> int:
        """The newest change once it is above ``after``, or when time is up.

        :param newest: reads the number of the newest change.
        """
        limit = time.monotonic() + seconds
        while True:
            with self._changed:
                self._listen()
                count = self._count
            seq = newest()
            left = limit - time.monotonic()
            if seq > after or left <= 0:
                return seq
            with self._changed:
                if self._count == count and not self._closed:
                    self._changed.wait(min(left, LOOK_SECONDS))
                if self._closed:
                    return seq

    def close(self) -> None:
        """Stop listening."""
        with self._changed:
            self._closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread.is_alive():
            thread.join(timeout=2)

    def _listen(self) -> None:
        """Have a thread that listens; the caller holds the lock."""
        self._wanted = time.monotonic()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._run, name="nutgraf-notifications", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        while self._is_wanted():
            try:
                self._follow()
            except (NutgrafError, psycopg.Error, OSError) as error:
                LOG.debug("notifications: %s", error)
                self._woken()  # they find out for themselves
                time.sleep(_PAUSE_SECONDS)

    def _follow(self) -> None:
        driver = Driver.open(self._parameters, writes=False)
        try:
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
            self._woken()  # by what was committed before
            while self._is_wanted():
                for _ in driver.notifies(timeout=_TURN_SECONDS, stop_after=1):
                    self._woken()
        finally:
            driver.close()

    def _woken(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def _is_wanted(self) -> bool:
        with self._changed:
            if not self._closed and time.monotonic() - self._wanted < _IDLE_SECONDS:
                return True
            self._thread = None
            return False
