"""Symbols that stand for letters, by their compatibility form: ㎏ is kg, ㈱ is (株)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

# The blocks that have such symbols; a test looks through all of Unicode.
_BLOCKS = (range(0x2000, 0x3400), range(0xFB00, 0x10000), range(0x1F100, 0x1F300))
# An emoji is a word already.
_CANDIDATE = regex.compile(
    r"(?V1)[[\p{S}&&\p{NFKC_Quick_Check=No}]--\p{Emoji_Presentation}]"
)
_RUN = regex.compile(r"(?V1)[[\p{Han}\p{Hiragana}\p{Katakana}ー]&&\p{L}]+")
_DIVISION = str.maketrans("\u2215", "/")  # of ㎧


def stands_for_letters(character: str) -> bool:
    """Whether a character is a symbol with letters in its compatibility form.

    The raised signs ™ and ℠ are marks on a word, not words.
    """
    return (
        _CANDIDATE.match(character) is not None
        and not unicodedata.decomposition(character).startswith("<super>")
        and any(map(str.isalpha, unicodedata.normalize("NFKC", character)))
    )


def _character_class(characters: Sequence[str]) -> str:
    """Inside of a character class, of ranges: these compile in a tenth of the time."""
    ranges: list[list[str]] = []
    for character in characters:
        if ranges and ord(character) == ord(ranges[-1][1]) + 1:
            ranges[-1][1] = character
        else:
            ranges.append([character, character])
    return "".join(f"{first}-{last}" for first, last in ranges)


_SYMBOLS = [
    character
    for block in _BLOCKS
    for character in map(chr, block)
    if stands_for_letters(character)
]
_IN_RUNS = [
    symbol
    for symbol in _SYMBOLS
    if _RUN.fullmatch(unicodedata.normalize("NFKC", symbol))
]

# Those that are written out in Chinese or Japanese characters only, so that they are
# part of a run of them (㍻, ㌔); and all others.
RUN_SYMBOLS = _character_class(_IN_RUNS)
WORD_SYMBOLS = _character_class([each for each in _SYMBOLS if each not in _IN_RUNS])

HAS_WORD_SYMBOL = regex.compile(f"[{WORD_SYMBOLS}]")


def written_out(surface: str) -> tuple[str, list[int]]:
    """A text with its symbols written out, and the place that each character is from.

    :return: the text, and for each of its characters the offset in ``surface``.
    """
    pieces: list[str] = []
    places: list[int] = []
    for place, character in enumerate(surface):
        if HAS_WORD_SYMBOL.match(character):
            character = unicodedata.normalize("NFKC", character).translate(_DIVISION)
        pieces.append(character)
        places += [place] * len(character)
    return "".join(pieces), places
