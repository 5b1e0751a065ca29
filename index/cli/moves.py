"""The command that moves the store to another place: move."""

from __future__ import annotations

import logging
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from index.archive import open_engine_of
from index.cli.running import MEMORY, log_to_stderr
from index.cli.terminal import Screen, count
from index.errors import InvalidValue
from index.jobs import move_store
from index.settings import Settings, without_password
from index.store import undo_move


def add_options(parser: ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    add = parser.add_argument
    add("--to", required=True, metavar="URL", help="the new, empty store")
    add(
        "--engine",
        metavar="URL",
        help="build this index from the new store before it takes over (default: it"
        " goes on with the index of this store)",
    )
    add(
        "--undo",
        action="store_true",
        help="take the move back, before anything is written to the new store",
    )


def move(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Move the store to another place, or take that back."""
    if args.undo:
        undo_move(settings.store, args.to)
        if screen.as_json:
            screen.json({"undone": True})
        else:
            screen.line("this store accepts writes again, and the other one is closed")
        return 0
    if args.engine is not None:
        _check_engine(args.engine, settings)
    with log_to_stderr(logging.WARNING), screen.bars() as bars:
        copy = bars.add_task("copy", total=None)
        index = bars.add_task("index", total=None, visible=args.engine is not None)
        moved = move_store(
            settings.store,
            args.to,
            open_engine=(
                None
                if args.engine is None
                else lambda: open_engine_of(settings, args.engine)
            ),
            on_copy=lambda done, total: bars.update(copy, completed=done, total=total),
            on_index=lambda done, total: bars.update(
                index, completed=done, total=total
            ),
        )
    if screen.as_json:
        engine = None if args.engine is None else without_password(args.engine)
        screen.json({**asdict(moved), "engine": engine})
        return 0
    screen.line(
        f"{count(moved.articles, 'article')}, {count(moved.versions, 'version')} up to"
        f" change {moved.seq:,} are in {moved.place} now, compared row by row. Writes"
        f" were stopped for {moved.stopped:.2f} s; {count(moved.refused, 'write')} got"
        " 503 store_moving"
    )
    new_engine = "" if args.engine is None else " and NUTGRAF_ENGINE"
    screen.line(
        f"set NUTGRAF_STORE{new_engine} to the new place and start Nutgraf again. Until"
        " then searches go on here, and writes get 503 store_moved, kills too"
    )
    return 0


def _check_engine(url: str, settings: Settings) -> None:
    if url.startswith(MEMORY):
        raise InvalidValue("--engine", "an index in memory ends with this command")
    if url == settings.engine:
        raise InvalidValue(
            "--engine",
            "that is the index of this store, which the new one can go on with; leave"
            " --engine out",
        )
