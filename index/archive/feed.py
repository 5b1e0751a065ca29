"""Pages of the change feed and of the notices of kills, as a reader may see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from index.archive.carried import Carriage, CarriedArticle, carried_articles
from index.dates import micros
from index.engines import Snapshot, of_one_history
from index.errors import HistoryChanged
from index.history import Change, Entry, Notice, entry_for
from index.query import Reader
from index.store import View

_READ = 500  # entries or notices that are read at a time
# Entries or notices that one page looks through; they take some 0.2 s. A page without
# any for its reader is an answer too.
_MOST_READ = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """A page of the change feed.

    :param next: the ``since`` of the next page: up to it, the reader has seen every
        entry that is for them.
    :param more: whether the next page can be read now.
    :param history: of the store; its seqs mean nothing in another one.
    :param articles: of the entries, in their order, if they were asked for; ``None``
        where the reader can no longer see the article.
    """

    entries: tuple[Entry, ...]
    next: int
    more: bool
    history: str
    articles: tuple[CarriedArticle | None, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePage:
    """A page of the notices of kills, the newest first.

    :param next: the ``before`` of the next page; ``None`` on the last.
    """

    notices: tuple[Notice, ...]
    next: int | None


def page_of_notices(
    view: View, before: int | None, limit: int, reader: Reader
) -> NoticePage:
    """Page of the notices that a reader may see, with seqs below ``before``.

    A page of a reader with a filter can have fewer than ``limit``, or none, and a next
    one all the same.
    """
    notices: list[Notice] = []
    oldest = view.seq + 1 if before is None else min(before, view.seq + 1)
    looked_through = 0
    while looked_through < _MOST_READ:
        rows = view.notices(oldest, min(_READ, limit) if not reader.filters else _READ)
        for notice in rows:
            looked_through += 1
            oldest = notice.seq
            if may_read(notice, reader):
                notices.append(notice)
                if len(notices) == limit:
                    return NoticePage(notices=tuple(notices), next=oldest)
        if not rows:
            return NoticePage(notices=tuple(notices), next=None)
    return NoticePage(notices=tuple(notices), next=oldest)


def page_of_changes(
    view: View,
    since: int | None,
    limit: int,
    reader: Reader,
    *,
    indexed: int | None,
    history: str | None = None,
) -> ChangePage:
    """Page of the changes after a seq that are for a reader.

    An article that appears or changes is listed once the index includes it: the page
    ends before the first that it does not. Removals do not need the index, and are
    listed if they come before that.

    :param since: ``None`` for the newest change that searches include.
    :param indexed: the seq that the index includes; ``None`` without an index.
    :param history: the history that ``since`` belongs to.
    :raises HistoryChanged: the store has no such seq, or another history: it is another
        store, or an older copy of it was restored.
    """
    ours = f"{view.epoch:x}"
    if since is None:
        since = view.seq if indexed is None else min(indexed, view.seq)
    if since > view.seq or (history is not None and history != ours):
        raise HistoryChanged(since, newest=view.seq)
    entries: list[Entry] = []
    reached, end = since, view.seq
    for change in _log(view, since, end):
        entry = entry_for(change, reader, micros(change.at))
        if entry is not None:
            if not (entry.removed or indexed is None or change.seq <= indexed):
                end = reached  # until the index includes this change
                break
            entries.append(entry)
        reached = change.seq
        if len(entries) >= limit or change.seq - since >= _MOST_READ:
            break
    return ChangePage(
        entries=tuple(entries), next=reached, more=reached < end, history=ours
    )


def with_articles(
    page: ChangePage,
    view: View,
    carriage: Carriage | None,
    reader: Reader,
    now: datetime,
) -> ChangePage:
    """A page whose entries have their articles, and as many entries as fit into it.

    :param carriage: what they have of them; ``None`` for the page as it is.
    """
    if carriage is None:
        return page
    entries = page.entries
    articles = carried_articles(view, entries, carriage, reader, now)
    if len(articles) < len(entries):
        entries = entries[: len(articles)]
        page = replace(page, entries=entries, next=entries[-1].seq, more=True)
    return replace(page, articles=articles)


def indexed_seq(snapshot: Snapshot | None, view: View) -> int | None:
    """The seq that an index of this store includes; ``None`` without one."""
    if snapshot is None or not of_one_history(snapshot, view.epoch):
        return None
    return snapshot.seq


def _log(view: View, since: int, end: int) -> Iterator[Change]:
    while since < end:
        page = view.changes(since, min(_READ, end - since))
        yield from page
        since = page[-1].seq


def may_read(notice: Notice, reader: Reader) -> bool:
    """Whether a reader may see the notice of a kill.

    Only readers who were told of the kill may.
    """
    if notice.audience is None:
        return not reader.filters
    return notice.audience.includes(reader)
