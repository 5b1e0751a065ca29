"""What every engine must do: one suite, run on each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from articles import article
from engines.kinds import ENGINES, NOW, PRUNED, REOPENED, open_empty, shrink, word
from faults.amounts import amount
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.access import visible
from index.article import PLACES, Article, article_of
from index.dates import micros
from index.engines import Engine, Facet, Hit, Page
from index.errors import InvalidQuery, LimitExceeded, SearchTimeout
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
    Search,
    Sort,
    Term,
    Unit,
    Wildcard,
)
from index.query.nodes import NOTHING


@pytest.fixture(
    params=(*ENGINES, REOPENED, PRUNED), ids=lambda url: url.partition(":")[0]
)
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An empty engine of each kind in turn."""
    if request.param == PRUNED:
        shrink(monkeypatch)
    found = open_empty(request.param, tmp_path)
    yield found
    found.close()


def fill(engine: Engine, *articles: Article, seq: int = 1) -> None:
    engine.apply(articles, (), seq=seq)


def search(engine: Engine, query: Query = All(), **options: Any) -> Page:  # noqa: B008
    options.setdefault("now", NOW)
    if "in_" in options:
        options["places"] = PLACES[options.pop("in_")]
    return engine.snapshot().search(Search(query=query, **options))


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


def found(engine: Engine, query: Query, **options: Any) -> list[str]:
    options.setdefault("sort", Sort.OLDEST)
    return sorted(ids(search(engine, query, limit=100, **options)))


def counts(facet: Facet) -> dict[str, int]:
    return {value.value: value.count for value in facet.values}


KERRY = article(
    "kerry",
    "Kerry spoke in Washington on the talks.",
    "Hospitals were hit in Aleppo.",
    {"role": "caption", "text": "A street in Aleppo", "credit": "Desk"},
    headline="Talks close to collapse over Aleppo",
    published="2016-09-29T10:00:00Z",
    source="World Desk",
    section="World",
    places=["Aleppo", "Washington"],
    people=["John Kerry"],
    byline="By Ada Reporter",
    urgency=2,
    language="en",
)
LAVROV = article(
    "lavrov",
    "Lavrov met Kerry in Geneva.",
    "The truce is running out, he said.",
    headline="Russia says truce holds",
    published="2016-09-12",
    source="world desk",
    section="World",
    places=["Geneva"],
    people=["Sergei Lavrov", "John Kerry"],
    language="en",
)
COCOA = article(
    "cocoa",
    "Cocoa prices ran up again.",
    headline="Cocoa at a new high",
    published="2017-01-05",
    source="Business Desk",
    section="Business",
    urgency=7,
    keywords=["cocoa", "commodities"],
    language="en-GB",
)
UNDATED = article("undated", "A note without a date about cocoa.", language="en")


@pytest.fixture
def news(engine: Engine) -> Engine:
    """Four articles that most tests can do with."""
    fill(engine, KERRY, LAVROV, COCOA, UNDATED, seq=4)
    return engine


# --- what matches ---------------------------------------------------------------------


def test_an_empty_engine_has_nothing(engine: Engine) -> None:
    page = search(engine, facets=(FacetRequest(field="source"),))
    assert (page.hits, page.articles, page.paragraphs, page.after) == ((), 0, 0, None)
    assert page.facets[0].values == ()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (word("kerry"), ["kerry", "lavrov"]),
        (word("hospital"), ["kerry"]),  # a stem
        (word("running"), ["cocoa", "lavrov"][1:]),  # ran is no form of it by rule
        (word("KERRY".casefold()), ["kerry", "lavrov"]),
        (word("absent"), []),
        (All(), ["cocoa", "kerry", "lavrov", "undated"]),
        (NOTHING, []),
        (And(()), ["cocoa", "kerry", "lavrov", "undated"]),
        (And((word("kerry"), word("geneva"))), ["lavrov"]),
        (Or((word("cocoa"), word("geneva"))), ["cocoa", "lavrov", "undated"]),
        (Not(word("cocoa")), ["kerry", "lavrov"]),
        (And((word("kerry"), Not(word("geneva")))), ["kerry"]),
        (Not(Not(word("kerry"))), ["kerry", "lavrov"]),
        (Not(All()), []),
        (Phrase(("new", "high")), ["cocoa"]),
        (Phrase(("high", "new")), []),
        (Phrase(("in", "aleppo")), ["kerry"]),
        (Phrase(("hospital", "was", "hit")), []),
        (Phrase(("hospitals", "were", "hits")), ["kerry"]),  # stems in a phrase too
        (Near(("kerry", "talks"), 5), ["kerry"]),
        (Near(("talks", "kerry"), 4), []),  # spoke in washington on the: five words
        (Near(("talks", "kerry"), 5), ["kerry"]),  # in any order
        (Near(("kerry", "aleppo"), 500), []),  # never across paragraphs
        (Prefix("hosp"), ["kerry"]),
        (Prefix("was"), ["kerry"]),
        (Wildcard("co*a"), ["cocoa", "undated"]),
        (Wildcard("c?coa"), ["cocoa", "undated"]),
        (Wildcard("coc?"), []),
        (Fuzzy("coca", 1), ["cocoa", "undated"]),
        (Fuzzy("aelppo", 1), ["kerry"]),  # neighbours swapped are one edit
        (Fuzzy("alepoo", 2), ["kerry"]),
        (Fuzzy("xyzzy", 2), []),
        (Exact(("hospitals",)), ["kerry"]),
        (Exact(("hospital",)), []),
        (Exact(("in", "aleppo")), ["kerry"]),
        (Range("urgency", None, 3), ["kerry"]),
        (Range("urgency", 3, None), ["cocoa"]),
        (Not(Range("urgency", 1, 9)), ["lavrov", "undated"]),
        (word("kerry", "headline"), []),
        (word("truce", "headline"), ["lavrov"]),
        (word("street", "caption"), ["kerry"]),
        (word("street", "body"), []),
        (word("ada", "byline"), ["kerry"]),
        (word("john", "people"), ["kerry", "lavrov"]),
        (Phrase(("john", "kerry"), "people"), ["kerry", "lavrov"]),
        (Phrase(("lavrov", "john"), "people"), []),  # not across values
        (Near(("lavrov", "john"), 900, "people"), []),
        (word("world", "source"), ["kerry", "lavrov"]),
        (word("commodity", "keywords"), ["cocoa"]),
    ],
    ids=str,
)
def test_a_query_matches(news: Engine, query: Query, expected: list[str]) -> None:
    assert found(news, query) == expected


