"""One run of the benchmark: what its lines share, measured once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from benchmarks.data.workload import Asked
from benchmarks.measuring import client
from benchmarks.measuring.processes import bare_server, nutgraf_server, unshared_bytes
from benchmarks.measuring.timing import FLOOR_MS, Timed, alternated
from benchmarks.peers import Peer, Unsupported
from benchmarks.workplace import Built, Tell, Workplace
from index.engines import Snapshot

if TYPE_CHECKING:
    from benchmarks.peers.tantivy import Tantivy

OURS, TANTIVY, ARTICLES, BARE = "ours", "tantivy", "tantivy, articles", "bare"
CONNECTIONS = 8  # of the load client, each with one request under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to measure.

    :param search_seconds: for one comparison of the whole workload.
    :param builds: how many times each side builds; ended early after build_seconds.
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
    """How servers did under load.

    :param unshared_bytes: of each worker of ours, after the load.
    """

    loads: Mapping[str, Sequence[client.Load]]
    unshared_bytes: Sequence[int]


class Bench:
    """One run: the workplace, how long to measure, and what lines share."""

    def __init__(
        self,
        workplace: Workplace,
        *,
        effort: Effort,
        collections: Path | None = None,
        tell: Tell = lambda text: None,
    ) -> None:
        self.workplace, self.effort = workplace, effort
        self.collections, self.tell = collections, tell
        self._open = ExitStack()

    def close(self) -> None:
        """Let go of everything that was opened."""
        self._open.close()

    @cached_property
    def snapshot(self) -> Snapshot:
        """Our index, open in this process."""
        engine = self.workplace.engine()
        self._open.callback(engine.close)
        return engine.snapshot()

    # Peers.

    def tantivy(self, *, whole_articles: bool = False) -> tuple[Tantivy, Path]:
        """Return a tantivy in its folder, not opened, and the folder."""
        # Imported here: lines without it run where it is not installed.
        from benchmarks.peers.tantivy import Tantivy

        folder = self.workplace.folder / (
            "tantivy-articles" if whole_articles else "tantivy"
        )
        return Tantivy(folder, whole_articles=whole_articles), folder

    def ready(self, peer: Peer, folder: Path) -> Peer:
        """Return a peer opened, built first if it is not there."""
        if not self.workplace.is_built(folder):
            self.workplace.build_peer(peer, folder)
        peer.open()
        self._open.callback(peer.close)
        return peer

    # What several lines share.

    @cached_property
    def builds(self) -> dict[str, list[Built]]:
        """Our builds from the store and tantivy's, alternated."""
        found: dict[str, list[Built]] = {OURS: [], TANTIVY: []}
        peer, folder = self.tantivy()
        start = time.monotonic()
        for _ in range(self.effort.builds):
            found[OURS].append(self.workplace.build_ours())
            found[TANTIVY].append(self.workplace.build_peer(peer, folder))
            if time.monotonic() - start > self.effort.build_seconds:
                break
        return found

    @cached_property
    def searches(self) -> list[tuple[Asked, Timed]]:
        """The workload by us and by both tantivys, alternated; fuzzy queries too."""
        tantivy = self.ready(*self.tantivy())
        articles = self.ready(*self.tantivy(whole_articles=True))
        asked = self.workplace.workload.asked
        self.tell("search, beside tantivy")
        return self.compared(
            asked,
            self.snapshot,
            {TANTIVY: tantivy, ARTICLES: articles},
            floor_ms=FLOOR_MS,
        )

    def compared(
        self,
        asked: Sequence[Asked],
        snapshot: Snapshot,
        peers: Mapping[str, Peer],
        *,
        floor_ms: float = 0.0,
    ) -> list[tuple[Asked, Timed]]:
        """Time searches by us and by peers; what a peer cannot do is left out.

        :param floor_ms: a peer that is faster than this counts as this fast.
        """
        chosen: list[Asked] = []
        tasks: list[dict[str, Callable[[], object]]] = []
        for each in asked:
            task: dict[str, Callable[[], object]] = {OURS: _search(snapshot, each)}
            try:
                for name, peer in peers.items():
                    task[name] = peer.compile(each.search())
            except Unsupported:
                continue
            chosen.append(each)
            tasks.append(task)

        def on_round(done: int, rounds: int) -> None:
            self.tell(f"search, round {done} of {rounds}")

        timed = alternated(
            tasks,
            seconds=self.effort.search_seconds,
            ours=OURS,
            floor_ms=floor_ms,
            tell=on_round,
        )
        return list(zip(chosen, timed, strict=True))

    @cached_property
    def served(self) -> Served:
        """Our service and a bare one under load, alternated."""
        workplace, effort = self.workplace, self.effort
        workplace.engine().close()  # store and index are there from here on
        paths = [_path(each) for each in workplace.workload.scored]
        Random(1).shuffle(paths)
        loads: dict[str, list[client.Load]] = {OURS: [], BARE: []}
        with nutgraf_server(workplace.variables) as ours, bare_server() as bare:
            servers = {OURS: (ours, paths), BARE: (bare, ["/"])}
            for turn in range(effort.load_rounds + 1):
                for name, (server, asked) in servers.items():
                    self.tell(
                        f"HTTP, {name}, round {turn}" if turn else "HTTP, warming up"
                    )
                    load = client.measure(
                        server.port,
                        asked,
                        connections=CONNECTIONS,
                        seconds=effort.load_seconds,
                    )
                    if turn:
                        loads[name].append(load)
            unshared = [unshared_bytes(pid) for pid in ours.workers()]
        return Served(loads=loads, unshared_bytes=unshared)


def _search(snapshot: Snapshot, asked: Asked) -> Callable[[], object]:
    search = asked.search()

    def run() -> object:
        return snapshot.search(search)

    return run


def _path(asked: Asked) -> str:
    return f"/v1/search?{urlencode(asked.parameters())}"
