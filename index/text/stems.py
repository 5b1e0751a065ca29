"""Stems: which forms are the same word in a language, by the Snowball stemmers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from sys import getsizeof

import regex
import Stemmer

from index.memo import Memo
from index.text.characters import PLAIN_RUN
from index.text.forms import fold

_ALGORITHMS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

# Folded Arabic has a heh for teh marbuta, and the stemmer reads some as "his". After an
# article it cannot be that; the word is stemmed without the article.
_ARABIC_DEFINITE = regex.compile(
    "\\A(?:[\u0648\u0641]?[\u0628\u0643]?\u0627\u0644|[\u0648\u0641]?\u0644\u0644){1,2}"
    "(?=.{3,}\u0647\\Z)"
)
_ARABIC_LAST_HAMZA = regex.compile("(?<=\u0627)\u0621\\Z")

# The stemmer of Persian itself maps Arabic letters to Persian ones. Sorani has none:
# its key has one h, and one r at the start of a word, where it is always trilled.
_SORANI_H = str.maketrans("\u06be\u0692", "\u0647\u0695")
_SORANI_R = "\u0631", "\u0695"

_KEYS_BYTES = 32_000_000  # of the keys that are kept, of most forms 300 each

LANGUAGES = frozenset({*_ALGORITHMS, "ckb"})

_STEMMER_LOCK = threading.Lock()  # a stemmer keeps state while it stems a word
_STEMMABLE = regex.compile(r"[\p{L}\p{M}]+")


def stem_language(language: str) -> str:
    """Primary subtag of a language with its own :func:`word_key`, or ``""``.

    Languages with the same one have the same :func:`word_key` for every form.
    """
    primary = language.partition("-")[0].lower()
    return primary if primary in LANGUAGES else ""


def word_key(form: str, language: str) -> str:
    """Stem of the folded form: equal for two forms of the same word in a language.

    :param language: a BCP 47 tag; without a stemmer for it, the key is the folded form.
    """
    if not form.isascii() and PLAIN_RUN.fullmatch(form):
        return form  # no stemmer changes it, and few of a text are repeated
    return KEYS[form, language]


def word_keys(forms: Sequence[str], language: str) -> list[str]:
    """:func:`word_key` of every form, for a whole vocabulary at once."""
    keys = [fold(form) for form in forms]
    primary = language.partition("-")[0].lower()
    if primary not in LANGUAGES:
        return keys
    places = [place for place, form in enumerate(keys) if _STEMMABLE.fullmatch(form)]
    words = [keys[place] for place in places]
    for place, word, stem in zip(places, words, _stems(words, primary), strict=True):
        keys[place] = stem or word
    return keys


def _stems(words: list[str], language: str) -> list[str]:
    """Stems of folded words, by the stemmer and what it does not know of its script."""
    if language == "ckb":
        return [_sorani(word) for word in words]
    if language == "ar":
        words = [_ARABIC_DEFINITE.sub("", word, count=1) for word in words]
    stemmer = _stemmer(language)
    with _STEMMER_LOCK:
        stems: list[str] = stemmer.stemWords(words)
    if language == "ar":  # what it removes from a seated hamza leaves a yeh
        stems = [_ARABIC_LAST_HAMZA.sub("\u064a", stem) for stem in stems]
    return stems


def _sorani(word: str) -> str:
    word = word.translate(_SORANI_H)
    plain, trilled = _SORANI_R
    return trilled + word[1:] if word.startswith(plain) else word


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    # Without a cache of its own: word_key has one.
    return Stemmer.Stemmer(_ALGORITHMS[language], 0)


def _key_of(word: tuple[str, str]) -> str:
    form, language = word
    return word_keys((form,), language)[0]


def _bytes_of(word: tuple[str, str], key: str) -> int:
    return getsizeof(word) + getsizeof(word[0]) + getsizeof(key)


KEYS = Memo(_key_of, _bytes_of, limit=_KEYS_BYTES)
