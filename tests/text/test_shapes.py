"""Words of frequent shapes get what the rules for all words give them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from index.text import words
from index.text.conventions import CONVENTIONS, Convention
from index.text.shapes import of_one_form

FIGURES = st.lists(
    st.text("0123456789", min_size=1, max_size=4), min_size=2, max_size=5
)
SIGNS = st.lists(st.sampled_from(".,"), min_size=4, max_size=4)


def analysed(surface: str, convention: Convention) -> list[object]:
    """The analysis of a word that is not kept, with tuples for lists."""
    analysis = words._analyse_surface(surface)
    if isinstance(analysis, str):
        analysis = of_one_form(analysis, len(surface))
    elif isinstance(analysis, words.ByConvention):
        analysis = analysis[convention]
    return [tuple(each) if isinstance(each, list) else each for each in analysis]


@given(FIGURES, SIGNS, st.sampled_from(["", "'s", "s"]), st.sampled_from(CONVENTIONS))
@example(["10", "30"], [".", ",", ",", ","], "'s", CONVENTIONS[0])
@example(["12", "34", "567"], [",", ",", ",", ","], "", CONVENTIONS[0])
@example(["192", "168", "100", "200"], [".", ".", ".", "."], "", CONVENTIONS[0])
def test_a_number_is_analysed_as_by_the_rules_for_all_words(
    figures: list[str], signs: list[str], end: str, convention: Convention
) -> None:
    surface = "".join(
        figure + sign
        for figure, sign in zip(figures, [*signs[: len(figures) - 1], end], strict=True)
    )
    short = analysed(surface, convention)
    by_shape, words.analysis_by_shape = words.analysis_by_shape, lambda *_: None
    try:
        assert short == analysed(surface, convention)
    finally:
        words.analysis_by_shape = by_shape


@given(
    st.lists(st.from_regex(r"[A-Za-z]{1,6}", fullmatch=True), min_size=1, max_size=3),
    st.sampled_from(".-/_&+@"),
    st.sampled_from(["", "'s", "'S"]),
)
def test_words_with_a_sign_between_are_analysed_as_by_the_rules_for_all_words(
    parts: list[str], sign: str, end: str
) -> None:
    surface = sign.join(parts) + end
    short = analysed(surface, CONVENTIONS[0])
    by_shape, words.analysis_by_shape = words.analysis_by_shape, lambda *_: None
    try:
        assert short == analysed(surface, CONVENTIONS[0])
    finally:
        words.analysis_by_shape = by_shape
