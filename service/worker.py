"""The gunicorn worker: threads get complete requests, and never wait for slow clients.

gunicorn's own threaded worker gives a connection to a thread when it is accepted, and
the thread waits for the request; closing a connection blocks the loop that accepts the
others. Here that loop reads what clients send, without waiting for any of them:

- A request gets a thread when it is complete. A client that sends nothing, or a head
  byte by byte, occupies no thread.
- A thread reads a body that has not arrived yet, or that is longer than the loop keeps.
  At most a quarter of the threads do so: requests without a body are always answered.
- Clients that are too slow get an error and are disconnected.
- A connection is closed in steps, and other clients are served in between.

A new connection is left to the worker that has the fewest open.
"""

from __future__ import annotations

import errno
import re
import resource
import select
import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    TConn,
    ThreadWorker,
)

from index.errors import NutgrafError
from service.connections import Connections, Share
from service.exchange import write_json
from service.problems import MEDIA_TYPE, problem_of
from service.refusals import HeadTooLarge, RequestTimeout

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
# RFC 9112, 9.6: if a connection is closed while bytes are unread, TCP resets it and the
# client may lose the answer.
LINGER_SECONDS = 2.0

_PIECE = 16 * 1024
_LOOK_SECONDS = 0.001  # between two looks whether another worker took a connection
_CHECK_SECONDS = 0.5  # between two checks for clients whose time is over
_END_OF_HEAD = b"\r\n\r\n"
# The body's length; without a group if the header has anything but a plain number.
_LENGTH = re.compile(
    rb"\r\n(?:content-length|transfer-encoding):[ \t]*(?:(\d{1,9})[ \t]*(?=\r\n))?",
    re.IGNORECASE,
)


def _answer(error: NutgrafError) -> bytes:
    """Whole answer that refuses a request before it is parsed."""
    document = problem_of(error)
    status = HTTPStatus(document["status"])
    body = write_json(document)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


