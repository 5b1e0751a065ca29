"""Reading segments for damage before anybody meets it.

Every array of a segment has a checksum. A small segment is read when it is opened, and
answers only if it is sound. A large one is read in the background: until that is done a
search may meet damage, as an exception or as a wrong answer, and after it never.
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

# A file up to so many bytes is read in a few milliseconds, so at once.
AT_ONCE = 4 << 20
# The background rests after so many bytes: it takes a quarter of one processor at most.
_UNRESTED = 1 << 20
_REST_SECONDS = 0.002


class Scrub:
    """Reads the segments of one engine, each once.

    There are no locks, which a process forked meanwhile would find held for ever.
    """

    def __init__(self) -> None:
        self._waiting: deque[ref[Segment]] = deque()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._unrested = 0  # bytes

    def add(self, segment: Segment) -> None:
        """Read a segment that was just opened, now or in the background.

        :raises IndexDamaged: that was now, and it is damaged.
        """
        if segment.file.length <= AT_ONCE:
            segment.check()
        else:
            # These say how much of others is read: a wrong one may ask for all memory.
            segment.check(".at")
            self._waiting.append(ref(segment))

    def resume(self) -> None:
        """Have somebody read what waits; to be called now and then, by one thread."""
        # A thread does not live on in a process that was forked.
        if self._waiting and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(
                target=self._read, name="nutgraf-scrub", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._closing = True
        thread = self._thread
        if thread is not None:
            thread.join()
        self._waiting.clear()
        self._thread, self._closing = None, False

    def _read(self) -> None:
        while self._waiting:
            segment = self._waiting[0]()
            if segment is not None:  # else merged into another meanwhile
                try:
                    segment.check(rest=self._rest)
                except IndexDamaged as error:
                    LOG.error("%s", str(error))
                except _Closing:
                    return
                except OSError as error:
                    if error.errno != EBADF:  # closed under it: the process ends
                        LOG.error("%s cannot be checked: %s", segment.id, error)
                    return
            del segment
            self._waiting.popleft()

    def _rest(self, count: int) -> None:
        if self._closing:
            raise _Closing
        self._unrested += count
        if self._unrested >= _UNRESTED:
            self._unrested = 0
            time.sleep(_REST_SECONDS)


class _Closing(Exception):
    """The engine is being closed."""


@contextmanager
def confirm_damage(segments: Sequence[Segment]) -> Iterator[None]:
    """Tell damage from faults of the program where arrays of segments are worked with.

    Anything can be raised over an array that is not what was written. It is damage only
    if a checksum says so: else it is a fault, and passes.

    :raises IndexDamaged: a segment is known to be damaged, or found to be.
    """
    for each in segments:
        if each.damage is not None:
            raise IndexDamaged(each.damage)
    try:
        yield
    except NutgrafError:
        raise
    except Exception:  # see above
        for each in segments:
            each.check()
        raise
