"""Commands that operate Nutgraf: rebuild, migrate, indexer, status, verify, formats."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice

from index.archive import Archive
from index.cli.running import (
    MEMORY,
    log_to_stderr,
    open_store_and_engine,
    polls,
    report_rebuild,
)
from index.cli.terminal import (
    Screen,
    count,
)
from index.errors import (
    IndexerRunning,
    InvalidValue,
    ServiceError,
)
from index.formats import FORMATS
from index.jobs import Indexer, store_problems, store_warnings
from index.settings import NONE, Settings
from index.store import Store, store_differences

MOST_DIFFERENCES = 100  # of two stores that are listed

INDEXER_LOG = logging.getLogger("nutgraf.indexer")
# How often a standby tries to take over: well below the ten seconds it may take.
STANDBY_SECONDS = 1.0


def rebuild(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Rebuild the index: by the running indexer, or here if none runs."""
    with open_store_and_engine(settings) as (store, engine), screen.bars() as bars:
        task = bars.add_task("rebuild", total=None)
        request = store.request_rebuild()

        def on_rebuild(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        for _ in polls(engine):
            if store.rebuild_finished() >= request:
                break
            try:
                with store.indexer_lock():
                    Indexer(store, engine).catch_up(on_rebuild=on_rebuild)
            except IndexerRunning:
                report_rebuild(store, engine, on_rebuild)
        state = engine.state()
    if screen.as_json:
        screen.json(
            {
                "seq": state.seq,
                "articles": state.articles,
                "paragraphs": state.paragraphs,
            }
        )
    else:
        screen.line(
            f"rebuilt: {count(state.articles, 'article')},"
            f" {count(state.paragraphs, 'paragraph')}"
        )
    return 0


def migrate(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Take the store to the schema of this release, and create it if need be."""
    with log_to_stderr(logging.WARNING):
        done = Store.migrate(settings.store)
    if screen.as_json:
        screen.json(asdict(done))
    elif done.before == done.after:
        screen.line(f"the store has schema {done.after}; nothing was to be migrated")
    else:
        screen.line(
            f"migrated from schema {done.before} to {done.after}; releases of schema"
            f" {done.oldest_writer} and newer may go on"
        )
    return 0


def indexer(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Run the indexer until SIGTERM or SIGINT; first wait for the lock on standby."""
    if settings.engine.startswith(MEMORY):
        raise InvalidValue(
            "NUTGRAF_ENGINE",
            "an index in memory is visible only to its own process; use whoosh:FOLDER",
            got=settings.engine,
        )
    stop = threading.Event()

    def stop_soon(signum: int, frame: object) -> None:
        # Calling set() here could deadlock: the interrupted wait() may hold its lock.
        threading.Thread(target=stop.set, daemon=True).start()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop_soon)
    with open_store_and_engine(settings, log_level=logging.INFO) as (store, engine):
        indexer = Indexer(store, engine)
        reason = ""
        while not stop.is_set():
            try:
                indexer.run(stop)
                break
            except ServiceError as error:
                # A store that is away, too: whoever starts us again waits ever longer.
                if not args.standby:
                    raise
                if str(error) != reason:
                    reason = str(error)
                    facts = {"reason": reason}
                    INDEXER_LOG.info("standing by", extra={"facts": facts})
                stop.wait(STANDBY_SECONDS)
    return 0


def status(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Print the state of store, index and indexer, and every setting."""
    with open_store_and_engine(settings) as (store, engine):
        state = Archive(store, engine, settings).state()
        process = store.indexer_process()
        keys = [key.state(datetime.now(UTC)) for key in store.keys.all()]
        required = store.keys.ever()
        warnings = list(store_warnings(store, engine))
    if screen.as_json:
        screen.json(
            {
                "store": {
                    "seq": state.store_seq,
                    "articles": state.articles,
                    "versions": state.versions,
                    "bytes": state.store_bytes,
                },
                "index": {
                    "seq": state.index_seq,
                    "behind": state.behind,
                    "articles": state.indexed_articles,
                    "paragraphs": state.indexed_paragraphs,
                    "segments": state.segments,
                    "bytes": state.index_bytes,
                    "stale": state.stale,
                    "progress": state.progress,
                },
                "indexer": {"running": state.indexer_running, "process": process},
                "set_aside": [
                    {
                        "id": article.id,
                        "version": article.version,
                        "reason": article.reason,
                        "at": article.at,
                    }
                    for article in state.set_aside
                ],
                "keys": {
                    "made": len(keys),
                    "live": keys.count("live"),
                    "required": required,
                },
                "warnings": warnings,
                "settings": settings.shown(),
            }
        )
        return 0
    index_text = (
        "up to date" if not state.behind else f"{state.behind:,} changes behind"
    )
    if state.stale is not None:
        index_text = f"to be rebuilt: {state.stale}"
    if state.progress is not None:
        index_text += f", rebuild {state.progress:.0%} done"
    screen.table(
        [
            ("articles", f"{state.articles:,}"),
            ("versions", f"{state.versions:,}"),
            ("changes", f"{state.store_seq:,}"),
            ("store", f"{state.store_bytes / 1e6:,.1f} MB"),
            ("index", f"{index_text}; {state.index_bytes / 1e6:,.1f} MB"),
            ("indexed articles", f"{state.indexed_articles:,}"),
            ("indexed paragraphs", f"{state.indexed_paragraphs:,}"),
            ("segments", f"{state.segments:,}"),
            ("articles set aside", f"{len(state.set_aside):,}"),
            ("indexer", _indexer_text(state.indexer_running, process)),
            ("keys", _keys_text(keys, required)),
        ]
    )
    for warning in warnings:
        screen.complain(f"warning: {warning}")
    for article in state.set_aside:
        screen.complain(
            f"warning: {article.id}, version {article.version}, cannot be indexed"
            f" ({article.reason}); store another version, or run nutgraf rebuild to"
            " try again"
        )
    screen.line()
    screen.table(
        [(name, _setting_text(value)) for name, value in settings.shown().items()]
    )
    return 0


def verify(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Check the store, and the index against it; compare it with another store."""
    with open_store_and_engine(settings) as (store, engine):
        problems = list(store_problems(store, engine))
        if args.against is not None:
            problems += _differences(settings.store, args.against)
        warnings = list(store_warnings(store, engine))
    if screen.as_json:
        screen.json({"sound": not problems, "problems": problems, "warnings": warnings})
    else:
        for problem in problems:
            screen.line(problem)
        for warning in warnings:
            screen.complain(f"warning: {warning}")
        screen.line(count(len(problems), "problem") if problems else "all is well")
    return 1 if problems else 0


def _differences(one: str, other: str) -> Iterator[str]:
    """Yield a sentence for each row that two stores do not share; only the first."""
    found = store_differences(one, other)
    yield from map(str, islice(found, MOST_DIFFERENCES))
    if next(found, None) is not None:
        yield f"more than {MOST_DIFFERENCES:,} rows differ; the others are not listed"


def formats(args: Namespace, settings: Settings, screen: Screen) -> int:
    """List the formats that Nutgraf reads."""
    if screen.as_json:
        screen.json(
            {
                "formats": [
                    {
                        "name": kind.name,
                        "extensions": kind.extensions,
                        "media_types": kind.media_types,
                        "about": kind.about,
                    }
                    for kind in FORMATS.values()
                ]
            }
        )
    else:
        screen.table(
            (
                (kind.name, " ".join(kind.extensions), kind.about)
                for kind in FORMATS.values()
            ),
            head=("format", "files", ""),
        )
    return 0


def _indexer_text(running: bool, process: int | str | None) -> str:
    suffix = "" if process is None else f" (process {process})"
    return f"running{suffix}" if running else "not running"


def _keys_text(states: list[str], required: bool) -> str:
    needed = "needed" if required else "not needed"
    return f"{states.count('live'):,} live, {len(states):,} made; {needed}"


def _setting_text(value: object) -> str:
    if value is None:
        return NONE
    return " ".join(value) if isinstance(value, tuple) else str(value)