def test_a_date_range_includes_both_ends(news: Engine) -> None:
    low = micros(datetime(2016, 9, 12, tzinfo=UTC))
    high = micros(datetime(2016, 9, 29, 10, tzinfo=UTC))
    assert found(news, Range("published", low, high)) == ["kerry", "lavrov"]
    assert found(news, Range("published", low + 1, high)) == ["kerry"]
    assert found(news, Range("published", low, high - 1)) == ["lavrov"]


def test_an_unknown_date_is_outside_of_every_range(news: Engine) -> None:
    assert "undated" not in found(news, Range("published", None, None))
    assert "undated" in found(news, Not(Range("published", None, None)))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("headline", ["kerry"]),
        ("body", ["kerry"]),
        ("caption", ["kerry"]),
        ("abstract", []),
        ("text", ["kerry"]),
        ("all", ["kerry"]),
    ],
)
def test_in_says_where_words_are_sought(
    news: Engine, where: str, expected: list[str]
) -> None:
    assert found(news, word("aleppo"), in_=where) == expected


def test_in_all_reaches_the_lines_of_an_article(news: Engine) -> None:
    assert found(news, word("commodities")) == []
    assert found(news, word("commodities"), in_="all") == ["cocoa"]
    assert found(news, word("reporter"), in_="all") == ["kerry"]


def test_a_field_that_in_leaves_out_is_still_searched_by_name(news: Engine) -> None:
    query = word("street", "caption")
    assert found(news, query, in_="headline") == ["kerry"]


# --- languages ------------------------------------------------------------------------


def test_a_word_is_stemmed_in_the_language_of_each_article(engine: Engine) -> None:
    fill(
        engine,
        article("en", "He was running.", language="en"),
        article("de", "Die Häuser brennen.", language="de"),
        article("fr", "les gouvernements", language="fr"),
        article("none", "two runs"),
    )
    assert found(engine, word("runs")) == ["en", "none"]
    assert found(engine, word("hauses")) == ["de"]
    assert found(engine, word("gouvernement")) == ["fr"]
    # Only in English do these two have one stem.
    fill(
        engine,
        article("en2", "policies", language="en-GB"),
        article("de2", "policies", language="de"),
        seq=2,
    )
    assert found(engine, word("policy")) == ["en2"]
    assert found(engine, word("policies")) == ["de2", "en2"]


def test_the_default_language_is_a_choice(tmp_path: Path) -> None:
    for url in ENGINES:
        engine = open_empty(url, tmp_path, language="de")
        fill(engine, article("none", "Die Häuser brennen."))
        assert found(engine, word("hauses")) == ["none"]
        engine.close()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("கொழும்பு நகரில் மழை", word("மழை")),
        ("ශ්‍රී ලංකාව", word("ලංකාව")),
        ("दिल्ली में बारिश", word("दिल्ली")),
        ("في حلب اليوم", word("حلب")),
        ("Переговоры в Москве", word("москве")),
        ("中国代表团今天抵达", Phrase(("代表", "表团"))),
        ("中国代表团今天抵达", word("团")),
        ("the U.S. said", Phrase(("u", "s"))),
        ("the U.S. said", word("us")),
        ("a C-17 landed", Phrase(("c", "17"))),
        ("a C-17 landed", Exact(("c-17",))),
        ("a C-17 landed", Phrase(("c17", "landed"))),  # a wide word in a phrase
        ("Mr O’Neil spoke", Phrase(("o", "neil"))),
        ("Mr O’Neil spoke", word("oneil")),
        ("un café fermé", word("cafe")),
        ("un cafe ferme", word("café")),
        ("un café fermé", Exact(("café",))),
        ("case 02091-C-71 closed", Exact(("02091-c-71",))),
        ("write to @handle now", word("@handle")),
        ("write to @handle now", word("handle")),
        ("on 2021/10/25 it", Phrase(("2021", "10", "25"))),
    ],
    ids=str,
)
def test_words_of_every_script_are_found_as_typed(
    engine: Engine, text: str, query: Query
) -> None:
    fill(engine, article("a", text), article("b", "nothing of the kind"))
    assert found(engine, query) == ["a"]


