"""What commands share: open the archive, log to stderr, wait for the index."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from index.archive import Archive, open_parts
from index.cli.terminal import Bars
from index.engines import Engine
from index.errors import IndexerRunning, IndexUnavailable
from index.jobs import Indexer
from index.settings import Settings
from index.store import Store

LOG = logging.getLogger("nutgraf")
MEMORY = "memory:"  # the engine whose index only its own process sees
POLL_SECONDS = 0.1
# A command that waits for the indexer gives up after this long without progress.
# Indexing and merging a large batch takes far less.
STALL_SECONDS = 120.0


@contextmanager
def open_archive(settings: Settings) -> Iterator[Archive]:
    """Open the archive for the length of a block, and log to stderr."""
    with open_store_and_engine(settings) as (store, engine):
        yield Archive(store, engine, settings)


@contextmanager
def open_store_and_engine(
    settings: Settings, *, log_level: int = logging.WARNING
) -> Iterator[tuple[Store, Engine]]:
    """Open the store and the engine for the length of a block, and log to stderr.

    An index in memory is built first, since no other process can build it.
    """
    with log_to_stderr(log_level):
        store, engine = open_parts(settings)
        with closing(store), closing(engine):
            if settings.engine.startswith(MEMORY):
                Indexer(store, engine).catch_up()
            yield store, engine


@contextmanager
def log_to_stderr(level: int) -> Iterator[None]:
    """Log to stderr for the length of a block, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    LOG.addHandler(handler)
    LOG.setLevel(level)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(logging.NOTSET)


class JsonLines(logging.Formatter):
    """Formats a log record and its facts as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without a line end."""
        facts: Mapping[str, Any] = getattr(record, "facts", {})
        created = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **facts,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


def wait_for_index(store: Store, engine: Engine, bars: Bars) -> None:
    """Wait until the index includes all changes; index them here if no indexer runs."""
    seq, first = store.seq(), engine.state().seq
    task = bars.add_task("index", total=max(0, seq - first), what="changes")

    def on_step(applied: int) -> None:
        bars.update(task, completed=min(applied, seq) - first)

    def on_rebuild(done: int, total: int) -> None:
        bars.update(task, completed=done, total=total, what="articles")

    for _ in polls(engine):
        applied = engine.state().seq
        on_step(applied)
        if applied >= seq:
            return
        try:
            with store.indexer_lock():
                Indexer(store, engine).catch_up(on_step=on_step, on_rebuild=on_rebuild)
        except IndexerRunning:  # it indexes the changes
            report_rebuild(store, engine, on_rebuild)


def report_rebuild(
    store: Store, engine: Engine, on_rebuild: Callable[[int, int], None]
) -> None:
    """Report how far another process has rebuilt the index, if it rebuilds it.

    :param on_rebuild: gets the number of articles that are done, and of all.
    """
    progress = engine.state().progress
    if progress is not None:
        total = store.counts().articles
        on_rebuild(int(progress * total), total)


def polls(engine: Engine) -> Iterator[None]:
    """Yield now and then for as long as the index makes progress.

    :raises IndexUnavailable: it made no progress for STALL_SECONDS.
    """
    last: tuple[int, float | None] | None = None
    moved_at = time.monotonic()
    while True:
        yield
        time.sleep(POLL_SECONDS)
        state = engine.state()
        if (state.seq, state.progress) != last:
            last, moved_at = (state.seq, state.progress), time.monotonic()
        elif time.monotonic() - moved_at > STALL_SECONDS:
            raise IndexUnavailable(
                f"the indexer has made no progress for {STALL_SECONDS:g} s; see its"
                " log. Loaded articles are safe in the store and will be indexed"
            )
