"""The session of a run: measurements that several lines share, each made once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from urllib.parse import urlencode

from benchmarks.data import TimedSearch
from benchmarks.measuring import (
    FLOOR_MS,
    Load,
    Times,
    alternated,
    bare_server,
    measure_load,
    nutgraf_server,
    unshared_bytes,
)
from benchmarks.peers import Peer, Unsupported, tantivy_peer
from benchmarks.workplace import Announce, Built, Workplace
from index.engines import Snapshot

OURS, TANTIVY, ARTICLES, BARE = "ours", "tantivy", "tantivy, articles", "bare"
CONNECTIONS = 8  # of the load client, with one request under way on each


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """The time to spend on measurements.

    :param search_seconds: for one comparison of the whole workload.
    :param builds: number of builds by each side; fewer after ``build_seconds``.
    :param load_seconds: of each round of load.
    :param openings: number of new processes.
    """

    search_seconds: float = 120.0
    builds: int = 3
    build_seconds: float = 300.0
    load_seconds: float = 5.0
    load_rounds: int = 3
    openings: int = 5
    writes: int = 40


QUICK = Effort(
    search_seconds=1.0,
    builds=1,
    load_seconds=0.5,
    load_rounds=1,
    openings=2,
    writes=5,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The servers under load.

    :param loads: server → load of each round.
    :param unshared_bytes: USS of each of our workers, after the load.
    """

    loads: Mapping[str, Sequence[Load]]
    unshared_bytes: Sequence[int]


class Session:
    """One run: its workplace, its effort, and the measurements that lines share."""

    def __init__(
        self,
        workplace: Workplace,
        *,
        effort: Effort,
        collections: Path | None = None,
        announce: Announce = lambda text: None,
    ) -> None:
        self.workplace, self.effort = workplace, effort
        self.collections, self.announce = collections, announce
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

    @cached_property
    def served(self) -> Served:
        """Our service and the bare server under load, alternated."""
        workplace, effort = self.workplace, self.effort
        workplace.engine().close()  # creates the store and the index
        paths = [_path(search) for search in workplace.workload.scored]
        Random(1).shuffle(paths)
        loads: dict[str, list[Load]] = {OURS: [], BARE: []}
        with nutgraf_server(workplace.variables) as ours, bare_server() as bare:
            servers = {OURS: (ours, paths), BARE: (bare, ["/"])}
            for turn in range(effort.load_rounds + 1):
                for name, (server, requests) in servers.items():
                    self.announce(
                        f"HTTP, {name}, round {turn}" if turn else "HTTP, warming up"
                    )
                    load = measure_load(
                        server.port,
                        requests,
                        connections=CONNECTIONS,
                        seconds=effort.load_seconds,
                    )
                    if turn:
                        loads[name].append(load)
            unshared = [unshared_bytes(pid) for pid in ours.workers()]
        return Served(loads=loads, unshared_bytes=unshared)


def _search(snapshot: Snapshot, timed: TimedSearch) -> Callable[[], object]:
    search = timed.compiled()

    def run() -> object:
        return snapshot.search(search)

    return run


def _path(search: TimedSearch) -> str:
    return f"/v1/search?{urlencode(search.parameters())}"
