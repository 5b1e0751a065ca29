"""A search at one moment, and its answer: the engine's page with its texts.

An engine's page holds no text. The texts of its hits are read from the store, in the
versions that the index matched and in one read transaction, and marked.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from index import dates
from index.access import Validity
from index.archive.answers import Answer
from index.archive.hits import Hits, ahead_of_store
from index.archive.subscription import FeedPage, last_change, removals_from
from index.archive.suggestions import did_you_mean
from index.archive.tags import Tag, tag_of
from index.deadline import until
from index.engines import (
    OTHER_HISTORY,
    Snapshot,
    of_one_history,
    ranking,
)
from index.errors import IndexUnavailable, InputError
from index.query import (
    Parsed,
    Query,
    Range,
    Reader,
    Request,
    Search,
    compile_request,
    continued,
    encode_cursor,
)
from index.settings import Settings
from index.store import View

# Dates that count from now are others at such a distance: days, months and years.
_OTHER_TIME = timedelta(days=400)
_MOST_CHANGED = 20_000  # articles that an answer can leave out one by one


class Question:
    """A search, with the index and the store as they were when it began.

    It lasts as long as the read transaction of its view. The snapshot of the index is
    the older of the two: the answer leaves out what the store has hidden since then.

    :param snapshot: the index, or the error that says why there is none; only
        :meth:`answer` raises it.
    :param held: what the answer holds until the caller has used it.
    """

    def __init__(
        self,
        request: Request,
        search: Search,
        parsed: Parsed,
        *,
        snapshot: Snapshot | IndexUnavailable,
        view: View,
        settings: Settings,
        held: ExitStack,
    ) -> None:
        self._started = time.perf_counter()
        self._request, self._search, self._parsed = request, search, parsed
        self._snapshot, self._view, self._settings = snapshot, view, settings
        self._held = held
        self._validity = Validity(search.now)

    @property
    def query(self) -> Query:
        """The query as it was read."""
        return self._parsed.query

    def tag(self, parameters: str) -> Tag:
        """Tag that changes whenever the answer may change.

        It depends on the stored seq and the commit of the index, on the release and its
        settings, on what relative dates mean now, and on the last embargo that ended
        and the last article that expired; once the answer is made, also on the instants
        that its texts depend on. While the index is behind, the embargo of an older
        version may end at any time, so every tag is new.
        """
        search, snapshot = self._search, self._snapshot
        return tag_of(
            self._view,
            None if isinstance(snapshot, IndexUnavailable) else snapshot,
            search.now,
            parameters,
            repr((search.query, search.dates, search.reader)),
            self._validity,
            self._settings,
        )

    def answer(self) -> Answer:
        """Articles or paragraphs that match, with their passages marked.

        :raises SearchTimeout: it took longer than the settings allow.
        :raises LimitExceeded: it has more bytes than the settings allow.
        :raises IndexUnavailable: there is no index to answer from now.
        """
        request, view = self._request, self._view
        snapshot, search = self._visible
        page = snapshot.search(search)
        check_of_one_store(snapshot, view)
        correction = did_you_mean(
            snapshot,
            search,
            page,
            request.q,
            lambda q, deadline: self._counted(
                replace(request, q=q), replace(search, deadline=deadline)
            ),
        )
        hits = Hits(
            request,
            search,
            view=view,
            validity=self._validity,
            settings=self._settings,
            reserve=lambda size: self._held.enter_context(
                snapshot.reserved(size, search)
            ),
        ).of(page.hits, until(search.deadline))
        return Answer(
            text=request.q,
            understood=self._parsed.understood,
            warnings=self._parsed.warnings,
            did_you_mean=correction,
            terms=page.terms,
            applied=_applied(request, search),
            articles=page.articles,
            paragraphs=page.paragraphs,
            took_ms=round((time.perf_counter() - self._started) * 1000, 2),
            seq=page.seq,
            behind=view.seq - snapshot.seq,
            unit=request.unit.value,
            hits=hits,
            facets=page.facets,
            next=None
            if page.after is None
            else encode_cursor(
                page.after,
                page.statistics,
                search=search,
                bound=request.bound_for(search, ranking.version()),
                key=view.cursor_key,
            ),
        )

    def count(self, request: Request) -> int:
        """Number of articles that another search finds, for the same reader.

        It is of the same moment, and must end by the deadline of this search.

        :raises InputError: the request is wrong; the error names the parameter.
        :raises SearchTimeout: both took longer than the settings allow.
        :raises IndexUnavailable: there is no index to answer from now.
        """
        snapshot, search = self._visible
        until(search.deadline)()
        number = snapshot.search(self._counted(request, search)).articles
        check_of_one_store(snapshot, self._view)
        return number

    def feed_page(self) -> FeedPage:
        """The answer with what feed readers need besides its hits.

        :raises SearchTimeout: it took longer than the settings allow.
        :raises IndexUnavailable: there is no index to answer from now.
        """
        answer, search, view = self.answer(), self._search, self._view
        return FeedPage(
            answer=answer,
            stored=view.stored_at(
                (hit.article["id"], hit.article["version"]) for hit in answer.hits
            ),
            removals=()
            if search.after is not None or search.offset
            else removals_from(view, search, self._validity),
            changed=last_change(view, search.now),
        )

    def last_modified(self) -> datetime | None:
        """The last instant at which the answer may have changed.

        ``None`` if instants do not tell: the index is behind the store, or the search
        means something else at another time, as one of the last seven days does.
        """
        search, snapshot = self._search, self._snapshot
        if isinstance(snapshot, IndexUnavailable) or snapshot.seq != self._view.seq:
            return None
        try:
            earlier, _ = compile_request(
                replace(self._request, cursor=None),
                settings=self._settings,
                now=search.now - _OTHER_TIME,
                reader=search.reader,
            )
        except InputError:  # of a period that has not begun then
            return None
        if (earlier.query, earlier.dates) != (search.query, search.dates):
            return None
        return last_change(self._view, search.now)

    @cached_property
    def _visible(self) -> tuple[Snapshot, Search]:
        """The index, and the search without what the store has hidden since then.

        :raises IndexUnavailable: there is no index to answer from now.
        """
        search, snapshot = self._search, self._snapshot
        if isinstance(snapshot, IndexUnavailable):
            raise snapshot
        hidden = hidden_from(search.reader, self._view, snapshot.seq)
        return snapshot, replace(search, hidden=hidden) if hidden else search

    def _counted(self, request: Request, search: Search) -> Search:
        """A search for the reader and by the deadline of one, which only counts hits.

        :raises InputError: the request is wrong, or its query breaks a limit.
        """
        other, _ = compile_request(
            replace(request, limit=0, page=None, cursor=None, facets=()),
            settings=self._settings,
            now=search.now,
            reader=search.reader,
            hidden=search.hidden,
            deadline=search.deadline,
        )
        return other


def search_after_cursor(request: Request, search: Search, view: View) -> Search:
    """A search that goes on after the cursor of its request, if it has one.

    :raises InputError: the cursor is not one of this search or of this store.
    """
    if request.cursor is None:
        return search
    return continued(
        request,
        search,
        key=view.cursor_key,
        bound=request.bound_for(search, ranking.version()),
    )


def check_of_one_store(snapshot: Snapshot, view: View) -> None:
    """Check that an index was built from this store, and is not ahead of it.

    :raises IndexUnavailable: it belongs to another store, or to another history.
    """
    # Seqs of two histories do not compare, so nobody could say what is hidden.
    if not of_one_history(snapshot, view.epoch):
        raise IndexUnavailable(f"{OTHER_HISTORY}; the indexer rebuilds it")
    if snapshot.seq > view.seq:
        raise ahead_of_store()


def hidden_from(reader: Reader, view: View, seq: int) -> frozenset[str]:
    """Ids of articles that an index of this seq must not show to a reader.

    For a reader with a filter these are all that changed since: they may have left the
    filter, and only the store knows.

    :raises IndexUnavailable: there are more than can be left out one by one.
    """
    if not reader.filters:
        return view.hidden_since(seq)
    changed = view.changed_since(seq, _MOST_CHANGED + 1)
    if len(changed) > _MOST_CHANGED:
        raise IndexUnavailable(
            f"the index is more than {_MOST_CHANGED:,} articles behind, too many for a"
            " key with a filter; try again later"
        )
    return changed


def _applied(request: Request, search: Search) -> dict[str, Any]:
    """What narrows or orders the answer besides ``q``, by parameter."""
    applied: dict[str, Any] = {
        "status": "usable",
        "in": request.within,
        "scope": request.scope.value,
        "unit": request.unit.value,
        "sort": request.order.value,
        "tz": request.tz,
    }
    reader = search.reader
    if reader.held:
        applied["status"] = "usable, withheld or embargoed"
    if reader.filters:
        applied["key"] = [
            {
                "field": rule.field,
                "exclude" if rule.exclude else "values": list(rule.values),
            }
            for rule in reader.filters
        ]
    bounds: Range | None = search.dates
    if bounds is not None:
        applied["date"] = bounds.field
        if bounds.low is not None:
            applied["from"] = dates.iso(dates.from_micros(bounds.low))
        if bounds.high is not None:
            applied["to"] = dates.iso(dates.from_micros(bounds.high))
    return applied
