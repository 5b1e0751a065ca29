"""Numbers for Prometheus: requests as they are answered, the index as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from index.archive import ArchiveState

# Seconds; a search has 2 by default, a waiting write 10.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10)


class Metrics:
    """The counters of this process.

    :param folder: where the worker processes of one server add their numbers up, the
        one that Prometheus' client writes to; ``None`` for a single process.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "nutgraf_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "nutgraf_request_seconds",
            "Time from a request to its answer",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    def exposition(self, state: Callable[[], ArchiveState]) -> bytes:
        """Return all numbers in Prometheus' text format."""
        shown = self._registry
        if self._folder is not None:
            shown = CollectorRegistry()
            MultiProcessCollector(shown, path=self._folder)  # type: ignore[no-untyped-call]
        here = CollectorRegistry()
        here.register(_ArchiveCollector(state))
        return generate_latest(shown) + generate_latest(here)


class _ArchiveCollector(Collector):
    def __init__(self, state: Callable[[], ArchiveState]) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        state = self._state()
        for name, about, value in (
            ("nutgraf_store_seq", "Newest accepted change", state.store_seq),
            ("nutgraf_index_seq", "Newest change that can be found", state.index_seq),
            ("nutgraf_index_behind", "Changes not indexed yet", state.behind),
            ("nutgraf_articles", "Articles in the store", state.articles),
            (
                "nutgraf_indexed_paragraphs",
                "Paragraphs in the index",
                state.indexed_paragraphs,
            ),
            ("nutgraf_index_bytes", "Size of the index", state.index_bytes),
            (
                "nutgraf_indexer_running",
                "Whether an indexer process is at work",
                float(state.indexer_running),
            ),
        ):
            yield GaugeMetricFamily(name, about, value)
