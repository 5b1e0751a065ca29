"""What each command does; :mod:`index.cli` says how it is called."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from index import jobs
from index.access import published_form, visible
from index.archive import Archive, open_parts
from index.cli.terminal import (
    Bars,
    JsonLines,
    Screen,
    count,
    is_stdout,
    output,
    problem_document,
    problem_line,
    report_document,
    show_answer,
    show_article,
    summary,
)
from index.engines import Engine
from index.errors import (
    ArticleNotFound,
    IndexerRunning,
    IndexUnavailable,
    InputError,
    InvalidValue,
)
from index.formats import FORMATS, write
from index.jobs import Indexer, verification
from index.query import Filter, Request, Scope, Sort, Unit
from index.rendering import answer_document, article_document
from index.settings import NONE, Settings
from index.store import Store

LOG = logging.getLogger("nutgraf")
POLL_SECONDS = 0.1
# How long an indexer may stand still before a command that waits for it gives up: a
# large batch is indexed and merged well within.
STALL_SECONDS = 120.0
MEMORY = "memory:"
EXPORT_BATCH = 100  # articles; promised, so that a kill holds for all but so many

Command = Callable[[Namespace, Settings, Screen], int]


def load(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Put files into the store and wait until the index has caught up."""

    def on_problem(problem: jobs.Problem) -> None:
        if screen.as_json:
            screen.json(problem_document(problem))
        else:
            screen.line(problem_line(problem))

    report: jobs.Report | None = None
    try:
        with _parts(settings) as (store, engine), screen.bars() as bars:
            reading = bars.add_task("store", total=None)

            def on_progress(progress: jobs.Progress) -> None:
                bars.update(
                    reading,
                    completed=progress.read,
                    total=progress.total,
                    items=progress.articles,
                )

            report = jobs.load(
                args.paths,
                store,
                read_as=args.format,
                mapping=dict(pair for pairs in args.map for pair in pairs),
                article_bytes=settings.article_bytes,
                force=args.force,
                stdin=sys.stdin.buffer,
                on_progress=on_progress,
                on_problem=on_problem,
            )
            if not args.no_wait:
                _follow(store, engine, bars)
    except jobs.LoadInterrupted as error:
        screen.interrupted(
            error.report,
            "that is safe in the store; load the same again for the rest",
        )
        raise
    except KeyboardInterrupt:
        if report is not None:
            screen.interrupted(
                report,
                "all is safe in the store; what is not indexed yet will be, by the"
                " indexer or the next load",
            )
        raise
    if screen.as_json:
        screen.json({"report": report_document(report), "indexed": not args.no_wait})
    else:
        screen.line(summary(report))
    return 1 if report.refused else 0


