"""The condition of an archive, for monitoring, and its state, with counts.

Monitoring asks for the condition every second, so nothing is counted for it: it takes a
few rows by their keys and one look at each disk. The state counts; ``nutgraf status``
and ``/metrics`` show it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from index.engines import OTHER_HISTORY, Engine, of_one_history
from index.errors import IndexUnavailable
from index.settings import Settings
from index.store import SetAside, Store, View

# How long a change may wait for an indexer that runs and is not rebuilding.
STALL_SECONDS = 120.0
SET_ASIDE = (
    "there are articles that cannot be indexed, and no search finds them: nutgraf"
    " status names them"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Condition of an archive: whether it can take articles and answer searches.

    :param behind: accepted changes that the index does not include yet.
    :param behind_seconds: how long the oldest of them has waited.
    :param stale: why the index cannot be read; ``progress`` of its rebuild, 0 to 1.
    :param free: bytes that can still be written, by ``store`` and ``index``: of those
        that are files on this machine.
    :param set_aside: articles that cannot be indexed.
    :param problems: why it is not ready, in sentences without numbers of its contents.
    :param warnings: what should be mended although it is ready; likewise.
    """

    store_seq: int
    index_seq: int
    behind: int
    behind_seconds: float
    stale: str | None
    progress: float | None
    indexer_running: bool
    free: dict[str, int]
    set_aside: tuple[SetAside, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveState:
    """Counts and sizes of the store and the index, and the state of the indexer.

    :param behind: accepted changes that the index does not include yet.
    :param stale: why the index cannot be read; ``progress`` of its rebuild, 0 to 1.
    :param set_aside: articles that cannot be indexed.
    """

    store_seq: int
    index_seq: int
    behind: int
    articles: int
    versions: int
    store_bytes: int
    rebuilds_requested: int
    rebuilds_finished: int
    indexed_articles: int
    indexed_paragraphs: int
    segments: int
    index_bytes: int
    indexer_running: bool
    stale: str | None
    progress: float | None
    set_aside: tuple[SetAside, ...]


def condition_of(
    store: Store, engine: Engine, settings: Settings, now: datetime
) -> Condition:
    """Condition of a store and its index.

    :raises StoreUnavailable: the store cannot be reached.
    """
    index_seq, stale, progress, snapshot = 0, None, None, None
    try:
        snapshot = engine.snapshot()
        index_seq = snapshot.seq
    except IndexUnavailable as error:
        stale, progress = str(error), error.progress
    with store.reading() as view:
        if snapshot is not None and not of_one_history(snapshot, view.epoch):
            stale = OTHER_HISTORY
        behind = view.seq - index_seq
        waiting = view.changes(index_seq, 1) if behind > 0 else ()
        set_aside = _set_aside(store, view)
    seconds = max(0.0, (now - waiting[0].at).total_seconds()) if waiting else 0.0
    running = store.indexer_running()
    free = {} if store.path is None else {"store": _free(store.path.parent)}
    if engine.folder is not None:
        free["index"] = _free(engine.folder)

    problems = []
    if not store.writable():
        problems.append(
            "the store is read-only: make its disk and folder writable, or its server"
            " the primary; no restart is needed"
        )
    if stale is not None:
        problems.append(f"no search can be answered: {stale}")
    if not running:
        problems.append("no indexer is running: start nutgraf indexer")
    if behind > settings.behind:
        problems.append(
            f"the index is behind by more than {settings.behind:,} changes"
            " (NUTGRAF_BEHIND)"
        )
    if running and stale is None and progress is None and seconds > STALL_SECONDS:
        problems.append(
            f"a change has waited for the indexer longer than {STALL_SECONDS:g} s; its"
            " log says why"
        )
    problems += [
        f"less than {settings.disk_free:,} bytes are free on the disk of the {what}"
        " (NUTGRAF_DISK_FREE)"
        for what, available in free.items()
        if available < settings.disk_free
    ]
    return Condition(
        store_seq=view.seq,
        index_seq=index_seq,
        behind=behind,
        behind_seconds=seconds,
        stale=stale,
        progress=progress,
        indexer_running=running,
        free=free,
        set_aside=set_aside,
        problems=tuple(problems),
        warnings=(SET_ASIDE,) if set_aside else (),
    )


def state_of(store: Store, engine: Engine) -> ArchiveState:
    """State of a store and its index."""
    index = engine.state()
    with store.reading() as view:
        counts, seq = view.counts(), view.seq
        set_aside = _set_aside(store, view)
        of_this_history = of_one_history(index, view.epoch)
    return ArchiveState(
        store_seq=seq,
        index_seq=index.seq,
        behind=seq - index.seq,
        articles=counts.articles,
        versions=counts.versions,
        store_bytes=store.size(),
        rebuilds_requested=store.rebuild_requested(),
        rebuilds_finished=store.rebuild_finished(),
        indexed_articles=index.articles,
        indexed_paragraphs=index.paragraphs,
        segments=index.segments,
        index_bytes=index.bytes,
        indexer_running=store.indexer_running(),
        stale=index.stale if of_this_history else OTHER_HISTORY,
        progress=index.progress,
        set_aside=set_aside,
    )


def _set_aside(store: Store, view: View) -> tuple[SetAside, ...]:
    return tuple(store.quarantine.articles(view.epoch).values())


def _free(folder: Path) -> int:
    """Bytes that the user of this process may still write to a folder."""
    # A missing folder will be on the disk of its nearest parent that exists.
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    disk = os.statvfs(existing)
    return disk.f_bavail * disk.f_frsize
