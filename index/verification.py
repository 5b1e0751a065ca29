"""Verification: whether the store is sound, and the index what the store says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from index.engines import Engine, Snapshot
from index.errors import IndexUnavailable
from index.history import OTHER_HISTORY, of_one_history
from index.query import All, Search, Sort, SortKey
from index.store import Store, View
from index.visibility import visible

_PAGE = 1_000  # changes, or articles of the index, that are read at a time


def problems(store: Store, engine: Engine) -> Iterator[str]:
    """Yield a sentence for everything that is wrong; nothing if all is well.

    Every file of the index is read. If all are what was written, the index is compared
    at the ``seq`` it has applied: what changed since is left out. Articles that do not
    show now are only counted, since a search cannot name them.
    """
    yield from store.check()
    harmed = False
    for harm in engine.check():
        harmed = True
        yield f"{harm}; run nutgraf rebuild"
    if harmed:
        return  # what it would answer means nothing
    try:
        yield from _compared(store, engine)
    except IndexUnavailable as error:
        yield f"the index cannot be read: {error}; run nutgraf rebuild"


def _compared(store: Store, engine: Engine) -> Iterator[str]:
    snapshot = engine.snapshot()
    # The store's view is the younger of the two, so it includes what the index does.
    with store.reading() as view:
        if not of_one_history(snapshot, view):
            yield f"{OTHER_HISTORY}; run nutgraf rebuild"
            return
        if snapshot.seq > view.seq:
            yield (
                f"the index is at seq {snapshot.seq:,} and the store only at"
                f" {view.seq:,}: they do not belong together; run nutgraf rebuild"
            )
            return
        yield from _differences(view, snapshot)
        state = engine.state()
        total = view.searchable()
        if state.seq == view.seq and state.articles != total:
            yield (
                f"the index holds {state.articles:,} articles and the store {total:,},"
                " those that do not show included; run nutgraf rebuild"
            )


def _differences(view: View, snapshot: Snapshot) -> Iterator[str]:
    now = datetime.now(UTC)
    pending = _changed(view, snapshot.seq)
    expected: dict[str, str | None] = {}
    paragraphs = 0
    for article in view.iterate():
        if article.id not in pending and visible(article, now):
            expected[article.id] = article.version
            paragraphs += len(article.paragraphs)
    search = Search(query=All(), now=now, sort=Sort.NEWEST, passages=0, limit=_PAGE)
    for article_id, version in _indexed(snapshot, search):
        if article_id in pending:
            continue
        wanted = expected.pop(article_id, None)
        if wanted is None:
            yield f"{article_id} is in the index, and should not be found"
        elif wanted != version:
            yield f"{article_id} is indexed in version {version}, not {wanted}"
    for article_id, wanted in expected.items():
        yield f"{article_id}, version {wanted}, is not in the index"
    found = snapshot.search(Search(query=All(), now=now, limit=0)).paragraphs
    if not pending and found != paragraphs:
        yield f"the index finds {found:,} paragraphs, the store has {paragraphs:,}"


def _changed(view: View, since: int) -> set[str]:
    changed: set[str] = set()
    while page := view.changes(since, _PAGE):
        changed.update(change.id for change in page)
        since = page[-1].seq
    return changed


def _indexed(snapshot: Snapshot, search: Search) -> Iterator[tuple[str, str]]:
    """Yield id and version of everything that a search finds, page by page."""
    after: SortKey | None = None
    while True:
        page = snapshot.search(replace(search, after=after))
        yield from ((hit.id, hit.version) for hit in page.hits)
        if page.after is None:
            return
        after = page.after
