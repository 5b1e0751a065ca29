"""Scanning: the places of texts where words with some first letters start.

A search marks some thirty texts for the same few words, and most words of a text match
none. If the first letters of every possible match are known, only words that start with
them are tested, in all texts at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from index.deadline import Check
from index.query import Exact, Prefix, Term, Wildcard, WordLeaf
from index.text import LANGUAGES, Span, word_key

MOST_STARTS = 16  # each is sought by itself, so with more a text is analysed instead
# Snowball's English stemmer changes only the ends of words: a stem starts as its word
# does, but for its own last two letters at most. The stem of dying is die, that of
# ability abl and then abil. Other stemmers may remove prefixes.
_STEMS_KEEP_START = ("en",)
_STEM_END = 2
_LONG = 50  # letters; longer words are analysed, as the analysis truncates some
_NEXT_CHECK = 1_024  # places between two looks at the deadline
_STARTS = re.compile("[a-z0-9]+")
# ASCII letters and digits, characters that may join them to more of a word, and
# characters that never do.
_ALNUM = "[A-Za-z0-9]"
_JOINING = r".'\-/_&+@#,:"
_SEPARATING = r"\x00-\x20!\"$%()*;<=>?\[\\\]^`{|}~\x7f"
# The end of a word whose form is the word itself in lower case.
_END = rf"(?=[{_SEPARATING}]|[{_JOINING}](?!{_ALNUM}|[^\x00-\x7f])|\Z)"
_WORD = re.compile(rf"(?<![^{_SEPARATING}]){_ALNUM}{{1,{_LONG}}}+{_END}")
# Characters of a word that its form may leave out: o'neil is oneil too. The question
# mark stands for any character outside ASCII.
_OMITTED = b".'-/_&+@#,:?"
# Characters of scripts without spaces that are in no word of another script.
_SPACELESS = r"\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff"
# Where no word goes on: white space, and those characters.
_BETWEEN = re.compile(rf"[\s{_SPACELESS}]")
# Letters of other alphabets, and punctuation, that no ASCII letter or digit ever stands
# for: no form that starts with one holds them at its start.
_OTHER = (
    r"\u0400-\u0481\u048a-\u052f\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u0679-\u06d3"
    r"\u0904-\u0939\u093e-\u094d\u0e01-\u0e3a\u0e40-\u0e4e\uac00-\ud7a3"
    r"\u2010-\u2015\u2018-\u201f\u2026\u3001\u3002\u300a-\u300f\uff0c\uff01\uff1f"
)
# Anything else outside ASCII may be, or stand for, a letter.
_FOREIGN = re.compile(rf"[^\x00-\x7f\s{_SPACELESS}{_OTHER}]+")


class Candidates(NamedTuple):
    """Parts of a text where words may start with the letters sought.

    :param words: matches of words whose form is the word itself in lower case.
    :param pieces: spans that must be analysed, in order; no word crosses their ends.
    """

    words: list[re.Match[str]]
    pieces: list[Span]


@lru_cache(maxsize=1_024)
def start_of(leaf: WordLeaf, language: str) -> bytes | None:
    """Letters that every form that a leaf matches starts with, as far as known.

    The first letter does not occur again in them, so their places never overlap.

    :return: ASCII letters and digits; ``None`` if no first letter is known.
    """
    start = ""
    if isinstance(leaf, Term) and leaf.form.startswith("0."):
        return None  # .5 is 0.5 too
    if isinstance(leaf, Prefix):
        start = leaf.prefix
    elif isinstance(leaf, Wildcard):
        start = leaf.pattern
    elif isinstance(leaf, Exact) and len(leaf.forms) == 1:
        start = leaf.forms[0]
    elif isinstance(leaf, Term):
        short = language.partition("-")[0].lower()
        if short in _STEMS_KEEP_START:
            start = word_key(leaf.form, language)
            start = start[: max(1, len(start) - _STEM_END)]
        elif short not in LANGUAGES:
            start = word_key(leaf.form, language)
    known = _STARTS.match(start)
    if known is None:
        return None
    again = start.find(start[0], 1, known.end())
    return start[: known.end() if again < 0 else again].encode()


def distinct_starts(starts: Iterable[bytes]) -> list[bytes]:
    """Starts without those that another one starts: its places include theirs."""
    distinct: list[bytes] = []
    for start in sorted(set(starts)):
        if not distinct or not start.startswith(distinct[-1]):
            distinct.append(start)
    return distinct


def candidates(
    text: str, bounds: Sequence[int], starts: Sequence[bytes], check: Check
) -> Candidates:
    """Parts of joined texts where words may start with some letters.

    :param text: texts, each ended by a line feed, with the groups of numbers joined.
    :param bounds: where each text starts, and where one more would start.
    :param starts: of :func:`distinct_starts`.
    """
    words: list[re.Match[str]] = []
    doubtful: list[int] = []  # places where a word needs the analysis
    # As long as the text, so a place in one is the same place in the other.
    lowered = text.encode("ascii", "replace").lower()
    joined = lowered.translate(None, _OMITTED)
    for letters in starts:
        check()
        unbroken = _places(lowered, letters, 0, len(lowered))
        places: Iterable[int] = unbroken
        if joined.count(letters) > len(unbroken):
            places = _places_in_parts(lowered, letters, bounds)
        for number, place in enumerate(places):
            if number % _NEXT_CHECK == 0:
                check()
            if place and lowered[place - 1 : place].isalnum():
                continue
            match = _WORD.match(text, place)
            if match is None:
                doubtful.append(place)
            else:
                words.append(match)
    for start, end in pairwise(bounds):
        if lowered.find(b"?", start, end) >= 0:  # it, or a character outside ASCII
            matches = _FOREIGN.finditer(text, start, end)
            doubtful += (match.start() for match in matches)
    return Candidates(words, list(_pieces(text, sorted(doubtful), check)))


def _pieces(text: str, doubtful: Sequence[int], check: Check) -> Iterator[Span]:
    """Yield the pieces of a text around some places, each once."""
    end = 0
    for number, place in enumerate(doubtful):
        if number % _NEXT_CHECK == 0:
            check()
        if place >= end:
            start = place
            while start > 0 and _BETWEEN.match(text, start - 1) is None:
                start -= 1
            between = _BETWEEN.search(text, place)
            end = len(text) if between is None else between.start()
            yield start, end


def _places(text: bytes, letters: bytes, start: int, end: int) -> list[int]:
    """Places of some letters in a part of a text."""
    places: list[int] = []
    place = text.find(letters, start, end)
    while place >= 0:
        places.append(place)
        place = text.find(letters, place + len(letters), end)
    return places


def _places_in_parts(
    text: bytes, letters: bytes, bounds: Sequence[int]
) -> Iterator[int]:
    """Yield places where words may start with letters that other characters join."""
    for start, end in pairwise(bounds):
        joined = text[start:end].translate(None, _OMITTED)
        if joined.count(letters) > text.count(letters, start, end):
            yield from _places(text, letters[:1], start, end)
        else:
            yield from _places(text, letters, start, end)
