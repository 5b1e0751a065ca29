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
- A thread stays with its connection for a moment after an answer: a client that sends
  one request after the other is served without the loop.

A new connection is left to the worker that has the fewest open.
"""

from __future__ import annotations

import errno
import resource
import select
import selectors
import socket
import time
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    STOP_KEEPALIVE_LINGER,
    ThreadWorker,
)

from index.errors import NutgrafError
from service.connections import Connections, Share
from service.exchange import write_json
from service.problems import MEDIA_TYPE, problem_of
from service.receiving import PIECE, REQUEST_SECONDS, ROOM, Connection
from service.refusals import HeadTooLarge, RequestTimeout
from service.sending import WholeResponse
from service.threads import Threads

# RFC 9112, 9.6: if a connection is closed while bytes are unread, TCP resets it and the
# client may lose the answer.
LINGER_SECONDS = 2.0
# How long a thread stays with a connection after an answer. A client that sends one
# request after the other sends the next one by then.
STAY_SECONDS = 0.01

_LOOK_SECONDS = 0.001  # between two looks whether another worker took a connection
_CHECK_SECONDS = 0.5  # between two checks for clients whose time is over


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


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, with a loop that receives requests without blocking.

    The overridden methods run in that loop, as in gunicorn, but for ``handle_request``.
    Either the loop or one thread has a connection; the other does not touch it then.

    :ivar share: its row in the table of connections; before the fork, it may be given
        one in a table that the workers of a server share.
    """

    alive: bool

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

    def get_thread_pool(self) -> Threads[Connection]:
        """Make the threads, under gunicorn's name for it."""
        return Threads(self.cfg.threads, self._serve)

    def run(self) -> None:
        """Serve until the worker is to end, however it ends."""
        try:
            super().run()
        finally:
            self.tpool.shutdown()  # threads that wait would keep the process

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
        self._read(Connection(self.cfg, sock, client, server))

    def enqueue_req(self, conn: Connection) -> None:
        """Read the next request of a connection that was answered before."""
        conn.timeout = time.monotonic() + REQUEST_SECONDS
        conn.take(conn.parser.unreader.take_buffered())
        self._read(conn)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer a request in a thread; whether its connection may be kept open.

        As gunicorn does it, without the times and the hooks that nothing here uses.
        """
        answer, environ = wsgi.create(
            req, conn.sock, conn.client, conn.server, self.cfg, WholeResponse
        )
        environ["wsgi.multithread"] = True
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        if (
            not (self.alive and self.cfg.keepalive)
            or len(self.keepalived_conns) >= self.max_keepalived
        ):
            answer.force_close()
        try:
            pieces = self.wsgi(environ, answer.start_response)
            try:
                if isinstance(pieces, wsgi.FileWrapper):
                    answer.write_file(pieces)
                else:
                    for piece in pieces:
                        answer.write(piece)
                answer.close()
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except OSError:
            raise
        except Exception:
            if not answer.headers_sent:
                raise  # gunicorn answers
            self.log.exception("Error handling request")
            return False
        return not answer.should_close()

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
                piece = conn.sock.recv(PIECE, socket.MSG_DONTWAIT)
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
        self.tpool.submit(conn)

    def _serve(self, conn: Connection) -> None:
        """Answer requests of a connection, in a thread."""
        stays = False
        try:
            stays = self.handle(conn)
            while stays and self._may_stay(conn) and conn.next_comes(STAY_SECONDS):
                stays = self.handle(conn)
        finally:
            self.method_queue.defer(self._served, conn, stays)

    def _may_stay(self, conn: Connection) -> bool:
        """Whether a thread may wait for the next request of a connection.

        Half of the threads stay free for others.
        """
        has_next = conn.parser.unreader.buf.getvalue()
        return (
            self.alive
            and self.tpool.has_half_free()
            and not (conn.reads_body or has_next)
        )

    def _served(self, conn: Connection, stays: bool) -> None:
        """Keep or close a connection that a thread has left."""
        self.tpool.done()
        if conn.reads_body:
            conn.reads_body = False
            self._bodies += 1
            self._next_body()
        if not stays:
            self._linger(conn)
        elif conn.received:
            self._read(conn)
        elif conn.parser.unreader.buf.getvalue():
            self.enqueue_req(conn)
        else:
            conn.set_timeout()
            if not self.alive:
                limit = time.monotonic() + STOP_KEEPALIVE_LINGER
                conn.timeout = min(conn.timeout, limit)
            self.keepalived_conns.append(conn)
            callback = partial(self.on_client_socket_readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, callback)

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
