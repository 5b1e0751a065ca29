"""The command line: ``nutgraf load``, ``search``, ``get`` and the other commands.

Answers go to stdout and everything else to stderr. The exit code is 0 if nothing
failed, 2 if the command was mistyped, and otherwise 1.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from index.access import Scope
from index.article import DATE_FIELD_NAMES, PLACES
from index.cli import articles, backups, keys, operation, searching
from index.cli.record_options import add_record_options, pair
from index.cli.terminal import Screen
from index.formats import FORMATS
from index.query import Scope as QueryScope
from index.query import Sort, Unit
from index.rendering import REPRESENTATIONS
from index.settings import Settings

Command = Callable[[Namespace, Settings, Screen], int]  # returns the exit code


class _Parser(argparse.ArgumentParser):
    """A parser that explains how to write query words that start with ``-``."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the command and exit with 2."""
        if message.startswith("unrecognized arguments: -"):
            message += " (a query in which a word starts with - needs -- before it)"
        super().error(message)


class _Commands:
    """The commands of a parser, to which more can be added.

    :param metavar: stands for a command in the usage line.
    """

    def __init__(self, parser: argparse.ArgumentParser, *, metavar: str) -> None:
        self._subparsers = parser.add_subparsers(required=True, metavar=metavar)

    def add(
        self, name: str, run: Command, about: str, *, as_json: bool = True
    ) -> argparse.ArgumentParser:
        """Add a command and return its parser.

        :param about: a sentence without its full stop.
        :param as_json: it has the option ``--json``.
        """
        parser = self.group(name, about)
        parser.set_defaults(run=run)
        if as_json:
            parser.add_argument("--json", action="store_true", help="answer in JSON")
        return parser

    def group(self, name: str, about: str) -> argparse.ArgumentParser:
        """Add a name under which there are further commands."""
        parser: argparse.ArgumentParser = self._subparsers.add_parser(
            name, help=about, description=f"{about}.", allow_abbrev=False
        )
        return parser


def build_parser() -> argparse.ArgumentParser:
    """Parser of the whole command line."""
    parser = _Parser(
        prog="nutgraf",
        description="Paragraph search for newsrooms.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nutgraf {_release()}")
    commands = _Commands(parser, metavar="COMMAND")
    _add_load(commands.add("load", articles.load, "Load files and index them"))
    _add_search(
        commands.add(
            "search", searching.search, "Search the paragraphs of all articles"
        )
    )
    _add_reading(commands)
    _add_withdrawal(commands)
    commands.add("rebuild", operation.rebuild, "Rebuild the index from the store")
    _add_export(
        commands.add("export", searching.export, "Export the articles, one a line")
    )
    _add_backups(commands)
    commands.add(
        "migrate", operation.migrate, "Take the store to the schema of this release"
    )
    commands.add(
        "indexer",
        operation.indexer,
        "Keep the index up to date until stopped",
        as_json=False,
    )
    commands.add("status", operation.status, "Show store, index, indexer and settings")
    commands.add(
        "verify", operation.verify, "Check the store, and the index against it"
    )
    commands.add("formats", operation.formats, "List the formats that Nutgraf reads")
    _add_keys(
        _Commands(
            commands.group("keys", "Create, list, revoke and rotate keys"),
            metavar="ACTION",
        )
    )
    return parser


def _add_load(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="file, folder, or - for stdin")
    add(
        "--format",
        choices=tuple(FORMATS),
        help="format of every file (default: detect each)",
    )
    add_record_options(parser)
    add(
        "--force",
        action="store_true",
        help="replace stored versions whose content differs",
    )
    add("--no-wait", action="store_true", help="do not wait for the index")


def _add_search(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "q",
        nargs="*",
        metavar="QUERY",
        help="words and operators (default: all articles)",
    )
    add(
        "--in",
        dest="within",
        choices=tuple(PLACES),
        default="text",
        help="part of an article to search (default: %(default)s)",
    )
    add(
        "--scope",
        choices=_values(QueryScope),
        default="article",
        help="whether all words must occur in one article or in one paragraph"
        " (default: %(default)s)",
    )
    add(
        "--unit",
        choices=_values(Unit),
        default="article",
        help="whether a hit is an article or a paragraph (default: %(default)s)",
    )
    add(
        "--from",
        dest="since",
        metavar="DATE",
        help="first date: 2016, 2016-09, -7d, today …",
    )
    add("--to", dest="until", metavar="DATE", help="last date, included as a whole")
    add(
        "--date",
        choices=DATE_FIELD_NAMES,
        default="published",
        help="date that --from and --to refer to (default: %(default)s)",
    )
    add(
        "--tz",
        default="UTC",
        metavar="ZONE",
        help="IANA time zone of dates (default: %(default)s)",
    )
    add(
        "--sort",
        choices=_values(Sort),
        help="order of hits (default: relevance, or newest without a query)",
    )
    add(
        "--limit",
        type=int,
        default=10,
        metavar="N",
        help="maximum number of hits (default: %(default)s)",
    )
    add("--page", type=int, metavar="N", help="number of the page, from 1")
    add("--cursor", help="cursor that the previous answer ends with")
    add(
        "--facet",
        action="append",
        default=[],
        metavar="FIELD[:INTERVAL]",
        help="count articles per value of FIELD; dates per day, week, month, year or"
        " auto",
    )
    add(
        "--facet-size",
        type=int,
        default=10,
        metavar="N",
        help="maximum number of values per facet (default: %(default)s)",
    )
    add(
        "--filter",
        type=pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="only articles with this value; repeat a field to allow several values",
    )
    add(
        "--exclude",
        type=pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="no articles with this value",
    )
    add(
        "--missing",
        action="append",
        default=[],
        metavar="FIELD",
        help="only articles without a value",
    )
    add(
        "--passages",
        type=int,
        default=3,
        metavar="N",
        help="maximum number of paragraphs per hit (default: %(default)s)",
    )
    add(
        "--passage-length",
        type=int,
        default=0,
        metavar="N",
        help="maximum characters per paragraph; 0 for all (default: %(default)s)",
    )
    add(
        "--fields",
        type=_names,
        default=(),
        metavar="FIELD,…",
        help="article fields to include, with --json",
    )
    add("--explain", action="store_true", help="show the parts of each score")
    add("--strict", action="store_true", help="refuse a query with mistakes")


