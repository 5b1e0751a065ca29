"""Other engines answer as the reference engine does, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from engines.generated import (
    articles_,
    assert_equal_pages,
    assert_equal_parts,
    searches,
    written,
)
from engines.kinds import ENGINES, open_empty, shrink
from engines.searches import search
from faults.amounts import amount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real import amounts

from index.engines import Engine, Hit
from index.query import (
    And,
    FacetRequest,
    Interval,
    Not,
    Or,
    Prefix,
    Query,
    Range,
    Scope,
    Term,
    Unit,
)


@pytest.mark.slow
@pytest.mark.parametrize("pruned", [False, True], ids=["whole", "pruned"])
@settings(
    max_examples=amount(50, 1_000),  # of a dozen searches each, and their pages
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whoosh_answers_as_memory_does(
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    pruned: bool,
) -> None:
    if pruned:
        shrink(monkeypatch)
    batch = [
        data.draw(articles_(number)) for number in range(data.draw(st.integers(1, 6)))
    ]
    folder = tmp_path_factory.mktemp("engine")
    engines = [open_empty(url, folder) for url in ENGINES]
    for engine in engines:
        half = len(batch) // 2
        engine.apply(batch[:half], (), seq=1)
        engine.apply(batch[half:], (), seq=2)
    for _ in range(6):
        options = data.draw(searches)
        query = options.pop("query")
        facets = (FacetRequest(field="keywords"), FacetRequest(field="urgency"))
        pages = [
            search(engine, query, limit=50, facets=facets, **options)
            for engine in engines
        ]
        assert_equal_pages(*pages)
        walked = paged(engines[1], query, data.draw(st.integers(1, 3)), **options)
        assert [hit.key for hit in walked] == [hit.key for hit in pages[1].hits]
    for engine in engines:
        engine.close()


@pytest.fixture(scope="module", params=[False, True], ids=["whole", "pruned"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Engine]]:
    """The reference engine and Whoosh, with the same thirty articles."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param:
            shrink(patch)
        with filled(ENGINES, tmp_path_factory.mktemp("pair")) as engines:
            yield engines


@pytest.fixture(scope="module")
def pair_on_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    """The reference engine and OpenSearch, with the same thirty articles."""
    kinds = ("memory:", "opensearch")
    with filled(kinds, tmp_path_factory.mktemp("pair")) as engines:
        yield engines


@contextmanager
def filled(kinds: Sequence[str], folder: Path) -> Iterator[list[Engine]]:
    """Engines with the same thirty articles, for the length of a block."""
    with ExitStack() as opened:
        engines = [open_empty(url, folder) for url in kinds]
        for engine in engines:
            opened.callback(engine.close)
            for batch in range(3):
                engine.apply(
                    [written(Random(n), n) for n in range(batch * 10, batch * 10 + 10)],
                    (f"a{batch * 7}",),
                    seq=batch + 1,
                )
        yield engines


# A search, of which a part is asked for, too.
asked_for = given(
    options=searches,
    hidden=st.sets(st.sampled_from([f"a{n}" for n in range(30)]), max_size=3),
    limit=st.integers(1, 12),
    offset=st.sampled_from((0, 0, 1, 7)),
    explain=st.booleans(),
)


@pytest.mark.slow
@settings(
    max_examples=amount(250, 3_000),  # of a search in each scope and for each unit
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@asked_for
def test_articles_and_paragraphs_are_found_as_memory_finds_them_in_both_scopes(
    pair: list[Engine], **asked: Any
) -> None:
    assert_found_alike(pair, **asked)


@pytest.mark.slow
@pytest.mark.opensearch
@settings(
    max_examples=amounts.amount(6, 250),  # of a search in each scope and for each unit
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@asked_for
def test_opensearch_finds_what_memory_does_in_both_scopes(
    pair_on_nodes: list[Engine], **asked: Any
) -> None:
    assert_found_alike(pair_on_nodes, **asked)


TRUCE, TALKS = Term("truce"), Term("talks")


@pytest.mark.opensearch
@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize(
    "query",
    [
        Or((TRUCE, TRUCE)),
        And((TRUCE, Or((TRUCE, TALKS)))),
        Or((And((TRUCE, TALKS)), TRUCE)),
        And((Or((TRUCE, TALKS)), Not(Term("cafe", "byline")))),
        And((TRUCE, Not(TALKS), Range("urgency", 1, 5))),
        Or((TRUCE, Range("urgency", 1, 5))),
        Or((TRUCE, Not(TALKS))),
        And((TRUCE, Or((TALKS, Range("urgency", 1, 5))))),
        And((Term("truce", "headline"), Or((Term("cafe", "byline"), TALKS)))),
        Or((Prefix("tru"), Prefix("absent"))),
    ],
    ids=str,
)
def test_a_leaf_is_scored_on_opensearch_as_often_as_it_counts(
    pair_on_nodes: list[Engine], query: Query, scope: Scope, unit: Unit
) -> None:
    pages = [
        search(engine, query, scope=scope, unit=unit, limit=500)
        for engine in pair_on_nodes
    ]
    assert pages[0].hits
    assert_equal_pages(*pages)


def assert_found_alike(
    pair: list[Engine],
    options: dict[str, Any],
    hidden: set[str],
    limit: int,
    offset: int,
    explain: bool,
) -> None:
    """Assert that an engine answers as the reference engine does, also in parts."""
    for scope, unit in product(Scope, Unit):
        asked = {**options, "scope": scope, "unit": unit, "hidden": frozenset(hidden)}
        facets = (
            FacetRequest(field="keywords"),
            FacetRequest(field="published", interval=Interval.YEAR),
        )
        whole = [search(engine, limit=500, facets=facets, **asked) for engine in pair]
        assert_equal_pages(*whole)
        part = search(pair[1], limit=limit, offset=offset, explain=explain, **asked)
        hits = [hit._replace(parts=None) for hit in part.hits]
        assert hits == list(whole[1].hits[offset : offset + limit])
        assert (part.articles, part.paragraphs) == (
            whole[0].articles,
            whole[0].paragraphs,
        )
        if explain and hits:
            expected = search(pair[0], limit=500, explain=True, **asked).hits
            by_key = {hit.key[2:]: hit.parts for hit in expected}
            assert_equal_parts([(h.parts, by_key[h.key[2:]]) for h in part.hits])
        if part.after is not None:
            after = search(pair[1], limit=limit, after=part.after, **asked)
            end = offset + limit
            assert after.hits == whole[1].hits[end : end + limit]


def paged(engine: Engine, query: Query, limit: int, **options: Any) -> list[Hit]:
    """All hits, page by page: the first half by cursor, the second by offset."""
    hits: list[Hit] = []
    page = search(engine, query, limit=limit, **options)
    while page.hits:
        hits += page.hits
        if page.after is None:
            break
        by_offset = search(engine, query, limit=limit, offset=len(hits), **options)
        page = search(engine, query, limit=limit, after=page.after, **options)
        assert by_offset == page
    return hits
