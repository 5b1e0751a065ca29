"""Open connections of each worker, counted in memory that all workers share.

The system wakes all workers for a new connection, and the fastest takes it: of eight
connections that come together, one worker may get all. So a worker leaves a new one to
another that has fewer open, for a short time. Where they are uneven all the same, as
after a worker was replaced, the one with many ends some after their next answer, and
their clients connect again.
"""

from __future__ import annotations

import mmap

# How long a worker is waited for, in total, until it accepts a connection again. A new
# connection waits no longer for a worker that hangs, and the next ones do not wait.
PATIENCE_SECONDS = 0.1
# A worker ends connections if another one has fewer by more than this.
SURPLUS = 2
# Workers in one table. Further ones leave no connection to others, nor others to them.
WORKERS = 256

_WORD = 8  # bytes
_USED, _ACCEPTING, _OPEN, _ACCEPTED, _ROW = range(5)


class Connections:
    """Table with a row for each worker of a server, made before they are forked.

    Each row is written by one process at a time: by its worker, and by gunicorn's
    master before that worker starts and after it has ended. A field is one aligned word
    of the machine, so nothing is locked, and a worker that dies or hangs blocks nobody.

    :param workers: the number of rows.
    """

    def __init__(self, workers: int = WORKERS) -> None:
        memory = mmap.mmap(-1, (1 + workers * _ROW) * _WORD)
        self._words = memoryview(memory).cast("q")
        # The first word is the number of rows that were ever used.
        self._rows = range(1, 1 + workers * _ROW, _ROW)

    def join(self) -> Share:
        """Take a row for a worker that is about to be forked."""
        words = self._words
        for number, row in enumerate(self._rows):
            if not words[row + _USED]:
                words[row + _USED] = 1
                # Others that waited in vain for an earlier worker wait for this one.
                words[row + _ACCEPTED] += 1
                words[0] = max(words[0], number + 1)
                return Share(self, row)
        return Connections(1).join()

    def leave(self, row: int) -> None:
        """Give back the row of a worker that has ended, however it ended."""
        self._words[row + _ACCEPTING] = self._words[row + _OPEN] = 0
        self._words[row + _USED] = 0

    def open_by_worker(self) -> dict[int, int]:
        """Open connections by the number of the worker, from 1."""
        words = self._words
        return {
            number: words[row + _OPEN]
            for number, row in enumerate(self.rows(), 1)
            if words[row + _USED]
        }

    def rows(self) -> range:
        """Rows that were ever used."""
        return self._rows[: self._words[0]]

    @property
    def words(self) -> memoryview[int]:
        """The table itself: the fields of all rows."""
        return self._words


class Share:
    """Row of one worker, and how long it has waited for each other worker."""

    def __init__(self, table: Connections, row: int) -> None:
        self._table, self._words, self._row = table, table.words, row
        # By row of another worker: connections it had accepted, seconds waited since.
        self._waited: dict[int, tuple[int, float]] = {}
        self._looked: float | None = None  # when, if it leaves a connection

    @property
    def open(self) -> int:
        """Number of connections that this worker has open."""
        return self._words[self._row + _OPEN]

    @open.setter
    def open(self, number: int) -> None:
        self._words[self._row + _OPEN] = number

    def accepting(self, accepts: bool) -> None:
        """Tell the others whether this worker accepts connections."""
        self._words[self._row + _ACCEPTING] = accepts

    def accepted(self) -> None:
        """Count one accepted connection."""
        self._words[self._row + _ACCEPTED] += 1

    def leave(self) -> None:
        """Give back the row; the master calls it when the worker has ended."""
        self._table.leave(self._row)

    def open_by_worker(self) -> dict[int, int]:
        """Open connections of all workers by their numbers, from 1."""
        return self._table.open_by_worker()

    def yields(self, now: float) -> bool:
        """Whether to leave a connection that waits to another worker.

        After a yes, ask again every millisecond until it is a no or none waits.

        :param now: seconds on the monotonic clock.
        """
        looked, self._looked = self._looked, None
        row = self._preferred()
        if row is None:
            return False
        accepted, waited = self._waited[row]
        if looked is not None:
            waited += now - looked
            self._waited[row] = accepted, waited
        if waited >= PATIENCE_SECONDS:
            return False
        self._looked = now
        return True

    def none_waits(self) -> None:
        """End leaving a connection: another worker has taken it."""
        self._looked = None

    def has_surplus(self) -> bool:
        """Whether to end a connection, since another worker has far fewer open.

        Threads may ask it; they change nothing.
        """
        words, fewer = self._words, self.open - SURPLUS
        return any(
            words[row + _ACCEPTING]
            and words[row + _OPEN] < fewer
            and self._waited_for(row)[1] < PATIENCE_SECONDS
            for row in self._table.rows()
        )

    def _waited_for(self, row: int) -> tuple[int, float]:
        """Connections that a worker has accepted, and seconds waited for it since."""
        accepted, waited = self._waited.get(row, (0, 0.0))
        current = self._words[row + _ACCEPTED]
        return current, waited if accepted == current else 0.0

    def _preferred(self) -> int | None:
        """Row of the worker with the fewest open connections, if it is another."""
        words, preferred, fewest = self._words, None, self.open
        for row in self._table.rows():
            if words[row + _ACCEPTING] and words[row + _OPEN] < fewest:
                self._waited[row] = _, waited = self._waited_for(row)
                if waited < PATIENCE_SECONDS:
                    preferred, fewest = row, words[row + _OPEN]
        return preferred
