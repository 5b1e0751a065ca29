"""That memory, time and faults stay within what is said of them."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from engines.test_engines import NOW, article, open_empty, word

from index.article import PLACES, Article
from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.writing.indexed_article import IndexedArticle
from index.engines.whoosh.writing.writer import Writer
from index.query import All, FacetRequest, Prefix, Search, Sort, SortKey

URL = "whoosh:{tmp}/index"


def small_engine(folder: Path) -> WhooshEngine:
    return WhooshEngine(
        str(folder), language="en", expansions=20_000, memory=1024 * 1024
    )


def test_long_chunks_do_not_make_a_segment_of_each_article(
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


def test_articles_that_are_written_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.engines.whoosh.writing.writer._SHARED", 20)
    most = 0

    def articles() -> Iterator[Article]:
        nonlocal most
        for n in range(300):
            time.sleep(0.005)  # the process beside has time to be done
            yield article(f"a{n}", f"truce {n}")
            most = max(
                most, sum(type(each) is IndexedArticle for each in gc.get_objects())
            )

    small_engine(tmp_path / "index").rebuild(articles(), seq=1, total=300)
    assert 0 < most <= 120


def test_what_was_found_takes_no_more_than_is_said(tmp_path: Path) -> None:
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
    (found,) = snapshot._state._kept["leaves"]._found.values()
    assert found.bytes >= found.rows.nbytes > 100_000


def test_what_was_asked_for_longest_ago_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.engines.whoosh.searching.postings.CACHE_BYTES", 20_000)
    engine = open_empty(URL, tmp_path)
    engine.apply([article("a", *[f"word{n}" for n in range(200)])], (), seq=1)
    snapshot: Any = engine.snapshot()
    for n in range(200):
        snapshot.search(Search(query=word(f"word{n}"), now=NOW))
    kept = snapshot._state._kept["leaves"]._found
    assert 1 < len(kept) < 20
    assert [found.having.tolist() for found in kept.values()] == [[0]] * len(kept)


def test_a_state_that_was_replaced_goes_at_once(tmp_path: Path) -> None:
    engine = open_empty(URL, tmp_path)
    engine.apply([article("a", "truce")], (), seq=1)
    snapshot: Any = engine.snapshot()
    snapshot.search(Search(query=word("truce"), now=NOW))
    gone = weakref.ref(snapshot._state)
    gc.disable()
    try:
        del snapshot
        engine.apply([article("b", "truce")], (), seq=2)
        engine.snapshot()
        assert gone() is None
    finally:
        gc.enable()


def test_the_order_of_facets_costs_no_memory(tmp_path: Path) -> None:
    engine = open_empty(URL, tmp_path)
    engine.apply([article("a", "truce", section="s", source="x")], (), seq=1)
    snapshot: Any = engine.snapshot()
    names = ("section", "source", "type", "genre")
    for order in permutations(names):
        facets = tuple(FacetRequest(field=name) for name in order)
        snapshot.search(Search(query=All(), now=NOW, facets=facets))
    assert len(snapshot._state._kept["together"]) == 1


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
