"""Receiving requests: what the loop of a worker has of a request, and the rest of it.

The loop takes what has arrived, without waiting; a thread reads the rest of a body.
"""

from __future__ import annotations

import re
import select
import socket
import time
from typing import Any

from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

# From the first byte of a request to its last. Clients send a head in one piece; ten
# seconds allow for several retransmissions.
REQUEST_SECONDS = 10.0
# A body may take longer if it arrives at this rate: 0.5 Mbit/s, less than any newsroom
# has, and a thousand times the rate of attackers that are slow on purpose.
BYTES_PER_SECOND = 64 * 1024
# How long a client may be silent: before it sends its first request, and while a thread
# waits for it to receive the answer.
SILENCE_SECONDS = 5
# Bytes of one request that the loop keeps. Heads and most bodies are below 10 kB.
ROOM = 64 * 1024
PIECE = 16 * 1024  # bytes that are received at once

_END_OF_HEAD = b"\r\n\r\n"
# The body's length; without a group if the header has anything but a plain number.
_LENGTH = re.compile(
    rb"\r\n(?:content-length|transfer-encoding):[ \t]*(?:(\d{1,9})[ \t]*(?=\r\n))?",
    re.IGNORECASE,
)


class Rest(SocketUnreader):  # type: ignore[misc]
    """Request as a thread reads it: first the loop's bytes, then the socket's.

    :ivar deadline: when the request must be complete, on the monotonic clock.
    """

    deadline = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Next bytes of the request, ``b""`` at the end.

        Bytes that have arrived count even after the deadline: the delay was ours.

        :raises TimeoutError: they do not arrive in time.
        """
        size = min(max(self.mxchunk, size_hint or 0), self.max_body_chunk)
        while True:
            try:
                data: bytes = self.sock.recv(size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait()
            else:
                self.deadline = min(
                    self.deadline + len(data) / BYTES_PER_SECOND,
                    time.monotonic() + REQUEST_SECONDS,
                )
                return data

    def _wait(self) -> None:
        seconds = self.deadline - time.monotonic()
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        if seconds <= 0 or not waiting.poll(seconds * 1_000):
            raise TimeoutError("the rest of the request did not come in time")


class Connection(TConn):  # type: ignore[misc]
    """Connection of a client, with the received part of its next request.

    :ivar timeout: when the client's time is over, on the monotonic clock.
    :ivar received: bytes that no thread has got yet.
    :ivar head: length of the request's head, 0 until it is complete.
    :ivar watched: whether the poller reports new bytes.
    :ivar reads_body: whether a thread has it and may wait for the rest of a body.
    :ivar closing: whether only the client's close is still awaited.
    """

    def __init__(
        self,
        cfg: Any,
        sock: socket.socket,
        client: Any,
        server: Any,
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser = get_parser(cfg, sock, client)
        self.parser.unreader = Rest(sock)
        self.data_ready = True  # a thread only gets it with data
        self.timeout = time.monotonic() + SILENCE_SECONDS
        self.received = bytearray()
        self.head = 0
        self.watched = self.reads_body = self.closing = False
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def take(self, piece: bytes) -> None:
        """Add received bytes, and look for the end of the head."""
        start = max(0, len(self.received) - len(_END_OF_HEAD) + 1)
        self.received += piece
        if not self.head:
            end = self.received.find(_END_OF_HEAD, start)
            self.head = end + len(_END_OF_HEAD) if end >= 0 else 0

    def is_whole(self) -> bool:
        """Whether a thread can answer or refuse the request without waiting."""
        if not self.head:
            # A line with a wrong ending: the parser refuses it as it is.
            return self.received.count(b"\n") != self.received.count(b"\r\n")
        header = _LENGTH.search(self.received, 0, self.head)
        if header is None:
            return True
        length = header[1]
        return length is not None and len(self.received) >= self.head + int(length)

    def needs_more(self) -> bool:
        """Whether the loop should receive more.

        Not beyond one request: a client that sends many without awaiting the answers
        would fill our memory.
        """
        if self.closing:
            return True
        return len(self.received) < ROOM and not self.is_whole()

    def hand_over(self) -> None:
        """Pass the received bytes to the reader of the request."""
        self.parser.unreader.unread(bytes(self.received))
        self.parser.unreader.deadline = self.timeout
        self.received.clear()
        self.head = 0

    def next_comes(self, seconds: float) -> bool:
        """Wait for the next request, in a thread; whether it has come whole.

        What has come of it is received in any case.
        """
        if not self._poll.poll(seconds * 1_000):
            return False
        try:
            piece = self.sock.recv(PIECE, socket.MSG_DONTWAIT)
        except OSError:
            return False  # the loop finds out
        if not piece:
            return False
        self.timeout = time.monotonic() + REQUEST_SECONDS
        self.take(piece)
        if not self.is_whole():
            return False
        self.hand_over()
        return True
