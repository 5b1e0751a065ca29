"""How gunicorn serves ``wsgi:app``; its own variables and options go above this."""

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

# Prometheus' client looks for this when it is imported, so it stands above the imports:
# in files there the workers add their numbers up.
_METRICS = "nutgraf-metrics-"
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=_METRICS)

from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

from index.engines import open_engine  # noqa: E402
from index.errors import InvalidValue, ServiceError  # noqa: E402
from index.settings import Settings  # noqa: E402
from index.store import Store  # noqa: E402
from service import bound_to, use_threads, use_worker, warm  # noqa: E402
from service.hosts import is_loopback  # noqa: E402
from service.logs import configuration  # noqa: E402
from service.worker import SILENCE_SECONDS  # noqa: E402

try:
    _settings = Settings.from_environ(os.environ)
except InvalidValue as error:
    raise SystemExit(f"nutgraf: {error}") from error

bind = _settings.bind
worker_class = "service.worker.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
# Workers share the memory of the code; each opens the archive itself, after the fork.
preload_app = True

# A thread worker is killed when its main loop hangs, not by a slow request: searches
# have their own deadline. The graceful time covers the longest ?wait=1.
timeout = 30
graceful_timeout = 15
keepalive = 5

# The longest that gunicorn can limit a line to: an id of 400 characters may be 4,800
# bytes escaped. A longer q than fits goes into the body of POST /v1/search.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# Gunicorn would take a header SCRIPT_NAME, which any caller on its machine can send,
# for the place where the app is mounted.
forwarder_headers = ""

# Gunicorn's control socket would lie in the home folder, the same for all instances.
control_socket_disable = True

# One line of JSON a request is written by the service itself.
accesslog = None
logconfig_dict = configuration()


def on_starting(server: Any) -> None:
    """Refuse to be reachable from other machines as long as no key was ever made."""
    elsewhere = [each for each in server.cfg.bind if not is_loopback(each)]
    try:
        store = Store.open(_settings.store)
        ever = store.keys.ever()
        # Its connections must not be there when the workers are forked.
        store.close()
    except (InvalidValue, ServiceError) as error:
        if elsewhere:
            raise SystemExit(
                f"nutgraf: will not bind to {elsewhere[0]}, as it is unknown"
                f" whether there are keys: {error}"
            ) from error
        server.log.error("the store cannot be opened: %s", error)
        return
    if ever:
        return
    if elsewhere:
        raise SystemExit(
            f"nutgraf: will not bind to {elsewhere[0]}: no key was ever made, so"
            " whoever reaches the service could read and write everything; make one"
            " (nutgraf keys add NAME --scope search), or bind to 127.0.0.1"
            " (NUTGRAF_BIND=127.0.0.1:8000)"
        )
    server.log.warning(
        "no key was ever made: callers on this machine need none and may do"
        " everything; others cannot reach the service"
    )


_M_ARENA_MAX = -8  # of mallopt(3)


def when_ready(server: Any) -> None:
    """Leave as little as possible for each worker to have for itself.

    What is imported before the fork is shared; collecting garbage in a worker would
    write into all of it, and make it the worker's own. The GNU C library gives each
    thread a heap, and each would keep the room of its largest arrays; the threads of a
    worker take turns anyway, so one heap serves them all.
    """
    with suppress(AttributeError, OSError):  # other C libraries have no such thing
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    for listener in server.LISTENERS:
        # What is accepted there inherits it; gunicorn has no setting of its own.
        limit = struct.pack("ll", SILENCE_SECONDS, 0)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    try:
        open_engine(_settings.engine).close()  # imports what the engine needs
    except ServiceError as error:
        raise SystemExit(f"nutgraf: {error}") from error
    gc.collect()
    gc.freeze()


def _address(listener: Any) -> str:
    """Return where a socket listens, as ``HOST:PORT`` or ``unix:FILE``."""
    name = listener.getsockname()
    if not isinstance(name, tuple):
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def post_worker_init(worker: Any) -> None:
    """Tell the app where it listens and how many threads it has; open the index."""
    # Not what was asked for: systemd may have handed the sockets over.
    bound_to(worker.wsgi, [_address(each) for each in worker.sockets])
    use_threads(worker.wsgi, worker.cfg.threads)
    use_worker(worker.wsgi, lambda: bool(worker.alive))
    warm(worker.wsgi)


def child_exit(server: Any, worker: Any) -> None:
    """Let go of the numbers that only a living worker has."""
    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Remove the folder of numbers if it was made here."""
    folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    if _METRICS in folder:
        shutil.rmtree(folder, ignore_errors=True)
