"""The gunicorn worker: a thread for each request that has come, none for who is slow.

gunicorn's own threaded worker gives a connection to a thread when it is accepted, and
the thread waits for the request; closing one waits in the loop that accepts the others.
Here that loop takes in what clients send, without waiting for any of them:

- A request gets a thread when it is whole. As long as a client sends nothing, or a head
  byte by byte, it occupies none.
- A body that is not there yet, or is longer than the loop keeps, is read by a thread,
  but never by more than a quarter of them: requests without one are always answered.
- Who is too slow is told so, and given up.
- A connection is closed in steps, between which the others are served.
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
from service.exchange import write_json
from service.problems import MEDIA_TYPE, problem_of
from service.refusals import HeadTooLarge, RequestTimeout

# From the first byte of a request to its last. A head is sent in one piece; ten seconds
# are enough for one that is lost and sent again several times on its way.
REQUEST_SECONDS = 10.0
# A body may take longer, as long as it comes at this rate: 0.5 Mbit/s is less than any
# newsroom has, and a thousand times what somebody sends with who means to be slow.
BYTES_PER_SECOND = 64 * 1024
# How long a client may send or take nothing: before its first request, and while a
# thread waits for it to take its answer.
SILENCE_SECONDS = 5
# What the loop keeps of one request. Heads are below 10 kB, and so are most bodies.
ROOM = 64 * 1024
# RFC 9112, 9.6: closed at once, a connection on which something was not read yet is
# reset, and the answer may be lost with it.
LINGER_SECONDS = 2.0

_PIECE = 16 * 1024
_LOOK_SECONDS = 0.5  # between two looks at whose time is over
_END_OF_HEAD = b"\r\n\r\n"
# How long the body is to be; anything but a plain number leaves that open.
_LENGTH = re.compile(
    rb"\r\n(?:content-length|transfer-encoding):[ \t]*(?:(\d{1,9})[ \t]*(?=\r\n))?",
    re.IGNORECASE,
)


def _answer(error: NutgrafError) -> bytes:
    """Return the whole answer that refuses a request of which nothing is known."""
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
    """What a thread reads of a request: what the loop has of it, then the connection.

    :ivar deadline: when the request must be whole, on the monotonic clock.
    """

    deadline = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes, ``b""`` at the end.

        What has come is given also after the deadline: it was we who were late.

        :raises TimeoutError: they do not come in time.
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
    """A client's connection, and what has come of its next request.

    :param linger: what closes it without waiting for the client.
    :ivar timeout: when the client's time is over, on the monotonic clock.
    :ivar received: what no thread has been given yet.
    :ivar head: the length of the request's head, 0 as long as it is not there.
    :ivar watched: whether the loop is told when more comes.
    :ivar reads_body: whether a thread has it that may wait for the rest of a body.
    :ivar closing: whether nothing is awaited any more but the client's closing.
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
        self.data_ready = True  # when a thread gets it
        self.timeout = time.monotonic() + SILENCE_SECONDS
        self.received = bytearray()
        self.head = 0
        self.watched = self.reads_body = self.closing = False
        self._linger = linger

    def take(self, piece: bytes) -> None:
        """Take in what has come."""
        start = max(0, len(self.received) - len(_END_OF_HEAD) + 1)
        self.received += piece
        if not self.head:
            end = self.received.find(_END_OF_HEAD, start)
            self.head = end + len(_END_OF_HEAD) if end >= 0 else 0

    def is_whole(self) -> bool:
        """Return whether a thread needs nothing more to answer, or to refuse it."""
        if not self.head:
            # A line that ends otherwise than it must is refused as it is.
            return self.received.count(b"\n") != self.received.count(b"\r\n")
        found = _LENGTH.search(self.received, 0, self.head)
        if found is None:
            return True
        length = found[1]
        return length is not None and len(self.received) >= self.head + int(length)

    def needs_more(self) -> bool:
        """Return whether what was received is not enough to go on with.

        Who sends requests without awaiting the answers would fill our memory with them.
        """
        if self.closing:
            return True
        return len(self.received) < ROOM and not self.is_whole()

    def hand_over(self) -> None:
        """Let whoever reads the request next begin with what was received."""
        self.parser.unreader.unread(bytes(self.received))
        self.parser.unreader.deadline = self.timeout
        self.received.clear()
        self.head = 0

    def close(self, graceful: bool = False) -> None:
        """Close it, at once or when the client has taken its answer."""
        if graceful:
            self._linger(self)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, whose loop takes requests in and waits for nobody.

    What is overridden runs in that loop, as in gunicorn, and no other thread touches a
    connection that a thread has not been given.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A worker that can open no file any more ends. Half are left for the index, the
        # store and the log; who finds no room waits until another is closed.
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            self.worker_connections = min(self.cfg.worker_connections, files // 2)
        # Idle ones never take the room of those whose requests threads could answer.
        self.max_keepalived = max(1, self.worker_connections - self.cfg.threads)
        # Those that no thread has, except idle ones, which gunicorn keeps.
        self._waiting: set[Connection] = set()
        self._bodies = max(1, self.cfg.threads // 4)  # threads that may wait for one
        self._next_look = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what the loop cannot read.

        :raises RuntimeError: which gunicorn shows without a traceback.
        """
        if cfg.is_ssl or cfg.protocol != "http" or cfg.http_protocols != ["h1"]:
            raise RuntimeError(
                "nutgraf speaks plain HTTP/1.1; a proxy in front has TLS and HTTP/2,"
                " such as deploy/nginx.conf"
            )
        super().check_config(cfg, log)

    def accept(self, listener: Any) -> None:
        """Take in a new connection, and the request that it may have brought along."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        server = listener.getsockname()
        self._read(Connection(self.cfg, sock, client, server, self._closed))

    def enqueue_req(self, conn: Connection) -> None:
        """Take in the next request of a connection that has answered one before."""
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
        """Give up those whose time is over."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        for conn in [each for each in self._waiting if each.timeout <= now]:
            if conn.closing or not conn.received:
                self._drop(conn)
            else:
                self._refuse(conn, TOO_SLOW)

    def _cap_keepalive(self, deadline: float) -> None:
        """Do not wait longer for a first request, either, when the worker ends."""
        super()._cap_keepalive(deadline)
        for conn in self._waiting:
            if not conn.received:
                conn.timeout = min(conn.timeout, deadline)

    def _readable(self, conn: Connection, _: Any) -> None:
        # Another event of the same turn may have had it handed over, or closed.
        if conn.watched:
            self._read(conn)

    def _read(self, conn: Connection) -> None:
        """Take in what has come, and hand the request over if that is all of it."""
        piece = None
        try:
            if conn.needs_more():
                piece = conn.sock.recv(_PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except OSError:  # there is nobody to answer
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
            self._unwatch(conn)  # the rest can wait on its way
            self._waiting.add(conn)
        else:
            self._refuse(conn, TOO_LARGE)

    def _hand_over(self, conn: Connection) -> None:
        """Give a request to the next thread that is free."""
        self._unwatch(conn)
        self._waiting.discard(conn)
        conn.hand_over()
        super().enqueue_req(conn)

    def _hand_over_body(self, conn: Connection) -> None:
        self._bodies -= 1
        conn.reads_body = True
        self._hand_over(conn)

    def _next_body(self) -> None:
        """Let a thread read another body, first that of which most has come.

        So who sends as fast as we read goes before who does not.
        """
        heads = [each for each in self._waiting if each.head and not each.closing]
        if heads:
            self._hand_over_body(max(heads, key=lambda conn: len(conn.received)))

    def _refuse(self, conn: Connection, answer: bytes) -> None:
        """Answer a request that no thread gets, and close its connection."""
        try:
            conn.sock.send(answer, socket.MSG_DONTWAIT)
        except OSError:
            self._drop(conn)
        else:
            self._linger(conn)

    def _closed(self, conn: Connection) -> None:
        """Close a connection that gunicorn counts no more."""
        self.nr_conns += 1
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Close a connection as soon as the client has, or after some seconds."""
        conn.closing = True
        conn.timeout = time.monotonic() + LINGER_SECONDS
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # it is closed, or was reset
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
        """Read on when more comes."""
        self._waiting.add(conn)
        if not conn.watched:
            conn.watched = True
            told = partial(self._readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, told)

    def _unwatch(self, conn: Connection) -> None:
        if conn.watched:
            conn.watched = False
            self.poller.unregister(conn.sock)
