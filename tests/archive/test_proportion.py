"""Marking takes steps in proportion to texts and leaves, and looks at its deadline."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice, product
from types import FrameType

import pytest
from faults.amounts import amount

from index.archive.marking import Marker
from index.article import PLACES, Role
from index.query import (
    Exact,
    Fuzzy,
    Lookup,
    Near,
    Phrase,
    Prefix,
    Term,
    Wildcard,
    WordLeaf,
)

TEXT = PLACES["text"]
LENGTH = amount(250, 2_000)  # words of the shorter text
# Letters of which words are made. No two are variants of one letter.
SCRIPTS = {
    "ascii": ("en", "bcdfgklmnprt"),
    "cyrillic": ("ru", "бвгджзклмнпр"),
    "chinese": ("zh", "停火谈判河边结果海港工人"),
    "hindi": ("hi", "कखगचजटडतदपबम"),
    "arabic": ("ar", "بتجحدرسصطعفق"),
    "thai": ("th", "กขคงจชดตถทนบ"),
}
SPACELESS = ("chinese", "thai")


def vocabulary(letters: str, count: int) -> list[str]:
    """Different words of four letters, the first three letters of many the same."""
    return ["".join(word) for word in islice(product(letters, repeat=4), count)]


def query_word(script: str, word: str) -> tuple[str, ...]:
    """Forms of a word in a query: pairs where words are not separated."""
    if script in SPACELESS:
        return tuple(word[at : at + 2] for at in range(len(word) - 1))
    return (word,)


def leaf_of(kind: str, script: str, words: list[str], number: int) -> WordLeaf:
    """A leaf of a kind; those of different numbers differ."""
    word, other = words[number], words[number + 1]
    # Written out in a text, a pair belongs to two words.
    one, two = query_word(script, word), query_word(script, other)
    if kind == "word":
        return Term(word[:2]) if script in SPACELESS else Term(word)
    if kind == "exact":
        return Exact(one)
    if kind == "prefix":
        return Prefix(word)
    if kind == "wildcard":
        return Wildcard(f"{word[:3]}*{word[3]}?")
    if kind == "fuzzy":
        return Fuzzy(word, 1 + number % 2)
    if kind == "phrase":
        return Phrase((*one, *two))
    return Near((*query_word(script, words[0]), *two), 3 + number % 5)


KINDS = ("word", "exact", "prefix", "wildcard", "fuzzy", "phrase", "near")


def steps(work: Callable[[], object]) -> int:
    """Number of functions that some work calls, in Python and in C."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def text_of(script: str, words: list[str], length: int) -> str:
    """Words in turn, so many, with spaces if the script has them."""
    space = "" if script in SPACELESS else " "
    return space.join(words[number % len(words)] for number in range(length))


def marking_steps(kind: str, script: str, *, leaves: int, length: int) -> int:
    language, letters = SCRIPTS[script]
    words = vocabulary(letters, 400)
    query = [leaf_of(kind, script, words, number) for number in range(leaves)]
    text = text_of(script, words, length)

    def mark() -> None:
        marker = Marker(query, language=language, places=TEXT)
        assert kind in ("wildcard", "prefix", "fuzzy") or any(
            marker.marks([(text, Role.BODY)])
        )
        marker.marks([(text, Role.BODY)])

    mark()  # so that what is kept of words is there
    return steps(mark)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("kind", KINDS)
def test_steps_of_marking_do_not_multiply_leaves_by_words(
    kind: str, script: str
) -> None:
    base = marking_steps(kind, script, leaves=15, length=LENGTH)
    longer = marking_steps(kind, script, leaves=15, length=4 * LENGTH)
    more = marking_steps(kind, script, leaves=60, length=LENGTH)
    both = marking_steps(kind, script, leaves=60, length=4 * LENGTH)
    assert longer < 4.5 * base
    if kind == "near" and script in SPACELESS:
        return  # all these words are made of the same pairs: each leaf has its windows
    # Added, four times the leaves and four times the words: not sixteen times.
    assert both < 1.3 * (longer + more)


@pytest.mark.parametrize("boosts", [4, 64])
def test_leaves_that_differ_only_in_their_boost_are_one(boosts: int) -> None:
    leaves = [Prefix("cov", boost=1 + number / 100) for number in range(boosts)]
    marker = Marker(leaves, language="zh", places=TEXT)
    text = "新型COVID感染，" * 100
    taken = steps(lambda: marker.marks([(text, Role.BODY)]))
    single = Marker(leaves[:1], language="zh", places=TEXT)
    # Some for each leaf, and none for each leaf and word.
    assert taken <= steps(lambda: single.marks([(text, Role.BODY)])) + 20 * boosts
    assert len(marker.marks([(text, Role.BODY)])[0]) == 100


def test_a_word_is_looked_up_once_for_all_texts_and_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []
    words = Lookup.words

    def noted(self: Lookup, form: str) -> tuple[int, ...]:
        looked_up.append(form)
        return words(self, form)

    monkeypatch.setattr(Lookup, "words", noted)
    leaves = [Prefix("пер"), Fuzzy("река", 1), Phrase(("у", "реки"))]
    marker = Marker(leaves, language="ru", places=TEXT)
    text = ("Переговоры у реки. " * 50, Role.BODY)
    chosen = [leaves[:1], leaves[1:], leaves]
    marks = marker.marks([text, text, text], leaves=chosen)
    assert sorted(looked_up) == ["переговоры", "реки", "у"]
    assert [len(spans) for spans in marks] == [50, 50, 100]


class Stopped(Exception):
    """The time is up."""


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("kind", KINDS)
def test_marking_stops_inside_one_text(kind: str, script: str) -> None:
    language, letters = SCRIPTS[script]
    words = vocabulary(letters, 400)
    query = [leaf_of(kind, script, words, number) for number in range(10)]
    text = text_of(script, words, 4_000)
    marker = Marker(query, language=language, places=TEXT)
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Stopped

    with pytest.raises(Stopped):
        marker.marks([(text, Role.BODY)], stop)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["b" * 40_000, "b'" * 20_000, "b " * 20_000])
def test_no_ascii_text_is_read_once_for_each_leaf(text: str) -> None:
    letters = "bcdfgklmnprt"
    few = [Prefix(word) for word in vocabulary(letters, 10)]
    many = [Prefix(word) for word in vocabulary(letters, 60)]

    def marks(leaves: list[Prefix]) -> Callable[[], object]:
        marker = Marker(leaves, language="en", places=TEXT)
        return lambda: marker.marks([(text, Role.BODY)])

    assert steps(marks(many)) < 1.5 * steps(marks(few)) + 1_000
