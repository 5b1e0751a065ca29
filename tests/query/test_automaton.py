"""All patterns of a query at once match what each matches by itself."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.query import Automaton, Fuzzy, Prefix, Wildcard, form_tests

LETTERS = "abй.1-"
WORDS = st.text(LETTERS, min_size=1, max_size=6)
PATTERNS = (
    WORDS.map(Prefix)
    | st.tuples(st.sampled_from("ab"), st.text(f"{LETTERS}*?*", max_size=6)).map(
        lambda pieces: Wildcard("".join(pieces))
    )
    | st.tuples(WORDS, st.sampled_from((1, 2))).map(lambda word: Fuzzy(*word))
)


@pytest.mark.slow
@given(
    st.lists(PATTERNS, max_size=5, unique=True),
    st.text(LETTERS, min_size=1, max_size=9),
)
@example([Fuzzy("abй", 1)], "baй")
@example([Fuzzy("ab1", 2), Fuzzy("b", 1)], "b1a")
@example([Wildcard("a*b"), Wildcard("a?1")], "a.1-b")
@example([Wildcard("a*1")], "a1.1")
def test_a_form_is_accepted_for_the_patterns_that_it_matches(
    patterns: list[Prefix | Wildcard | Fuzzy], form: str
) -> None:
    automaton = Automaton(patterns)
    accepted = automaton.accepted(form)
    for pattern in patterns:
        (test,) = form_tests(pattern, "")
        assert bool(accepted & automaton.bit(pattern)) == test(form)
    assert bool(automaton) == bool(patterns)
