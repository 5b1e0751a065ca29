"""The command line: ``nutgraf load``, ``search``, ``get`` and the rest.

Answers go to stdout and everything else to stderr. The exit code is 0 only if nothing
failed, 2 where the command itself was mistyped, else 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from index.access import Scope
from index.article import DATE_FIELD_NAMES, PLACES
from index.cli import articles, backups, keys
from index.cli.articles import Command
from index.cli.terminal import Screen
from index.errors import NutgrafError
from index.formats import FORMATS
from index.query import Scope as QueryScope
from index.query import Sort, Unit
from index.settings import Settings

INTERRUPTED = 130  # as shells count SIGINT
PIPE_CLOSED = 141  # as shells count SIGPIPE


class _Parser(argparse.ArgumentParser):
    """A parser that says how words starting with ``-`` are written."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the command and exit with 2."""
        if message.startswith("unrecognized arguments: -"):
            message += " (a word of a query that starts with - needs -- before it)"
        super().error(message)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="nutgraf",
        description="Paragraph search for newsrooms.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nutgraf {_release()}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Command, about: str, *, among: Any = subparsers
    ) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = among.add_parser(
            name, help=about, description=f"{about}.", allow_abbrev=False
        )
        added.set_defaults(run=run)
        if name not in ("indexer", "original"):
            added.add_argument(
                "--json", action="store_true", help="answer in JSON, for machines"
            )
        return added

    load = command(
        "load", articles.load, "Put files into the store and wait for the index"
    )
    load.add_argument(
        "paths", nargs="+", metavar="PATH", help="a file, a folder, or - for stdin"
    )
    load.add_argument(
        "--format", choices=tuple(FORMATS), help="of all files; else found from each"
    )
    load.add_argument(
        "--map",
        type=_pairs,
        action="append",
        default=[],
        metavar="NAME=FIELD,…",
        help="names in the input, and the field each one is",
    )
    load.add_argument(
        "--force",
        action="store_true",
        help="replace versions that are there with other content",
    )
    load.add_argument(
        "--no-wait", action="store_true", help="return once the store has it all"
    )
    _add_search(
        command("search", articles.search, "Search the paragraphs of all articles")
    )
    get = command("get", articles.get, "Show an article")
    get.add_argument("id", metavar="ID", help="the article's own")
    get.add_argument("--version", help="by default the current one")
    get.add_argument("--q", default="", metavar="QUERY", help="what to mark in it")
    original = command(
        "original", articles.original, "Write what an article was sent as to stdout"
    )
    original.add_argument("id", metavar="ID", help="the article's own")
    original.add_argument("--version", help="by default the current one")
    delete = command(
        "delete", articles.delete, "Delete articles with all their versions"
    )
    delete.add_argument("ids", nargs="+", metavar="ID", help="of an article")
    kill = command("kill", articles.kill, "Kill an article: only a notice of it stays")
    kill.add_argument("id", metavar="ID", help="of the article, here or not")
    kill.add_argument("--note", metavar="TEXT", help="why; whoever had it reads this")
    kill.add_argument("--replacement", metavar="ID", help="the article to use instead")
    kill.add_argument("--version", help="the highest meant, by default the current one")
    kill.add_argument(
        "--cascade",
        choices=("story",),
        help="also what it evolved from, what evolved from it, and its story",
    )
    for name, run, about in (
        ("withhold", articles.withhold, "Hold articles back until they are reinstated"),
        ("reinstate", articles.reinstate, "Take back a kill or a withholding"),
        ("purge", articles.purge, "Erase the texts of killed articles for good"),
    ):
        withdrawn = command(name, run, about)
        withdrawn.add_argument("ids", nargs="+", metavar="ID", help="of an article")
    command("rebuild", articles.rebuild, "Build the index anew from the store")
    export = command("export", articles.export, "Write the articles, one a line")
    export.add_argument(
        "--all",
        action="store_true",
        help="with notes to editors and with articles that do not show: withheld,"
        " embargoed, expired; of killed ones only notices stay",
    )
    export.add_argument(
        "--format",
        choices=tuple(each.name for each in FORMATS.values() if each.write),
        default="jsonl",
        help="of each line",
    )
    export.add_argument("--output", metavar="FILE", help="by default, or as -, stdout")
    backup = command("backup", backups.backup, "Copy the store into one file")
    backup.add_argument("file", metavar="FILE", help="where to; the index is not in it")
    backup.add_argument(
        "--force", action="store_true", help="replace FILE if it is there"
    )
    restore = command(
        "restore", backups.restore, "Put a backup in the place of the store"
    )
    restore.add_argument("file", metavar="FILE", help="made by nutgraf backup")
    restore.add_argument(
        "--yes", action="store_true", help="replace a store that is not empty"
    )
    command("indexer", articles.indexer, "Keep the index up to date until stopped")
    command("status", articles.status, "Show store, index, indexer and settings")
    command("verify", articles.verify, "Check the store, and the index against it")
    command("formats", articles.formats, "List the formats that can be read")
    keys = subparsers.add_parser(
        "keys",
        help="Make, list, revoke and rotate keys",
        description="Make, list, revoke and rotate keys.",
        allow_abbrev=False,
    )
    _add_keys(
        partial(command, among=keys.add_subparsers(required=True, metavar="ACTION"))
    )
    return parser


