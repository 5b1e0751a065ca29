"""Words of the index: completions, corrections, counts; and limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from articles import article
from engines.kinds import ENGINES, KINDS, NOW, open_empty, word
from engines.searches import fill, matching_ids, search
from faults.amounts import amount
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from index.deadline import Deadline
from index.engines import Engine
from index.errors import InvalidQuery, SearchTimeout
from index.query import PUBLIC, All, And, Filter, Not, Prefix, Reader, Search
from index.text import typed_words


def test_a_search_past_its_deadline_is_stopped(news: Engine) -> None:
    with pytest.raises(SearchTimeout, match="took longer than 2 s;") as refused:
        search(news, word("kerry"), deadline=Deadline(0.0, 2.0))
    assert refused.value.seconds == 2.0


@pytest.mark.parametrize("url", KINDS)
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


PEOPLE = (
    ("Sergei Lavrov", "John Kerry"),
    ("Sergei Lavrov", "JOHN KERRY", "Serge Lama"),
    ("sergei  lavrov", "Lav Diaz", "Élodie Lavallée"),
    ("O'Neill, Tip", "Muammar al-Qa’ida", "习近平", "U.S. Grant"),
)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("lavrov", [("Sergei Lavrov", 3)]),
        ("LAV", [("Lav Diaz", 1), ("Sergei Lavrov", 3), ("Élodie Lavallée", 1)]),
        ("serg lav", [("Sergei Lavrov", 3)]),
        ("lavrov ser", [("Sergei Lavrov", 3)]),
        ("ser", [("Sergei Lavrov", 3), ("Serge Lama", 1)]),
        ("ser ser", []),
        ("l lav", []),
        ("la s", [("Sergei Lavrov", 3), ("Serge Lama", 1)]),
        ("kerr", [("JOHN KERRY", 2)]),
        ("elo", [("Élodie Lavallée", 1)]),
        ("Lavallé", [("Élodie Lavallée", 1)]),
        ("oneill", [("O'Neill, Tip", 1)]),
        ("o’ne", [("O'Neill, Tip", 1)]),
        ("neill", [("O'Neill, Tip", 1)]),
        ("(tip", [("O'Neill, Tip", 1)]),
        ("qaida", [("Muammar al-Qa’ida", 1)]),
        ("alqa", [("Muammar al-Qa’ida", 1)]),
        ("近平", [("习近平", 1)]),
        ("us gr", [("U.S. Grant", 1)]),
        ("u.s", [("U.S. Grant", 1)]),
        ("avrov", []),
        ("lavrov kerry", []),
    ],
)
def test_a_name_is_found_by_any_of_its_words(
    engine: Engine, typed: str, names: list[tuple[str, int]]
) -> None:
    fill(engine, *(article(f"a{n}", "x", people=p) for n, p in enumerate(PEOPLE)))
    snapshot, asked = engine.snapshot(), Search(query=All(), now=NOW)
    words = typed_words(typed)
    found = [tuple(each) for each in snapshot.names("people", words, asked, 9)]
    assert found == names
    assert [tuple(each) for each in snapshot.names("people", words, asked, 1)] == names[
        :1
    ]
    assert snapshot.names("places", words, asked, 9) == ()


def test_names_are_those_of_visible_articles(engine: Engine) -> None:
    fill(
        engine,
        article("a", "x", people=["Sergei Lavrov"], source="Wire"),
        article("b", "x", people=["Sergei Lavrov"], status="withheld"),
        article("c", "x", people=["Vera Lavrova"], source="Desk"),
        article("d", "x", people=["SERGEI LAVROV", "Lavr"], status="withheld"),
    )
    snapshot = engine.snapshot()
    for reader, hidden, names in (
        (PUBLIC, (), [("Sergei Lavrov", 1), ("Vera Lavrova", 1)]),
        (PUBLIC, ("a",), [("Vera Lavrova", 1)]),
        (
            Reader(held=True),
            (),
            [("Lavr", 1), ("Sergei Lavrov", 3), ("Vera Lavrova", 1)],
        ),
        (
            Reader(filters=(Filter(field="source", values=("wire",)),)),
            (),
            [("Sergei Lavrov", 1)],
        ),
    ):
        asked = Search(query=All(), now=NOW, reader=reader, hidden=frozenset(hidden))
        found = snapshot.names("people", ["lavr"], asked, 9)
        assert [tuple(each) for each in found] == names


@pytest.mark.slow
@settings(max_examples=amount(60, 1_000), suppress_health_check=list(HealthCheck))
@given(
    people=st.lists(
        st.lists(
            st.lists(
                st.sampled_from(
                    ("lav", "Lavrov", "al-Lavi", "allan", "s", "Sergei", "lá")
                ),
                min_size=1,
                max_size=3,
            ).map(" ".join),
            max_size=3,
        ),
        min_size=1,
        max_size=6,
    ),
    typed=st.lists(
        st.sampled_from(("l", "la", "lav", "se", "s", "al-l", "alla")),
        min_size=1,
        max_size=3,
    ),
    limit=st.integers(1, 3),
)
@example(people=[["al-Lavi"], ["al-Lavi allan"]], typed=["al-l", "alla"], limit=2)
def test_whoosh_finds_the_names_that_memory_does(
    tmp_path_factory: pytest.TempPathFactory,
    people: list[list[str]],
    typed: list[str],
    limit: int,
) -> None:
    batch = [article(f"a{n}", "x", people=names) for n, names in enumerate(people)]
    found = []
    for url in ENGINES:
        engine = open_empty(url, tmp_path_factory.mktemp("engine"))
        engine.apply(batch[::2], (), seq=1)
        engine.apply(batch[1::2], (), seq=2)
        asked = Search(query=All(), now=NOW)
        found.append(engine.snapshot().names("people", typed, asked, limit))
        engine.close()
    assert found[0] == found[1]


def test_terms_are_counted_regardless_of_the_rest_of_the_search(news: Engine) -> None:
    query = And((word("cocoa"), word("kerry"), Not(word("truce"))))
    page = search(news, query)
    assert [(each.text, each.articles) for each in page.terms] == [
        ("cocoa", 2),
        ("kerry", 2),
    ]
