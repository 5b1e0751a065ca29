"""Scanning: the places of texts where words with some first letters start.

A search marks some thirty texts for the same few words, and most words of a text match
none. If the first letters of every possible match are known, only words that start with
them are tested, in all texts at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.deadline import Check
from index.memo import Memo
from index.query import Fuzzy, Near, Phrase, Prefix, Term, Wildcard, WordLeaf
from index.text import LANGUAGES, Span, word_key

# Each is compared with the words by itself, some nanoseconds a word; with more, a text
# is analysed instead.
MOST_STARTS = 64
# Snowball's English stemmer changes only the ends of words: a stem starts as its word
# does, but for its own last two letters at most. The stem of dying is die, that of
# ability abl and then abil. Other stemmers may remove prefixes.
_STEMS_KEEP_START = ("en",)
_STEM_END = 2
_STARTS = re.compile("[a-z0-9]{1,8}")  # as many letters as are compared at once
ANCHORS_BYTES = 512 * 1024  # of leaves and their anchors that a process keeps
_NEXT_CHECK = 256  # words between two looks at the deadline
_LONG = 50  # letters; longer words are analysed, as the analysis truncates some
# Characters of scripts without spaces that are in no word of another script.
_SPACELESS = "\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff"
# Letters of other alphabets, and punctuation, that no ASCII letter or digit ever stands
# for: no form that starts with one holds them at its start.
_OTHER = (
    "\u0400-\u0481\u048a-\u052f\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u0679-\u06d3"
    "\u0904-\u0939\u093e-\u094d\u0e01-\u0e3a\u0e40-\u0e4e\uac00-\ud7a3"
    "\u2010-\u2015\u2018-\u201f\u2026\u3001\u3002\u300a-\u300f\uff0c\uff01\uff1f"
)
# Classes of characters, in an order in which few comparisons tell them apart. From 48
# on they are ASCII letters and digits: themselves, in lower case. From 128 on they are
# letters with an accent: 128 more than the letter without it.
_WHITE = 1  # where no word goes on
_SEPARATING = 2  # beside a word, but in none of ASCII letters
_JOINING = 3  # may join ASCII letters and digits to more of a word
_SAFE = 4  # of _OTHER
_FOREIGN = 5  # anything else outside ASCII: may be, or stand for, a letter
_UNSPACED = 6  # of _SPACELESS
_ALNUM = 48
_ACCENTED = 128
_CLASSES = (
    (_SEPARATING, r"\x00-\x7f"),
    (_JOINING, r".'\-/_&+@#,:"),
    (_SAFE, _OTHER),
    # The analysis reads these as a space, a double quote, an apostrophe or a hyphen.
    (_SEPARATING, "\u2013\u2014\u2026\u201c\u201d"),
    (_JOINING, "\u2018\u2019\u2010\u2011"),
    (_UNSPACED, _SPACELESS),
    (_WHITE, r"\s"),
)
_LEFT_OUT = bytes((_JOINING, _SAFE, _FOREIGN))
_UNACCENTED = bytes(number & 127 for number in range(256))
_LATIN = (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))


def _class_table() -> NDArray[np.uint8]:
    """Class of each character of the first plane; the last is that of all others."""
    classes = np.full(0x10001, _FOREIGN, np.uint8)
    codes = np.arange(0x10000, dtype="<u4").tobytes()
    plane = codes.decode("utf-32-le", "surrogatepass")
    for number, characters in _CLASSES:
        for match in re.finditer(f"[{characters}]+", plane):
            classes[slice(*match.span())] = number
    for letter in b"0123456789abcdefghijklmnopqrstuvwxyz":
        classes[letter] = classes[ord(chr(letter).upper())] = letter
    for code in _LATIN:
        base, *marks = list(unicodedata.normalize("NFD", chr(code)))
        if base.isascii() and marks and all(map(unicodedata.combining, marks)):
            classes[code] = _ACCENTED + ord(base.lower())
    return classes


_CLASS = _class_table()


class Anchor(NamedTuple):
    """The first letters of a word that is in every match of a leaf.

    :param letters: those that every form of the word starts with, as far as known.
    :param before: words of the leaf before it; the others come after it.
    """

    letters: bytes
    before: int


def anchor_of(leaf: WordLeaf, language: str) -> Anchor | None:
    """Word of a leaf with the most known first letters; ``None`` if none has any."""
    return _ANCHORS[leaf, language]


def _anchor_of(leaf_and_language: tuple[WordLeaf, str]) -> Anchor | None:
    leaf, language = leaf_and_language
    if isinstance(leaf, Near | Fuzzy):
        return None
    starts = _words_of(leaf)
    if isinstance(leaf, Term | Phrase):
        starts = tuple(_start_of_word(form, language) for form in starts)
    known = [match[0] if (match := _STARTS.match(start)) else "" for start in starts]
    letters = max(known, key=len)
    return Anchor(letters.encode(), known.index(letters)) if letters else None


def _words_of(leaf: WordLeaf) -> tuple[str, ...]:
    """What a leaf has of each of its words."""
    if isinstance(leaf, Prefix):
        return (leaf.prefix,)
    if isinstance(leaf, Wildcard):
        return (leaf.pattern,)
    if isinstance(leaf, Term | Fuzzy):
        return (leaf.form,)
    return leaf.forms


def _bytes_of(leaf_and_language: tuple[WordLeaf, str], _: Anchor | None) -> int:
    """Upper bound of the memory that a leaf takes, with its anchor."""
    leaf, language = leaf_and_language
    words = (*_words_of(leaf), leaf.text, language)
    return 600 + sum(100 + 4 * len(word) for word in words)


# Pages, and answers in several languages, have the same leaves.
_ANCHORS: Memo[tuple[WordLeaf, str], Anchor | None] = Memo(
    _anchor_of, _bytes_of, limit=ANCHORS_BYTES
)


def _start_of_word(form: str, language: str) -> str:
    """What all forms start with that are the same word in a language."""
    if form.startswith("0."):
        return ""  # .5 is 0.5 too
    short = language.partition("-")[0].lower()
    if short in _STEMS_KEEP_START:
        key = word_key(form, language)
        return key[: max(1, len(key) - _STEM_END)]
    return "" if short in LANGUAGES else word_key(form, language)


def distinct_starts(starts: Iterable[bytes]) -> list[bytes]:
    """Starts without those that another one starts: its places include theirs."""
    distinct: list[bytes] = []
    for start in sorted(set(starts)):
        if not distinct or not start.startswith(distinct[-1]):
            distinct.append(start)
    return distinct


class Scan:
    """Parts of joined texts where words may start with some letters.

    :param text: texts, each between line feeds, with the groups of numbers joined; the
        last one ends with two.
    :param starts: of :func:`distinct_starts`.
    :ivar words: the words whose form is the word itself in lower case, each with where
        it starts, in order.
    """

    def __init__(self, text: str, starts: Sequence[bytes], check: Check) -> None:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        self._classes = classes = _CLASS.take(codes, mode="clip")
        check()
        is_alnum = classes >= _ALNUM
        edges = (is_alnum[1:] != is_alnum[:-1]).nonzero()[0] + 1
        self._first = first = edges[::2]
        check()
        wanted = bytearray(256)
        for start in starts:
            wanted[start[0]] = wanted[start[0] + _ACCENTED] = True
        chosen = np.frombuffer(wanted, np.bool_)[classes[first]]
        firsts, ends = first[chosen], edges[1::2][chosen]
        check()
        of_characters = classes.tobytes()
        chosen = self._starting(of_characters, firsts, starts, check)
        self.words: list[tuple[int, str]] = []
        self._doubtful: list[int] = []
        places = zip(firsts[chosen].tolist(), ends[chosen].tolist(), strict=True)
        for number, (place, end) in enumerate(places):
            if number % _NEXT_CHECK == 0:
                check()
            word, following = text[place:end], of_characters[end]
            if (
                of_characters[place - 1] <= _SEPARATING
                and (
                    following <= _SEPARATING
                    or (following == _JOINING and of_characters[end + 1] <= _JOINING)
                )
                and len(word) <= _LONG
                and word.isascii()
            ):
                self.words.append((place, word))
            else:
                self._doubtful.append(place)
        if _FOREIGN in of_characters:
            is_foreign = classes == _FOREIGN
            foreign = (is_foreign[1:] > is_foreign[:-1]).nonzero()[0] + 1
            self._doubtful += foreign.tolist()
        figures = [start for start in starts if start[:1].isdigit()]
        if figures:
            # An amount is found without the letters of its currency before it: Rs1,500.
            is_figure = is_alnum & (classes <= ord("9"))
            behind = is_figure[1:] & (classes[:-1] > ord("9"))
            amounts = behind.nonzero()[0] + 1
            amounts = amounts[self._starting(of_characters, amounts, figures, check)]
            self._doubtful += amounts.tolist()

    def _starting(
        self,
        of_characters: bytes,
        places: NDArray[np.int64],
        starts: Sequence[bytes],
        check: Check,
    ) -> NDArray[np.bool_]:
        """From which places on the letters are those of one of the starts."""
        keys = self._keys(of_characters, places)
        starting = np.zeros(len(places), np.bool_)
        for start in starts:
            check()
            mask = np.uint64(256 ** len(start) - 1)
            starting |= keys & mask == np.uint64(int.from_bytes(start, "little"))
        return starting

    def _keys(
        self, of_characters: bytes, places: NDArray[np.int64]
    ) -> NDArray[np.uint64]:
        """The next 8 letters from some places on, as one number each.

        A form may leave out what joins a word: o'neil is oneil too.

        :param of_characters: the class of each.
        """
        classes = self._classes
        left_out = ((classes >= _JOINING) & (classes < _UNSPACED)).nonzero()[0]
        letters = of_characters.translate(_UNACCENTED, _LEFT_OUT) + bytes(8)
        every = np.ndarray(len(letters) - 7, "<u8", letters, strides=(1,))
        keys: NDArray[np.uint64] = every[places - left_out.searchsorted(places)]
        return keys

    @cached_property
    def _bounds(self) -> NDArray[np.int64]:
        """Places that no word crosses; a chunk is what is between two of them."""
        classes = self._classes
        bounds: NDArray[np.int64]
        (bounds,) = ((classes == _WHITE) | (classes == _UNSPACED)).nonzero()
        return bounds

    def pieces(self) -> list[Span]:
        """Spans that must be analysed, in order; no word crosses their ends."""
        if not self._doubtful:
            return []
        chunks = sorted(set(self._bounds.searchsorted(self._doubtful).tolist()))
        ends = self._bounds[chunks]
        starts = self._bounds[[chunk - 1 for chunk in chunks]] + 1
        return list(zip(starts.tolist(), ends.tolist(), strict=True))

    def windows(self, places: Sequence[int], before: int, after: int) -> list[Span]:
        """Pieces with all within so many words of a place or of a doubtful word.

        In order, none overlapping another. They may go beyond the ends of a text.
        """
        bounds = self._bounds
        centres = sorted((*places, *self._doubtful))
        if not centres:
            return []
        chunks = bounds.searchsorted(centres)
        # An ASCII letter or digit is in a word for certain.
        with_words = bounds.searchsorted(self._first)
        with_words = with_words[np.diff(with_words, prepend=0) > 0]
        firsts = with_words.searchsorted(chunks) - before
        lasts = with_words.searchsorted(chunks, "right") + after - 1
        # The first chunk and the last, where there are fewer words.
        padded = np.concatenate(([1], with_words, [len(bounds) - 1]))
        firsts = np.minimum(padded[np.maximum(firsts, -1) + 1], chunks)
        lasts = padded[np.minimum(lasts, len(with_words)) + 1]
        lasts = np.maximum(lasts, chunks)
        # Both ascend, so a window that begins after the one before has ended is new.
        is_new = np.ones(len(chunks) + 1, np.bool_)
        is_new[1:-1] = firsts[1:] > lasts[:-1]
        starts, ends = bounds[firsts[is_new[:-1]] - 1] + 1, bounds[lasts[is_new[1:]]]
        return list(zip(starts.tolist(), ends.tolist(), strict=True))
