"""The change feed, page by page: what a reader is told of a stretch of the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index.dates import micros
from index.errors import HistoryChanged
from index.history import Change, Entry, Notice, entry_for
from index.query import Reader
from index.store import View

_READ = 500  # entries of the log that are read at a time
# Entries that one page looks through for those that are for its reader: so many take
# some 0.2 s, and a page of none is an answer, too.
_MOST_READ = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """A stretch of the change feed.

    :param next: the seq to ask after for what follows: everything up to it was told, or
        is not for this reader.
    :param more: there is more that can be told now.
    :param history: of the store: its seqs mean nothing in another one.
    """

    entries: tuple[Entry, ...]
    next: int
    more: bool
    history: str


def page_of_changes(
    view: View,
    since: int,
    limit: int,
    reader: Reader,
    *,
    indexed: int | None,
    history: str | None = None,
) -> ChangePage:
    """Return what a reader is told of the changes after a seq.

    What shows is told once the index includes it. The page ends before the first such
    change; what only takes away needs no index to be true, and is told if it comes
    before.

    :param indexed: the seq that the index includes; ``None`` if there is no index.
    :param history: that the seq is of.
    :raises HistoryChanged: the store has no such seq, or another history: it is another
        store, or an older copy of it was put back.
    """
    ours = f"{view.epoch:x}"
    if since > view.seq or (history is not None and history != ours):
        raise HistoryChanged(since, newest=view.seq)
    entries: list[Entry] = []
    reached, end = since, view.seq
    for change in _log(view, since, end):
        entry = entry_for(change, reader, micros(change.at))
        if entry is not None:
            if not (entry.removed or indexed is None or change.seq <= indexed):
                end = reached  # for now
                break
            entries.append(entry)
        reached = change.seq
        if len(entries) >= limit or change.seq - since >= _MOST_READ:
            break
    return ChangePage(
        entries=tuple(entries), next=reached, more=reached < end, history=ours
    )


def _log(view: View, since: int, end: int) -> Iterator[Change]:
    while since < end:
        page = view.changes(since, min(_READ, end - since))
        yield from page
        since = page[-1].seq


def may_read(notice: Notice, reader: Reader) -> bool:
    """Return whether a reader may see the notice of a kill.

    It is for those who were told of the kill.
    """
    if notice.audience is None:
        return not reader.filters
    return notice.audience.tells(reader)
