"""Words some edits away: those that a comparison with each word finds."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from index.deadline import never
from index.engines.whoosh.files import letter_bags
from index.engines.whoosh.files.arrays import Strings
from index.engines.whoosh.files.letter_bags import LetterBags

# Letters that share a bit are among them: p and 0, а (Cyrillic) and p.
LETTERS = "abp0\u0430\u4e2d\U0001f40e"
FORMS = st.text(alphabet=LETTERS, min_size=1, max_size=9)


def bags_of(forms: list[str]) -> LetterBags:
    encoded = [form.encode() for form in forms]
    offsets = np.cumsum([0, *map(len, encoded)]).astype("<u4")
    return LetterBags(Strings(memoryview(b"".join(encoded)), offsets))


def compared_with_each(forms: list[str], wanted: str, distance: int) -> list[int]:
    return [
        number
        for number, form in enumerate(forms)
        if OSA.distance(wanted, form) <= distance
    ]


@given(st.lists(FORMS, max_size=60), FORMS, st.integers(1, 2))
@settings(deadline=None)
def test_the_words_near_one_are_those_that_a_comparison_with_each_finds(
    forms: list[str], wanted: str, distance: int
) -> None:
    near = bags_of(forms).near(wanted, distance, never)
    assert near.tolist() == compared_with_each(forms, wanted, distance)


def test_words_of_several_blocks_and_of_any_length_are_found() -> None:
    rng = random.Random(15)
    forms = [
        "".join(rng.choices("abcdefgh1234", k=rng.choice((1, 2, 3, 5, 8, 13, 300))))
        for _ in range(40_000)
    ]
    bags = bags_of(forms)
    for wanted in (forms[7], forms[20_000][::-1], "abcde", "hgfedcba", "zzzqqq", "中"):
        near = bags.near(wanted, 2, never)
        assert near.tolist() == compared_with_each(forms, wanted, 2)


def test_few_words_are_compared_letter_by_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = random.Random(15)
    forms = ["".join(rng.choices("etaoinshrdlu", k=8)) for _ in range(20_000)]
    compared: list[int] = []
    distances = letter_bags.cdist

    def counted(wanted: list[str], others: list[str], **options: object) -> object:
        compared.append(len(others))
        return distances(wanted, others, **options)

    monkeypatch.setattr(letter_bags, "cdist", counted)
    bags = bags_of(forms)
    bags.near("tnorvege", 2, never)
    assert sum(compared) < len(forms) / 50


def test_the_memory_of_bags_is_counted() -> None:
    forms = [f"word{number}" for number in range(1_000)]
    bags = bags_of(forms)
    assert bags.bytes == 0
    bags.near("word", 1, never)
    assert 12 * len(forms) <= bags.bytes < 13 * len(forms)
