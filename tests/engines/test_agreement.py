"""Whoosh answers as the reference engine does, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from random import Random
from typing import Any

import pytest
from articles import article
from engines.kinds import ENGINES, open_empty, shrink
from engines.searches import search
from faults.amounts import amount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.article import PLACES, Article
from index.engines import Engine, Hit, LeafScore, Page
from index.query import (
    PUBLIC,
    All,
    And,
    Exact,
    FacetRequest,
    Filter,
    Fuzzy,
    Interval,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Reader,
    Scope,
    Sort,
    Term,
    Unit,
    Wildcard,
)

WORDS = ("truce", "truces", "talks", "aleppo", "kerry", "c-17", "the", "café", "cafe")
WORDS += ("1,500", "1.500", "1.5", "non-u.s", "she'll", "L'Oréal", "straße", ".5")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
forms = st.sampled_from(
    [
        *("truce", "talks", "aleppo", "kerry", "the", "cafe", "17", "us", "absent"),
        *("1500", "1.500", "strasse", "0.5", "5", "loreal"),
    ]
)
fields_ = st.sampled_from((None, None, None, "headline", "body", "byline", "keywords"))
leaves = st.one_of(
    st.builds(Term, forms, fields_, st.sampled_from((1.0, 2.0))),
    st.builds(Phrase, st.lists(forms, min_size=2, max_size=3).map(tuple), fields_),
    st.builds(
        Near,
        st.lists(forms, min_size=2, max_size=3).map(tuple),
        st.integers(0, 4),
        fields_,
    ),
    st.builds(Prefix, st.sampled_from(("tru", "tal", "c", "caf", "u.s", "1")), fields_),
    st.builds(
        Wildcard, st.sampled_from(("tr*s", "c?17", "caf*", "non-?", "u?s")), fields_
    ),
    st.builds(Fuzzy, st.sampled_from(("truse", "alepo", "kerri")), st.just(1), fields_),
    st.builds(
        Exact,
        st.sampled_from(
            (("café",), ("c-17",), ("the", "truce"), ("u.s",), ("straße",))
        ),
        fields_,
    ),
    st.builds(Range, st.just("urgency"), st.integers(1, 9), st.integers(1, 9)),
)
queries = st.recursive(
    leaves | st.just(All()),
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


@st.composite
def articles_(draw: st.DrawFn, number: int) -> Article:
    return article(
        f"a{number}",
        *draw(st.lists(texts, min_size=1, max_size=4)),
        headline=draw(st.none() | texts),
        byline=draw(st.none() | texts),
        keywords=draw(st.lists(st.sampled_from(("truce", "Truce", "the cafe")))),
        urgency=draw(st.none() | st.integers(1, 9)),
        published=draw(st.none() | st.sampled_from(("2020-01-01", "2020-02-01"))),
        language=draw(st.sampled_from((None, "en", "fr", "xx", "de-CH", "vi"))),
        status=draw(st.sampled_from(("usable", "usable", "usable", "withheld"))),
    )


searches = st.fixed_dictionaries(
    {
        "query": queries,
        "scope": st.sampled_from(Scope),
        "unit": st.sampled_from(Unit),
        "sort": st.sampled_from(Sort),
        "places": st.sampled_from(list(PLACES.values())),
        "filters": st.sampled_from(
            ((), (Filter(field="keywords", values=("TRUCE",)),))
        ),
        "reader": st.sampled_from(
            (
                PUBLIC,
                PUBLIC,
                Reader(held=True),
                Reader(filters=(Filter(field="keywords", values=("truce", "x")),)),
                Reader(
                    held=True,
                    filters=(
                        Filter(field="keywords", values=("the cafe",), exclude=True),
                        Filter(field="urgency", values=("1", "2"), missing=True),
                    ),
                ),
            )
        ),
    }
)


def assert_equal_pages(one: Page, other: Page) -> None:
    """Assert that two pages are equal: scores to 1e-4, order where scores differ."""
    assert (one.articles, one.paragraphs) == (other.articles, other.paragraphs)
    assert one.facets == other.facets
    assert one.terms == other.terms
    assert [hit.score for hit in one.hits] == pytest.approx(
        [hit.score for hit in other.hits], abs=1e-4
    )
    ordered = [sorted(page.hits, key=_place) for page in (one, other)]
    for left, right in zip(*ordered, strict=True):
        assert (left.id, left.version, left.key.n) == (
            right.id,
            right.version,
            right.key.n,
        )
        assert left.passages_total == right.passages_total
        assert left.leaves == right.leaves
        assert [(each.n, each.leaves) for each in left.passages] == [
            (each.n, each.leaves) for each in right.passages
        ]


def assert_equal_parts(
    pairs: Sequence[tuple[Sequence[LeafScore] | None, Sequence[LeafScore] | None]],
) -> None:
    """Assert that the parts of scores are equal to 1e-4."""
    for one, other in pairs:
        assert one is not None
        assert other is not None
        assert [part.text for part in one] == [part.text for part in other]
        for left, right in zip(one, other, strict=True):
            assert left.article == pytest.approx(right.article, abs=1e-4)
            assert left.paragraph == pytest.approx(right.paragraph, abs=1e-4)


def _place(hit: Any) -> tuple[Any, ...]:
    return (round(hit.score, 4), hit.id, hit.key.n or 0)


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
    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        if request.param:
            shrink(patch)
        folder = tmp_path_factory.mktemp("pair")
        engines = [open_empty(url, folder) for url in ENGINES]
        for engine in engines:
            opened.callback(engine.close)
            for batch in range(3):
                engine.apply(
                    [written(Random(n), n) for n in range(batch * 10, batch * 10 + 10)],
                    (f"a{batch * 7}",),
                    seq=batch + 1,
                )
        yield engines


def written(random: Random, number: int) -> Article:
    """An article of several paragraphs, always the same of one number."""

    def text() -> str:
        return " ".join(random.choices(WORDS, k=random.randint(1, 12)))

    return article(
        f"a{number}",
        *[text() for _ in range(random.randint(1, 6))],
        headline=random.choice((None, text())),
        byline=random.choice((None, text())),
        keywords=random.choice(([], ["truce"], ["Truce", "the cafe"])),
        urgency=random.choice((None, 1, 5)),
        published=random.choice((None, "2020-01-01", "2020-02-01")),
        language=random.choice((None, "en", "fr")),
        status=random.choice(("usable", "usable", "usable", "withheld")),
    )


@pytest.mark.slow
@settings(
    max_examples=amount(250, 3_000),  # of a search in each scope and for each unit
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    options=searches,
    hidden=st.sets(st.sampled_from([f"a{n}" for n in range(30)]), max_size=3),
    limit=st.integers(1, 12),
    offset=st.sampled_from((0, 0, 1, 7)),
    explain=st.booleans(),
)
def test_articles_and_paragraphs_are_found_as_memory_finds_them_in_both_scopes(
    pair: list[Engine],
    options: dict[str, Any],
    hidden: set[str],
    limit: int,
    offset: int,
    explain: bool,
) -> None:
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
