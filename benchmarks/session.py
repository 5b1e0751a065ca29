"""The session of a run: measurements that several lines share, each made once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.data import TimedSearch, draw_distinct
from benchmarks.measuring import (
    FLOOR_MS,
    Failed,
    Times,
    alternated,
)
from benchmarks.peers import Peer, Unsupported, has_tantivy, tantivy_peer
from benchmarks.web import (
    Bare,
    Contestant,
    FlaskTantivy,
    Nutgraf,
    OpenSearch,
    WebComparison,
    WebEffort,
    compare,
    search_sets,
)
from benchmarks.workplace import Announce, Built, Workplace
from index.engines import Engine, Snapshot, open_engine

OURS, TANTIVY, ARTICLES = "ours", "tantivy", "tantivy, articles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """The time to spend on measurements.

    :param search_seconds: for one comparison of the whole workload.
    :param builds: number of builds by each side; fewer after ``build_seconds``.
    :param openings: number of new processes.
    """

    search_seconds: float = 120.0
    builds: int = 3
    build_seconds: float = 300.0
    openings: int = 5
    writes: int = 40
    web: WebEffort = field(default_factory=WebEffort)


QUICK = Effort(
    search_seconds=1.0,
    builds=1,
    openings=2,
    writes=5,
    web=WebEffort(
        rounds=1, searches=1, nothing=4, warm_up_passes=1, warm_up_seconds=0.0
    ),
)


class Session:
    """One run: its workplace, its effort, and the measurements that lines share.

    :param collections: folder of test collections.
    :param opensearch: port of an OpenSearch node on this machine.
    :param engine: URL of another engine of ours to measure.
    """

    def __init__(
        self,
        workplace: Workplace,
        *,
        effort: Effort,
        collections: Path | None = None,
        opensearch: int | None = None,
        engine: str | None = None,
        announce: Announce = lambda text: None,
    ) -> None:
        self.workplace, self.effort = workplace, effort
        self.collections, self.opensearch = collections, opensearch
        self._engine = engine
        self.announce = announce
        self._open = ExitStack()

    def close(self) -> None:
        """Close everything that was opened."""
        self._open.close()

    @cached_property
    def snapshot(self) -> Snapshot:
        """Our index, open in this process."""
        engine = self.workplace.engine()
        self._open.callback(engine.close)
        return engine.snapshot()

    def build_other(self) -> Built:
        """Build the index of the other engine from the store."""
        with closing(self._open_other()) as engine:
            return self.workplace.build_with(engine)

    @cached_property
    def other(self) -> Snapshot:
        """The index of the other engine, built if it is not that of the store."""
        engine = self._open_other()
        self._open.callback(engine.close)
        self.workplace.bring_up_to_date(engine)
        return engine.snapshot()

    @cached_property
    def other_searches(self) -> list[tuple[TimedSearch, Times]]:
        """The workload in the other engine."""
        return self.compared(self.workplace.workload.scored, self.other, {})

    def _open_other(self) -> Engine:
        if self._engine is None:
            raise Failed("name the engine with --engine")
        return open_engine(self._engine)

    def tantivy(self, *, whole_articles: bool = False) -> tuple[Peer, Path]:
        """tantivy, not yet opened, and its folder."""
        folder = self.workplace.folder / (
            "tantivy-articles" if whole_articles else "tantivy"
        )
        return tantivy_peer(folder, whole_articles=whole_articles), folder

    def opened(self, peer: Peer, folder: Path) -> Peer:
        """Open a peer until the session is closed; build its index if there is none."""
        if not self.workplace.is_built(folder):
            self.workplace.build_peer(peer, folder)
        peer.open()
        self._open.callback(peer.close)
        return peer

    @cached_property
    def builds(self) -> dict[str, list[Built]]:
        """Our builds from the store and tantivy's, alternated."""
        builds: dict[str, list[Built]] = {OURS: [], TANTIVY: []}
        peer, folder = self.tantivy()
        start = time.monotonic()
        for _ in range(self.effort.builds):
            builds[OURS].append(self.workplace.build_ours())
            builds[TANTIVY].append(self.workplace.build_peer(peer, folder))
            if time.monotonic() - start > self.effort.build_seconds:
                break
        return builds

    @cached_property
    def searches(self) -> list[tuple[TimedSearch, Times]]:
        """The workload in our engine and both tantivys, alternated; with fuzzy ones."""
        tantivy = self.opened(*self.tantivy())
        articles = self.opened(*self.tantivy(whole_articles=True))
        self.announce("search, compared with tantivy")
        return self.compared(
            self.workplace.workload.searches,
            self.snapshot,
            {TANTIVY: tantivy, ARTICLES: articles},
            floor_ms=FLOOR_MS,
        )

    def compared(
        self,
        searches: Sequence[TimedSearch],
        snapshot: Snapshot,
        peers: Mapping[str, Peer],
        *,
        floor_ms: float = 0.0,
    ) -> list[tuple[TimedSearch, Times]]:
        """Times of searches in our engine and in peers.

        A search that a peer does not support is left out.

        :param floor_ms: a peer that is faster counts as this fast.
        """
        supported: list[TimedSearch] = []
        tasks: list[dict[str, Callable[[], object]]] = []
        for search in searches:
            task: dict[str, Callable[[], object]] = {OURS: _search(snapshot, search)}
            try:
                for name, peer in peers.items():
                    task[name] = peer.compile(search.compiled())
            except Unsupported:
                continue
            supported.append(search)
            tasks.append(task)

        def on_round(done: int, rounds: int) -> None:
            self.announce(f"search, round {done} of {rounds}")

        timed = alternated(
            tasks,
            seconds=self.effort.search_seconds,
            ours=OURS,
            floor_ms=floor_ms,
            on_round=on_round,
        )
        return list(zip(supported, timed, strict=True))

    @property
    def web(self) -> WebComparison:
        """Our service and the others under the same load, in turn.

        :raises Failed: it could not be measured, now or before.
        """
        if isinstance(self._web, Failed):
            raise self._web
        return self._web

    @cached_property
    def _web(self) -> WebComparison | Failed:
        try:
            return self._measure_web()
        except Failed as error:
            return error

    def _measure_web(self) -> WebComparison:
        workplace, effort = self.workplace, self.effort.web
        self.announce("drawing searches for HTTP")
        searches, nothing = draw_distinct(
            workplace.base,
            seed=workplace.seed,
            per_kind=effort.searches * effort.sets,
            nothing=effort.rounds * effort.nothing,
        )
        contestants: list[Contestant] = [Nutgraf(workplace)]
        if has_tantivy():
            contestants.append(FlaskTantivy(workplace))
        if self.opensearch is not None:
            contestants.append(OpenSearch(workplace, self.opensearch))
        return compare(
            [*contestants, Bare()],
            search_sets(searches, effort.sets),
            nothing,
            effort=effort,
            announce=self.announce,
        )


def _search(snapshot: Snapshot, timed: TimedSearch) -> Callable[[], object]:
    search = timed.compiled()

    def run() -> object:
        return snapshot.search(search)

    return run
