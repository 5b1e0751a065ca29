"""Commands that change articles: load, delete, kill, withhold, reinstate and purge."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from index.archive import Archive
from index.cli.running import open_archive, open_store_and_engine, wait_for_index
from index.cli.terminal import (
    Screen,
    note_document,
    note_line,
    problem_document,
    problem_line,
    report_document,
    summary,
)
from index.dates import DateRules, date_rules
from index.errors import ArticleNotFound, InputError, InvalidValue
from index.formats import ReadOptions, defaults_of
from index.jobs import STDIN, LoadInterrupted, Note, Problem, Progress, Report
from index.jobs import load as load_files
from index.settings import Settings


def load(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Load files into the store, then wait until the index has caught up."""

    def on_problem(problem: Problem) -> None:
        if screen.as_json:
            screen.json(problem_document(problem))
        else:
            screen.line(problem_line(problem))

    def on_note(note: Note) -> None:
        if screen.as_json:
            screen.json(note_document(note))
        else:
            screen.line(note_line(note))

    if STDIN in args.paths and sys.stdin is None:
        raise InvalidValue("stdin", "is closed, so - cannot be read; name a file")
    rules = _date_rules(args, settings)
    options = ReadOptions(
        mapping=dict(args.map),
        dates=rules,
        defaults=defaults_of(args.set, dates=rules),
        id_from=args.id_from,
        records=args.records,
    )
    report: Report | None = None
    try:
        with open_store_and_engine(settings) as (store, engine), screen.bars() as bars:
            reading = bars.add_task("store", total=None)

            def on_progress(progress: Progress) -> None:
                bars.update(
                    reading,
                    completed=progress.read,
                    total=progress.total,
                    items=progress.articles,
                )

            report = load_files(
                args.paths,
                store,
                read_as=args.format,
                options=options,
                article_bytes=settings.article_bytes,
                force=args.force,
                stdin=None if sys.stdin is None else sys.stdin.buffer,
                on_progress=on_progress,
                on_problem=on_problem,
                on_note=on_note,
                encoding=args.encoding,
            )
            if not args.no_wait:
                wait_for_index(store, engine, bars)
    except LoadInterrupted as error:
        screen.interrupted(
            error.report, "these are stored; run the same load again for the rest"
        )
        raise
    except KeyboardInterrupt:
        if report is not None:
            screen.interrupted(
                report,
                "all articles are stored; the indexer or the next load will index"
                " the rest",
            )
        raise
    if screen.as_json:
        screen.json({"report": report_document(report), "indexed": not args.no_wait})
    else:
        screen.line(summary(report))
    return 1 if report.refused else 0


def _date_rules(args: Namespace, settings: Settings) -> DateRules:
    """How the dates of a load are read: as its options say, else as settings do."""
    rules = settings.date_rules()
    own = date_rules(
        tz=args.tz or settings.tz,
        zones=tuple(args.zone),
        order=args.dates or settings.dates,
    )
    return replace(own, zones={**rules.zones, **own.zones})


def delete(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Delete articles; an unknown id does not stop the others."""
    failed = False
    with open_archive(settings) as archive:
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
    """Kill an article, and its story with ``--cascade``."""
    with open_archive(settings) as archive:
        notices = archive.kill(
            args.id,
            note=args.note,
            replacement=args.replacement,
            version=args.version,
            cascade=args.cascade is not None,
        )
    for notice in notices:
        if screen.as_json:
            screen.json({"id": notice.id, "status": "canceled", "seq": notice.seq})
        else:
            screen.line(f"killed {notice.id}")
    return 0


def withhold(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Withhold articles; one that fails does not stop the others."""
    return _change_articles(
        args,
        settings,
        screen,
        "withheld",
        lambda archive, article_id: {"seq": archive.withhold(article_id)},
    )


def reinstate(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Reinstate articles; one that fails does not stop the others."""
    return _change_articles(
        args,
        settings,
        screen,
        "reinstated",
        lambda archive, article_id: {"seq": archive.reinstate(article_id)},
    )


def purge(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Erase the texts of articles; one that fails does not stop the others."""
    return _change_articles(
        args,
        settings,
        screen,
        "erased",
        lambda archive, article_id: {"versions": archive.purge(article_id)},
    )


def _change_articles(
    args: Namespace,
    settings: Settings,
    screen: Screen,
    done: str,
    change: Callable[[Archive, str], dict[str, Any]],
) -> int:
    """Apply a change to each article named, and print it or the error.

    :param done: what has become of an article, such as ``withheld``.
    :param change: the change, which returns facts for the JSON answer.
    """
    failed = False
    with open_archive(settings) as archive:
        for article_id in args.ids:
            try:
                facts = change(archive, article_id)
            except InputError as error:
                failed = True
                screen.error(error)
                continue
            if screen.as_json:
                screen.json({"id": article_id, "done": done, **facts})
            else:
                screen.line(f"{done} {article_id}")
    return 1 if failed else 0
