"""Invented words that look like English, with English endings."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import NamedTuple

# Real ones: they are the most frequent words, and costly to search.
_FUNCTION_WORDS = """
    the of to and a in that is for on it was with as he by at be from his has had an are
    this have they which were not but their or its who been will one would said more
    there about when her after than she up we all out if new no last into can
"""
FUNCTION_WORDS = tuple(_FUNCTION_WORDS.split())
STEMS = 40_000
# Function words are a little less than half of English text.
_FUNCTION_SHARE = 0.42
# Onsets of syllables; single letters are drawn twice as often as clusters.
_SINGLE, _CLUSTERS = "bcdfghlmnprstvw", "br cl cr dr fl fr gl gr pl pr sh st str th tr"
_ONSETS = (*_SINGLE * 2, *_CLUSTERS.split())
_VOWELS = (*"aeiou" * 3, "ai", "ea", "ou", "oo")
_CODAS = ("", "", "", "l", "m", "n", "r", "t", "d", "k", "nd", "nt", "rt", "st", "ck")
# Endings of nouns, verbs and adjectives, with their shares in percent.
_ENDINGS = (
    (("", 65), ("s", 35)),
    (("", 40), ("s", 15), ("ed", 25), ("ing", 20)),
    (("", 75), ("ly", 25)),
)


class Vocabulary(NamedTuple):
    """Words, the most frequent stem first, with cumulative weights for ``choices``."""

    words: tuple[str, ...]
    weights: tuple[float, ...]
    stems: tuple[str, ...]  # without function words
    names: tuple[str, ...]  # capitalised; not among the words


def vocabulary_of(rng: Random, *, stems: int = STEMS) -> Vocabulary:
    """A vocabulary whose word frequencies follow Zipf's law.

    :param stems: number of words, without function words and inflections.
    """
    invented = _invented(rng, stems + 2_000)
    content, names = invented[:stems], invented[stems:]
    words: list[str] = list(FUNCTION_WORDS)
    shares = [1 / (rank + 1) for rank in range(1, len(words) + 1)]
    scale = _FUNCTION_SHARE / sum(shares)
    weights = [share * scale for share in shares]
    total = sum(1 / (rank + 20) for rank in range(stems))
    for rank, stem in enumerate(content):
        weight = (1 - _FUNCTION_SHARE) / (rank + 20) / total
        for ending, percent in _ENDINGS[rank % len(_ENDINGS)]:
            words.append(inflected(stem, ending))
            weights.append(weight * percent / 100)
    return Vocabulary(
        tuple(words),
        tuple(accumulate(weights)),
        tuple(content),
        tuple(name.capitalize() for name in names),
    )


def inflected(stem: str, ending: str) -> str:
    """A word with an English ending."""
    if ending == "s" and stem.endswith(("s", "sh", "ch", "x")):
        return f"{stem}es"
    if ending in ("ed", "ing") and stem.endswith("e"):
        return stem[:-1] + ending
    return stem + ending


def _invented(rng: Random, count: int) -> list[str]:
    """Distinct words, short ones first: in any language, they are the frequent ones."""
    words: dict[str, None] = {}
    taken = set(FUNCTION_WORDS)
    while len(words) < count:
        syllables = 1 if len(words) < count // 100 else 2 + (len(words) > count // 4)
        word = "".join(
            rng.choice(_ONSETS)
            + rng.choice(_VOWELS)
            + (rng.choice(_CODAS) if last or rng.random() < 0.3 else "")
            for last in (*(False,) * (syllables - 1), True)
        )
        if len(word) > 2 and word not in taken:
            words.setdefault(word)
    return list(words)
