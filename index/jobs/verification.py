"""Verification: is the store sound, and does the index agree with it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from index.access import visible
from index.engines import OTHER_HISTORY, Engine, Snapshot, of_one_history
from index.errors import IndexUnavailable
from index.folders import remote_kind
from index.query import PUBLIC, All, Reader, Search, Sort, SortKey
from index.store import Store, View

_PAGE = 1_000  # changes, or hits of the index, read at a time
_EVERYTHING = Reader(held=True)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def store_problems(store: Store, engine: Engine) -> Iterator[str]:
    """Yield a sentence for each problem; nothing if there is none.

    Every file of the index is read. If all are as they were written, the index is
    compared with the store, except for articles that changed since its ``seq``. It is
    compared twice: everything it holds, and what it shows everybody now.
    """
    yield from store.check()
    is_damaged = False
    for damage in engine.check():
        is_damaged = True
        yield f"{damage}, or run nutgraf rebuild"
    if is_damaged:
        return  # its answers would mean nothing
    try:
        yield from _compared(store, engine)
    except IndexUnavailable as error:
        yield f"the index cannot be read: {error}; run nutgraf rebuild"


def store_warnings(store: Store, engine: Engine) -> Iterator[str]:
    """Yield a sentence for each risk: not a problem yet, but it may become one."""
    yield from store.warnings()
    with store.reading() as view:
        moved_to = view.moved_to
    if moved_to is not None:
        yield (
            f"the store was moved to {moved_to} and refuses writes: set NUTGRAF_STORE"
            " to that and start Nutgraf again"
        )
    for name, path in (("store", store.path), ("index", engine.folder)):
        kind = None if path is None else remote_kind(path)
        if kind is not None:
            yield (
                f"the {name} is on a network file system ({kind}), where locks may not"
                " hold: move it to a local disk"
            )


def _compared(store: Store, engine: Engine) -> Iterator[str]:
    snapshot = engine.snapshot()
    # The view is taken second, so it includes everything that the index does.
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
        set_aside = store.quarantine.articles(view.epoch)
        for article in set_aside.values():
            yield f"{article.id}, version {article.version}, cannot be indexed"
        pending |= set_aside.keys()
        # Everything: before any expiry, for a reader who sees withheld articles.
        yield from _differences(view, snapshot, pending, _EVERYTHING, _BEFORE_ALL)
        yield from _differences(view, snapshot, pending, PUBLIC, datetime.now(UTC))
        state = engine.state()
        total = view.searchable() - sum(
            view.indexable(article_id) is not None for article_id in set_aside
        )
        if state.seq == view.seq and state.articles != total:
            yield (
                f"the index holds {state.articles:,} articles and the store {total:,},"
                " hidden ones included; run nutgraf rebuild"
            )


def _differences(
    view: View, snapshot: Snapshot, pending: set[str], reader: Reader, now: datetime
) -> Iterator[str]:
    """Yield a sentence for each article that the index and the store disagree on."""
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
    only_visible = reader is not _EVERYTHING
    for article_id, version in _indexed(snapshot, search):
        if article_id in pending:
            continue
        stored = expected.pop(article_id, None)
        if stored is None:
            where = "is found" if only_visible else "is in the index"
            yield f"{article_id} {where}, and should not be"
        elif stored != version:
            yield f"{article_id} is indexed in version {version}, not {stored}"
    for article_id, stored in expected.items():
        where = "is not found" if only_visible else "is not in the index"
        yield f"{article_id}, version {stored}, {where}"
    indexed = snapshot.search(replace(search, limit=0)).paragraphs
    if not pending and indexed != paragraphs:
        yield f"the index finds {indexed:,} paragraphs, the store has {paragraphs:,}"


def _changed(view: View, since: int) -> set[str]:
    changed: set[str] = set()
    while page := view.changes(since, _PAGE):
        changed.update(change.id for change in page)
        since = page[-1].seq
    return changed


def _indexed(snapshot: Snapshot, search: Search) -> Iterator[tuple[str, str]]:
    """Yield (id, version) of every hit of a search, page by page."""
    after: SortKey | None = None
    while True:
        page = snapshot.search(replace(search, after=after))
        yield from ((hit.id, hit.version) for hit in page.hits)
        if page.after is None:
            return
        after = page.after
