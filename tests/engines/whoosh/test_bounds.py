"""Bounds of memory and of time, and input that must not be a fault."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from articles import article
from engines.kinds import NOW, open_empty, word

from index.article import PLACES, Article
from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.searching.snapshot import POSTING_CACHE
from index.engines.whoosh.writing.indexed_article import IndexedArticle
from index.engines.whoosh.writing.writer import Writer
from index.query import All, FacetRequest, Prefix, Search, Sort, SortKey

URL = "whoosh:{tmp}/index"


def small_engine(folder: Path) -> WhooshEngine:
    return WhooshEngine(
        str(folder), language="en", expansions=20_000, memory=1024 * 1024
    )


@pytest.mark.slow
def test_long_chunks_do_not_fill_a_write_buffer_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = Writer._write

    def counting(self: Writer, buffer: Any) -> Any:
        sizes.append(len(buffer))
        return write(self, buffer)

    monkeypatch.setattr(Writer, "_write", counting)
    articles = (
        article(
            f"a{n}",
            "".join(chr(0x4E00 + (n * 131 + k * 7) % 3000) for k in range(120)),
            language="zh",
        )
        for n in range(120)
    )
    small_engine(tmp_path / "index").rebuild(articles, seq=1, total=120)
    assert 1 not in sizes[:-1], sizes


@pytest.mark.slow
def test_articles_are_released_once_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.engines.whoosh.writing.writer._BATCH_DOCUMENTS", 10)
    most = 0

    def articles() -> Iterator[Article]:
        nonlocal most
        for n in range(300):
            time.sleep(0.005)  # gives the background process time to finish
            yield article(f"a{n}", f"truce {n}")
            most = max(
                most, sum(type(each) is IndexedArticle for each in gc.get_objects())
            )

    gc.freeze()  # only objects made from here on are counted
    small_engine(tmp_path / "index").rebuild(articles(), seq=1, total=300)
    assert 0 < most <= 120


@pytest.mark.slow
def test_boosts_of_one_leaf_share_its_cached_postings(tmp_path: Path) -> None:
    engine = open_empty(URL, tmp_path)
    engine.apply(
        [
            article(f"a{n}", *[f"alpha{k % 7} talks" for k in range(200)])
            for n in range(200)
        ],
        (),
        seq=1,
    )
    snapshot: Any = engine.snapshot()
    for n in range(60):
        leaf = Prefix("alpha", None, 1 + n / 1000, "alpha*")
        snapshot.search(Search(query=leaf, now=NOW))
    (postings,) = snapshot._snapshot._memo[POSTING_CACHE]._postings.values()
    assert postings.bytes >= postings.rows.nbytes > 100_000


def test_the_least_recently_used_postings_are_evicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "index.engines.whoosh.searching.posting_cache.CACHE_BYTES", 20_000
    )
    engine = open_empty(URL, tmp_path)
    engine.apply([article("a", *[f"word{n}" for n in range(200)])], (), seq=1)
    snapshot: Any = engine.snapshot()
    for n in range(200):
        snapshot.search(Search(query=word(f"word{n}"), now=NOW))
    cached = snapshot._snapshot._memo[POSTING_CACHE]._postings
    assert 1 < len(cached) < 20
    assert [each.all_articles.tolist() for each in cached.values()] == (
        [[0]] * len(cached)
    )


def test_a_replaced_snapshot_is_freed_at_once(tmp_path: Path) -> None:
    engine = open_empty(URL, tmp_path)
    engine.apply([article("a", "truce")], (), seq=1)
    snapshot: Any = engine.snapshot()
    snapshot.search(Search(query=word("truce"), now=NOW))
    gone = weakref.ref(snapshot._snapshot)
    gc.disable()
    try:
        del snapshot
        engine.apply([article("b", "truce")], (), seq=2)
        engine.snapshot()
        assert gone() is None
    finally:
        gc.enable()


def test_facets_in_any_order_share_one_combined_column(tmp_path: Path) -> None:
    engine = open_empty(URL, tmp_path)
    engine.apply([article("a", "truce", section="s", source="x")], (), seq=1)
    snapshot: Any = engine.snapshot()
    names = ("section", "source", "type", "genre")
    for order in permutations(names):
        facets = tuple(FacetRequest(field=name) for name in order)
        snapshot.search(Search(query=All(), now=NOW, facets=facets))
    assert len(snapshot._snapshot._memo["combined columns"]) == 1


@pytest.mark.parametrize("url", ["memory:", URL], ids=["memory", "whoosh"])
def test_a_forged_cursor_is_no_fault(url: str, tmp_path: Path) -> None:
    engine = open_empty(url, tmp_path)
    engine.apply([article("a", "truce")], (), seq=1)
    after = SortKey(0.0, None, "\ud800")
    engine.snapshot().search(
        Search(
            query=All(), now=NOW, sort=Sort.NEWEST, after=after, places=PLACES["text"]
        )
    )
