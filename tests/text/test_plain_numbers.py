"""The short way to analyse a number of figures and signs alone."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from index.text import words
from index.text.conventions import CONVENTIONS, Convention

FIGURES = st.lists(
    st.text("0123456789", min_size=1, max_size=4), min_size=2, max_size=5
)
SIGNS = st.lists(st.sampled_from(".,"), min_size=4, max_size=4)


@given(FIGURES, SIGNS, st.sampled_from(["", "'s", "s"]), st.sampled_from(CONVENTIONS))
@example(["10", "30"], [".", ",", ",", ","], "'s", CONVENTIONS[0])
@example(["12", "34", "567"], [",", ",", ",", ","], "", CONVENTIONS[0])
@example(["192", "168", "100", "200"], [".", ".", ".", "."], "", CONVENTIONS[0])
def test_it_gives_what_the_long_way_gives(
    figures: list[str], signs: list[str], end: str, convention: Convention
) -> None:
    surface = "".join(
        figure + sign
        for figure, sign in zip(figures, [*signs[: len(figures) - 1], end], strict=True)
    )
    short = words._analyse_surface(surface)
    short = short[convention] if isinstance(short, words.ByConvention) else short
    pattern, words._ASCII_FIGURES = words._ASCII_FIGURES, re.compile("(?!)")
    try:
        long = words._analyse_surface(surface)
        long = long[convention] if isinstance(long, words.ByConvention) else long
    finally:
        words._ASCII_FIGURES = pattern
    if isinstance(short, str) or isinstance(long, str):
        assert short == long
    else:
        assert {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in short._asdict().items()
        } == {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in long._asdict().items()
        }
