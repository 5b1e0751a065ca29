"""Subscriptions: a search as feed readers follow it, with what disappeared from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice, takewhile

from index.access import Validity
from index.archive.answers import Answer
from index.dates import from_micros, micros
from index.history import Change, Entry, entry_for
from index.query import Search
from index.store import View

# How long a feed tells of an article that disappeared.
TOLD = timedelta(days=30)
_READ = 500  # entries of the log that are read at a time
# Entries that a feed looks through, the newest first; they take some 50 ms.
_MOST_READ = 5_000
_MOST_REMOVED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """An article that disappeared from a search.

    :param at: when its readers could no longer see it.
    """

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """A page of hits as feed readers need it.

    :param stored: when the shown version of each hit was stored, by id.
    :param removals: the newest first; none on a page after a cursor.
    :param changed: the last instant at which any answer may have changed.
    """

    answer: Answer
    stored: dict[str, datetime]
    removals: tuple[Removal, ...]
    changed: datetime


def removals_from(
    view: View, search: Search, validity: Validity
) -> tuple[Removal, ...]:
    """Articles that disappeared in the last 30 days, the newest first.

    Chosen by the search's reader and filters, as in the change feed: nobody else could
    see them. Its words do not matter: the texts that had them are gone. Articles that
    show again are left out.

    :param search: its filters are those of a reader here.
    :param validity: of the answer that the removals are part of.
    """
    filters = (*search.reader.filters, *search.filters)
    reader = replace(search.reader, filters=filters)
    first = micros(search.now - TOLD)
    removals: dict[str, Removal] = {}
    decided: set[str] = set()
    recent = takewhile(
        lambda change: micros(change.at) >= first,
        _newest(view, filtered=bool(filters)),
    )
    while batch := list(islice(recent, _READ)):
        ended: list[Entry] = []
        for change in batch:
            entry = entry_for(change, reader, micros(change.at))
            if entry is not None and entry.id not in decided:
                decided.add(entry.id)
                if entry.removed:
                    ended.append(entry)
        standings = view.standings([entry.id for entry in ended])
        for entry in ended:
            _, standing = standings.get(entry.id, (None, None))
            if standing is None or not standing.shown(reader, validity.now):
                removals[entry.id] = Removal(id=entry.id, at=entry.at)
                validity.turns_at(micros(entry.at) + (micros(search.now) - first))
                if len(removals) == _MOST_REMOVED:
                    return tuple(removals.values())
    return tuple(removals.values())


def last_change(view: View, now: datetime) -> datetime:
    """The last instant at which any answer may have changed, by a write or without.

    Embargoes end and articles expire without a write.
    """
    instants = (view.changed_at(), *view.last_ends(micros(now)))
    return from_micros(max(instant for instant in instants if instant is not None))


def _newest(view: View, *, filtered: bool) -> Iterator[Change]:
    """Iterator over the entries of the log that may tell of an end, the newest first.

    These are the entries that may hide an article from some reader, which come from a
    small index: a load of many articles buries none of them.

    :param filtered: the reader has a filter. Then any recent change counts as well,
        since it may take the article out of the filter.
    """
    hiding = _read(view, hiding=True)
    if not filtered:
        return hiding
    return merge(hiding, _read(view, hiding=False), key=lambda change: -change.seq)


def _read(view: View, *, hiding: bool) -> Iterator[Change]:
    before = view.seq + 1
    for _ in range(_MOST_READ // _READ):
        page = view.changes_before(before, _READ, hiding=hiding)
        yield from page
        if len(page) < _READ:
            return
        before = page[-1].seq
