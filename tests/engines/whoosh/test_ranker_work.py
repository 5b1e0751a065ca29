"""Work that ranking saves: what it does not compute twice, or for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from articles import article
from engines.kinds import NOW, open_empty, word

from index.engines.whoosh.searching.postings import LeafPostings
from index.engines.whoosh.searching.query_tree import QueryTree
from index.engines.whoosh.searching.row_set import RowSet
from index.query import Or, Search

URL = "whoosh:{tmp}/index"
EITHER = Or((word("truce"), word("talks")))


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    # As with many hits: bounds first, then exact scores of a batch.
    monkeypatch.setattr("index.engines.whoosh.searching.ranker._ALL_OF_SEVERAL", 0)
    engine = open_empty(URL, tmp_path)
    texts = ["truce", "talks", "truce talks", "storm", "storm"]
    engine.apply([article(f"a{n}", text) for n, text in enumerate(texts)], (), seq=1)
    return engine.snapshot()


def counted(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[Any]:
    """Calls of a method from here on."""
    calls: list[Any] = []
    method = getattr(owner, name)

    def counting(*given: Any) -> Any:
        calls.append(given)
        return method(*given)

    monkeypatch.setattr(owner, name, counting)
    return calls


def leaf_texts(page: Any) -> dict[str, list[str]]:
    return {hit.id: [leaf.text for leaf in hit.leaves] for hit in page.hits}


def test_words_of_an_or_are_not_looked_up_among_its_own_hits(
    snapshot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = counted(monkeypatch, RowSet, "places_in")
    page = snapshot.search(Search(query=EITHER, now=NOW))
    assert (page.articles, page.paragraphs) == (3, 3)
    assert not looked_up


def test_words_of_an_or_are_looked_up_among_filtered_hits(
    snapshot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = counted(monkeypatch, RowSet, "places_in")
    search = Search(query=EITHER, now=NOW, hidden=frozenset({"a0"}))
    assert snapshot.search(search).paragraphs == 2
    assert looked_up


def test_the_words_of_a_hit_are_those_that_were_scored(
    snapshot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = counted(monkeypatch, LeafPostings, "contains")
    page = snapshot.search(Search(query=EITHER, now=NOW))
    assert leaf_texts(page) == {
        "a0": ["truce"],
        "a1": ["talks"],
        "a2": ["truce", "talks"],
    }
    assert not looked_up


@pytest.mark.parametrize("form", ["truce", "storm"])
def test_bounds_by_number_are_those_of_the_articles(snapshot: Any, form: str) -> None:
    tree = QueryTree(
        snapshot._snapshot, Search(query=word(form), now=NOW), expansions=9
    )
    postings = tree.postings(word(form))
    collection = tree.collection
    before = postings.bytes
    by_number = postings.upper_bounds_by_number(collection)
    assert by_number is not None
    assert postings.bytes == before + by_number.nbytes
    expected = np.zeros(5, np.float32)
    expected[postings.articles] = postings.upper_bounds(collection)
    assert by_number.tolist() == expected.tolist()
    assert postings.upper_bounds_by_number(collection) is by_number


def test_bounds_of_a_word_in_few_articles_are_by_article_only(
    tmp_path: Path,
) -> None:
    engine = open_empty(URL, tmp_path)
    engine.apply([article(f"a{n}", "storm") for n in range(3)], (), seq=1)
    engine.apply([article("b", "truce")], (), seq=2)
    snapshot: Any = engine.snapshot()
    tree = QueryTree(
        snapshot._snapshot, Search(query=word("truce"), now=NOW), expansions=9
    )
    bounds = tree.postings(word("truce")).upper_bounds_by_number(tree.collection)
    assert bounds is None
