"""What ``nutgraf backup`` and ``nutgraf restore`` do."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from index.cli.terminal import Screen, count
from index.errors import InvalidValue
from index.settings import Settings
from index.store import Store


def backup(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Copy the store into one file."""
    file = Path(args.file)
    with closing(Store.open(settings.store)) as store:
        found = store.take_backup(file, replace=args.force)
    size = file.stat().st_size
    if screen.as_json:
        screen.json({"file": args.file, "bytes": size, **asdict(found)})
    else:
        screen.line(
            f"{count(found.articles, 'article')}, {count(found.versions, 'version')} up"
            f" to change {found.seq:,} in {args.file}; {size / 1e6:,.1f} MB, checked"
        )
    return 0


def restore(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Make the store what it was when a backup was taken."""
    with closing(Store.open(settings.store)) as store:
        seq = store.seq()
        if seq and not args.yes and not _agreed(store, screen):
            raise InvalidValue(
                "--yes",
                f"this replaces the whole store, which is at change {seq:,}; back it up"
                " first, then confirm with --yes",
            )
        done = store.restore_backup(Path(args.file))
    found = done.backup
    if screen.as_json:
        screen.json(
            {
                **asdict(found),
                "before": done.before,
                "killed_again": list(done.killed_again),
                "restricted_again": list(done.restricted_again),
            }
        )
        return 0
    screen.line(
        f"{count(found.articles, 'article')}, {count(found.versions, 'version')} up to"
        f" change {found.seq:,}; before it was change {done.before:,}. The indexer"
        " builds the index again"
    )
    for article_id in done.killed_again:
        screen.line(f"killed since the backup, and again now: {article_id}")
    for article_id in done.restricted_again:
        screen.line(f"held back since the backup, and again now: {article_id}")
    return 0


def _agreed(store: Store, screen: Screen) -> bool:
    """Return whether somebody at a terminal wants the store to be replaced."""
    if not sys.stdin.isatty():
        return False
    held = store.counts().articles
    screen.complain(
        f"{count(held, 'article')} in {store.path} will be replaced; write yes:"
    )
    return sys.stdin.readline().strip() == "yes"
