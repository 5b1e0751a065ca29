"""Letters: marks that writers may leave out, and variants of one letter.

Lucene's normalisers for Arabic, Persian, Sorani, Hindi and Indic scripts are the source
of which letters are variants. Each has one target for all languages, so that a query,
which has no language, finds every spelling. No lengths of vowels are merged.
"""

from __future__ import annotations

import unicodedata

import regex

# Vowel signs and pointing, tatweel, Koranic annotation, and their presentation forms,
# which NFKC would turn into spaces.
ARABIC_MARKS = (
    r"\u0610-\u061A\u0640\u064B-\u0652\u0656-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4"
    r"\u06E7\u06E8\u06EA-\u06ED\u08CA-\u08E1\u08E3-\u08FF"
    r"\uFC5E-\uFC63\uFCF2-\uFCF4\uFE70-\uFE72\uFE74\uFE76-\uFE7F"
)
HEBREW_MARKS = (
    r"\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\uFB1E"  # niqqud, cantillation
)
OPTIONAL_MARKS = ARABIC_MARKS + HEBREW_MARKS

_DIGIT = regex.compile(r"(?V1)[\p{Nd}--[0-9]]")

_ARABIC = regex.compile(r"[\u0622-\u06D5]")
_SEATED = regex.compile(r"[\u0653-\u0655]")  # madda, hamza above, hamza below
_ARABIC_LETTERS = str.maketrans(
    "\u0671"  # alef wasla
    "\u0649\u06cc\u06d2"  # alef maksura, Farsi yeh, yeh barree
    "\u06a9"  # keheh
    "\u0629\u06c1\u06c3\u06d5",  # teh marbuta, heh goal, teh marbuta goal, ae
    "\u0627\u064a\u064a\u064a\u0643\u0647\u0647\u0647\u0647",
)

_YIDDISH = regex.compile(r"[\u05F0-\u05F2]")
_YIDDISH_PAIRS = {
    0x05F0: "\u05d5\u05d5",
    0x05F1: "\u05d5\u05d9",
    0x05F2: "\u05d9\u05d9",
}

# The blocks of these scripts have the same letters at the same places. Tamil has no
# such variants, and the block of Sinhala is arranged in another way.
_INDIC_BLOCKS = {
    "Devanagari": 0x0900,
    "Bengali": 0x0980,
    "Gurmukhi": 0x0A00,
    "Gujarati": 0x0A80,
    "Odia": 0x0B00,
    "Telugu": 0x0C00,
    "Kannada": 0x0C80,
    "Malayalam": 0x0D00,
}
_CANDRABINDU, _ANUSVARA, _NUKTA, _VIRAMA = 0x01, 0x02, 0x3C, 0x4D
# A nasal consonant without its vowel is the anusvara before these: before the four
# stops that it belongs to; n also before all others and before sibilants.
_NASALS = {0x19: "15-18", 0x1E: "1A-1D", 0x23: "1F-22", 0x2E: "2A-2D"}
_DENTAL_NASAL = 0x28
_STOPS = ("15-18", "1A-1D", "1F-22", "24-27", "2A-2D", "36-38")

_INDIC = regex.compile(r"[\u0900-\u0B7F\u0C00-\u0D7F]")


def _indic_letters() -> dict[int, str | None]:
    letters: dict[int, str | None] = {
        0x0A70: "\u0a02",  # Gurmukhi tippi, as bindi
        0x0C00: "\u0c02",  # Telugu candrabindu above
        # A consonant without its vowel, in one character or with the virama.
        0x09CE: "\u09a4\u09cd",  # Bengali khanda ta
        0x0D7A: "\u0d23\u0d4d",  # Malayalam chillus: nn, n, rr, l, ll, k
        0x0D7B: "\u0d28\u0d4d",
        0x0D7C: "\u0d30\u0d4d",
        0x0D7D: "\u0d32\u0d4d",
        0x0D7E: "\u0d33\u0d4d",
        0x0D7F: "\u0d15\u0d4d",
    }
    for base in _INDIC_BLOCKS.values():
        letters[base + _CANDRABINDU] = chr(base + _ANUSVARA)
        letters[base + _NUKTA] = None
    return letters


def _nasal_pattern() -> regex.Pattern[str]:
    """Pattern of the nasal consonants that stand for an anusvara."""
    pieces: list[str] = []
    for base in _INDIC_BLOCKS.values():

        def range_of(places: str, base: int = base) -> str:
            first, _, last = places.partition("-")
            return f"{chr(base + int(first, 16))}-{chr(base + int(last, 16))}"

        nasals = _NASALS | {_DENTAL_NASAL: None}
        for nasal, stops in nasals.items():
            following = "".join(map(range_of, _STOPS if stops is None else (stops,)))
            pieces.append(f"{chr(base + nasal)}{chr(base + _VIRAMA)}(?=[{following}])")
    return regex.compile("|".join(pieces))


_INDIC_LETTERS = _indic_letters()
_NASAL = _nasal_pattern()


def with_ascii_digits(text: str) -> str:
    """Text with the decimal digits of every script as ASCII digits."""
    return _DIGIT.sub(_ascii_digit, text)


def with_common_letters(text: str) -> str:
    """Decomposed text with each variant of a letter as the one that stands for all.

    :param text: in NFD, without joiners.
    """
    if _ARABIC.search(text):
        text = _SEATED.sub("", text).translate(_ARABIC_LETTERS)
    if _YIDDISH.search(text):
        text = text.translate(_YIDDISH_PAIRS)
    if _INDIC.search(text):
        text = _NASAL.sub(_as_anusvara, text.translate(_INDIC_LETTERS))
    return text


def _ascii_digit(match: regex.Match[str]) -> str:
    # The library regex may know digits of a newer Unicode than Python does.
    return str(unicodedata.decimal(match[0], match[0]))


def _as_anusvara(match: regex.Match[str]) -> str:
    block = ord(match[0][0]) & ~0x7F
    return chr(block + _ANUSVARA)
