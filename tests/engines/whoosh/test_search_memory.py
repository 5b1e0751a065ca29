"""The memory that searches take: known before they begin, and given back."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from articles import article
from engines.kinds import NOW
from engines.whoosh.indexes import opened
from faults.amounts import SIZE, amount
from hypothesis import given
from hypothesis import strategies as st

from index.deadline import Deadline
from index.engines.budget import SearchBudget
from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.searching import (
    Evaluation,
    evaluation,
    memory,
    proximity,
    ranker,
    segment_postings,
)
from index.engines.whoosh.searching.memory import memory_of
from index.engines.whoosh.searching.ranker import Ranker
from index.engines.whoosh.searching.unions import Postings, RunningUnion, union
from index.errors import LimitExceeded, SearchMemoryUsed
from index.query import (
    And,
    Exact,
    FacetRequest,
    Fuzzy,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Scope,
    Search,
    Term,
    Unit,
    Wildcard,
    WordLeaf,
    near_spans,
)

pytestmark = pytest.mark.slow

KB = 1024
WORDS = [f"word{n}" for n in range(24)]
KINDS: dict[str, list[WordLeaf]] = {
    "words": [Term(word, text=word) for word in WORDS],
    "prefixes": [
        Prefix(word[:-1] or word, boost=1 + n) for n, word in enumerate(WORDS)
    ],
    "phrases": [Phrase(pair) for pair in pairwise(WORDS)],
    "nears": [
        Near(pair, 3 + n % 2) for n, pair in enumerate(pairwise(WORDS[: amount(2, 4)]))
    ],
}
SHAPES: dict[str, Callable[[Sequence[WordLeaf]], Query]] = {
    "one of them": lambda words: Or(tuple(words)),
    "none of them": lambda words: Or((Term("absent"), Not(Or(tuple(words))))),
    "pairs of them": lambda words: Or(tuple(map(And, pairwise(words)))),
    "all but one": lambda words: And((Or(tuple(words[:-1])), Not(words[-1]))),
}
TOGETHER: dict[str, WordLeaf] = {
    "near": Near(("word1", "word2"), 3),
    "near of one word twice": Near(("word1", "word1"), 3),
    "phrase": Phrase(("word1", "word2")),
    "exact": Exact(("word2", "word1")),
}


@pytest.fixture(scope="module", params=[1, 4])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WhooshEngine]:
    """An index of some segments, in which every paragraph has every word."""
    segments: int = request.param
    with closing(opened(tmp_path_factory.mktemp("index"))) as engine:
        engine.rebuild([], seq=0, total=0)
        for batch in range(segments):
            engine.apply(
                [
                    article(
                        f"a{batch}-{n}", *[" ".join(WORDS)] * 50, keywords=[f"k{n}"]
                    )
                    for n in range(200 // segments)
                ],
                [],
                seq=batch + 1,
            )
        yield engine


def searches(query: Query) -> Iterator[Search]:
    for unit in Unit:
        for scope in Scope:
            yield Search(
                query=query,
                now=NOW,
                unit=unit,
                scope=scope,
                limit=5,
                facets=(FacetRequest(field="keywords"),),
            )


def needed_by(snapshot: Any, search: Search, *, closely: bool = False) -> int:
    """What a search says that it needs, before it is evaluated."""
    tree = Evaluation(snapshot._snapshot, search, expansions=100)._tree
    return memory_of(snapshot._snapshot, search, tree, closely=closely)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_search_takes_no_more_than_it_says(
    engine: WhooshEngine, kind: str, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In short, half of the units and scopes in one index, and the others in the other.
    turn = engine.state().segments > 1
    first = (turn + [*SHAPES].index(shape)) % 2 if SIZE == "smoke" else 0
    for module in (memory, segment_postings):
        monkeypatch.setattr(module, "ONE_RUN", 5_000)
    query = SHAPES[shape](KINDS[kind])
    for search in list(searches(query))[first :: amount(2, 1)]:
        # What is derived of a snapshot once, and cached, is not the search's.
        engine.close()
        snapshot = engine.snapshot()
        snapshot.search(
            Search(query=Term("absent"), now=NOW, unit=search.unit, scope=search.scope)
        )
        expected = min(
            needed_by(snapshot, search), needed_by(snapshot, search, closely=True)
        )
        tracemalloc.start()
        try:
            snapshot.search(search)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < expected + 600 * KB, (search.unit, search.scope)


@pytest.fixture(scope="module")
def long_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhooshEngine]:
    """An index with paragraphs of many words, one of them of very many."""
    with closing(opened(tmp_path_factory.mktemp("index"))) as engine:
        engine.rebuild([], seq=0, total=0)
        texts = ["word1 word2 " * 2_000] * 13 + ["word1 word2 " * 40_000]
        engine.apply(
            [article(f"a{n}", text) for n, text in enumerate(texts)], [], seq=1
        )
        yield engine


@pytest.mark.parametrize("kind", TOGETHER)
def test_words_together_take_no_more_than_is_said_of_long_paragraphs(
    long_engine: WhooshEngine, kind: str
) -> None:
    search = Search(query=TOGETHER[kind], now=NOW, limit=5)
    long_engine.close()
    snapshot = long_engine.snapshot()
    snapshot.search(Search(query=Term("word1"), now=NOW))
    expected = min(
        needed_by(snapshot, search), needed_by(snapshot, search, closely=True)
    )
    tracemalloc.start()
    try:
        snapshot.search(search)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # One long paragraph and one pass, of 80,000 and 50,000 words.
    assert peak < expected < 40 * KB * KB


@pytest.mark.parametrize("kind", TOGETHER)
def test_hits_are_the_same_in_one_pass_and_in_several(
    long_engine: WhooshEngine, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search(query=TOGETHER[kind], now=NOW, limit=5, passages=3, explain=True)
    expected = long_engine.snapshot().search(search)
    assert expected.articles == 14
    for size in (1, 10_000_000):
        long_engine.close()  # with what it has cached
        monkeypatch.setattr(proximity, "ONE_PASS", size)
        assert long_engine.snapshot().search(search) == expected


def test_nears_of_the_same_words_are_found_in_one_scan(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0

    def counted(hits: Any, *others: Any) -> Any:
        nonlocal looked_at
        hits = list(hits)
        looked_at += len(hits)
        return near_spans(hits, *others)

    monkeypatch.setattr(proximity, "near_spans", counted)

    def occurrences(*nears: Near) -> int:
        nonlocal looked_at
        engine.close()  # with what it has cached
        looked_at = 0
        engine.snapshot().search(Search(query=Or(nears), now=NOW))
        return looked_at

    pairs = ("word1", "word4"), ("word4", "word1")
    once = occurrences(Near(pairs[0], 3))
    assert once
    assert once == occurrences(
        *(Near(pairs[n % 2], n, boost=1 + n) for n in range(2, 32))
    )


def test_each_near_has_the_hits_that_it_has_alone(engine: WhooshEngine) -> None:
    nears = [Near(("word1", "word4"), n) for n in range(5)]

    def terms(query: Query) -> tuple[int, ...]:
        engine.close()
        page = engine.snapshot().search(Search(query=query, now=NOW))
        return tuple(term.articles for term in page.terms)

    alone = [terms(near) for near in nears]
    assert alone == [(0,), (0,), (200,), (200,), (200,)]
    assert terms(Or(tuple(nears))) == tuple(count for (count,) in alone)


lists = st.dictionaries(st.integers(0, 30), st.integers(1, 300), max_size=12).map(
    lambda rows: Postings(
        np.array(sorted(rows), np.int32),
        np.array([rows[row] for row in sorted(rows)], np.int64),
    )
)


@given(st.lists(lists, max_size=6))
def test_a_union_is_the_same_in_one_run_and_in_several(parts: list[Postings]) -> None:
    running = RunningUnion(31)
    for part in parts:
        running.add(part)
    once, several = union(parts), running.postings()
    assert once.rows.tolist() == several.rows.tolist()
    assert once.frequencies.tolist() == several.frequencies.tolist()


@pytest.mark.parametrize("entries", [1, 3_000, 40_000])
def test_hits_are_the_same_whatever_is_scored_at_a_time(
    engine: WhooshEngine, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = Or((*KINDS["words"][:5], Prefix("word1", boost=2.0)))
    search = Search(query=query, now=NOW, limit=30, passages=3, explain=True)
    expected = engine.snapshot().search(search)
    portions: list[int] = []
    split = Ranker._portions

    def counted(ranker: Ranker, numbers: Any) -> Any:
        portions.append(len(split(ranker, numbers)))
        return split(ranker, numbers)

    monkeypatch.setattr(ranker, "EXACT_ENTRIES", entries)
    monkeypatch.setattr(segment_postings, "ONE_RUN", entries)
    monkeypatch.setattr(Ranker, "_portions", counted)
    engine.close()  # with what it has cached
    assert engine.snapshot().search(search) == expected
    assert max(portions) > 1


def test_what_a_clause_adds_is_not_kept_for_every_document(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranker, "EXACT_ENTRIES", 1_000)
    monkeypatch.setattr(ranker, "KEPT_ENTRIES", 1_000)
    peaks = []
    for count in (4, 24):
        search = Search(
            query=Or(tuple(KINDS["words"][:count])),
            now=NOW,
            unit=Unit.PARAGRAPH,
            limit=5,
        )
        engine.snapshot().search(search)  # lists are cached from here on
        tracemalloc.start()
        try:
            engine.snapshot().search(search)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    # 20 more words, and 10,000 documents: less than a byte for each of them.
    assert peaks[1] - peaks[0] < 20 * 10_000


def test_a_search_for_paragraphs_needs_memory_for_those_with_its_words(
    engine: WhooshEngine,
) -> None:
    engine.apply([article("few", "rare words here")], [], seq=99)
    snapshot: Any = engine.snapshot()

    def needed(*words: str) -> int:
        query = And(tuple(Term(word, text=word) for word in words))
        search = Search(
            query=query, now=NOW, unit=Unit.PARAGRAPH, scope=Scope.PARAGRAPH
        )
        return needed_by(snapshot, search)

    # 10,000 paragraphs, and a hundred bytes for each of them that may be a hit.
    assert needed("word1", "word2") - needed("rare", "here") > 10_000 * 100
    engine.apply([], ["few"], seq=100)


RARE: dict[str, WordLeaf] = {
    "prefix": Prefix("rar"),
    "wildcard": Wildcard("r*re"),
    "fuzzy": Fuzzy("rars", 1),
    "phrase": Phrase(("rare", "here")),
    "exact": Exact(("rare", "here")),
    "near": Near(("here", "rare"), 2),
    "phrase with a frequent word": Phrase(("word1", "rare")),
}


@pytest.mark.parametrize("kind", RARE)
def test_words_that_are_rare_together_need_little_in_a_large_index(
    engine: WhooshEngine, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.apply([article("few", "word1 rare here")], [], seq=99)
    for module in (memory, segment_postings):
        monkeypatch.setattr(module, "ONE_RUN", 1_000)
    monkeypatch.setattr(memory, "ONE_PASS", 100)
    snapshot: Any = engine.snapshot()
    search = Search(query=RARE[kind], now=NOW, facets=(FacetRequest(field="source"),))
    some = needed_by(snapshot, search, closely=True)
    assert some < needed_by(snapshot, search) / 2
    monkeypatch.setattr(engine, "_budget", SearchBudget(some))
    assert [hit.id for hit in engine.snapshot().search(search).hits] == ["few"]
    engine.apply([], ["few"], seq=100)


def test_only_what_large_searches_need_is_looked_at_closely(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Search] = []

    def watched(snapshot: Any, search: Search, *others: Any, **options: Any) -> int:
        if options:
            looked_at.append(search)
        return memory_of(snapshot, search, *others, **options)

    monkeypatch.setattr(evaluation, "memory_of", watched)
    search = Search(query=Phrase(("word1", "word2")), now=NOW)
    engine.snapshot().search(search)
    assert looked_at == []
    monkeypatch.setattr(engine, "_budget", SearchBudget(100 * KB * KB))
    engine.snapshot().search(search)
    assert looked_at == [search]


def test_a_search_reserves_what_it_needs_and_releases_it(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    page = Evaluation._page

    def watched(evaluation: Evaluation) -> object:
        seen.append(engine.search_memory().reserved)
        return page(evaluation)

    monkeypatch.setattr(Evaluation, "_page", watched)
    for search in searches(Term(WORDS[0])):
        engine.snapshot().search(search)
    assert min(seen) > 0
    assert engine.search_memory().reserved == 0


def test_a_search_that_needs_more_than_the_budget_is_refused(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search(
        query=Or(tuple(KINDS["words"])), now=NOW, unit=Unit.PARAGRAPH, limit=5
    )
    monkeypatch.setattr(engine, "_budget", SearchBudget(100 * KB))
    with pytest.raises(LimitExceeded):
        engine.snapshot().search(search)
    budget = SearchBudget(100 * KB * KB)
    monkeypatch.setattr(engine, "_budget", budget)
    engine.snapshot().search(search)
    with (
        budget.reserved(100 * KB * KB, None),
        pytest.raises(SearchMemoryUsed),
    ):
        engine.snapshot().search(
            Search(query=Term("word1"), now=NOW, deadline=Deadline(0.0, 2.0))
        )