def search(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Search, and print what is found."""
    request = Request(
        q=" ".join(args.q),
        within=args.within,
        scope=Scope(args.scope),
        unit=Unit(args.unit),
        filters=_filters(args),
        since=args.since,
        until=args.until,
        date=args.date,
        tz=args.tz,
        sort=None if args.sort is None else Sort(args.sort),
        limit=args.limit,
        page=args.page,
        cursor=args.cursor,
        facets=tuple(args.facet),
        facet_size=args.facet_size,
        passages=args.passages,
        passage_length=args.passage_length,
        fields=args.fields,
        strict=args.strict,
        explain=args.explain,
    )
    with _archive(settings) as archive:
        answer = archive.search(request)
    if screen.as_json:
        screen.json(answer_document(answer, request))
    else:
        show_answer(screen, answer, request.facets)
    return 0


def get(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Print one article."""
    with _archive(settings) as archive:
        view = archive.get(args.id, version=args.version, q=args.q)
    if screen.as_json:
        screen.json(article_document(view, args.q))
    else:
        show_article(screen, view, args.q)
    return 0


def original(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Write what a version was sent as, byte for byte."""
    with _archive(settings) as archive, output(None) as out:
        out.write(archive.original(args.id, version=args.version).data)
    return 0


def delete(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Delete articles; one that is not there does not keep the others."""
    failed = False
    with _archive(settings) as archive:
        for article_id in args.ids:
            try:
                seq = archive.delete(article_id)
            except ArticleNotFound as error:
                failed = True
                screen.error(error)
            else:
                if screen.as_json:
                    screen.json({"id": article_id, "deleted": True, "seq": seq})
                else:
                    screen.line(f"deleted {article_id}")
    return 1 if failed else 0


def kill(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Kill an article, and its story if that is asked for."""
    with _archive(settings) as archive:
        notices = archive.kill(
            args.id,
            note=args.note,
            replacement=args.replacement,
            version=args.version,
            cascade=args.cascade is not None,
        )
    for each in notices:
        if screen.as_json:
            screen.json({"id": each.id, "status": "canceled", "seq": each.seq})
        else:
            screen.line(f"killed {each.id}")
    return 0


def withhold(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Hold articles back; one that cannot be does not keep the others."""
    return _each(
        args, settings, screen, "withheld", lambda a, id_: {"seq": a.withhold(id_)}
    )


def reinstate(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Restore articles; one that cannot be does not keep the others."""
    return _each(
        args, settings, screen, "reinstated", lambda a, id_: {"seq": a.reinstate(id_)}
    )


def purge(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Erase the texts of articles; one that cannot be does not keep the others."""
    return _each(
        args, settings, screen, "erased", lambda a, id_: {"versions": a.purge(id_)}
    )


def _each(
    args: Namespace,
    settings: Settings,
    screen: Screen,
    done: str,
    run: Callable[[Archive, str], dict[str, Any]],
) -> int:
    failed = False
    with _archive(settings) as archive:
        for article_id in args.ids:
            try:
                found = run(archive, article_id)
            except InputError as error:
                failed = True
                screen.error(error)
                continue
            if screen.as_json:
                screen.json({"id": article_id, "done": done, **found})
            else:
                screen.line(f"{done} {article_id}")
    return 1 if failed else 0


def rebuild(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Have the running indexer build the index anew, or do it here."""
    with _parts(settings) as (store, engine), screen.bars() as bars:
        task = bars.add_task("rebuild", total=None)
        asked = store.request_rebuild()

        def on_rebuild(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        for _ in _turns(engine):
            if store.rebuild_finished() >= asked:
                break
            try:
                with store.indexer_lock():
                    Indexer(store, engine).catch_up(on_rebuild=on_rebuild)
            except IndexerRunning:
                _watch_rebuild(store, engine, on_rebuild)
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


def export(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Write the current articles, one a line, in the order of their ids.

    What shows is asked anew for every hundred, of the store as it is then: an export
    takes minutes, and what is killed meanwhile must not come out at its end.
    """
    written = 0
    with (
        _archive(settings) as archive,
        output(args.output) as out,
        screen.bars() as bars,
    ):
        after, task = "", bars.add_task("export", total=archive.counts().articles)
        while page := archive.page(after, EXPORT_BATCH):
            after, now = page[-1].id, datetime.now(UTC)
            for article in page:
                if args.all or visible(article, now):
                    shown = article if args.all else published_form(article, now)
                    out.write(write(args.format, shown))
                    written += 1
                bars.advance(task)
            out.flush()
    if not is_stdout(args.output):
        if screen.as_json:
            screen.json({"articles": written, "file": args.output})
        else:
            screen.line(f"{count(written, 'article')} to {args.output}")
    return 0


def indexer(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Be the indexer until a signal ends it."""
    if settings.engine.startswith(MEMORY):
        raise InvalidValue(
            "NUTGRAF_ENGINE",
            "only its own process sees an index in memory; write whoosh:FOLDER",
            got=settings.engine,
        )
    stop = threading.Event()

    def end(signum: int, frame: object) -> None:
        # Setting it here could wait for a lock that the interrupted wait() holds.
        threading.Thread(target=stop.set, daemon=True).start()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, end)
    with _parts(settings, log_level=logging.INFO) as (store, engine):
        Indexer(store, engine).run(stop)
    return 0


def status(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Print how store, index and indexer are, and every setting."""
    with _parts(settings) as (store, engine):
        state = Archive(store, engine, settings).state()
        process = store.indexer_process()
        keys = [each.state(datetime.now(UTC)) for each in store.keys.all()]
        warnings = list(verification.store_warnings(store, engine))
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
                "keys": {"made": len(keys), "live": keys.count("live")},
                "warnings": warnings,
                "settings": settings.shown(),
            }
        )
        return 0
    index_is = "up to date" if not state.behind else f"{state.behind:,} changes behind"
    if state.stale is not None:
        index_is = f"to be rebuilt: {state.stale}"
    if state.progress is not None:
        index_is += f", rebuild {state.progress:.0%} done"
    screen.table(
        [
            ("articles", f"{state.articles:,}"),
            ("versions", f"{state.versions:,}"),
            ("changes", f"{state.store_seq:,}"),
            ("store", f"{state.store_bytes / 1e6:,.1f} MB"),
            ("index", f"{index_is}; {state.index_bytes / 1e6:,.1f} MB"),
            ("indexed articles", f"{state.indexed_articles:,}"),
            ("indexed paragraphs", f"{state.indexed_paragraphs:,}"),
            ("segments", f"{state.segments:,}"),
            ("indexer", _indexer_text(state.indexer_running, process)),
            ("keys", f"{keys.count('live'):,} live, {len(keys):,} made"),
        ]
    )
    for warning in warnings:
        screen.complain(f"warning: {warning}")
    screen.line()
    screen.table(
        [(name, _setting_text(value)) for name, value in settings.shown().items()]
    )
    return 0


def verify(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Check the store, and the index against it."""
    with _parts(settings) as (store, engine):
        found = list(verification.store_problems(store, engine))
        warnings = list(verification.store_warnings(store, engine))
    if screen.as_json:
        screen.json({"sound": not found, "problems": found, "warnings": warnings})
    else:
        for problem in found:
            screen.line(problem)
        for warning in warnings:
            screen.complain(f"warning: {warning}")
        screen.line(count(len(found), "problem") if found else "all is well")
    return 1 if found else 0


def formats(args: Namespace, settings: Settings, screen: Screen) -> int:
    """List the formats that can be read."""
    if screen.as_json:
        screen.json(
            {
                "formats": [
                    {
                        "name": each.name,
                        "extensions": each.extensions,
                        "media_types": each.media_types,
                        "about": each.about,
                    }
                    for each in FORMATS.values()
                ]
            }
        )
    else:
        screen.table(
            (
                (each.name, " ".join(each.extensions), each.about)
                for each in FORMATS.values()
            ),
            head=("format", "files", ""),
        )
    return 0


@contextmanager
def _archive(settings: Settings) -> Iterator[Archive]:
    """Open the archive, with a log on stderr."""
    with _parts(settings) as (store, engine):
        yield Archive(store, engine, settings)


@contextmanager
def _parts(
    settings: Settings, *, log_level: int = logging.WARNING
) -> Iterator[tuple[Store, Engine]]:
    """Open the store and the engine, with a log on stderr.

    An index in memory is built first, as nobody else can do that.
    """
    with _log_to_stderr(log_level):
        store, engine = open_parts(settings)
        with closing(store), closing(engine):
            if settings.engine.startswith(MEMORY):
                Indexer(store, engine).catch_up()
            yield store, engine


@contextmanager
def _log_to_stderr(level: int) -> Iterator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    LOG.addHandler(handler)
    LOG.setLevel(level)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(logging.NOTSET)


def _follow(store: Store, engine: Engine, bars: Bars) -> None:
    """Wait until the index includes all changes; be the indexer if there is none."""
    seq, first = store.seq(), engine.state().seq
    task = bars.add_task("index", total=max(0, seq - first), what="changes")

    def on_step(applied: int) -> None:
        bars.update(task, completed=min(applied, seq) - first)

    def on_rebuild(done: int, total: int) -> None:
        bars.update(task, completed=done, total=total, what="articles")

    for _ in _turns(engine):
        applied = engine.state().seq
        on_step(applied)
        if applied >= seq:
            return
        try:
            with store.indexer_lock():
                Indexer(store, engine).catch_up(on_step=on_step, on_rebuild=on_rebuild)
        except IndexerRunning:  # it does the work
            _watch_rebuild(store, engine, on_rebuild)


def _watch_rebuild(
    store: Store, engine: Engine, on_rebuild: Callable[[int, int], None]
) -> None:
    progress = engine.state().progress
    if progress is not None:
        total = store.counts().articles
        on_rebuild(int(progress * total), total)


def _turns(engine: Engine) -> Iterator[None]:
    """Yield every now and then while the index moves.

    :raises IndexUnavailable: it has stood still for too long.
    """
    last: tuple[int, float | None] | None = None
    moved = time.monotonic()
    while True:
        yield
        time.sleep(POLL_SECONDS)
        state = engine.state()
        if (state.seq, state.progress) != last:
            last, moved = (state.seq, state.progress), time.monotonic()
        elif time.monotonic() - moved > STALL_SECONDS:
            raise IndexUnavailable(
                f"the indexer has made no progress for {STALL_SECONDS:g} s; see its"
                " log. What was loaded is safe in the store and will be indexed"
            )


def _filters(args: Namespace) -> tuple[Filter, ...]:
    """Return the filters of ``--filter``, ``--exclude`` and ``--missing``."""
    found = []
    for pairs, exclude in ((args.filter, False), (args.exclude, True)):
        values: defaultdict[str, list[str]] = defaultdict(list)
        for field, value in pairs:
            values[field].append(value)
        found += [
            Filter(field=field, values=tuple(some), exclude=exclude)
            for field, some in values.items()
        ]
    found += [Filter(field=field, missing=True) for field in args.missing]
    return tuple(found)


def _indexer_text(running: bool, process: int | None) -> str:
    which = "" if process is None else f" (process {process})"
    return f"running{which}" if running else "not running"


def _setting_text(value: object) -> str:
    if value is None:
        return NONE
    return " ".join(value) if isinstance(value, tuple) else str(value)
