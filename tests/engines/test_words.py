"""Words of the index: completions, corrections, counts; and limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from articles import article
from engines.kinds import ENGINES, NOW, open_empty, word
from engines.searches import fill, matching_ids, search

from index.engines import Engine
from index.errors import InvalidQuery, SearchTimeout
from index.query import All, And, Not, Prefix, Search


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
    assert matching_ids(engine, Prefix("abca")) == ["a"]
    engine.close()


def test_a_prefix_is_completed_by_the_most_frequent_words(news: Engine) -> None:
    snapshot = news.snapshot()
    asked = Search(query=All(), now=NOW)
    words = [
        (each.text, each.articles) for each in snapshot.completions("co", asked, 2)
    ]
    assert words == [("cocoa", 2), ("collapse", 1)]


def test_words_with_diacritics_are_completions(engine: Engine) -> None:
    fill(engine, article("a", "भारतीय दिल्ली", language="hi"))
    asked = Search(query=All(), now=NOW)
    assert [each.text for each in engine.snapshot().completions("दि", asked, 9)] == [
        "दिल्ली"
    ]
    assert list(engine.snapshot().corrections("भारतिय", asked)) == ["भारतीय"]


def test_a_misspelling_is_corrected_to_the_closest_word(news: Engine) -> None:
    snapshot = news.snapshot()
    asked = Search(query=All(), now=NOW)
    assert list(snapshot.corrections("alepo", asked)) == ["aleppo"]
    assert list(snapshot.corrections("xyzzyx", asked)) == []


def test_corrections_come_closest_first_then_most_frequent_first(
    engine: Engine,
) -> None:
    fill(
        engine,
        article("a", "trace truck truce"),
        article("b", "truce trick track"),
        article("c", "trice trace truce"),
    )
    asked = Search(query=All(), now=NOW)
    assert list(engine.snapshot().corrections("truse", asked)) == [
        *("truce", "trace", "trice", "truck")
    ]


def test_terms_are_counted_regardless_of_the_rest_of_the_search(news: Engine) -> None:
    query = And((word("cocoa"), word("kerry"), Not(word("truce"))))
    page = search(news, query)
    assert [(each.text, each.articles) for each in page.terms] == [
        ("cocoa", 2),
        ("kerry", 2),
    ]
