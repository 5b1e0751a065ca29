"""Which articles and paragraphs match: words, fields, languages, scope."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from articles import article
from engines.kinds import KINDS, open_empty, word
from engines.searches import fill, ids, matching_ids, search
from served import kind_of

from index.dates import micros
from index.engines import Engine, Page
from index.query import (
    All,
    And,
    Exact,
    FacetRequest,
    Filter,
    Fuzzy,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Scope,
    Sort,
    Unit,
    Wildcard,
)
from index.query.nodes import NOTHING


def test_an_empty_engine_has_nothing(engine: Engine) -> None:
    page = search(engine, facets=(FacetRequest(field="source"),))
    assert (page.hits, page.articles, page.paragraphs, page.after) == ((), 0, 0, None)
    assert page.facets[0].values == ()


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("was_filled", [False, True])
def test_words_are_searched_where_no_article_is_left(
    engine: Engine, was_filled: bool, unit: Unit, scope: Scope
) -> None:
    if was_filled:
        fill(engine, article("a", "truce", headline="Talks"))
        engine.apply((), ("a",), seq=2)
    for query in (word("truce"), word("truce", "keywords"), Prefix("tru")):
        page = search(engine, query, scope=scope, unit=unit)
        assert (page.hits, page.articles, page.paragraphs) == ((), 0, 0)


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
    assert matching_ids(news, query) == expected


def test_a_date_range_includes_both_ends(news: Engine) -> None:
    low = micros(datetime(2016, 9, 12, tzinfo=UTC))
    high = micros(datetime(2016, 9, 29, 10, tzinfo=UTC))
    assert matching_ids(news, Range("published", low, high)) == ["kerry", "lavrov"]
    assert matching_ids(news, Range("published", low + 1, high)) == ["kerry"]
    assert matching_ids(news, Range("published", low, high - 1)) == ["lavrov"]


def test_an_unknown_date_is_outside_of_every_range(news: Engine) -> None:
    assert "undated" not in matching_ids(news, Range("published", None, None))
    assert "undated" in matching_ids(news, Not(Range("published", None, None)))


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
def test_in_chooses_the_fields_that_are_searched(
    news: Engine, where: str, expected: list[str]
) -> None:
    assert matching_ids(news, word("aleppo"), in_=where) == expected


def test_in_all_also_searches_the_own_fields_of_an_article(news: Engine) -> None:
    assert matching_ids(news, word("commodities")) == []
    assert matching_ids(news, word("commodities"), in_="all") == ["cocoa"]
    assert matching_ids(news, word("reporter"), in_="all") == ["kerry"]


def test_a_field_that_in_leaves_out_is_still_searched_by_name(news: Engine) -> None:
    query = word("street", "caption")
    assert matching_ids(news, query, in_="headline") == ["kerry"]


def test_a_word_is_stemmed_in_the_language_of_each_article(engine: Engine) -> None:
    fill(
        engine,
        article("en", "He was running.", language="en"),
        article("de", "Die Häuser brennen.", language="de"),
        article("fr", "les gouvernements", language="fr"),
        article("none", "two runs"),
    )
    assert matching_ids(engine, word("runs")) == ["en", "none"]
    assert matching_ids(engine, word("hauses")) == ["de"]
    assert matching_ids(engine, word("gouvernement")) == ["fr"]
    # These two have the same stem only in English.
    fill(
        engine,
        article("en2", "policies", language="en-GB"),
        article("de2", "policies", language="de"),
        seq=2,
    )
    assert matching_ids(engine, word("policy")) == ["en2"]
    assert matching_ids(engine, word("policies")) == ["de2", "en2"]


@pytest.mark.parametrize("url", KINDS, ids=kind_of)
def test_the_default_language_is_a_choice(url: str, tmp_path: Path) -> None:
    engine = open_empty(url, tmp_path, language="de")
    fill(engine, article("none", "Die Häuser brennen."))
    assert matching_ids(engine, word("hauses")) == ["none"]
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
    assert matching_ids(engine, query) == ["a"]


def test_near_needs_two_occurrences_even_of_words_with_one_stem(
    engine: Engine,
) -> None:
    # One word is a prefix of the other, and only the longer one is indexed.
    fill(engine, article("a", "美国 代表"))
    assert matching_ids(engine, Near(("美", "美国"), 5)) == ["a"]
    assert matching_ids(engine, Near(("美国", "美国"), 5)) == []


def test_an_exact_form_keeps_accents(engine: Engine) -> None:
    fill(engine, article("a", "un café"), article("b", "a cafe"))
    assert matching_ids(engine, Exact(("café",))) == ["a"]
    assert matching_ids(engine, Exact(("cafe",))) == ["b"]


def test_article_scope_matches_words_of_different_paragraphs(news: Engine) -> None:
    query = And((word("kerry"), word("hospitals")))
    assert matching_ids(news, query, scope=Scope.ARTICLE) == ["kerry"]
    assert matching_ids(news, query, scope=Scope.PARAGRAPH) == []


def test_paragraph_scope_tests_a_not_on_the_same_paragraph(news: Engine) -> None:
    query = And((word("aleppo"), Not(word("kerry"))))
    assert matching_ids(news, query, scope=Scope.ARTICLE) == []
    assert matching_ids(news, query, scope=Scope.PARAGRAPH) == ["kerry"]


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


@pytest.mark.parametrize("scope", Scope)
def test_a_leaf_in_an_and_inside_one_that_fails_does_not_count(
    news: Engine, scope: Scope
) -> None:
    inner = And((word("kerry"), word("washington")))
    query = Or((word("aleppo"), And((word("absent"), Or((inner, word("hit")))))))
    (hit,) = search(news, query, scope=scope).hits
    assert [leaf.text for leaf in hit.leaves] == ["aleppo"]
    assert hit.passages_total == 3


@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.NEWEST])
def test_each_paragraph_of_an_article_shows_the_leaves_of_the_article(
    engine: Engine, sort: Sort
) -> None:
    fill(
        engine,
        article("a", *["truce talks"] * 40),
        *(article(f"b{n}", "truce") for n in range(5)),
    )
    query = Or((And((word("truce"), word("talks"))), word("truce")))
    page = search(engine, query, unit=Unit.PARAGRAPH, sort=sort, limit=60)
    shown = {(hit.id[0], tuple(leaf.text for leaf in hit.leaves)) for hit in page.hits}
    assert shown == {("a", ("truce", "talks", "truce")), ("b", ("truce",))}
    assert len(page.hits) == 45


def test_if_no_leaf_counts_every_paragraph_matches(news: Engine) -> None:
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