def _add_reading(commands: _Commands) -> None:
    get = commands.add("get", searching.get, "Show an article")
    get.add_argument("id", metavar="ID", help="id of the article")
    get.add_argument("--version", help="version to show (default: the current one)")
    get.add_argument(
        "--q", default="", metavar="QUERY", help="highlight the matches of this query"
    )
    original = commands.add(
        "original",
        searching.original,
        "Write an article to stdout as it was sent",
        as_json=False,
    )
    original.add_argument("id", metavar="ID", help="id of the article")
    original.add_argument(
        "--version", help="version to write (default: the current one)"
    )


def _add_withdrawal(commands: _Commands) -> None:
    delete = commands.add(
        "delete", articles.delete, "Delete articles with all their versions"
    )
    delete.add_argument("ids", nargs="+", metavar="ID", help="id of an article")
    kill = commands.add(
        "kill", articles.kill, "Kill an article; only a notice of it stays"
    )
    kill.add_argument("id", metavar="ID", help="id of the article, stored or not")
    kill.add_argument(
        "--note", metavar="TEXT", help="reason, for readers who had the article"
    )
    kill.add_argument(
        "--replacement", metavar="ID", help="id of the article to use instead"
    )
    kill.add_argument(
        "--version",
        help="kill all versions up to this one (default: the current one)",
    )
    kill.add_argument(
        "--cascade",
        choices=("story",),
        help="also kill the articles it evolved from or into, and its story",
    )
    for name, run, about in (
        ("withhold", articles.withhold, "Withhold articles until they are reinstated"),
        ("reinstate", articles.reinstate, "Undo a kill, or stop withholding articles"),
        ("purge", articles.purge, "Erase the texts of killed articles for good"),
    ):
        withdrawal = commands.add(name, run, about)
        withdrawal.add_argument("ids", nargs="+", metavar="ID", help="id of an article")


def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--all",
        action="store_true",
        help="include notes to editors, and withheld, embargoed and expired articles",
    )
    add(
        "--format",
        choices=tuple(REPRESENTATIONS),
        default="jsonl",
        help="format of each article (default: %(default)s); those that are no line go"
        " into a folder, one file each",
    )
    add(
        "--output",
        metavar="FILE",
        help="file to write (default, or -: stdout), or a new folder",
    )


def _add_backups(commands: _Commands) -> None:
    backup = commands.add("backup", backups.backup, "Copy the store into one file")
    backup.add_argument(
        "file", metavar="FILE", help="file to write; it does not include the index"
    )
    backup.add_argument(
        "--force", action="store_true", help="replace FILE if it exists"
    )
    restore = commands.add("restore", backups.restore, "Replace the store by a backup")
    restore.add_argument("file", metavar="FILE", help="file from nutgraf backup")
    restore.add_argument(
        "--yes", action="store_true", help="replace a store that is not empty"
    )
    restore.add_argument(
        "--with-keys",
        action="store_true",
        help="take the keys of FILE, too (default: only those of this store)",
    )
    restored = commands.add(
        "restored",
        backups.restored,
        "Begin a new history after pg_restore or a copy put back by hand",
    )
    restored.add_argument(
        "--yes", action="store_true", help="have clients and the index start anew"
    )


def _add_keys(commands: _Commands) -> None:
    add = commands.add("add", keys.add, "Create a key and print it, this once")
    add.add_argument(
        "name", metavar="NAME", help="name in lists and logs; one live key each"
    )
    add.add_argument(
        "--scope",
        type=_names,
        required=True,
        metavar="SCOPE,…",
        help=f"what the key may do: {', '.join(Scope)}",
    )
    add.add_argument(
        "--filter",
        type=pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="read and write only articles with this value; repeat a field to allow"
        " several values",
    )
    add.add_argument(
        "--exclude",
        type=pair,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="read and write no articles with this value",
    )
    add.add_argument(
        "--expires",
        metavar="WHEN",
        help="last day, such as 2027-01-31, or a span, such as 90d (default: never)",
    )
    add.add_argument(
        "--rate",
        metavar="N",
        help="requests per minute, or none for no limit (default: NUTGRAF_RATE)",
    )
    commands.add("list", keys.list_keys, "List all keys, also expired and revoked ones")
    revoke = commands.add("revoke", keys.revoke, "Revoke keys at once")
    revoke.add_argument(
        "key", metavar="NAME|ID", help="id of a key, or name of all its live keys"
    )
    rotate = commands.add(
        "rotate", keys.rotate, "Replace a key by a new one with the same rights"
    )
    rotate.add_argument(
        "key", metavar="NAME|ID", help="id or name of the key to replace"
    )
    rotate.add_argument(
        "--overlap",
        default="7d",
        metavar="SPAN",
        help="how long both keys are live, such as 12h; 0h revokes the old key at once"
        " (default: %(default)s)",
    )


def _release() -> str:
    try:
        return version("nutgraf")
    except PackageNotFoundError:
        return "(a checkout that is not installed)"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _values(kind: type[StrEnum]) -> tuple[str, ...]:
    return tuple(member.value for member in kind)
