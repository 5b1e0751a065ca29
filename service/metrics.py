"""Metrics for Prometheus: answered requests, and the state of store and index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from index.archive import ArchiveState, Condition

# Seconds. By default, a search may take 2 and a write with ?wait=1 may wait 10.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10)


class Metrics:
    """The counters of this process.

    :param folder: where Prometheus' client adds up the numbers of all worker processes;
        ``None`` for a single process.
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
        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.problems = Counter(
            "nutgraf_problems",
            "Requests answered with a problem, by its code",
            ("code",),
            registry=self._registry,
        )
        self.refused_writes = Counter(
            "nutgraf_refused_writes",
            "Refused writes by code; each article of a request counts",
            ("code",),
            registry=self._registry,
        )
        self.assets = Counter(
            "nutgraf_assets",
            "Media of pushed items that were received, and not kept",
            registry=self._registry,
        )
        self.asset_bytes = Counter(
            "nutgraf_asset_bytes", "Bytes of these media", registry=self._registry
        )
        self.cached_answers = Counter(
            "nutgraf_cached_answers",
            "Answers that were kept from the same request before",
            registry=self._registry,
        )
        # Summed over the workers that are alive.
        self.waiting = self._gauge(
            "nutgraf_waiting_requests", "Requests waiting for the index or for a change"
        )
        self._slots = self._gauge(
            "nutgraf_waiting_slots", "How many requests may wait at a time"
        )
        self._cache = self._gauge(
            "nutgraf_cache_bytes", "Size of what workers cache of earlier searches"
        )
        self._search_memory = self._gauge(
            "nutgraf_search_memory_bytes", "Memory that searches under way may take"
        )
        self._search_limit = self._gauge(
            "nutgraf_search_memory_limit_bytes",
            "Memory that all searches of the workers may take",
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        # Prometheus' client checks and joins the labels each time.
        answered = self._answered.get((method, route, status))
        if answered is None:
            answered = (
                self.requests.labels(method, route, str(status)),
                self.seconds.labels(method, route),
            )
            self._answered[method, route, status] = answered
        count, duration = answered
        count.inc()
        duration.observe(seconds)

    def measure(
        self,
        *,
        slots: int,
        cache_bytes: int = 0,
        search_bytes: int = 0,
        search_limit: int = 0,
    ) -> None:
        """Set the gauges of this worker."""
        self._slots.set(slots)
        self._cache.set(cache_bytes)
        self._search_memory.set(search_bytes)
        self._search_limit.set(search_limit)

    def exposition(
        self,
        state: ArchiveState,
        condition: Condition,
        connections: Mapping[int, int],
    ) -> bytes:
        """All metrics in Prometheus' text format.

        :param connections: open connections of each worker, by its number.
        """
        requests = self._registry
        if self._folder is not None:
            requests = CollectorRegistry()
            MultiProcessCollector(requests, path=self._folder)  # type: ignore[no-untyped-call]
        archive = CollectorRegistry()
        archive.register(_ArchiveCollector(state, condition, connections))
        return generate_latest(requests) + generate_latest(archive)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, multiprocess_mode="livesum", registry=self._registry)


class _ArchiveCollector(Collector):
    """Numbers of store, index and machine, which are the same in every worker."""

    def __init__(
        self,
        state: ArchiveState,
        condition: Condition,
        connections: Mapping[int, int],
    ) -> None:
        self._state, self._condition = state, condition
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        state, condition = self._state, self._condition
        for name, about, value in (
            ("nutgraf_ready", "Whether /readyz says yes", not condition.problems),
            ("nutgraf_store_seq", "Newest accepted change", condition.store_seq),
            (
                "nutgraf_index_seq",
                "Newest indexed change",
                condition.index_seq,
            ),
            ("nutgraf_index_behind", "Changes not indexed yet", condition.behind),
            (
                "nutgraf_index_behind_seconds",
                "How long the oldest change that is not indexed has waited",
                condition.behind_seconds,
            ),
            ("nutgraf_articles", "Articles in the store", state.articles),
            ("nutgraf_versions", "Versions in the store", state.versions),
            ("nutgraf_store_bytes", "Size of the store", state.store_bytes),
            (
                "nutgraf_indexed_articles",
                "Articles in the index",
                state.indexed_articles,
            ),
            (
                "nutgraf_indexed_paragraphs",
                "Paragraphs in the index",
                state.indexed_paragraphs,
            ),
            ("nutgraf_segments", "Segments of the index", state.segments),
            ("nutgraf_index_bytes", "Size of the index", state.index_bytes),
            (
                "nutgraf_indexer_running",
                "Whether an indexer process is running",
                condition.indexer_running,
            ),
            (
                "nutgraf_set_aside_articles",
                "Articles that cannot be indexed",
                len(condition.set_aside),
            ),
            (
                "nutgraf_rebuild_running",
                "Whether the index is being rebuilt",
                state.progress is not None,
            ),
        ):
            yield GaugeMetricFamily(name, about, float(value))
        yield CounterMetricFamily(
            "nutgraf_rebuilds_requested",
            "Rebuilds requested by a command, a restore, a purge or a damaged index",
            state.rebuilds_requested,
        )
        yield CounterMetricFamily(
            "nutgraf_rebuilds_finished",
            "Newest requested rebuild that is finished",
            state.rebuilds_finished,
        )
        free = GaugeMetricFamily(
            "nutgraf_disk_free_bytes", "Free disk space", labels=("of",)
        )
        for folder, free_bytes in condition.free.items():
            free.add_metric((folder,), free_bytes)
        yield free
        connections = GaugeMetricFamily(
            "nutgraf_open_connections", "Open connections", labels=("worker",)
        )
        for number, amount in self._connections.items():
            connections.add_metric((str(number),), amount)
        yield connections
