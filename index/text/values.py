"""Values: which spellings of a section, a source or a name are the same, and its words.

A filter of a key must hold however a value is spelled: an article in *Confidential*
followed by a no-break space is not to pass a filter that excludes *Confidential*. So
everything that compares values compares their keys.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

import regex

from index.text.characters import APOSTROPHES, SPACELESS
from index.text.forms import MAX_FORM, fold_text

# Drawn as an empty space, though Unicode does not count them as white space.
_EMPTY = dict.fromkeys(map(ord, "\u2800\u3164\uffa0"), " ")

# Controls that are white space separate words; so do U+001C to U+001F for Python.
_INVISIBLE = regex.compile(
    r"(?V1)[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}"
    r"[\p{Cc}--[\p{White_Space}\x1c-\x1f]]\uFFF9-\uFFFC]+"
)

# Unicode's Stream-Safe Text Format: sorting longer runs of marks takes quadratic time.
_EXCESS_MARKS = regex.compile(r"(?<=\p{M}{30})\p{M}+")

_TYPOGRAPHIC = str.maketrans(
    dict.fromkeys(APOSTROPHES + "`‚‛‹›′\u05f3", "'")  # and the Hebrew geresh
    | dict.fromkeys("“”„‟«»〝〞〟\u05f4", '"')  # and gershayim
    | dict.fromkeys("‐‑‒–—―−﹘\ufe31\ufe32\u058a\u05be", "-")
    # The tatweel makes Arabic words longer on paper only.
    | {"\u2044": "/", "\u0640": None}
)

_LONE_ACUTE = regex.compile(r"[\s\x1c-\x1f]\u0301")

_DOTTED_I = regex.compile(r"i\p{M}+")

# Characters that are in normal form in any company, and whose key is their lower case.
_PLAIN_LETTER = (
    r"[[\x21-\x7e]--['`]]"
    r"||[À-ž--[×÷\u0130-\u0133\u013F\u0140\u0149]]"
    r"||[\u0400-\u045F\u0490-\u04FF]"
    r"||[\u3041-\u3096\u30A1-\u30FA\u30FC\u4E00-\u9FFF\uAC00-\uD7A3]"
)

# Most values: a key for them takes a fifth of the time.
_PLAIN = regex.compile(rf"(?V1)[{_PLAIN_LETTER}]++(?: [{_PLAIN_LETTER}]++)*+")

_WORD_START = regex.compile(
    rf"(?V1)(?<![\p{{L}}\p{{N}}\p{{M}}])[\p{{L}}\p{{N}}]|{SPACELESS.pattern}"
)

_SIGNS = regex.compile(r"[^\p{L}\p{N}\p{M}]+")


def value_key(value: str) -> str:
    """Key of a value: equal for the spellings of one value, and its own key.

    Spellings may differ in case, in compatible characters (wide, ligatures, Arabic
    presentation forms), in white space of any kind and amount, in invisible characters
    (soft hyphens, zero-width spaces and joiners, direction marks, variation selectors),
    in the typographic form of apostrophes, quotes and dashes, and in tatweels. Accents
    count.

    The Turkish *İ I ı i* are one letter: which is the capital of which depends on the
    language. All else is the compatibility caseless match of the Unicode Standard
    (section 3.13, D146).
    """
    if _PLAIN.fullmatch(value):
        return value.casefold()
    text = _INVISIBLE.sub("", value.translate(_EMPTY))
    # Before a tatweel goes, whose marks would come between the space and its acute.
    text = _LONE_ACUTE.sub("'", text)
    text = _EXCESS_MARKS.sub("", text).translate(_TYPOGRAPHIC)
    text = unicodedata.normalize("NFD", text).casefold()
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKD", text).translate(_TYPOGRAPHIC)
    # An acute accent alone becomes a space with an accent, a double prime two primes.
    text = _LONE_ACUTE.sub("'", text).replace("''", '"')
    text = _DOTTED_I.sub(_without_dot, text.replace("ı", "i"))
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _without_dot(letter: regex.Match[str]) -> str:
    return letter[0].replace("\u0307", "")


def folded_value(value: str) -> str:
    """Key of a value without accents, for text that somebody types."""
    return fold_text(value_key(value))


def words_of_value(value: str) -> list[tuple[str, ...]]:
    """Words of a value, in order, each with all that follows it up to a space.

    A word starts after a space or a sign, and in scripts without spaces at each
    character. It is there as written and, if a sign is in it, without the signs: the
    *Qa'ida* of *al-Qa'ida* is ``qa'ida`` and ``qaida``. Each form is folded, and cut
    after :data:`MAX_FORM` characters.
    """
    words: list[tuple[str, ...]] = []
    for chunk in folded_value(value).split(" "):
        if chunk.isascii() and chunk.isalnum():
            words.append((chunk[:MAX_FORM],))
            continue
        for start in _WORD_START.finditer(chunk):
            form = chunk[start.start() : start.start() + MAX_FORM]
            joined = form if form.isalnum() else _SIGNS.sub("", form)
            words.append((form,) if joined == form else (form, joined))
    return words


def typed_words(text: str) -> list[str]:
    """Words that somebody typed, folded as those of :func:`words_of_value` are."""
    chunks = folded_value(text).split(" ")
    starts = [(chunk, _WORD_START.search(chunk)) for chunk in chunks]
    return [
        chunk[start.start() : start.start() + MAX_FORM]
        for chunk, start in starts
        if start is not None
    ]


def has_words(value: str, typed: Sequence[str]) -> bool:
    """Whether each typed word starts a word of its own of a value, in any order."""
    words = words_of_value(value)
    if len(typed) > len(words):
        return False
    started = [[n for n, w in enumerate(words) if _starts(w, each)] for each in typed]
    taken: dict[int, int] = {}  # the typed word of each word that has one

    def place(which: int, seen: set[int]) -> bool:
        """Give a typed word one of its words, and move others if it must be."""
        for word in sorted(started[which], key=taken.__contains__):  # the free first
            if word not in seen:
                seen.add(word)
                if word not in taken or place(taken[word], seen):
                    taken[word] = which
                    return True
        return False

    return all(place(which, set()) for which in range(len(typed)))


def may_share_a_word(typed: Sequence[str]) -> bool:
    """Whether one word of a value may start with two of the typed ones.

    Signs do not count: *al-l* and *alla* are both at the start of *al-Lavi*.
    """
    plain = sorted(_SIGNS.sub("", each) for each in typed)
    # In order, what starts with a word stands right behind it.
    return any(later.startswith(each) for each, later in pairwise(plain))


def leads(value: str, typed: Sequence[str]) -> bool:
    """Whether the first typed word starts the first word of a value."""
    words = words_of_value(value)
    return bool(words and typed) and _starts(words[0], typed[0])


def _starts(forms: Iterable[str], typed: str) -> bool:
    """Whether a typed word starts one of the forms of a word."""
    return any(form.startswith(typed) for form in forms)
