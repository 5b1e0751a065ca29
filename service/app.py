"""The HTTP service: a thin layer of Flask over the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from flask import Flask

from index.archive import Archive
from index.errors import ServiceError
from index.settings import Settings
from service import admission, api, authority, problems
from service.context import EXTENSION, Context
from service.exchange import RawPath
from service.metrics import Metrics


def create_app(
    settings: Settings,
    archive: Archive | None = None,
    *,
    metrics_folder: str | None = None,
    threads: int = 8,
) -> Flask:
    """Return the service as a WSGI app.

    :param archive: what to search; by default the first request opens it.
    :param metrics_folder: where the worker processes of one server share their numbers.
    :param threads: of one process; at most half of them wait at a time.
    """
    app = Flask(__name__)
    # Ids in paths may hold //.
    app.url_map.merge_slashes = False
    # Whatever FLASK_DEBUG says: a mistake of ours is logged, never shown.
    app.debug = False
    # No form is read anywhere; one that would be must not cost memory.
    app.config.update(MAX_FORM_PARTS=0, MAX_FORM_MEMORY_SIZE=0)
    found = Context(settings, archive, Metrics(metrics_folder), threads=threads)
    app.extensions[EXTENSION] = found
    admission.register(app, found)
    api.register(app)
    authority.register(app, found)
    problems.register(app)
    app.wsgi_app = RawPath(app.wsgi_app)  # type: ignore[method-assign]
    return app


def bound_to(app: Flask, addresses: Iterable[str]) -> None:
    """Tell an app where its server listens, if it is not as the settings say."""
    found: Context = app.extensions[EXTENSION]
    found.bound_to(addresses)


def use_threads(app: Flask, threads: int) -> None:
    """Tell an app how many threads its server gives it."""
    found: Context = app.extensions[EXTENSION]
    found.use_threads(threads)
    found.measure()


def use_worker(app: Flask, alive: Callable[[], bool]) -> None:
    """Tell an app how to see that its server is about to end."""
    found: Context = app.extensions[EXTENSION]
    found.use_worker(alive)


def warm(app: Flask) -> None:
    """Open the store and the index now, so that the first request need not.

    If that cannot be done now, requests say so, each for itself.
    """
    found: Context = app.extensions[EXTENSION]
    with suppress(ServiceError):
        found.archive.state()
