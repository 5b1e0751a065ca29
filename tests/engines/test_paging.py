"""Pages of one search fit together while articles are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from articles import article
from engines.generated import articles_, searches
from engines.kinds import NOW, PRUNED, open_empty, shrink, word
from engines.searches import fill, ids, search
from faults.amounts import amount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.article import Article
from index.engines import Engine, Page
from index.query import (
    And,
    Exact,
    Fuzzy,
    Or,
    Phrase,
    Prefix,
    Scope,
    Search,
    Sort,
    Term,
    Unit,
)

Place = tuple[str, int | None]


def next_page(engine: Engine, page: Page, query: Any, **options: Any) -> Page:
    return search(
        engine, query, after=page.after, statistics=page.statistics, **options
    )


def walk_while(
    engine: Engine, query: Any, write: Callable[[int], None], **options: Any
) -> list[tuple[Place, float]]:
    """Every hit and its score, with a write before each page but the first."""
    hits: list[tuple[Place, float]] = []
    page = search(engine, query, **options)
    for turn in range(1, 200):
        hits += [((hit.id, hit.key.n), hit.key.score) for hit in page.hits]
        if page.after is None:
            return hits
        write(turn)
        page = next_page(engine, page, query, **options)
    raise AssertionError("the pages have no end")


def equals(count: int, text: str = "Ferries sail again.") -> list[Article]:
    return [article(f"a{n}", text, published="2020-01-01") for n in range(count)]


def test_an_article_stored_between_pages_moves_no_other(engine: Engine) -> None:
    fill(engine, *equals(6))
    first = search(engine, word("ferries"), limit=2)
    engine.apply([article("other", "Nothing of the kind.")], (), seq=2)
    second = next_page(engine, first, word("ferries"), limit=2)
    third = next_page(engine, second, word("ferries"), limit=2)
    assert [ids(page) for page in (first, second, third)] == [
        ["a0", "a1"],
        ["a2", "a3"],
        ["a4", "a5"],
    ]
    assert (second.articles, third.after) == (6, None)
    assert {hit.score for page in (first, second, third) for hit in page.hits} == {
        first.hits[0].score
    }


@pytest.mark.slow
@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("scope", Scope)
def test_no_hit_is_repeated_or_lost_beside_a_writer(
    engine: Engine, unit: Unit, scope: Scope
) -> None:
    count = 30
    fill(
        engine,
        *(
            article(
                f"a{n:02d}",
                "tide " * (1 + n % 5) + "harbour " * (n % 3),
                "The tide turned.",
                headline="Tides" if n % 4 else None,
            )
            for n in range(count)
        ),
    )

    def write(turn: int) -> None:
        engine.apply(
            [
                article(f"new{turn}", *["tide harbour " * turn] * (turn % 3 + 1)),
                article(f"far{turn}", "Something else entirely, at length. " * turn),
            ],
            [f"far{turn - 3}"],
            seq=turn + 1,
        )

    query = Or((word("tide"), word("harbour")))
    options: dict[str, Any] = {"unit": unit, "scope": scope, "limit": amount(5, 3)}
    before = walk_while(engine, query, lambda turn: None, **options)
    beside = walk_while(engine, query, write, **options)
    old = [hit for hit in beside if hit[0][0].startswith("a")]
    assert old == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        Prefix("har", text="har*"),
        Fuzzy("harbor", 2, text="harbor~2"),
        Phrase(("old", "harbour"), text='"old harbour"'),
        Exact(("harbour",), text="=harbour"),
        Or((Term("harbour", boost=3.0), Term("never"))),
        And((word("harbour"), word("crane", "keywords"))),
        Or((word("harbour", "headline"), word("harbour", "body"), word("old"))),
    ],
    ids=lambda query: type(query).__name__,
)
@pytest.mark.parametrize("within", ["text", "all"])
def test_every_kind_of_leaf_keeps_its_weight(
    engine: Engine, query: Any, within: str
) -> None:
    fill(
        engine,
        *(
            article(
                f"a{n}",
                "Old harbour " * (n + 1),
                headline="Harbour" if n % 2 else "Quay",
                keywords=["crane", "old harbour"],
            )
            for n in range(6)
        ),
    )
    options = {"limit": amount(2, 1), "in_": within}

    def write(turn: int) -> None:
        # Words that were unknown on page one, and one that was known but rare.
        text = f"harbour{turn} harbours harbourmaster never old harbour " * 3
        engine.apply([article(f"n{turn}", text, keywords=["crane"])], (), seq=turn + 1)

    before = walk_while(engine, query, lambda turn: None, **options)
    old = [
        hit
        for hit in walk_while(engine, query, write, **options)
        if hit[0][0].startswith("a")
    ]
    assert old == before


def test_a_rebuild_between_pages_moves_nothing(engine: Engine) -> None:
    articles = [*equals(6), article("longer", "Ferries " * 9)]
    fill(engine, *articles)
    first = search(engine, word("ferries"), limit=3)
    more = [article(f"b{n}", "Ferries and trains.") for n in range(5)]
    engine.rebuild([*more, *reversed(articles)], seq=2, total=12)
    rest = next_page(engine, first, word("ferries"), limit=20)
    old = [id_ for id_ in ids(first) + ids(rest) if not id_.startswith("b")]
    assert sorted(old) == sorted(each.id for each in articles)


def test_a_page_of_an_older_snapshot_fits_to_a_newer_one(engine: Engine) -> None:
    fill(engine, *equals(6))
    older = engine.snapshot()
    engine.apply([article("new", "Trains, and no ferries. " * 9)], (), seq=2)
    first = search(engine, word("ferries"), limit=3)
    of_old = [hit.id for hit in first.hits if hit.id != "new"]
    rest = older.search(
        Search(
            query=word("ferries"),
            now=NOW,
            limit=20,
            after=first.after,
            statistics=first.statistics,
        )
    )
    assert of_old + ids(rest) == [f"a{n}" for n in range(6)]


def test_only_pages_by_relevance_with_more_to_come_have_statistics(
    engine: Engine,
) -> None:
    fill(engine, *equals(3))
    assert search(engine, word("ferries"), limit=2).statistics is not None
    assert search(engine, word("ferries"), limit=3).statistics is None
    assert search(engine, word("ferries"), limit=0).statistics is None
    for sort in (Sort.NEWEST, Sort.OLDEST, Sort.UPDATED):
        page = search(engine, word("ferries"), limit=2, sort=sort)
        assert page.after is not None
        assert page.statistics is None


def test_statistics_are_handed_on_as_they_came(engine: Engine) -> None:
    fill(engine, *equals(6))
    first = search(engine, word("ferries"), limit=2)
    engine.apply([article("other", "Nothing.")], (), seq=2)
    second = next_page(engine, first, word("ferries"), limit=2)
    assert second.statistics == first.statistics
    assert second.statistics is not None
    assert (second.statistics.seq, second.seq) == (1, 2)


def test_statistics_of_another_query_are_refused() -> None:
    engine = open_empty("memory:", Path())
    fill(engine, *equals(3))
    first = search(engine, word("ferries"), limit=2)
    with pytest.raises(ValueError, match="another query"):
        next_page(engine, first, word("trains"), limit=2)


writes = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(("put", "delete")), st.integers(0, 9), st.integers(0, 5)
        ),
        max_size=3,
    ),
    max_size=6,
)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["memory:", "whoosh:{tmp}/index", PRUNED])
@settings(
    max_examples=amount(10, 1_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), options=searches, batches=writes)
def test_what_was_there_all_along_is_shown_once(
    url: str,
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    options: dict[str, Any],
    batches: list[list[tuple[str, int, int]]],
) -> None:
    """In any order and unit; some articles are written between the pages."""
    articles = [data.draw(articles_(n)) for n in range(10)]
    spare = [data.draw(articles_(n)) for n in range(10, 16)]
    options = {**options, "limit": data.draw(st.integers(1, 4))}
    query = options.pop("query")
    with pytest.MonkeyPatch.context() as patch:
        if url == PRUNED:
            shrink(patch)
        engine = open_empty(url, tmp_path_factory.mktemp("paging"))
        engine.apply(articles, (), seq=1)
        touched: set[str] = set()

        def write(turn: int) -> None:
            puts: dict[str, Article] = {}
            deletes: set[str] = set()
            for kind, number, text in batches[turn - 1] if turn <= len(batches) else ():
                # Of the first ten articles only these four ever change.
                article_id = f"a{number if number < 4 else number + 10}"
                touched.add(article_id)
                puts.pop(article_id, None)
                deletes.discard(article_id)
                if kind == "delete":
                    deletes.add(article_id)
                else:
                    puts[article_id] = replace(
                        spare[text], id=article_id, version=f"{turn + 1}"
                    )
            engine.apply(tuple(puts.values()), tuple(deletes), seq=turn + 1)

        whole = walk_while(engine, query, lambda turn: None, **options)
        beside = walk_while(engine, query, write, **options)
        engine.close()
    stayed = [hit for hit in whole if hit[0][0] not in touched]
    assert [hit for hit in beside if hit[0][0] not in touched] == stayed