def test_near_words_are_told_apart_though_one_word_stands_for_both(
    engine: Engine,
) -> None:
    # The one is a prefix of the other, and only the longer one was ever indexed.
    fill(engine, article("a", "美国 代表"))
    assert found(engine, Near(("美", "美国"), 5)) == ["a"]
    assert found(engine, Near(("美国", "美国"), 5)) == []


def test_an_exact_form_keeps_accents(engine: Engine) -> None:
    fill(engine, article("a", "un café"), article("b", "a cafe"))
    assert found(engine, Exact(("café",))) == ["a"]
    assert found(engine, Exact(("cafe",))) == ["b"]


# --- scope and unit -------------------------------------------------------------------


def test_article_scope_lets_words_stand_in_different_paragraphs(news: Engine) -> None:
    query = And((word("kerry"), word("hospitals")))
    assert found(news, query, scope=Scope.ARTICLE) == ["kerry"]
    assert found(news, query, scope=Scope.PARAGRAPH) == []


def test_paragraph_scope_tests_a_not_on_the_same_paragraph(news: Engine) -> None:
    query = And((word("aleppo"), Not(word("kerry"))))
    assert found(news, query, scope=Scope.ARTICLE) == []
    assert found(news, query, scope=Scope.PARAGRAPH) == ["kerry"]


def test_conditions_on_the_article_hold_for_each_of_its_paragraphs(
    news: Engine,
) -> None:
    for condition in (
        word("collapse", "headline"),
        word("ada", "byline"),
        Range("urgency", 1, 3),
    ):
        query = And((word("hospitals"), condition))
        page = search(news, query, scope=Scope.PARAGRAPH)
        assert (ids(page), page.paragraphs) == (["kerry"], 1), condition


def matching(page: Page) -> list[tuple[str, list[int], int]]:
    return [
        (hit.id, [passage.n for passage in hit.passages], hit.passages_total)
        for hit in page.hits
    ]


def test_matching_paragraphs_are_those_with_a_leaf_that_counts(news: Engine) -> None:
    page = search(news, And((word("kerry"), word("aleppo"))))
    assert matching(page) == [("kerry", [1, 2, 3], 4)]  # the headline is no passage
    page = search(news, word("hospitals"))
    assert matching(page) == [("kerry", [2], 1)]


def test_a_leaf_in_an_and_that_fails_does_not_count(news: Engine) -> None:
    failing = And((word("washington"), word("absent")))
    page = search(news, Or((failing, word("hospitals"))))
    assert matching(page) == [("kerry", [2], 1)]
    assert [leaf.text for leaf in page.hits[0].leaves] == ["hospitals"]


def test_where_no_leaf_counts_every_paragraph_matches(news: Engine) -> None:
    for query in (Not(word("cocoa")), Range("urgency", 1, 3), word("ada", "byline")):
        page = search(
            news, query, filters=(Filter(field="people", values=("john kerry",)),)
        )
        assert page.hits[0].id in ("kerry", "lavrov")
        assert page.hits[0].leaves == (
            (word("ada", "byline"),) if query == word("ada", "byline") else ()
        )
        assert all(
            hit.passages_total == (4 if hit.id == "kerry" else 3) for hit in page.hits
        )
        assert page.hits[0].passages[0].n == 1  # the lead


def test_a_paragraph_hit_is_a_matching_paragraph(news: Engine) -> None:
    page = search(news, word("aleppo"), unit=Unit.PARAGRAPH)
    rows = sorted((hit.id, hit.passages[0].n) for hit in page.hits)
    assert rows == [("kerry", 0), ("kerry", 2), ("kerry", 3)]
    assert (page.articles, page.paragraphs) == (1, 3)
    assert {hit.passages_total for hit in page.hits} == {3}


def test_paragraphs_with_more_of_the_words_come_first(news: Engine) -> None:
    query = And((word("kerry"), word("washington")))
    page = search(news, query, unit=Unit.PARAGRAPH)
    assert (page.hits[0].id, page.hits[0].passages[0].n) == ("kerry", 1)


def test_leaves_of_a_passage_are_those_that_count_in_it(news: Engine) -> None:
    query = Or((And((word("kerry"), word("talks"))), word("aleppo")))
    page = search(news, query, scope=Scope.PARAGRAPH, sort=Sort.NEWEST)
    (hit,) = page.hits
    texts = {each.n: [leaf.text for leaf in each.leaves] for each in hit.passages}
    assert texts == {1: ["kerry", "talks"], 2: ["aleppo"], 3: ["aleppo"]}
    assert sorted(leaf.text for leaf in hit.leaves) == ["aleppo", "kerry", "talks"]


def test_passages_are_the_best_in_reading_order(engine: Engine) -> None:
    fill(
        engine,
        article(
            "a",
            "One long paragraph that names the truce once among many other words.",
            "Truce, truce, truce.",
            "Nothing here.",
            "The truce again.",
        ),
    )
    page = search(engine, word("truce"), passages=2)
    assert matching(page) == [("a", [2, 4], 3)]
    assert search(engine, word("truce"), passages=0).hits[0].passages == ()


