"""Whether a token matches a leaf, and where a leaf occurs."""

from __future__ import annotations

import fnmatch
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.query import (
    Exact,
    Fuzzy,
    Near,
    Phrase,
    Prefix,
    Term,
    Wildcard,
    WordLeaf,
    form_tests,
    near_windows,
    occurrences,
    wildcard_pattern,
)
from index.text import analyse


def found(text: str, leaf: WordLeaf, language: str = "en") -> list[list[str]]:
    """Return the words of each occurrence, as they stand in the text."""
    return [
        [text[start:end] for start, end in occurrence]
        for occurrence in occurrences(analyse(text), leaf, language)
    ]


@pytest.mark.parametrize(
    ("text", "leaf", "expected"),
    [
        ("Talks talk; talked, taller", Term("talk"), ["Talks", "talk", "talked"]),
        ("Café cafe", Term("cafe"), ["Café", "cafe"]),
        ("Café cafe", Exact(("cafe",)), ["cafe"]),
        ("Bombing bomb", Exact(("bomb",)), ["bomb"]),
        ("price prices priced rice", Prefix("pric"), ["price", "prices", "priced"]),
        ("colour color colouur", Wildcard("colo?r"), ["colour"]),
        ("colour color colouur", Wildcard("colo*r"), ["colour", "color", "colouur"]),
        ("word wrod ward sword", Fuzzy("wrod", 1), ["word", "wrod"]),
        ("U.S. and us", Term("us"), ["U.S", "us"]),
        ("美国和中美", Term("美"), ["美国", "美"]),
        ("Kerry’s plan", Term("kerry"), ["Kerry"]),
    ],
)
def test_a_word_occurs_wherever_a_token_matches(
    text: str, leaf: WordLeaf, expected: list[str]
) -> None:
    assert found(text, leaf) == [[word] for word in expected]


def test_each_token_of_a_punctuated_word_counts() -> None:
    # co-op, coop and the part co; an engine may add up the frequencies of forms.
    assert found("a co-op", Prefix("co")) == [["co-op"]] * 3


def test_stems_are_those_of_the_articles_language() -> None:
    text = "маленьких городов"
    assert found(text, Term("город"), "ru") == [["городов"]]
    assert found(text, Term("город"), "en") == []


def test_a_phrase_occurs_where_its_words_follow_each_other() -> None:
    text = "On the verge of suspending; the verge, of course, suspending of verge of it"
    assert found(text, Phrase(("verge", "of", "suspending"))) == [
        ["verge of suspending"]
    ]
    assert found(text, Phrase(("verge", "of"))) == [
        ["verge of"],
        ["verge, of"],
        ["verge of"],
    ]


def test_a_phrase_may_overlap_itself() -> None:
    assert len(found("bora bora bora", Phrase(("bora", "bora")))) == 2


def test_the_whole_of_a_punctuated_word_is_followed_by_the_next_word() -> None:
    text = "the U.S. troops"
    assert found(text, Phrase(("us", "troops"))) == [["U.S. troops"]]
    assert found(text, Phrase(("u", "s", "troops"))) == [["U.S. troops"]]
    assert found(text, Exact(("u.s", "troops"))) == [["U.S. troops"]]
    assert found(text, Phrase(("u", "troops"))) == []


def test_an_exact_phrase_takes_neither_stems_nor_folded_accents() -> None:
    text = "Café prices, cafe price"
    assert found(text, Exact(("café", "prices"))) == [["Café prices"]]
    assert found(text, Exact(("cafe", "prices"))) == []


@pytest.mark.parametrize(
    ("text", "distance", "expected"),
    [
        ("kerry met lavrov", 1, [["kerry", "lavrov"]]),
        ("kerry met lavrov", 0, []),
        ("lavrov kerry", 0, [["lavrov", "kerry"]]),
        ("kerry x kerry lavrov", 0, [["kerry", "lavrov"]]),
        (
            "kerry lavrov kerry lavrov",
            1,
            [["kerry", "lavrov"], ["kerry", "lavrov"]],
        ),
        ("kerry lavrov kerry", 5, [["kerry", "lavrov"]]),
        ("kerry a b c lavrov a kerry", 1, [["lavrov", "kerry"]]),
        ("kerry", 9, []),
    ],
)
def test_near_finds_the_words_in_any_order_within_a_distance(
    text: str, distance: int, expected: list[list[str]]
) -> None:
    assert found(text, Near(("kerry", "lavrov"), distance)) == expected


def test_near_asks_for_as_many_words_as_it_names() -> None:
    leaf = Near(("talks", "talk"), 3)  # one stem twice
    assert found("talks", leaf) == []
    assert found("talks about talks about talk", leaf) == [["talks", "talks"]]


def test_near_does_not_count_the_parts_of_its_own_words_as_others() -> None:
    assert found("U.S. troops", Near(("us", "troops"), 0)) == [["U.S", "troops"]]


def test_windows_share_no_word() -> None:
    # The first window takes positions 0 to 2: the word at 2 covers 2 and 3.
    places = [{0: 1, 3: 1, 5: 1}, {2: 2, 4: 1}]
    assert list(near_windows(places, [1, 1], 1)) == [
        [(0, 0), (2, 1)],
        [(4, 1), (5, 0)],
    ]


@given(
    st.lists(st.sets(st.integers(0, 12), max_size=6), min_size=1, max_size=3),
    st.integers(0, 6),
)
def test_there_is_a_window_if_some_choice_of_words_is_close_enough(
    positions: list[set[int]], distance: int
) -> None:
    apart: list[dict[int, int]] = []
    taken: set[int] = set()
    for each in positions:  # words of one text: one at a position
        apart.append(dict.fromkeys(sorted(each - taken), 1))
        taken |= each
    possible = any(
        max(choice) - min(choice) + 1 - len(choice) <= distance
        for choice in itertools.product(*apart)
    )
    assert bool(list(near_windows(apart, [1] * len(apart), distance))) == possible


@given(st.text("ab*?", max_size=8), st.text("abé\n", max_size=10))
def test_wildcards_fit_as_shell_patterns_do(pattern: str, form: str) -> None:
    fits = wildcard_pattern(pattern).match(form) is not None
    assert fits == (re.match(fnmatch.translate(pattern), form) is not None)


def test_many_stars_take_no_longer_than_the_form_is_long() -> None:
    # Backtracking over 40 stars would never end.
    pattern = wildcard_pattern("abc" + "*a" * 40 + "*b")
    assert pattern.match("abc" + "a" * 2_000) is None


def test_each_word_of_a_leaf_has_its_test() -> None:
    first, second = form_tests(Phrase(("peace", "talks")), "en")
    assert first("peace")
    assert second("talk")
    assert not second("peace")
