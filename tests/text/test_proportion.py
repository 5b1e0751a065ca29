"""The analysis of a text can be stopped inside it, and does each piece of work once."""

from __future__ import annotations

import tracemalloc
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.memo import Memo
from index.text import analyse, fold, stems, word_key, words
from index.text.characters import PLAIN_RUN
from index.text.conventions import CONVENTIONS, DEFAULT
from index.text.forms import normal_form, plain_letters
from index.text.letters import with_common_letters
from index.text.words import _analyse_word, _with_nouns

SCRIPTS = {
    "latin": "The talks went on by the river. ",
    "cyrillic": "Переговоры шли у реки. ",
    "chinese": "谈判在河边继续，没有结果。",
    "hindi": "नदी के किनारे वार्ता जारी रही। ",
    "arabic": "استمرت المحادثات على ضفة النهر. ",
    "thai": "การเจรจาดำเนินต่อไปริมแม่น้ำ",
    "korean": "강가에서 회담이 계속되었다. ",
    "one word of many parts": "a'b-",
    "one number of many groups": "12.34,",
}


class Stopped(Exception):
    """The time is up."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_deadline_is_checked_inside_one_text(script: str) -> None:
    sentence = SCRIPTS[script]
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    def checks(length: int) -> int:
        nonlocal calls
        calls = 0
        analyse(sentence * (length // len(sentence)), "", count)
        return calls

    few = checks(20_000)
    assert few > 1
    # The work between two checks stays the same, however long the text is.
    assert checks(80_000) >= 3 * few or script == "chinese"


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_analysis_stops_where_the_check_says_so(script: str) -> None:
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Stopped

    sentence = SCRIPTS[script]
    with pytest.raises(Stopped):
        analyse(sentence * (20_000 // len(sentence)), "", stop)


def test_pieces_of_a_long_text_cut_no_word() -> None:
    sentence = "The U.S. paid 1\u00a0500\u202f000 for talks,\nand Сирия paid 3.5; "
    text = sentence * 2_000
    one, many = analyse(sentence), analyse(text)
    assert len(many.forms) == 2_000 * len(one.forms)
    assert many.length == 2_000 * one.length
    last = len(text) - len(sentence)
    assert many.starts[-len(one.starts) :] == [last + start for start in one.starts]


@pytest.mark.parametrize(
    "text", ["การเจรจา" * 200, "ສະບາຍດີ" * 200, "ခရီးသွား" * 200, "か\u3099き" * 200]
)
def test_a_unit_is_normalised_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    analyse(text)
    normalised: list[str] = []

    def noted(unit: str) -> str:
        normalised.append(unit)
        return normal_form(unit)

    monkeypatch.setattr(words, "normal_form", noted)
    analyse(text)
    assert not normalised


@pytest.mark.slow
def test_every_plain_letter_is_in_normal_form_in_any_company() -> None:
    letters = [
        letter
        for letter in map(chr, [*range(0xD800), *range(0xE000, 0x30000)])
        if plain_letters(letter) is not None
    ]
    assert len(letters) > 12_000
    for letter in letters:
        for word in (letter, f"a{letter}", letter * 2, f"{letter}ж", f"9{letter}"):
            assert plain_letters(word) == normal_form(word)


PLAIN_LETTERS = [
    letter
    for letter in map(chr, range(0x80, 0x700))
    if plain_letters(letter) is not None
]


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(PLAIN_LETTERS)
        | st.sampled_from("नदीं्ि해은에서ßẞςΣİıѐ\u0301\u093caz9"),
        min_size=1,
        max_size=12,
    )
    .map("".join)
    .filter(lambda word: plain_letters(word) is not None and not word.isascii())
)
def test_plain_letters_are_analysed_as_any_word(word: str) -> None:
    assert words._analyse_spaced(word, DEFAULT) == _with_nouns(
        _analyse_word(word, DEFAULT)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern", ["{}word", "{}жук", "ж.{}.b.c.d.e", "{},5", "{}해-서울에서", "l'{}"]
)
def test_an_analysis_takes_no_more_memory_than_is_counted(pattern: str) -> None:
    memo = Memo(words._analyse_surface, words._bytes_of, limit=32_000_000)
    surfaces = [pattern.format(number) for number in range(100_000, 102_000)]
    tracemalloc.start()
    try:
        for surface in surfaces:
            analysis = memo[surface]
            if isinstance(analysis, words.ByConvention):
                for convention in CONVENTIONS:
                    assert analysis[convention]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.3 * memo.bytes < taken < 1.3 * memo.bytes


def test_kept_analyses_and_keys_are_bounded_by_bytes() -> None:
    assert words.ANALYSES.limit == 32_000_000
    assert stems.KEYS.limit == 32_000_000
    for memo in (words.ANALYSES, stems.KEYS):
        assert memo.bytes <= memo.limit


@pytest.mark.slow
def test_folding_and_stemming_leave_chinese_and_japanese_as_they_are() -> None:
    letters = [*map(chr, range(0x3041, 0x30FD)), *map(chr, range(0x4E00, 0xA000))]
    pairs = [
        letter + other
        for letter, other in pairwise(letters)
        if PLAIN_RUN.fullmatch(letter + other)
    ]
    assert len(pairs) > 20_000
    for language in ("", *stems.LANGUAGES):
        assert stems.word_keys(pairs, language) == pairs
    for pair in pairs:
        folded = unicodedata.normalize("NFD", pair)
        assert unicodedata.normalize("NFC", with_common_letters(folded)) == pair
        assert fold(pair) == word_key(pair, "zh") == pair
