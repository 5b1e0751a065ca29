"""Matching: which tokens match a leaf, and where a leaf occurs."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections import Counter
from itertools import accumulate

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
    near_occurrences,
    near_spans,
    near_the_rarest,
    occurrences,
    wildcard_pattern,
)
from index.query.matching import near_windows
from index.text import Tokens, analyse


def words_of(text: str, leaf: WordLeaf, language: str = "en") -> list[list[str]]:
    """The words of each occurrence, as the text has them."""
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
    assert words_of(text, leaf) == [[word] for word in expected]


def test_each_token_of_a_punctuated_word_counts() -> None:
    # co-op, coop and the part co: term frequencies of forms add up.
    assert words_of("a co-op", Prefix("co")) == [["co-op"]] * 3


def test_stems_depend_on_the_language_of_the_article() -> None:
    text = "маленьких городов"
    assert words_of(text, Term("город"), "ru") == [["городов"]]
    assert words_of(text, Term("город"), "en") == []


def test_a_phrase_occurs_where_its_words_follow_each_other() -> None:
    text = "On the verge of suspending; the verge, of course, suspending of verge of it"
    assert words_of(text, Phrase(("verge", "of", "suspending"))) == [
        ["verge of suspending"]
    ]
    assert words_of(text, Phrase(("verge", "of"))) == [
        ["verge of"],
        ["verge, of"],
        ["verge of"],
    ]


def test_a_phrase_may_overlap_itself() -> None:
    assert len(words_of("bora bora bora", Phrase(("bora", "bora")))) == 2


def test_a_whole_punctuated_word_is_followed_by_the_next_word() -> None:
    text = "the U.S. troops"
    assert words_of(text, Phrase(("us", "troops"))) == [["U.S. troops"]]
    assert words_of(text, Phrase(("u", "s", "troops"))) == [["U.S. troops"]]
    assert words_of(text, Exact(("u.s", "troops"))) == [["U.S. troops"]]
    assert words_of(text, Phrase(("u", "troops"))) == []


def test_an_exact_phrase_uses_neither_stems_nor_folding() -> None:
    text = "Café prices, cafe price"
    assert words_of(text, Exact(("café", "prices"))) == [["Café prices"]]
    assert words_of(text, Exact(("cafe", "prices"))) == []


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
    assert words_of(text, Near(("kerry", "lavrov"), distance)) == expected


def test_near_needs_a_repeated_word_as_often_as_it_is_written() -> None:
    leaf = Near(("talks", "talk"), 3)  # one stem twice
    assert words_of("talks", leaf) == []
    assert words_of("talks about talks about talk", leaf) == [["talks", "talks"]]


def test_near_does_not_count_parts_of_its_own_words() -> None:
    assert words_of("U.S. troops", Near(("us", "troops"), 0)) == [["U.S", "troops"]]


def test_windows_share_no_word() -> None:
    # The first window takes positions 0 to 2: the word at 2 covers 2 and 3.
    places = [{0: 1, 3: 1, 5: 1}, {2: 2, 4: 1}]
    assert list(near_windows(places, [1, 1], 1)) == [
        [(0, 0), (2, 1)],
        [(4, 1), (5, 0)],
    ]


@pytest.mark.slow
@given(
    st.lists(st.sets(st.integers(0, 12), max_size=6), min_size=1, max_size=3),
    st.integers(0, 6),
)
def test_a_window_exists_if_some_choice_of_words_is_close_enough(
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


@pytest.mark.slow
@given(
    st.lists(
        st.dictionaries(st.integers(0, 40), st.integers(1, 3), max_size=14),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.integers(1, 3), min_size=3, max_size=3),
    st.integers(0, 12),
)
def test_one_scan_has_the_windows_of_every_distance(
    widths: list[dict[int, int]], counts: list[int], most: int
) -> None:
    hits = sorted(
        (position, word, width)
        for word, here in enumerate(widths)
        for position, width in here.items()
    )
    counts = counts[: len(widths)]
    spans = list(near_spans(hits, counts, most))
    for distance in range(most + 1):
        starts, scanned = [], 0
        for start, end, others in spans:
            if start >= scanned and others <= distance:
                starts.append(start)
                scanned = end
        windows = near_windows(widths, counts, distance)
        assert starts == [window[0][0] for window in windows]


@pytest.mark.slow
@given(st.text("ab*?", max_size=8), st.text("abé\n", max_size=10))
def test_wildcards_fit_as_shell_patterns_do(pattern: str, form: str) -> None:
    fits = wildcard_pattern(pattern).match(form) is not None
    assert fits == (re.match(fnmatch.translate(pattern), form) is not None)


def test_a_wildcard_with_many_stars_takes_linear_time() -> None:
    # Backtracking over 40 stars would never end.
    pattern = wildcard_pattern("abc" + "*a" * 40 + "*b")
    assert pattern.match("abc" + "a" * 2_000) is None


def test_each_word_of_a_leaf_has_its_test() -> None:
    first, second = form_tests(Phrase(("peace", "talks")), "en")
    assert first("peace")
    assert second("talk")
    assert not second("peace")


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.sampled_from("aaabbcd"), st.booleans(), st.integers(1, 3)),
        min_size=1,
        max_size=40,
    ),
    st.lists(st.sampled_from("abc"), min_size=2, max_size=4),
    st.integers(0, 4),
)
def test_only_words_near_the_rarest_are_in_a_window(
    written: list[tuple[str, bool, int]], sought: list[str], distance: int
) -> None:
    forms = [form for form, _, _ in written]
    positions = list(accumulate(int(moves) for _, moves, _ in written))
    places = list(range(len(forms)))
    tokens = Tokens(
        forms,
        positions,
        [width for _, _, width in written],
        places,
        [place + 1 for place in places],
        positions[-1] + 3,
    )
    counts = Counter(sought)
    matching = [
        [token for token, form in enumerate(forms) if form == word] for word in counts
    ]
    often = list(counts.values())
    nearby = near_the_rarest(tokens, matching, often, distance)
    assert list(near_occurrences(tokens, nearby, often, distance)) == list(
        near_occurrences(tokens, matching, often, distance)
    )


def test_near_looks_at_each_occurrence_once_however_many_words_it_has() -> None:
    def looks(words: int) -> int:
        # In turn, each too far from the others for a window.
        widths = [
            dict.fromkeys(range(100 * word, 300_000, 100 * words), 1)
            for word in range(words)
        ]
        touched = 0

        class Noted(dict[int, int]):
            def __getitem__(self, position: int) -> int:
                nonlocal touched
                touched += 1
                return dict.__getitem__(self, position)

        assert not list(near_windows([*map(Noted, widths)], [1] * words, 1))
        return touched

    assert looks(40) < 1.2 * looks(10)
