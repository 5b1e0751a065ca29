"""Checking the checksums of segments before a search meets damage.

Every array of a segment has a checksum. A small segment is checked when it is opened,
and answers searches only if it is sound. A large one is checked in the background:
until that is done a search may meet damage, as an exception or as a wrong answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EBADF
from weakref import ref

from index.engines.whoosh.files.segment import Segment
from index.errors import IndexDamaged, NutgrafError

LOG = logging.getLogger("nutgraf.engine")

# A file of up to 4 MB is checked when it is opened: that takes a few milliseconds.
AT_ONCE = 4 << 20
# The background thread sleeps after every 1 MB: it uses a quarter of one processor at
# most.
_PAUSE_AFTER = 1 << 20  # bytes
_PAUSE_SECONDS = 0.002


class Scrub:
    """Checks the segments of one engine, each once.

    It takes no locks: a process forked meanwhile would never see them released.
    """

    def __init__(self) -> None:
        self._waiting: deque[ref[Segment]] = deque()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._since_pause = 0  # bytes

    def add(self, segment: Segment) -> None:
        """Check a segment that was just opened: a small one now, others later.

        :raises IndexDamaged: it was checked now, and is damaged.
        """
        if segment.file.length <= AT_ONCE:
            segment.check()
        else:
            # A damaged offset could make a search read all other arrays into memory.
            segment.check(".at")
            self._waiting.append(ref(segment))

    def resume(self) -> None:
        """Check the waiting segments in the background.

        Call it now and then, from one thread at a time.
        """
        # The thread is not there in a forked process.
        if self._waiting and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(
                target=self._check_waiting, name="nutgraf-scrub", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Stop the background thread."""
        self._closing = True
        thread = self._thread
        if thread is not None:
            thread.join()
        self._waiting.clear()
        self._thread, self._closing = None, False

    def _check_waiting(self) -> None:
        while self._waiting:
            segment = self._waiting[0]()
            if segment is not None:  # it may have been merged into another
                try:
                    segment.check(throttle=self._pause)
                except IndexDamaged as error:
                    LOG.error("%s", str(error))
                except _Closing:
                    return
                except OSError as error:
                    if error.errno != EBADF:  # closed because the process is ending
                        LOG.error("%s cannot be checked: %s", segment.id, error)
                    return
            del segment
            self._waiting.popleft()

    def _pause(self, count: int) -> None:
        if self._closing:
            raise _Closing
        self._since_pause += count
        if self._since_pause >= _PAUSE_AFTER:
            self._since_pause = 0
            time.sleep(_PAUSE_SECONDS)


class _Closing(Exception):
    """The engine is being closed."""


@contextmanager
def confirm_damage(segments: Sequence[Segment]) -> Iterator[None]:
    """Check the segments if the body fails: is it damage, or a bug?

    Code over a damaged array can raise anything. Only a checksum that does not match
    proves damage; without one the exception passes.

    :raises IndexDamaged: a segment is known to be damaged, or turns out to be.
    """
    for segment in segments:
        if segment.damage is not None:
            raise IndexDamaged(segment.damage)
    try:
        yield
    except NutgrafError:
        raise
    except Exception:  # see above
        for segment in segments:
            segment.check()
        raise
