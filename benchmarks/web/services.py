"""Contestants that the benchmark starts: Nutgraf, Flask with tantivy, a bare answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.data import TimedSearch
from benchmarks.measuring import Server, WebRequest, nutgraf_server, peer_server
from benchmarks.peers import stored_tantivy
from benchmarks.web.contestant import Hits
from benchmarks.workplace import Workplace

OURS, FLASK_TANTIVY, BARE = "Nutgraf", "Flask + tantivy", "bare"


class Nutgraf:
    """Our own service, with its own gunicorn.conf.py and its default answer."""

    name = OURS

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace

    def prepare(self) -> None:
        """Load the store and bring the index up to date."""
        self._workplace.engine().close()

    def serving(self) -> AbstractContextManager[Server]:
        """The service, running for the length of a block."""
        return nutgraf_server(self._workplace.variables)

    def request(self, search: TimedSearch, hits: Hits) -> WebRequest:
        """The request for a search."""
        pairs = search.parameters()
        if hits is Hits.PARAGRAPHS:
            pairs += [("unit", "paragraph"), ("scope", "paragraph")]
        return WebRequest(path=f"/v1/search?{urlencode(pairs)}")

    def total(self, answer: Any, hits: Hits) -> int:
        """Number of articles or paragraphs."""
        total: int = answer["total"][hits.value]
        return total


class FlaskTantivy:
    """The service of :mod:`benchmarks.peers.flask_tantivy`, under our settings."""

    name = FLASK_TANTIVY

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._folder = workplace.folder / "flask-tantivy"

    def prepare(self) -> None:
        """Build an index of articles and one of paragraphs."""
        for hits in Hits:
            folder = self._folder_of(hits)
            if not self._workplace.is_built(folder):
                peer = stored_tantivy(folder, whole_articles=hits is Hits.ARTICLES)
                self._workplace.build_peer(peer, folder)

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """The service, running for the length of a block."""
        variables = {"TANTIVY_FOLDER": str(self._folder)}
        with peer_server("benchmarks.peers.flask_tantivy:app", variables) as server:
            yield server

    def request(self, search: TimedSearch, hits: Hits) -> WebRequest:
        """The request for a search."""
        return WebRequest(path=f"/{hits.value}?{urlencode(search.parameters())}")

    def total(self, answer: Any, hits: Hits) -> int:
        """Number of documents."""
        total: int = answer["total"]
        return total

    def _folder_of(self, hits: Hits) -> Path:
        return self._folder / hits.value


class Bare:
    """A WSGI application that answers ``ok``: the cost of gunicorn alone."""

    name = BARE

    def prepare(self) -> None:
        """Nothing to do."""

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """The application, running for the length of a block."""
        with peer_server("benchmarks.measuring.bare:app", {}) as server:
            yield server

    def request(self, search: TimedSearch, hits: Hits) -> WebRequest:
        """The same request for every search."""
        return WebRequest(path="/")

    def total(self, answer: Any, hits: Hits) -> int:
        """It finds nothing."""
        return 0
