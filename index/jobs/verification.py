"""Verification: whether the store is sound, and the index what the store says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from index.access import visible
from index.engines import OTHER_HISTORY, Engine, Snapshot, of_one_history
from index.errors import IndexUnavailable
from index.folders import remote_kind
from index.query import PUBLIC, All, Reader, Search, Sort, SortKey
from index.store import Store, View, tables

_PAGE = 1_000  # changes, or articles of the index, that are read at a time
_EVERYTHING = Reader(held=True)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def store_problems(store: Store, engine: Engine) -> Iterator[str]:
    """Yield a sentence for everything that is wrong; nothing if all is well.

    Every file of the index is read. If all are what was written, the index is compared
    at the ``seq`` it has applied: what changed since is left out. That is done twice:
    everything that it holds, whoever may see it, and what it shows anybody now.
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


def store_warnings(store: Store, engine: Engine) -> Iterator[str]:
    """Yield a sentence for what is not wrong, but may become so."""
    yield from tables.sqlite_warnings()
    for name, path in (("store", store.path), ("index", engine.folder)):
        kind = None if path is None else remote_kind(path)
        if kind is not None:
            yield (
                f"the {name} is on a file system of other machines ({kind}), where"
                " locks may not hold: move it to a disk of this one"
            )


def _compared(store: Store, engine: Engine) -> Iterator[str]:
    snapshot = engine.snapshot()
    # The store's view is the younger of the two, so it includes what the index does.
    with store.reading() as view:
        if not of_one_history(snapshot, view.epoch):
            yield f"{OTHER_HISTORY}; run nutgraf rebuild"
            return
        if snapshot.seq > view.seq:
            yield (
                f"the index is at seq {snapshot.seq:,} and the store only at"
                f" {view.seq:,}: they do not belong together; run nutgraf rebuild"
            )
            return
        pending = _changed(view, snapshot.seq)
        # Before anything expires, to somebody who sees what is held back: all there is.
        yield from _differences(view, snapshot, pending, _EVERYTHING, _BEFORE_ALL)
        yield from _differences(view, snapshot, pending, PUBLIC, datetime.now(UTC))
        state = engine.state()
        total = view.searchable()
        if state.seq == view.seq and state.articles != total:
            yield (
                f"the index holds {state.articles:,} articles and the store {total:,},"
                " those that do not show included; run nutgraf rebuild"
            )


def _differences(
    view: View, snapshot: Snapshot, pending: set[str], reader: Reader, now: datetime
) -> Iterator[str]:
    expected: dict[str, str | None] = {}
    paragraphs = 0
    for article in view.iterate():
        if article.id not in pending and visible(article, now, reader):
            expected[article.id] = article.version
            paragraphs += len(article.paragraphs)
    search = Search(
        query=All(),
        now=now,
        reader=reader,
        sort=Sort.NEWEST,
        passages=0,
        limit=_PAGE,
    )
    shown = reader is not _EVERYTHING
    for article_id, version in _indexed(snapshot, search):
        if article_id in pending:
            continue
        wanted = expected.pop(article_id, None)
        if wanted is None:
            how = "shows" if shown else "is in the index"
            yield f"{article_id} {how}, and should not be found"
        elif wanted != version:
            yield f"{article_id} is indexed in version {version}, not {wanted}"
    for article_id, wanted in expected.items():
        how = "does not show" if shown else "is not in the index"
        yield f"{article_id}, version {wanted}, {how}"
    found = snapshot.search(replace(search, limit=0)).paragraphs
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
