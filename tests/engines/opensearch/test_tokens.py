"""The tokens of a text as the cluster gets them, and as they are read back."""

from __future__ import annotations

import pytest

from index.engines.opensearch.tokens import (
    form_needles,
    forms_in,
    indexed_text,
    term_needles,
    tokens_of,
    word_term,
)
from index.text import analyse, query_forms

TEXTS = (
    "The truce holds, Kerry said.",
    "A C-17 of the U.S.-led force: 1,234.5 tons, non-U.S. too.",
    "L'Oréal, l'été et la straße; she'll .5 @plan",
    "中国政府 と 서울에서 กำลัง a b",
    "one one one two one",
    "",
)


@pytest.mark.parametrize("language", ["en", "fr", "de-CH", "xx"])
@pytest.mark.parametrize("text", TEXTS)
def test_all_tokens_can_be_read_back_from_their_places(text: str, language: str):
    tokens = analyse(text, language)
    places = indexed_text(tokens, language).places
    needles = [n for form in forms_in(places) for n in form_needles(form)]
    read = tokens_of(places, needles)
    assert sorted(zip(read.positions, read.widths, read.forms, strict=True)) == sorted(
        zip(tokens.positions, tokens.widths, tokens.forms, strict=True)
    )


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("text", TEXTS)
def test_each_position_has_one_term_and_the_others_come_behind(
    text: str, language: str
):
    tokens = analyse(text, language)
    indexed = indexed_text(tokens, language)
    terms = indexed.terms.split()
    assert len(terms) >= tokens.length
    assert set(terms[tokens.length :]) == set(indexed.irregular)
    first = {}
    for form, position, width in zip(
        tokens.forms, tokens.positions, tokens.widths, strict=True
    ):
        if width == 1:
            first.setdefault(position, form)
    for position, form in first.items():
        prefix = language + ":"
        assert terms[position].startswith(prefix)
        assert terms[position] not in ("", prefix), form


def test_a_plain_text_has_nothing_irregular():
    assert indexed_text(analyse("the truce holds", "en"), "en").irregular == []


def test_joined_spellings_are_irregular():
    irregular = indexed_text(analyse("a C-17 flew", "en"), "en").irregular
    assert word_term("c17", "en") in irregular
    assert word_term("17", "en") not in irregular


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("Two truces held", "truce"),
        ("the C-17 flew", "c17"),
        ("中国政府", "政"),
        ("1,500 people", "1500"),
    ],
)
def test_the_places_of_a_word_are_behind_the_needles_of_its_term(text: str, typed: str):
    places = indexed_text(analyse(text, "en"), "en").places
    (form,) = query_forms(typed)
    assert tokens_of(places, term_needles(word_term(form, "en"))).positions


def test_a_word_of_another_language_is_another_term():
    assert word_term("chat", "en") != word_term("chat", "fr")
    assert word_term("chat", "xx") == word_term("chat", "zz")
