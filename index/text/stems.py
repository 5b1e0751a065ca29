"""Stems: which forms are the same word in a language, by the Snowball stemmers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache, lru_cache

import regex
import Stemmer

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

LANGUAGES = frozenset(_ALGORITHMS)

_STEMMER_LOCK = threading.Lock()  # a stemmer keeps state while it stems a word
_STEMMABLE = regex.compile(r"[\p{L}\p{M}]+")


def stem_language(language: str) -> str:
    """Primary subtag of a language that has a stemmer, or ``""``.

    Languages with the same one have the same :func:`word_key` for every form.
    """
    primary = language.partition("-")[0].lower()
    return primary if primary in _ALGORITHMS else ""


@lru_cache(maxsize=200_000)
def word_key(form: str, language: str) -> str:
    """Stem of the folded form: equal for two forms of the same word in a language.

    :param language: a BCP 47 tag; without a stemmer for it, the key is the folded form.
    """
    folded = fold(form)
    stemmer = _stemmer(language.partition("-")[0].lower())
    if stemmer is None or not _STEMMABLE.fullmatch(folded):
        return folded
    with _STEMMER_LOCK:
        stem: str = stemmer.stemWord(folded)
    return stem or folded


def word_keys(forms: Sequence[str], language: str) -> list[str]:
    """:func:`word_key` of every form, for a whole vocabulary at once."""
    folded = [fold(form) for form in forms]
    stemmer = _stemmer(language.partition("-")[0].lower())
    if stemmer is None:
        return folded
    places = [place for place, form in enumerate(folded) if _STEMMABLE.fullmatch(form)]
    with _STEMMER_LOCK:
        stems = stemmer.stemWords([folded[place] for place in places])
    for place, stem in zip(places, stems, strict=True):
        folded[place] = stem or folded[place]
    return folded


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    name = _ALGORITHMS.get(language)
    # Without a cache of its own: word_key has one.
    return None if name is None else Stemmer.Stemmer(name, 0)
