"""Values: a table of spellings, and properties of any text."""

from __future__ import annotations

import re
import time
import unicodedata
from itertools import permutations

import pytest
from checkout import GOLDEN
from hypothesis import example, given
from hypothesis import strategies as st

from index.text import has_words, may_share_a_word, value_key
from index.text.values import words_of_value

TABLE = GOLDEN / "tokens" / "same_value.tsv"
# Letters with an iota below: their capitals move it past other marks.
IOTA_BELOW = re.compile("[\u0345\u1f80-\u1fff]")
# Above all those characters that some rule is about.
marked = st.sampled_from(
    "\u00ad\u200b\u200d\ufe0f\u3164\u00a0 \t\x00\x1f'\"`´’”′″-–İIıi\u0307\u0301"
    "\u0323ßẞéﬁＡ\u0640ﹱ\u05beàσςΣǅㄱᄀ가½"
)
values = st.lists(marked | st.characters(codec="utf-8"), max_size=12).map("".join)


def rows() -> list[object]:
    """Rows of the table, with their lines as ids."""
    parameters: list[object] = []
    lines = TABLE.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("# "):
            cells = [
                re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), cell)
                for cell in line.split("\t")
            ]
            parameters.append(pytest.param(*cells, id=f"line {number}"))
    return parameters


@pytest.mark.parametrize(("value", "spelling", "answer"), rows())
def test_a_value_has_the_spellings_of_the_table(
    value: str, spelling: str, answer: str
) -> None:
    assert answer in ("same", "another")
    assert (value_key(value) == value_key(spelling)) is (answer == "same")
    assert (value_key(f"x {value}") == value_key(f"x {spelling}")) is (answer == "same")


@given(values)
def test_a_key_is_its_own_key(value: str) -> None:
    assert value_key(value_key(value)) == value_key(value)


@given(values, st.sampled_from(("NFC", "NFD", "NFKC", "NFKD")))
@example("´ﹱ", "NFKC")
def test_every_normal_form_of_a_value_is_the_same(value: str, form: str) -> None:
    # The filler that is drawn as a space has the normal form of one that is not drawn.
    value = re.sub("[\u3164\uffa0]", "", value)
    assert value_key(unicodedata.normalize(form, value)) == value_key(value)


@given(values.filter(lambda value: not IOTA_BELOW.search(value)))
def test_a_value_is_the_same_in_capitals_and_without(value: str) -> None:
    assert value_key(value.upper()) == value_key(value)
    assert value_key(value.lower()) == value_key(value)
    assert value_key(value.casefold()) == value_key(value)


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_the_rules_are_those_of_every_script(value: str) -> None:
    # A Devanagari letter, which joins no other, takes no short cut.
    assert value_key(f"अ {value}") == f"अ {value_key(value)}".rstrip()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["\u0301\u0316", "i\u0307", " \u00a0", "\u200b", "´’"])
def test_the_longest_values_take_no_more_than_their_share_of_time(part: str) -> None:
    started = time.process_time()
    value_key(part * 200_000)
    assert time.process_time() - started < 5


names = st.lists(st.sampled_from(("al-lavi", "allan", "a", "al", "lavi", "o'al")))
starts = st.lists(st.sampled_from(("a", "al", "al-l", "alla", "l", "o'a")), max_size=4)


@given(names.map(" ".join), starts)
def test_typed_words_are_words_of_a_name_if_some_order_of_its_words_says_so(
    name: str, typed: list[str]
) -> None:
    words = words_of_value(name)[:5]
    some_order = any(
        all(
            any(form.startswith(each) for form in forms)
            for forms, each in zip(order, typed, strict=True)
        )
        for order in permutations(words, len(typed))
    )
    if len(words_of_value(name)) <= 5:
        assert has_words(name, typed) == some_order
    if some_order and not may_share_a_word(typed):
        assert all(has_words(name, [each]) for each in typed)
