"""Commands that copy the store and put a copy back: backup and restore."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from index.cli.terminal import Screen, count
from index.errors import InvalidValue
from index.settings import Settings
from index.store import Store, begin_history


def backup(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Copy the store into one file."""
    file = Path(args.file)
    with closing(Store.open(settings.store)) as store:
        taken = store.take_backup(file, replace=args.force)
    size = file.stat().st_size
    if screen.as_json:
        screen.json({"file": args.file, "bytes": size, **asdict(taken)})
    else:
        screen.line(
            f"{count(taken.articles, 'article')}, {count(taken.versions, 'version')} up"
            f" to change {taken.seq:,} in {args.file}; {size / 1e6:,.1f} MB, checked"
        )
    return 0


def restore(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Replace the store by a backup."""
    with closing(Store.open(settings.store)) as store:
        seq = store.seq()
        if seq and not args.yes and not _agreed(store, screen):
            raise InvalidValue(
                "--yes",
                f"this replaces the whole store, which is at change {seq:,}. Back it up"
                " first, then confirm with --yes",
            )
        restored = store.restore_backup(Path(args.file), with_keys=args.with_keys)
        without_key = store.keys.ever() and not _has_live_key(store)
    taken = restored.backup
    if screen.as_json:
        screen.json(
            {
                **asdict(taken),
                "before": restored.before,
                "killed_again": list(restored.killed_again),
                "restricted_again": list(restored.restricted_again),
                "keys": restored.keys,
                "keys_taken": restored.keys_taken,
                "digest": restored.has_digest,
            }
        )
        return 0
    screen.line(
        f"{count(taken.articles, 'article')}, {count(taken.versions, 'version')} up to"
        f" change {taken.seq:,}; before it was change {restored.before:,}. The"
        " indexer rebuilds the index"
    )
    for article_id in restored.killed_again:
        screen.line(f"killed since the backup, now killed again: {article_id}")
    for article_id in restored.restricted_again:
        screen.line(f"restricted since the backup, now restricted again: {article_id}")
    if not restored.has_digest:
        screen.line(
            "the backup has no digest: an older release wrote it, or it is a copy of a"
            " store. All of it was checked, but not that it is as it was written"
        )
    if restored.keys and not restored.keys_taken:
        screen.line(
            f"{count(restored.keys, 'key')} of the backup stayed behind; to take them,"
            " restore it with --with-keys"
        )
    if without_key:
        screen.line(
            "every caller needs a key, and this store has no live one: create one with"
            " nutgraf keys add"
        )
    return 0


def restored(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Begin a new history in a store that other tools have restored."""
    if not args.yes:
        raise InvalidValue(
            "--yes",
            "this makes every client of the change feed start anew and has the index"
            " built again; confirm with --yes",
        )
    begin_history(settings.store)
    with closing(Store.open(settings.store)) as store:
        seq = store.seq()
    if screen.as_json:
        screen.json({"seq": seq})
    else:
        screen.line(
            f"the store is at change {seq:,} of a new history; the indexer rebuilds the"
            " index. What was killed or withheld since the backup is not: do it again"
        )
    return 0


def _has_live_key(store: Store) -> bool:
    now = datetime.now(UTC)
    return any(key.state(now) == "live" for key in store.keys.all())


def _agreed(store: Store, screen: Screen) -> bool:
    """Ask at the terminal whether to replace the store; without a terminal, no."""
    if not sys.stdin.isatty():
        return False
    articles = store.counts().articles
    screen.complain(
        f"{count(articles, 'article')} in {store.place} will be replaced; type yes:"
    )
    return sys.stdin.readline().strip() == "yes"
