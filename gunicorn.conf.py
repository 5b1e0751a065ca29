"""Settings of gunicorn for ``wsgi:app``; its variables and options override them."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import socket
import struct
import tempfile
from contextlib import suppress
from typing import Any

# Folder with the files in which the workers add up their metrics. Prometheus' client
# reads the variable on import, so it is set above the imports.
_METRICS = "nutgraf-metrics-"
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=_METRICS)

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # noqa: E402
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

from index.engines import open_engine  # noqa: E402
from index.errors import InvalidValue, ServiceError  # noqa: E402
from index.settings import Settings  # noqa: E402
from index.store import Store  # noqa: E402
from service import bound_to, start_upkeep, use_threads, use_worker, warm  # noqa: E402
from service.connections import Connections  # noqa: E402
from service.hosts import is_loopback  # noqa: E402
from service.logs import configuration, start_writer  # noqa: E402
from service.receiving import SILENCE_SECONDS  # noqa: E402

try:
    _settings = Settings.from_environ(os.environ)
except InvalidValue as error:
    raise SystemExit(f"nutgraf: {error}") from error

bind = _settings.bind
worker_class = "service.worker.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
# Workers share the memory of the code. Each opens the archive itself, after the fork.
preload_app = True

# A threaded worker is killed if its main loop hangs, not for a slow request: searches
# have their own deadline. graceful_timeout is longer than the longest ?wait=1.
timeout = 30
graceful_timeout = 15
keepalive = 5

# The highest limit that gunicorn has: an id of 400 characters may be 4,800 bytes when
# escaped. A q that is too long for it goes into the body of POST /v1/search.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# Otherwise gunicorn believes a header SCRIPT_NAME, which any caller on its machine can
# send, about the path where the app is mounted.
forwarder_headers = ""

# Gunicorn's control socket is in the home folder, the same one for all instances.
control_socket_disable = True

# The service itself writes one line of JSON for each request.
accesslog = None
logconfig_dict = configuration()


class _Log(Logger):
    """gunicorn's log without its access log, which it composes even if none is kept."""

    def access(self, *request: Any) -> None:
        """Log nothing."""


logger_class = _Log


def on_starting(server: Any) -> None:
    """Refuse to listen for other machines as long as no key was ever created."""
    public = [address for address in server.cfg.bind if not is_loopback(address)]
    try:
        store = Store.open(_settings.store)
        has_keys = store.keys.ever()
        # Workers must not inherit its connections when they are forked.
        store.close()
    except (InvalidValue, ServiceError) as error:
        if public:
            raise SystemExit(
                f"nutgraf: will not bind to {public[0]}: cannot find out whether"
                f" there are keys: {error}"
            ) from error
        server.log.error("the store cannot be opened: %s", error)
        return
    if has_keys:
        return
    if public:
        raise SystemExit(
            f"nutgraf: will not bind to {public[0]}: no key was ever created, so"
            " anybody who reaches the service could read and write everything; create"
            " one (nutgraf keys add NAME --scope search), or bind to 127.0.0.1"
            " (NUTGRAF_BIND=127.0.0.1:8000)"
        )
    server.log.warning(
        "no key was ever made: callers on this machine need none and may do"
        " everything; others cannot reach the service"
    )


_M_ARENA_MAX = -8  # of mallopt(3)


def when_ready(server: Any) -> None:
    """Share as much memory as possible between the workers.

    Modules imported before the fork are shared. Garbage collection in a worker would
    write to all of their memory and so copy it; freezing prevents that. With glibc's
    default each thread has its own heap and never returns the memory of its largest
    arrays. The threads of a worker take turns anyway, so one heap serves them all.
    """
    with suppress(AttributeError, OSError):  # not glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    for listener in server.LISTENERS:
        # Accepted sockets inherit it; gunicorn has no setting for it.
        limit = struct.pack("ll", SILENCE_SECONDS, 0)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    try:
        open_engine(_settings.engine).close()  # imports what the engine needs
    except ServiceError as error:
        raise SystemExit(f"nutgraf: {error}") from error
    gc.collect()
    gc.freeze()


def _address(listener: Any) -> str:
    """Address of a listening socket, as ``HOST:PORT`` or ``unix:FILE``."""
    name = listener.getsockname()
    if not isinstance(name, tuple):
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


# Shared by the workers that are forked with these settings, until the next reload.
_connections = Connections()


def pre_fork(server: Any, worker: Any) -> None:
    """Let a worker share the connections with the others."""
    worker.share = _connections.join()


def post_fork(server: Any, worker: Any) -> None:
    """Let a worker write its log in a thread of its own."""
    start_writer()


def post_worker_init(worker: Any) -> None:
    """Give the app its addresses, threads and worker, and open the index."""
    # The real addresses, not those of the settings: systemd may pass the sockets.
    bound_to(worker.wsgi, [_address(each) for each in worker.sockets])
    use_threads(worker.wsgi, worker.cfg.threads)
    use_worker(worker.wsgi, lambda: bool(worker.alive), worker.share.open_by_worker)
    warm(worker.wsgi)
    start_upkeep(worker.wsgi)


def child_exit(server: Any, worker: Any) -> None:
    """Remove the connections and gauges of a worker that has ended."""
    worker.share.leave()
    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Remove the folder of metrics if it was made here."""
    folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    if _METRICS in folder:
        shutil.rmtree(folder, ignore_errors=True)
