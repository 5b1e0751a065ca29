"""The smallest answer of a WSGI application, and gunicorn's settings to serve it.

``gunicorn -c python:benchmarks.measuring.bare benchmarks.measuring.bare:app`` shows the
cost of a request before Nutgraf does anything. The settings are those of
gunicorn.conf.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from service.connections import Connections

worker_class = "service.worker.Worker"
workers = 2
threads = 8
preload_app = True
timeout = 30
keepalive = 5
control_socket_disable = True
accesslog = None

_connections = Connections()


def pre_fork(server: Any, worker: Any) -> None:
    """Let a worker share the connections with the others, as Nutgraf's do."""
    worker.share = _connections.join()


def child_exit(server: Any, worker: Any) -> None:
    """Take the worker's connections off the count."""
    worker.share.leave()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer ``ok``."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return (b"ok",)