# --- order ----------------------------------------------------------------------------


def test_rare_words_weigh_more(engine: Engine) -> None:
    fill(
        engine,
        *(article(f"c{n}", "common words here") for n in range(8)),
        article("rare", "rare words here"),
        article("both", "common rare words"),
    )
    page = search(engine, Or((word("common"), word("rare"))), limit=3)
    assert ids(page)[:2] == ["both", "rare"]


def test_the_headline_weighs_more(engine: Engine) -> None:
    fill(
        engine,
        article("body", "The harbour.", headline="Nothing else"),
        article("head", "Nothing else.", headline="The harbour"),
    )
    assert ids(search(engine, word("harbour"))) == ["head", "body"]


def test_a_boost_weighs_more(engine: Engine) -> None:
    fill(engine, article("a", "apple tree"), article("b", "pear tree"))
    for favourite, other, first in (("apple", "pear", "a"), ("pear", "apple", "b")):
        query = Or((Term(favourite, boost=3.0), Term(other)))
        assert ids(search(engine, query))[0] == first


def test_equal_scores_put_newer_first_then_ids(engine: Engine) -> None:
    fill(
        engine,
        article("b", "same", published="2020-01-01"),
        article("a", "same", published="2020-01-01"),
        article("new", "same", published="2021-01-01"),
        article("none", "same"),
    )
    assert ids(search(engine, word("same"))) == ["new", "a", "b", "none"]
    assert len({hit.score for hit in search(engine, word("same")).hits}) == 1


def test_filters_and_conditions_score_nothing(news: Engine) -> None:
    for query in (All(), word("ada", "byline"), Range("urgency", 1, 9)):
        assert {hit.score for hit in search(news, query).hits} == {0.0}


def test_statistics_do_not_depend_on_what_is_visible(engine: Engine) -> None:
    articles = [
        article("a", "truce talks", "and more"),
        article("b", "truce", embargoed_until="2030-01-01"),
        article("c", "other", status="withheld"),
        article("d", "truce of sorts"),
    ]
    fill(engine, *articles)
    alone = search(engine, word("truce"))
    assert ids(alone) == ["a", "d"] or ids(alone) == ["d", "a"]
    filtered = search(engine, word("truce"), hidden=frozenset({"d"}))
    by_id = {hit.id: hit.score for hit in alone.hits}
    assert filtered.hits[0].score == by_id["a"]
    later = search(engine, word("truce"), now=datetime(2031, 1, 1, tzinfo=UTC))
    assert {hit.id: hit.score for hit in later.hits}["a"] == by_id["a"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.NEWEST, ["cocoa", "kerry", "lavrov", "undated"]),
        (Sort.OLDEST, ["lavrov", "kerry", "cocoa", "undated"]),
        (Sort.UPDATED, ["cocoa", "kerry", "lavrov", "undated"]),
        (Sort.RELEVANCE, ["cocoa", "kerry", "lavrov", "undated"]),
    ],
)
def test_unknown_dates_come_last_in_every_order(
    news: Engine, sort: Sort, expected: list[str]
) -> None:
    assert ids(search(news, sort=sort)) == expected


def test_updated_falls_back_to_published(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", published="2020-01-01", updated="2022-01-01"),
        article("b", "x", published="2021-01-01"),
        article("c", "x", published="2019-01-01", updated="2019-01-02"),
    )
    assert ids(search(engine, sort=Sort.UPDATED)) == ["a", "b", "c"]
    assert ids(search(engine, sort=Sort.NEWEST)) == ["b", "a", "c"]


def test_explain_takes_the_score_apart(news: Engine) -> None:
    query = Or((word("kerry"), word("geneva"), word("ada", "byline")))
    page = search(news, query, explain=True)
    first = page.hits[0]
    assert first.id == "lavrov"
    assert first.parts is not None
    assert [part.text for part in first.parts] == ["kerry", "geneva"]
    assert all(part.article > 0 and part.paragraph > 0 for part in first.parts)
    assert search(news, query).hits[0].parts is None


# --- paging ---------------------------------------------------------------------------


def walk(engine: Engine, query: Query, size: int, **options: Any) -> list[Any]:
    rows: list[Any] = []
    after = None
    while True:
        page = search(engine, query, limit=size, after=after, **options)
        rows.extend((hit.id, hit.key.n) for hit in page.hits)
        if page.after is None:
            return rows
        after = page.after