TOO_SLOW = _answer(RequestTimeout())
TOO_LARGE = _answer(HeadTooLarge(limit=ROOM))


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

    :param linger: closes it without blocking.
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
        linger: Callable[[Connection], None],
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser = get_parser(cfg, sock, client)
        self.parser.unreader = Rest(sock)
        self.data_ready = True  # a thread only gets it with data
        self.timeout = time.monotonic() + SILENCE_SECONDS
        self.received = bytearray()
        self.head = 0
        self.watched = self.reads_body = self.closing = False
        self._linger = linger

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

    def close(self, graceful: bool = False) -> None:
        """Close it, at once or when the client has received its answer."""
        if graceful:
            self._linger(self)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, with a loop that receives requests without blocking.

    The overridden methods run in that loop, as in gunicorn. Until a thread gets a
    connection, only the loop touches it.

    :ivar share: its row in the table of connections; before the fork, it may be given
        one in a table that the workers of a server share.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.share: Share = Connections(1).join()
        # While a new connection is left to another worker, the poller ignores it.
        self._yielding = False
        super().__init__(*args, **kwargs)
        # A worker that cannot open files ends. Half of them are left for the index, the
        # store and the log; further connections wait until another one is closed.
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            self.worker_connections = min(self.cfg.worker_connections, files // 2)
        # Connections that no thread has, except idle ones, which gunicorn keeps.
        self._waiting: set[Connection] = set()
        self._bodies = max(1, self.cfg.threads // 4)  # threads that may wait for a body
        self._next_check = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse a configuration that the loop cannot serve.

        :raises RuntimeError: gunicorn shows it without a traceback.
        """
        if cfg.is_ssl or cfg.protocol != "http" or cfg.http_protocols != ["h1"]:
            raise RuntimeError(
                "nutgraf speaks plain HTTP/1.1; a proxy in front has TLS and HTTP/2,"
                " such as deploy/nginx.conf"
            )
        super().check_config(cfg, log)

    @property
    def max_keepalived(self) -> int:
        """How many idle connections it keeps, under gunicorn's name for it."""
        if self.share.has_surplus():
            return 0
        # They leave room for those whose requests the threads can answer.
        number: int = max(1, self.worker_connections - self.cfg.threads)
        return number

    @max_keepalived.setter
    def max_keepalived(self, number: int) -> None:
        """Ignore what gunicorn sets."""

    @property
    def nr_conns(self) -> int:
        """Number of open connections, under gunicorn's name for it."""
        return self.share.open

    @nr_conns.setter
    def nr_conns(self, number: int) -> None:
        self.share.open = number

    def set_accept_enabled(self, enabled: bool) -> None:
        """Start or stop to accept connections."""
        self._resume()
        super().set_accept_enabled(enabled)
        self.share.accepting(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events, or for another worker to take a connection."""
        if not self._yielding:
            super().wait_for_and_dispatch_events(timeout)
            return
        super().wait_for_and_dispatch_events(min(timeout, _LOOK_SECONDS))
        if self._yielding and not (
            self._one_waits() and self.share.yields(time.monotonic())
        ):
            self._resume()

    def _one_waits(self) -> bool:
        """Whether there is a connection to accept."""
        waiting = select.poll()
        for listener in self.sockets:
            waiting.register(listener, select.POLLIN)
        return bool(waiting.poll(0))

    def _resume(self) -> None:
        """Have the poller report new connections again."""
        if self._yielding:
            self._yielding = False
            self.share.none_waits()
            for listener in self.sockets:
                self.poller.register(listener, selectors.EVENT_READ, self.accept)

    def accept(self, listener: Any) -> None:
        """Accept a connection, and read the request that may have come with it.

        Or leave it to a worker that has fewer open.
        """
        if self._yielding:
            return  # since an earlier event of the same turn
        if self.share.yields(time.monotonic()):
            self._yielding = True
            for each in self.sockets:
                self.poller.unregister(each)
            return
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.share.accepted()
        self.nr_conns += 1
        server = listener.getsockname()
        self._read(Connection(self.cfg, sock, client, server, self._closed))

    def enqueue_req(self, conn: Connection) -> None:
        """Read the next request of a connection that was answered before."""
        conn.timeout = time.monotonic() + REQUEST_SECONDS
        conn.take(conn.parser.unreader.take_buffered())
        self._read(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Keep or close a connection whose request was answered."""
        if conn.reads_body:
            conn.reads_body = False
            self._bodies += 1
            self._next_body()
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Disconnect the clients whose time is over."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + _CHECK_SECONDS
        for conn in [conn for conn in self._waiting if conn.timeout <= now]:
            if conn.closing or not conn.received:
                self._drop(conn)
            else:
                self._refuse(conn, TOO_SLOW)

    def _cap_keepalive(self, deadline: float) -> None:
        """Wait no longer for first requests, either, when the worker ends."""
        super()._cap_keepalive(deadline)
        for conn in self._waiting:
            if not conn.received:
                conn.timeout = min(conn.timeout, deadline)

    def _readable(self, conn: Connection, _: Any) -> None:
        # An earlier event of the same turn may have handed it over, or closed it.
        if conn.watched:
            self._read(conn)

    def _read(self, conn: Connection) -> None:
        """Receive bytes, and hand the request over if it is complete."""
        piece = None
        try:
            if conn.needs_more():
                piece = conn.sock.recv(_PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except OSError:  # the client is gone
            self._drop(conn)
            return
        if conn.closing:
            if piece == b"":
                self._drop(conn)
            return
        if piece:
            if not conn.received:
                conn.timeout = time.monotonic() + REQUEST_SECONDS
            conn.take(piece)
        if not conn.received:
            if piece is None:
                self._watch(conn)
            else:
                self._drop(conn)
        elif piece == b"" or conn.is_whole():
            self._hand_over(conn)
        elif conn.head and self._bodies:
            self._hand_over_body(conn)
        elif len(conn.received) < ROOM:
            self._watch(conn)
        elif conn.head:
            self._unwatch(conn)  # the rest can wait in the network
            self._waiting.add(conn)
        else:
            self._refuse(conn, TOO_LARGE)

    def _hand_over(self, conn: Connection) -> None:
        """Give a request to the next free thread."""
        self._unwatch(conn)
        self._waiting.discard(conn)
        conn.hand_over()
        super().enqueue_req(conn)

    def _hand_over_body(self, conn: Connection) -> None:
        self._bodies -= 1
        conn.reads_body = True
        self._hand_over(conn)

    def _next_body(self) -> None:
        """Let a thread read another body: the one with the most bytes received.

        So fast clients go before slower ones.
        """
        waiting = [conn for conn in self._waiting if conn.head and not conn.closing]
        if waiting:
            self._hand_over_body(max(waiting, key=lambda conn: len(conn.received)))

    def _refuse(self, conn: Connection, answer: bytes) -> None:
        """Answer a request without a thread, and close its connection."""
        try:
            conn.sock.send(answer, socket.MSG_DONTWAIT)
        except OSError:
            self._drop(conn)
        else:
            self._linger(conn)

    def _closed(self, conn: Connection) -> None:
        """Close a connection that gunicorn no longer counts."""
        self.nr_conns += 1
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Close a connection once the client has, or after LINGER_SECONDS."""
        conn.closing = True
        conn.timeout = time.monotonic() + LINGER_SECONDS
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # already closed, or reset
            self._drop(conn)
        else:
            self._watch(conn)

    def _drop(self, conn: Connection) -> None:
        """Close a connection at once."""
        self._unwatch(conn)
        self._waiting.discard(conn)
        self.nr_conns -= 1
        conn.close()

    def _watch(self, conn: Connection) -> None:
        """Read again when more bytes arrive."""
        self._waiting.add(conn)
        if not conn.watched:
            conn.watched = True
            callback = partial(self._readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, callback)

    def _unwatch(self, conn: Connection) -> None:
        if conn.watched:
            conn.watched = False
            self.poller.unregister(conn.sock)