def _add_keys(command: Callable[..., argparse.ArgumentParser]) -> None:
    add = command("add", keys.add, "Make a key, and print it this once")
    add.add_argument(
        "name", metavar="NAME", help="for lists and logs; one live key each"
    )
    add.add_argument(
        "--scope",
        type=_names,
        required=True,
        metavar="SCOPE,…",
        help=f"what it is for: {', '.join(Scope)}",
    )
    add.add_argument(
        "--filter",
        type=_pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="it sees and writes no other articles; of one field, any",
    )
    add.add_argument(
        "--exclude",
        type=_pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="none of these, likewise",
    )
    add.add_argument(
        "--expires", metavar="WHEN", help="2027-01-31 (that day included), or 90d"
    )
    add.add_argument(
        "--rate", metavar="N", help="requests a minute, or none; else NUTGRAF_RATE"
    )
    command("list", keys.list_keys, "List all keys, also those that have ended")
    revoke = command("revoke", keys.revoke, "End a key at once")
    revoke.add_argument(
        "key", metavar="NAME|ID", help="an id, or a name for all its live keys"
    )
    rotate = command(
        "rotate", keys.rotate, "Make a key with the rights of one that then ends"
    )
    rotate.add_argument("key", metavar="NAME|ID", help="of the key to follow")
    rotate.add_argument(
        "--overlap",
        default="7d",
        metavar="SPAN",
        help="how long both are live, such as 12h; 0h ends the old one at once",
    )


def _add_search(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("q", nargs="*", metavar="QUERY", help="words and operators; all if left out")
    add(
        "--in",
        dest="within",
        choices=tuple(PLACES),
        default="text",
        help="where words are sought",
    )
    add(
        "--scope",
        choices=_values(QueryScope),
        default="article",
        help="what words are tested on together",
    )
    add("--unit", choices=_values(Unit), default="article", help="what a hit is")
    add("--from", dest="since", metavar="DATE", help="2016, 2016-09, -7d, today …")
    add("--to", dest="until", metavar="DATE", help="included as a whole")
    add(
        "--date",
        choices=DATE_FIELD_NAMES,
        default="published",
        help="which date those two mean",
    )
    add("--tz", default="UTC", metavar="ZONE", help="IANA time zone of dates")
    add(
        "--sort",
        choices=_values(Sort),
        help="by default relevance, or newest without a query",
    )
    add("--limit", type=int, default=10, metavar="N", help="most hits")
    add("--page", type=int, metavar="N", help="from 1")
    add("--cursor", help="of the answer before, to go on")
    add(
        "--facet",
        action="append",
        default=[],
        metavar="FIELD[:INTERVAL]",
        help="count articles by a field; day week month year auto",
    )
    add("--facet-size", type=int, default=10, metavar="N", help="most values a facet")
    add(
        "--filter",
        type=_pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="whole values; of one field, any",
    )
    add(
        "--exclude",
        type=_pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="none of these",
    )
    add(
        "--missing",
        action="append",
        default=[],
        metavar="FIELD",
        help="articles without a value",
    )
    add("--passages", type=int, default=3, metavar="N", help="most paragraphs a hit")
    add("--passage-length", type=int, default=0, metavar="N", help="0 is whole")
    add(
        "--fields",
        type=_names,
        default=(),
        metavar="FIELD,…",
        help="of the articles, with --json",
    )
    add("--explain", action="store_true", help="show the parts of scores")
    add("--strict", action="store_true", help="refuse a query with mistakes")


def _release() -> str:
    try:
        return version("nutgraf")
    except PackageNotFoundError:
        return "of a checkout that is not installed"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"write NAME=VALUE, not {text!r}")
    return name, value


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(map(_pair, text.split(",")))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _values(kind: type[StrEnum]) -> tuple[str, ...]:
    return tuple(each.value for each in kind)


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and return its exit code.

    :param environ: where settings come from.
    """
    try:
        code = _run(argv, environ)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has seen enough
        _fall_silent()
        return PIPE_CLOSED
    except OSError as error:
        if error.filename is not None:  # no write: it is of a file that we opened
            raise
        with suppress(OSError):  # stderr may go the same way
            Screen().complain(f"nutgraf: cannot write the answer: {error.strerror}")
        _fall_silent()
        return 1
    return code


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as ended:  # argparse's way to return
        return int(ended.code or 0)
    screen = Screen(as_json=getattr(args, "json", False))
    run: Command = args.run
    try:
        return run(args, Settings.from_environ(environ), screen)
    except NutgrafError as error:
        screen.error(error)
        return 1


def _fall_silent() -> None:
    """Keep Python from failing at its end to write what nobody takes."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
