"""Which hits come first, and pages of them."""

from __future__ import annotations

import pytest
from articles import article
from engines.kinds import word
from engines.searches import fill, ids, search, walk
from faults.amounts import amount

from index.article import article_of
from index.engines import Engine
from index.query import All, And, Or, Range, Sort, Term, Unit


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


@pytest.mark.parametrize("field", [None, "headline"])
def test_a_word_that_a_query_has_twice_counts_twice(
    engine: Engine, field: str | None
) -> None:
    fill(
        engine,
        article("a", "The truce holds."),
        article("b", "x", headline="Truce"),
        *(article(f"c{n}", "Other words.") for n in range(8)),
    )
    truce = word("truce", field)
    once = search(engine, truce).hits
    for query in (And((truce, truce)), Or((truce, truce))):
        twice = search(engine, query).hits
        assert [hit.score for hit in twice] == pytest.approx(
            [2 * hit.score for hit in once], abs=1e-4
        )


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


def test_filters_and_ranges_do_not_score(news: Engine) -> None:
    for query in (All(), word("ada", "byline"), Range("urgency", 1, 9)):
        assert {hit.score for hit in search(news, query).hits} == {0.0}


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


def test_explain_shows_the_parts_of_a_score(news: Engine) -> None:
    query = Or((word("kerry"), word("geneva"), word("ada", "byline")))
    page = search(news, query, explain=True)
    first = page.hits[0]
    assert first.id == "lavrov"
    assert first.parts is not None
    assert [part.text for part in first.parts] == ["kerry", "geneva"]
    assert all(part.article > 0 and part.paragraph > 0 for part in first.parts)
    assert search(news, query).hits[0].parts is None


@pytest.mark.slow
@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("unit", Unit)
def test_following_cursors_gives_each_hit_once(
    crowd: Engine, sort: Sort, unit: Unit
) -> None:
    whole = walk(crowd, word("truce"), 100, sort=sort, unit=unit)
    for size in (1, 7, 100):
        assert walk(crowd, word("truce"), size, sort=sort, unit=unit) == whole, size
    assert len(whole) == len(set(whole)) == (60 if unit is Unit.ARTICLE else 90)


def test_an_offset_skips_hits(crowd: Engine) -> None:
    whole = ids(search(crowd, sort=Sort.OLDEST, limit=60))
    page = search(crowd, sort=Sort.OLDEST, limit=10, offset=20)
    assert ids(page) == whole[20:30]
    assert search(crowd, sort=Sort.OLDEST, limit=10, offset=100).hits == ()


def test_the_last_page_has_no_successor(crowd: Engine) -> None:
    assert search(crowd, limit=60).after is None
    assert search(crowd, limit=59).after is not None
    assert search(crowd, limit=0).after is None


def test_cursors_miss_nothing_older_while_articles_arrive(crowd: Engine) -> None:
    first = search(crowd, sort=Sort.NEWEST, limit=20)
    rest = walk(crowd, All(), 20, sort=Sort.NEWEST)[20:]
    crowd.apply([article("new", "x", published="2025-01-01")], (), seq=2)
    after = first.after
    second = search(crowd, sort=Sort.NEWEST, limit=100, after=after)
    assert [(hit.id, None) for hit in second.hits] == rest


@pytest.mark.slow
@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("unit", Unit)
def test_cursors_stay_valid_after_updates(
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
    for size in (amount(4, 1), 7):
        assert walk(crowd, word("truce"), size, sort=sort, unit=unit) == whole


def test_a_cursor_stays_valid_if_its_article_is_deleted(crowd: Engine) -> None:
    first = search(crowd, sort=Sort.NEWEST, limit=20)
    rest = walk(crowd, All(), 20, sort=Sort.NEWEST)[20:]
    crowd.apply((), [first.hits[-1].id], seq=2)
    second = search(crowd, sort=Sort.NEWEST, limit=100, after=first.after)
    assert [(hit.id, None) for hit in second.hits] == rest
