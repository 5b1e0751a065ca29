"""The HTTP service: a thin layer of Flask over the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from flask import Flask

from index.archive import Archive
from index.errors import ServiceError
from index.settings import Settings
from service import admission, api, authority, pages, problems
from service.context import EXTENSION, Context, context_of
from service.exchange import Forwarded, RawPath
from service.metrics import Metrics


class App(Flask):
    """A Flask app without coroutines: it looks for none among views and hooks."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def create_app(
    settings: Settings,
    archive: Archive | None = None,
    *,
    metrics_folder: str | None = None,
    threads: int = 8,
) -> Flask:
    """Make the service as a WSGI app.

    :param archive: the archive to search; by default the first request opens it.
    :param metrics_folder: where the worker processes of one server share their metrics.
    :param threads: threads of one process; at most half of them may wait at a time.
    """
    app = App(__name__)
    # Ids in paths may hold //.
    app.url_map.merge_slashes = False
    # Whatever FLASK_DEBUG says: our own mistakes are logged, never shown.
    app.debug = False
    # No route reads a form; one that is sent must not cost memory.
    app.config.update(MAX_FORM_PARTS=0, MAX_FORM_MEMORY_SIZE=0)
    ctx = Context(settings, archive, Metrics(metrics_folder), threads=threads)
    app.extensions[EXTENSION] = ctx
    admission.register(app, ctx)
    api.register(app)
    pages.register(app)
    authority.register(app, ctx)
    problems.register(app)
    app.wsgi_app = RawPath(Forwarded(app.wsgi_app, settings.proxies))  # type: ignore[method-assign]
    return app


def bound_to(app: Flask, addresses: Iterable[str]) -> None:
    """Set the addresses an app's server listens on, if not those of the settings."""
    context_of(app).bound_to(addresses)


def use_threads(app: Flask, threads: int) -> None:
    """Set the number of threads that an app's server gives it."""
    ctx = context_of(app)
    ctx.use_threads(threads)
    ctx.measure()


def use_worker(
    app: Flask,
    alive: Callable[[], bool],
    connections: Callable[[], Mapping[int, int]] = dict,
) -> None:
    """Give an app the worker of a server that runs it.

    :param alive: whether the server keeps running.
    :param connections: open connections of all workers, by their numbers.
    """
    context_of(app).use_worker(alive, connections)


def compile_templates(app: Flask) -> None:
    """Compile the templates now, not for the first page."""
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)


def warm(app: Flask) -> None:
    """Open store and index now, not for the first request.

    If they cannot be opened, each request answers with the error.
    """
    with suppress(ServiceError):
        context_of(app).archive.state()