@pytest.fixture
def crowd(engine: Engine) -> Engine:
    """Sixty articles; many share a date, some have none."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    fill(
        engine,
        *(
            article(
                f"a{n:02d}",
                *(["truce " * (1 + n % 3)] * (1 + n % 2)),
                published=None
                if n % 10 == 9
                else (start + timedelta(n % 4)).isoformat(),
            )
            for n in range(60)
        ),
    )
    return engine


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_walked_are_the_whole_without_a_repeat(
    crowd: Engine, sort: Sort, unit: Unit, size: int
) -> None:
    whole = walk(crowd, word("truce"), 100, sort=sort, unit=unit)
    assert walk(crowd, word("truce"), size, sort=sort, unit=unit) == whole
    assert len(whole) == len(set(whole)) == (60 if unit is Unit.ARTICLE else 90)


def test_an_offset_leaves_hits_out(crowd: Engine) -> None:
    whole = ids(search(crowd, sort=Sort.OLDEST, limit=60))
    page = search(crowd, sort=Sort.OLDEST, limit=10, offset=20)
    assert ids(page) == whole[20:30]
    assert search(crowd, sort=Sort.OLDEST, limit=10, offset=100).hits == ()


def test_the_last_page_has_no_successor(crowd: Engine) -> None:
    assert search(crowd, limit=60).after is None
    assert search(crowd, limit=59).after is not None
    assert search(crowd, limit=0).after is None


def test_nothing_older_is_missed_while_articles_arrive(crowd: Engine) -> None:
    first = search(crowd, sort=Sort.NEWEST, limit=20)
    rest = walk(crowd, All(), 20, sort=Sort.NEWEST)[20:]
    crowd.apply([article("new", "x", published="2025-01-01")], (), seq=2)
    after = first.after
    second = search(crowd, sort=Sort.NEWEST, limit=100, after=after)
    assert [(hit.id, None) for hit in second.hits] == rest


@pytest.mark.slow
@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("unit", Unit)
def test_pages_are_walked_alike_after_updates(
    crowd: Engine, sort: Sort, unit: Unit
) -> None:
    changed = [
        article_of(
            {
                "id": f"a{n:02d}",
                "version": "2",
                "paragraphs": ["truce"],
                "published": "2020-01-02",
            }
        )
        for n in range(0, 60, 3)
    ]
    crowd.apply(changed, ["a01"], seq=2)
    whole = walk(crowd, word("truce"), 100, sort=sort, unit=unit)
    assert len(whole) == len(set(whole))
    for size in (1, 7):
        assert walk(crowd, word("truce"), size, sort=sort, unit=unit) == whole


def test_a_cursor_goes_on_although_its_article_is_gone(crowd: Engine) -> None:
    first = search(crowd, sort=Sort.NEWEST, limit=20)
    rest = walk(crowd, All(), 20, sort=Sort.NEWEST)[20:]
    crowd.apply((), [first.hits[-1].id], seq=2)
    second = search(crowd, sort=Sort.NEWEST, limit=100, after=first.after)
    assert [(hit.id, None) for hit in second.hits] == rest


# --- filters and facets ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((Filter(field="source", values=("World Desk",)),), ["kerry", "lavrov"]),
        ((Filter(field="source", values=("WORLD desk",)),), ["kerry", "lavrov"]),
        ((Filter(field="source", values=("World",)),), []),  # whole values
        (
            (Filter(field="source", values=("World Desk", "Business Desk")),),
            ["cocoa", "kerry", "lavrov"],
        ),
        (
            (
                Filter(field="source", values=("World Desk",)),
                Filter(field="places", values=("geneva",)),
            ),
            ["lavrov"],
        ),
        (
            (Filter(field="source", values=("World Desk",), exclude=True),),
            ["cocoa", "undated"],
        ),
        ((Filter(field="source", missing=True),), ["undated"]),
        (
            (Filter(field="source", missing=True, exclude=True),),
            ["cocoa", "kerry", "lavrov"],
        ),
        (
            (Filter(field="source", values=("Business Desk",), missing=True),),
            ["cocoa", "undated"],
        ),
        ((Filter(field="urgency", values=("2",)),), ["kerry"]),
        ((Filter(field="people", values=("nobody",)),), []),
    ],
    ids=str,
)
def test_filters_compare_whole_values_without_case(
    news: Engine, filters: tuple[Filter, ...], expected: list[str]
) -> None:
    assert found(news, All(), filters=filters) == expected


def test_a_range_of_dates_narrows(news: Engine) -> None:
    bounds = Range("published", micros(datetime(2016, 9, 20, tzinfo=UTC)), None)
    assert found(news, All(), dates=bounds) == ["cocoa", "kerry"]


def test_facets_count_articles(engine: Engine) -> None:
    fill(
        engine,
        article("a", "truce", "truce", places=["usa", "uk", "usa"]),
        article("b", "truce", places=["USA"]),
        article("c", "truce", places=["usa"]),
        article("d", "truce"),
        article("e", "other", places=["japan"]),
    )
    page = search(
        engine, word("truce"), facets=(FacetRequest(field="places"),), limit=0
    )
    (facet,) = page.facets
    assert counts(facet) == {"usa": 3, "uk": 1}
    assert (facet.missing, facet.other, facet.distinct) == (1, 0, 2)


def test_a_facet_says_what_it_does_not_list(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", places=["one", "two"]),
        article("b", "x", places=["one", "three"]),
        article("c", "x", places=["two", "three", "four"]),
    )
    request = (FacetRequest(field="places"),)
    (facet,) = search(engine, facets=request, facet_size=1).facets
    assert counts(facet) == {"one": 2}
    assert (facet.other, facet.distinct) == (3, 4)
    (facet,) = search(engine, facets=request, facet_size=3).facets
    assert (list(counts(facet)), facet.other) == (["one", "three", "two"], 1)
    (facet,) = search(engine, facets=request, facet_size=0).facets
    assert (facet.values, facet.other) == ((), 3)


def test_a_facet_ignores_its_own_filter_only(news: Engine) -> None:
    requests = (FacetRequest(field="section"), FacetRequest(field="source"))
    page = search(
        news,
        filters=(
            Filter(field="section", values=("business",)),
            Filter(field="source", values=("none such",)),
        ),
        facets=requests,
    )
    section, source = page.facets
    assert page.articles == 0
    assert counts(section) == {"business": 0}
    assert counts(source) == {"Business Desk": 1, "none such": 0}
    assert [value.active for value in source.values] == [False, True]


def test_exclusions_hold_for_their_own_facet(news: Engine) -> None:
    page = search(
        news,
        filters=(Filter(field="section", values=("World",), exclude=True),),
        facets=(FacetRequest(field="section"),),
    )
    assert counts(page.facets[0]) == {"Business": 1}


def test_a_selected_value_stays_listed_beyond_the_size(news: Engine) -> None:
    page = search(
        news,
        filters=(Filter(field="places", values=("washington",)),),
        facets=(FacetRequest(field="places"),),
        facet_size=1,
    )
    assert counts(page.facets[0]) == {"Aleppo": 1, "Washington": 1}
    assert [value.active for value in page.facets[0].values] == [False, True]


def test_facet_values_can_be_asked_for_by_their_start(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", people=["Zoë Adams", "Bo"]),
        article("b", "x", people=["zoe baker"]),
    )
    (facet,) = search(
        engine, facets=(FacetRequest(field="people", prefix="ZOE"),)
    ).facets
    assert list(counts(facet)) == ["Zoë Adams", "zoe baker"]


def test_facets_do_not_depend_on_the_page(crowd: Engine) -> None:
    request = (FacetRequest(field="published", interval=Interval.DAY),)
    whole = search(crowd, facets=request)
    after = search(crowd, facets=request, after=whole.after)
    assert after.facets == whole.facets
    assert after.articles == whole.articles == 60


def test_a_date_facet_fills_empty_buckets(news: Engine) -> None:
    request = FacetRequest(field="published", interval=Interval.MONTH)
    (facet,) = search(news, facets=(request,)).facets
    assert counts(facet) == {
        "2016-09-01": 2,
        "2016-10-01": 0,
        "2016-11-01": 0,
        "2016-12-01": 0,
        "2017-01-01": 1,
    }
    assert (facet.missing, facet.interval) == (1, "month")


def test_a_date_facet_covers_the_range_that_was_asked_for(news: Engine) -> None:
    request = FacetRequest(field="published", interval=Interval.DAY)
    low = micros(datetime(2016, 9, 10, tzinfo=UTC))
    high = micros(datetime(2016, 9, 14, tzinfo=UTC)) - 1

    def days(bounds: Range) -> dict[str, int]:
        return counts(search(news, facets=(request,), dates=bounds).facets[0])

    assert days(Range("published", low, high)) == {
        "2016-09-10": 0,
        "2016-09-11": 0,
        "2016-09-12": 1,
        "2016-09-13": 0,
    }
    assert days(Range("published", high, high)) == {"2016-09-13": 0}
    assert days(Range("published", low, None))["2016-09-12"] == 1
    assert len(days(Range("published", None, high))) == 1  # open: what there is
    assert len(days(Range("updated", low, high))) == 1  # about another field


def test_dates_are_counted_in_the_asked_time_zone(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", published="2021-03-28T00:30:00Z"),
        article("b", "x", published="2021-03-27T23:30:00Z"),
    )
    request = (FacetRequest(field="published", interval=Interval.DAY),)
    utc = search(engine, facets=request).facets[0]
    assert counts(utc) == {"2021-03-27": 1, "2021-03-28": 1}
    paris = search(engine, facets=request, tz="Europe/Paris").facets[0]
    assert counts(paris) == {"2021-03-28": 2}


@pytest.mark.parametrize("interval", Interval)
@pytest.mark.parametrize("tz", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31"]
)
def test_dates_at_the_ends_of_time_are_counted(
    engine: Engine, interval: Interval, tz: str, instant: str
) -> None:
    fill(engine, article("a", "x", published=instant))
    request = FacetRequest(field="published", interval=interval)
    (facet,) = search(engine, facets=(request,), tz=tz).facets
    assert [value.count for value in facet.values] == [1]


def test_a_junk_date_only_makes_automatic_buckets_wider(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", published="0101-01-01"),
        article("b", "x", published="2020-01-01"),
    )
    request = FacetRequest(field="published", interval=Interval.AUTO)
    (facet,) = search(engine, facets=(request,)).facets
    assert facet.interval == "century"
    assert (facet.values[0].value, facet.values[-1].value) == (
        "0100-01-01",
        "2000-01-01",
    )


def test_too_many_buckets_are_refused(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", published="1900-01-01"),
        article("b", "x", published="2020-01-01"),
    )
    with pytest.raises(LimitExceeded) as caught:
        search(engine, facets=(FacetRequest(field="published", interval=Interval.DAY),))
    assert caught.value.code == "too_many_buckets"
    auto = FacetRequest(field="published", interval=Interval.AUTO)
    facet = search(engine, facets=(auto,)).facets[0]
    assert (facet.interval, len(facet.values)) == ("decade", 13)


# --- visibility -----------------------------------------------------------------------


def everywhere(engine: Engine, **options: Any) -> set[str]:
    """Every place where an article could show: hits, facets, terms, words, spelling."""
    snapshot = engine.snapshot()
    asked = Search(
        query=word("secretword"),
        facets=(
            FacetRequest(field="source"),
            FacetRequest(field="published", interval=Interval.DAY),
        ),
        **{"now": NOW, **options},
    )
    page = snapshot.search(asked)
    seen = set()
    if page.hits:
        seen.add("hits")
    if page.articles or page.paragraphs:
        seen.add("totals")
    if any(value.count for facet in page.facets for value in facet.values):
        seen.add("facets")
    if any(facet.missing for facet in page.facets):
        seen.add("missing")
    if page.terms[0].articles:
        seen.add("terms")
    if snapshot.words("secretw", asked, 10):
        seen.add("words")
    if snapshot.similar("secretwurd", asked):
        seen.add("spelling")
    return seen


EVERYWHERE = {"hits", "totals", "facets", "terms", "words", "spelling"}
HELD = {
    "withheld": {"status": "withheld"},
    "canceled": {"status": "canceled"},
    "embargoed": {"embargoed_until": "2024-06-01T12:00:01Z"},
    "expired": {"expires": "2024-06-01T12:00:00Z"},
}


@pytest.mark.parametrize("reason", HELD)
def test_what_may_not_be_seen_shows_nowhere(engine: Engine, reason: str) -> None:
    values = {"source": "Desk", "published": "2020-01-01", **HELD[reason]}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    assert everywhere(engine) == set()


def test_what_may_be_seen_shows_everywhere(engine: Engine) -> None:
    values = {"source": "Desk", "published": "2020-01-01"}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    assert everywhere(engine) == EVERYWHERE


def test_an_embargo_ends_and_an_article_expires_at_their_instants(
    engine: Engine,
) -> None:
    values = {
        "source": "Desk",
        "published": "2020-01-01",
        "embargoed_until": "2024-06-01T12:00:00Z",
        "expires": "2024-06-01T13:00:00Z",
    }
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    second = timedelta(seconds=1)
    assert everywhere(engine, now=NOW - second) == set()
    assert everywhere(engine, now=NOW) == EVERYWHERE
    assert everywhere(engine, now=NOW + timedelta(hours=1) - second) == EVERYWHERE
    assert everywhere(engine, now=NOW + timedelta(hours=1)) == set()


@pytest.mark.parametrize("reason", HELD)
def test_who_may_see_what_is_held_sees_it_everywhere(
    engine: Engine, reason: str
) -> None:
    values = {"source": "Desk", "published": "2020-01-01", **HELD[reason]}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    shows = EVERYWHERE if reason in ("withheld", "embargoed") else set()
    assert everywhere(engine, reader=Reader(held=True)) == shows
    assert everywhere(engine) == set(), "and nobody else does afterwards"


@pytest.mark.parametrize(
    ("wanted", "shows"),
    [
        (Filter(field="source", values=("desk", "else")), True),
        (Filter(field="source", values=("else",)), False),
        (Filter(field="source", values=("DESK",), exclude=True), False),
        (Filter(field="source", values=("else",), exclude=True), True),
        (Filter(field="section", missing=True), True),
        (Filter(field="section", missing=True, exclude=True), False),
        (Filter(field="urgency", values=("2",)), True),
    ],
    ids=str,
)
def test_a_readers_filter_decides_what_shows_anywhere(
    engine: Engine, wanted: Filter, shows: bool
) -> None:
    values = {"source": "Desk", "published": "2020-01-01", "urgency": 2}
    a, b = article("a", "The secretword.", **values), article("b", "other")
    fill(engine, a, b)
    reader = Reader(filters=(wanted,))
    assert everywhere(engine, reader=reader) == (EVERYWHERE if shows else set())
    assert visible(a, NOW, reader) is shows
    assert everywhere(engine) == EVERYWHERE, "others see it as before"


def test_a_facet_does_not_ignore_the_readers_filter_on_its_field(
    engine: Engine,
) -> None:
    fill(
        engine, article("a", "One.", source="Desk"), article("b", "Two.", source="Wire")
    )
    page = search(
        engine,
        All(),
        filters=(Filter(field="source", values=("Desk",)),),
        facets=(FacetRequest(field="source"),),
        reader=Reader(filters=(Filter(field="source", values=("Desk",)),)),
    )
    assert [(each.value, each.count) for each in page.facets[0].values] == [("Desk", 1)]


def test_hidden_ids_show_nowhere(engine: Engine) -> None:
    values = {"source": "Desk", "published": "2020-01-01"}
    fill(engine, article("a", "The secretword.", **values), article("b", "other"))
    assert everywhere(engine, hidden=frozenset({"a", "unknown"})) == set()


# --- writing --------------------------------------------------------------------------


def test_a_new_version_replaces_the_old_one(news: Engine) -> None:
    changed = article_of(
        {"id": "kerry", "version": "2", "paragraphs": ["Only this is left."]}
    )
    fill(news, changed, seq=5)
    assert found(news, word("hospitals")) == []
    page = search(news, word("left"))
    assert [(hit.id, hit.version) for hit in page.hits] == [("kerry", "2")]
    assert page.seq == 5


def test_a_deleted_article_is_gone(news: Engine) -> None:
    news.apply((), ["kerry", "never there"], seq=5)
    assert found(news, word("aleppo")) == []
    assert news.state().articles == 3
    assert news.snapshot().seq == 5


def test_a_snapshot_never_changes(news: Engine) -> None:
    before = news.snapshot()
    news.apply([article("new", "cocoa")], ["kerry"], seq=5)
    asked = Search(query=Or((word("cocoa"), word("aleppo"))), now=NOW)
    assert sorted(ids(before.search(asked))) == ["cocoa", "kerry", "undated"]
    assert sorted(ids(news.snapshot().search(asked))) == ["cocoa", "new", "undated"]


def test_a_rebuild_replaces_everything(news: Engine) -> None:
    told: list[int] = []
    news.rebuild(iter([COCOA, LAVROV]), seq=9, total=2, progress=told.append)
    assert found(news, All()) == ["cocoa", "lavrov"]
    assert (news.snapshot().seq, told[-1]) == (9, 2)
    assert news.state().progress is None


def test_the_state_counts_what_is_there(news: Engine) -> None:
    state = news.state()
    assert (state.seq, state.articles, state.paragraphs) == (4, 4, 10)
    assert state.stale is None


@pytest.mark.slow
def test_many_small_batches_are_one_index(engine: Engine) -> None:
    for n in range(40):
        engine.apply(
            [article(f"a{n % 25}", f"number{n} truce", headline="h")],
            [f"a{n - 20}"] if n % 7 == 0 else (),
            seq=n + 1,
        )
    assert len(found(engine, word("truce"))) == engine.state().articles
    assert found(engine, word("number39")) == ["a14"]
    assert found(engine, word("number14")) == []


# --- limits ---------------------------------------------------------------------------


def test_a_search_past_its_deadline_is_stopped(news: Engine) -> None:
    with pytest.raises(SearchTimeout):
        search(news, word("kerry"), deadline=0.0)


@pytest.mark.parametrize("url", ENGINES)
def test_a_term_for_too_many_words_is_refused(url: str, tmp_path: Path) -> None:
    engine = open_empty(url, tmp_path, expansions=3)
    fill(engine, article("a", "abca abcb abcc"), article("b", "abcd"))
    with pytest.raises(InvalidQuery) as caught:
        search(engine, Prefix("abc"))
    assert (caught.value.code, caught.value.limit) == ("wildcard_too_broad", 3)
    assert found(engine, Prefix("abca")) == ["a"]
    engine.close()


# --- words ----------------------------------------------------------------------------


def test_words_go_on_from_a_prefix_commonest_first(news: Engine) -> None:
    snapshot = news.snapshot()
    asked = Search(query=All(), now=NOW)
    words = [(each.text, each.articles) for each in snapshot.words("co", asked, 2)]
    assert words == [("cocoa", 2), ("collapse", 1)]


def test_words_with_marks_are_offered(engine: Engine) -> None:
    fill(engine, article("a", "भारतीय दिल्ली", language="hi"))
    asked = Search(query=All(), now=NOW)
    assert [each.text for each in engine.snapshot().words("दि", asked, 9)] == ["दिल्ली"]
    assert engine.snapshot().similar("भारतिय", asked) == "भारतीय"


def test_a_slip_is_told_its_nearest_word(news: Engine) -> None:
    snapshot = news.snapshot()
    asked = Search(query=All(), now=NOW)
    assert snapshot.similar("alepo", asked) == "aleppo"
    assert snapshot.similar("xyzzyx", asked) is None


def test_terms_are_counted_whatever_else_is_asked(news: Engine) -> None:
    query = And((word("cocoa"), word("kerry"), Not(word("truce"))))
    page = search(news, query)
    assert [(each.text, each.articles) for each in page.terms] == [
        ("cocoa", 2),
        ("kerry", 2),
    ]


# --- engines agree --------------------------------------------------------------------

WORDS = ("truce", "truces", "talks", "aleppo", "kerry", "c-17", "the", "café", "cafe")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
forms = st.sampled_from(
    ("truce", "talks", "aleppo", "kerry", "the", "cafe", "17", "us")
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
    st.builds(Prefix, st.sampled_from(("tru", "tal", "c", "caf")), fields_),
    st.builds(Wildcard, st.sampled_from(("tr*s", "c?17", "caf*")), fields_),
    st.builds(Fuzzy, st.sampled_from(("truse", "alepo", "kerri")), st.just(1), fields_),
    st.builds(
        Exact, st.sampled_from((("café",), ("c-17",), ("the", "truce"))), fields_
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
        language=draw(st.sampled_from((None, "en", "fr", "xx"))),
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


def same(one: Page, other: Page) -> None:
    """Hold two answers to be one, scores to 1e-4 and order where scores differ."""
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
        same(*pages)
        walked = paged(engines[1], query, data.draw(st.integers(1, 3)), **options)
        assert [hit.key for hit in walked] == [hit.key for hit in pages[1].hits]
    for engine in engines:
        engine.close()


def paged(engine: Engine, query: Query, limit: int, **options: Any) -> list[Hit]:
    """Return all hits, page by page: half of the way by cursor, half by offset."""
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
