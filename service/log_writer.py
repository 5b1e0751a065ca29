"""Writer of the log: a thread formats the lines of requests and writes several at once.

Requests never wait for the log: if nobody reads it, or its disk is full, lines are lost
and counted. A process that is killed loses those of its last moments.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
from collections.abc import Iterable, Iterator

# How long the thread collects lines before it writes them.
COLLECT_SECONDS = 0.05
# Bytes of lines that wait to be written. One that is not formatted yet counts as an
# ordinary line of a request.
LIMIT = 4_000_000
LINE = 500
# How long a process that ends waits for the log to take its last lines.
CLOSING_SECONDS = 1.0


class LogWriter(logging.Handler):
    """Handler that writes the lines of a process to stderr, in their order.

    Until :meth:`start`, each line is written by the thread that logs it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._file = sys.stderr.fileno()
        # Formatted lines, and records that are to be formatted.
        self._waiting: list[str | logging.LogRecord] = []
        self._size = self._lost = 0
        self._started = self._closing = self._torn = False
        self._make_locks()

    def start(self) -> None:
        """From now on, write in a thread of this process; call it after a fork."""
        self._make_locks()
        self._started = True
        threading.Thread(target=self._run, name="nutgraf-log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take the line of a record; it is lost if too many wait already."""
        # A record that names its request has plain values only: nothing changes them
        # until the line is formatted.
        if self._started and hasattr(record, "request_id") and not record.exc_info:
            self._take(record, LINE)
            return
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as in all handlers
            self.handleError(record)
            return
        self._take(line, len(line))
        if not self._started:
            self.flush()

    def flush(self) -> None:
        """Write all lines that wait; give up if an earlier write does not end."""
        if self._writing.acquire(timeout=CLOSING_SECONDS):
            try:
                self._write_waiting()
            finally:
                self._writing.release()

    def close(self) -> None:
        """Write all lines that wait, at the end of the process."""
        self._started, self._closing = False, True
        self.flush()
        super().close()

    def _make_locks(self) -> None:
        # Reentrant, since the handler of a signal may log in the middle of a line.
        self._taking, self._writing = threading.RLock(), threading.RLock()
        self._arrived = threading.Event()

    def _take(self, line: str | logging.LogRecord, size: int) -> None:
        with self._taking:
            if self._size + size > LIMIT:
                self._lost += 1
                return
            self._size += size
            self._waiting.append(line)
        if not self._arrived.is_set():
            self._arrived.set()

    def _run(self) -> None:
        while not self._closing:
            self._arrived.wait()
            time.sleep(COLLECT_SECONDS)
            self._arrived.clear()
            with self._writing:
                self._write_waiting()

    def _write_waiting(self) -> None:
        with self._taking:
            waiting, self._waiting, self._size = self._waiting, [], 0
        lines = []
        for line in waiting:
            try:
                lines.append(line if isinstance(line, str) else self.format(line))
            except Exception:  # noqa: BLE001 - as in all handlers
                assert isinstance(line, logging.LogRecord)
                self.handleError(line)
        for number, piece in _pieces(lines):
            if not self._write(piece):
                with self._taking:
                    self._lost += number
        lost = self._lost
        if lost and self._write(self._line_of_lost(lost)):
            with self._taking:
                self._lost -= lost

    def _line_of_lost(self, number: int) -> bytes:
        record = logging.makeLogRecord(
            {
                "name": "nutgraf",
                "levelno": logging.WARNING,
                "levelname": "WARNING",
                "msg": "log lines were lost",
                "lines": number,
            }
        )
        return self.format(record).encode() + b"\n"

    def _write(self, piece: bytes) -> bool:
        """Write bytes; say whether the log took all of them."""
        # A full disk takes a part of a line. The next one must not continue it.
        left = data = b"\n" + piece if self._torn else piece
        while left:
            try:
                left = left[os.write(self._file, left) :]
            except BlockingIOError:
                # The other end shares the open file, and has made it non-blocking.
                writable = select.poll()
                writable.register(self._file, select.POLLOUT)
                if not writable.poll(CLOSING_SECONDS * 1_000) and self._closing:
                    break
            except OSError:
                break
        if taken := data[: len(data) - len(left)]:
            self._torn = not taken.endswith(b"\n")
        return not left


def _pieces(lines: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    """Lines joined for one write each, with their number.

    POSIX: a write of up to PIPE_BUF bytes to a pipe is never mixed with those of other
    processes.
    """
    number, piece = 0, b""
    for line in lines:
        data = line.encode() + b"\n"
        if number and len(piece) + len(data) > select.PIPE_BUF:
            yield number, piece
            number, piece = 0, b""
        number, piece = number + 1, piece + data
    if number:
        yield number, piece
