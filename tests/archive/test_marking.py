"""Marking: the spans of a text that the leaves of a query match."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import product
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.archive import marking, scanning
from index.archive.marking import Marker, merged
from index.archive.scanning import (
    _ACCENTED,
    _CLASS,
    _JOINING,
    _SAFE,
    _UNSPACED,
    anchor_of,
)
from index.article import PLACES, Role
from index.query import (
    Exact,
    Fuzzy,
    Near,
    Phrase,
    Prefix,
    Term,
    Wildcard,
    WordLeaf,
    occurrences,
)
from index.text import Tokens, analyse, fold, word_key

TEXT = PLACES["text"]


def marked(
    text: str,
    *leaves: WordLeaf,
    role: Role = Role.BODY,
    places: tuple[str, ...] = TEXT,
    language: str = "en",
) -> list[str]:
    marker = Marker(leaves, language=language, places=places)
    (spans,) = marker.marks([(text, role)])
    return [text[start:end] for start, end in spans]


def test_a_phrase_marks_the_phrase_and_not_its_stray_words() -> None:
    text = (
        "The verge of the road: they are on the verge of suspending, of course, the"
        " talks that they were suspending before."
    )
    phrase = Phrase(("verge", "of", "suspending"))
    assert marked(text, phrase) == ["verge of suspending"]


def test_every_aleppo_is_marked() -> None:
    text = "Aleppo, eastern Aleppo and ALEPPO’s people; Aleppoans"
    assert marked(text, Term("aleppo")) == ["Aleppo", "Aleppo", "ALEPPO"]


def test_marks_are_those_of_all_leaves_in_order() -> None:
    text = "Lavrov told Kerry that prices rise"
    assert marked(text, Prefix("pric"), Term("kerry"), Term("lavrov")) == [
        "Lavrov",
        "Kerry",
        "prices",
    ]


def test_near_marks_the_words_and_not_what_is_between() -> None:
    assert marked("Kerry and Lavrov met", Near(("lavrov", "kerry"), 3)) == [
        "Kerry",
        "Lavrov",
    ]


def test_a_punctuated_word_is_marked_whole() -> None:
    assert marked("a C-17 from the U.S.", Term("17"), Term("s")) == ["C-17", "U.S"]


def test_marks_that_touch_are_one() -> None:
    assert merged([(4, 6), (0, 2), (2, 3), (5, 9)]) == ((0, 3), (4, 9))
    assert marked("北京大学", Phrase(("北京", "京大", "大学"))) == ["北京大学"]


def test_offsets_are_code_points() -> None:
    marker = Marker([Term("aleppo")], language="en", places=TEXT)
    assert marker.marks([("🇸🇾 😀 é Aleppo", Role.BODY)]) == [((7, 13),)]


@pytest.mark.parametrize(
    ("leaf", "role", "places", "expected"),
    [
        (Term("aleppo"), Role.HEADLINE, TEXT, True),
        (Term("aleppo"), Role.QUOTE, TEXT, True),
        (Term("aleppo"), Role.BODY, PLACES["headline"], False),
        (Term("aleppo"), Role.HEADLINE, PLACES["headline"], True),
        (Term("aleppo", field="caption"), Role.BODY, TEXT, False),
        (Term("aleppo", field="caption"), Role.CAPTION, PLACES["headline"], True),
        (Term("aleppo", field="byline"), Role.BODY, TEXT, False),
    ],
)
def test_a_leaf_is_marked_only_where_it_is_sought(
    leaf: WordLeaf, role: Role, places: tuple[str, ...], expected: bool
) -> None:
    assert bool(marked("Aleppo", leaf, role=role, places=places)) == expected


# Spelt alike but for what may belong to a word: case, marks, what joins and what parts.
PIECES = st.sampled_from(
    [
        *("talk", "Talks", "TALKING", "talk\u00adS", "tal\u0301k", "ｔalks", "stalk"),
        *(
            "u",
            "S",
            "us",
            "c",
            "17",
            "17th",
            "neil",
            "O",
            "s",
            "a",
            "港",
            "東京",
            "น้ำ",
            "ﬁ",
        ),
        *(" ", " ", " ", "\n", "\u2003", "\x1f", "\x01", "\xa0", "\u200b", "…", "—"),
        *(".", "'", "’", "ʼ", "-", "‑", "/", "@", "#", "&", ",", ":", "“", "·", "⁄"),
        *("😀", "🆗", "①", "½", "ß", "t" * 60),
        *(
            "переговоры",
            "Переговорам",
            "ｓ",
            "सरकार",
            "की",
            "السلام",
            "سلام",
            "ค่ำ",
            "talk에서",
        ),
        *("\u0301", "、", "，", "»", "1,5", "٣", "Ⅳ", "Rs1,500", "1,500", "é1,500"),
        *("tàlk", "É", "ŝ", "ås", "at", "10.30", "0.5", "francs", "12\u202f000"),
    ]
)
# So often that phrases and words near each other occur.
OFTEN = st.sampled_from(["s", "a", "us", "talk", "neil", "c-17", "港", "東京", "U.S."])
WORDS = st.sampled_from(
    [
        "talk",
        "talks",
        "tal",
        "us",
        "u.s",
        "c",
        "17",
        "c17",
        "oneil",
        "s",
        "a",
        "fi",
        "ss",
        "переговоры",
        "переговорам",
        "السلام",
        "सरकार",
        "ค่ำ",
    ]
)
LEAVES = (
    WORDS.map(Term)
    | WORDS.map(lambda word: Exact((word,)))
    | WORDS.map(Prefix)
    | WORDS.map(lambda word: Wildcard(f"{word}*s"))
    | st.sampled_from(
        [
            *(
                Term("@talk"),
                Term("港"),
                Term("東京"),
                Exact(("tálk",)),
                Wildcard("?s"),
            ),
            *(Phrase(("talk", "us")), Near(("s", "a"), 2), Fuzzy("talk", 1)),
            *(Phrase(("s", "s")), Phrase(("a", "s", "a")), Phrase(("us", "港"))),
            *(Phrase(("переговоры", "s")), Exact(("u.s", "a")), Exact(("c", "17"))),
            *(
                Near(("s", "s", "a"), 0),
                Near(("s", "neil", "a"), 1),
                Near(("港", "東京"), 1),
                Fuzzy("talks", 2),
            ),
            *(Phrase(("at", "10.30")), Exact(("30", "talk")), Phrase(("0.5", "a"))),
            *(Phrase(("neil", "17", "a")), Exact(("tàlk", "us")), Prefix("tal")),
            *(Fuzzy("переговору", 1), Wildcard("t?l*s"), Wildcard("*7"), Prefix("c1")),
            *(Term("1500"), Prefix("15"), Phrase(("a", "1500"))),
        ]
    )
)


@pytest.mark.slow
@given(
    st.lists(
        st.lists(PIECES | OFTEN, max_size=12).map("".join)
        | st.lists(OFTEN, max_size=20).map(" ".join),
        min_size=1,
        max_size=3,
    ),
    st.lists(LEAVES, min_size=1, max_size=3),
    st.sampled_from(["en", "en-GB", "de", "ja", "ru", "ar", "hi", "ko"]),
)
@example(["We\u2009ｔalks"], [Term("talk")], "en")
@example(["We—talks"], [Term("talk")], "en")
@example(["U.S.’s talk-s", "U.S", ".us talk"], [Term("us"), Prefix("talk")], "en")
@example(["O’Neil an-anal o'n.e.i.l"], [Term("oneil"), Prefix("anana")], "en")
@example(["a s at 10.30 francs", "s"], [Phrase(("a", "s"))], "en")
@example(["a at 10.30 talk us"], [Exact(("30", "talk"))], "en")
@example(["s a", "s", "a – — s • a"], [Phrase(("a", "s", "a"))], "en")
@example(["We talk", "s"], [Prefix("talk"), Exact(("talk",))], "en")
@example(["Rs1,500 EUR1,500. rebel-held1,500"], [Term("1500")], "en")
def test_marks_equal_those_of_the_full_analysis(
    texts: list[str], leaves: list[WordLeaf], language: str
) -> None:
    expected = []
    for text in texts:
        tokens = analyse(text, language)
        expected.append(
            merged(
                span
                for leaf in leaves
                for occurrence in occurrences(tokens, leaf, language)
                for span in occurrence
            )
        )
    marker = Marker(leaves, language=language, places=TEXT)
    assert marker.marks([(text, Role.BODY) for text in texts]) == expected


def test_texts_marked_at_once_are_marked_by_their_roles() -> None:
    leaves = [Term("talk"), Term("kerry", field="headline")]
    marker = Marker(leaves, language="en", places=TEXT)
    texts = [
        ("Kerry talks", Role.HEADLINE),
        ("Kerry talks", Role.BODY),
        ("", Role.BODY),
        ("Nobody talked", Role.BODY),
    ]
    assert marker.marks(texts) == [((0, 5), (6, 11)), ((6, 11),), (), ((7, 13),)]


def test_marks_are_the_same_however_many_texts_are_scanned_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaves: list[WordLeaf] = [Term("talk"), Phrase(("a", "truce")), Prefix("ker")]
    marker = Marker(leaves, language="en", places=TEXT)
    texts = ["Talks: a", "truce of Kerry’s", "", "a truce, a", "é", "talk"] * 3
    marked_texts = [(text, Role.BODY) for text in texts]
    at_once = marker.marks(marked_texts)
    monkeypatch.setattr(marking, "_SCANNED_AT_ONCE", 20)
    assert marker.marks(marked_texts) == at_once
    assert [len(spans) for spans in at_once] == [1, 1, 0, 1, 0, 1] * 3


def test_a_phrase_is_sought_only_around_one_of_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    analysed: list[str] = []

    def noted(text: str, *rest: Any) -> Tokens:
        analysed.append(text)
        return analyse(text, *rest)

    monkeypatch.setattr(marking, "analyse", noted)
    text = (
        "many words and then " * 50
        + "they agreed on a truce in Aleppo that "
        + "x " * 90
    )
    assert marked(text, Phrase(("a", "truce", "in"))) == ["a truce in"]
    assert analysed == ["a truce in"]


def test_only_the_leaves_chosen_for_a_text_are_marked_in_it() -> None:
    leaves = [
        Term("talk"),
        Prefix("ker"),
        Phrase(("a", "truce")),
        Near(("a", "talk"), 2),
    ]
    marker = Marker(leaves, language="en", places=TEXT)
    text = "Kerry: a truce, a long talk"
    chosen = [leaves[:1], leaves[1:2], leaves[2:3], leaves[3:], [], leaves]
    marks = marker.marks([(text, Role.BODY)] * len(chosen), leaves=chosen)
    assert [[text[start:end] for start, end in spans] for spans in marks] == [
        ["talk"],
        ["Kerry"],
        ["a truce"],
        ["a", "talk"],
        [],
        ["Kerry", "a truce", "a", "talk"],
    ]


@pytest.mark.slow
def test_what_is_skipped_outside_ascii_stands_for_no_ascii_letter() -> None:
    # The scan for first letters does not look at these: all else is analysed.
    skipped = [
        chr(code) for code in range(0x80, 0x10000) if _CLASS[code] in (_SAFE, _UNSPACED)
    ]
    assert len(skipped) > 30_000
    for letter in skipped:
        for form in analyse(letter).forms:
            assert not any(map(str.isascii, fold(form)[:1])), letter


def test_a_letter_with_an_accent_stands_for_the_letter_without_it() -> None:
    # The scan for first letters takes it for that.
    accented = [chr(code) for code in range(0x10000) if _CLASS[code] >= _ACCENTED]
    assert len(accented) > 300
    for letter in accented:
        plain = chr(_CLASS[ord(letter)] - _ACCENTED)
        for before, after in ("", ""), ("x", ""), ("", "y"), ("x", "y"):
            (form,) = analyse(before + letter + after).forms
            assert word_key(form, "") == before + plain + after, letter


def test_characters_beside_a_plain_word_are_no_part_of_it() -> None:
    # The scan does not analyse a word that is between them.
    beside = [chr(code) for code in range(0x10000) if _CLASS[code] <= _JOINING]
    separating = [each for each in beside if _CLASS[ord(each)] < _JOINING]
    assert len(beside) > len(separating) > 70
    for first, second in product(separating, [*beside, "x", "é", "港", "я"]):
        assert "talk" in analyse(f"{second}{first}talk").forms, (second, first)
        assert "talk" in analyse(f"talk{first}{second}").forms, (first, second)
    for first, second in product(beside, repeat=2):
        assert "talk" in analyse(f"talk{first}{second}x").forms, (first, second)


def keeps_its_start(word: str) -> bool:
    stem = word_key(word, "en")
    return word.startswith(stem[: max(1, len(stem) - 2)])


# Among them are all endings that the stemmer's rules know.
ENDINGS = (
    *("", "s", "es", "ies", "ied", "sses", "us", "y", "e", "ying", "ly", "edly", "l"),
    *("ed", "eed", "eedly", "ing", "ingly", "ated", "bling", "izing", "pped", "tting"),
    *("tional", "ency", "enci", "ancy", "ably", "ently", "izer", "ization", "ational"),
    *("ation", "ator", "alism", "ality", "ally", "fulness", "ously", "ousness", "ible"),
    *("iveness", "ivity", "bility", "bly", "ogy", "ogist", "fully", "lessly", "logi"),
    *("alize", "icate", "icity", "ical", "ful", "ness", "ative", "ement", "ment"),
    *("ance", "ence", "able", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize"),
    *("sion", "tion", "ll", "'s", "s'", "news", "logy", "yly", "ings", "ier", "iest"),
)


@pytest.mark.slow
def test_english_stems_start_as_their_words_do() -> None:
    # Marker relies on it. Endings are all that the stemmer's rules know, and its
    # exceptions are the only whole words: so short words, and what its rules are about.
    for letters in product(ascii_lowercase, repeat=3):
        assert keeps_its_start("".join(letters))
    for first, second in product(ascii_lowercase, repeat=2):
        for ending in ENDINGS:
            assert keeps_its_start(first + second + ending)
    for before, ending in product(ENDINGS, repeat=2):
        for start in ("b", "er", "str", "gener", "prob", "hopp", "yy", "ski"):
            assert keeps_its_start(start + before + ending)
    exceptions = (
        "skis skies sky dying lying tying idly gently ugly early only singly news howe"
        " atlas cosmos bias andes inning outing canning herring earring proceed exceed"
        " succeed vying hying"
    )
    assert all(keeps_its_start(word) for word in exceptions.split())


LONG_LEAVES: dict[str, Callable[[int], WordLeaf]] = {
    "phrase": lambda n: Phrase(tuple(f"w{n}x{m}" for m in range(30)), text=f'"w{n}"'),
    "exact": lambda n: Exact(tuple(f"{n}\U0001f40e{m}" for m in range(9))),
    "near": lambda n: Near((f"w{n}", "\U0001f40e"), 3, text=f"w{n} NEAR/3"),
    "prefix": lambda n: Prefix(f"w{n}", text=f"w{n}*"),
    "term": lambda n: Term(f"жук{n}", text=f"жук{n}"),
}


@pytest.mark.parametrize("kind", LONG_LEAVES)
def test_anchors_take_no_more_memory_than_is_counted(kind: str) -> None:
    leaf_of, anchors = LONG_LEAVES[kind], scanning._ANCHORS
    for number in range(100):
        anchor_of(leaf_of(number), "fr")  # stems are cached elsewhere
    anchors.clear()
    anchors.bytes = 0
    tracemalloc.start()
    try:
        for number in range(100):
            anchor_of(leaf_of(number), "fr")
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(anchors) == 100
    assert taken < 1.1 * anchors.bytes


def test_anchors_are_bounded_by_bytes() -> None:
    for number in range(1_000):
        anchor_of(LONG_LEAVES["phrase"](number), "en")
        assert scanning._ANCHORS.bytes <= scanning.ANCHORS_BYTES
