"""Forms: the spellings of a word that are indexed, and their folding."""

from __future__ import annotations

import re
import unicodedata

import regex

from index.text.characters import PLAIN_PUNCTUATION, PLAIN_RUN, UNIT
from index.text.letters import OPTIONAL_MARKS, with_ascii_digits, with_common_letters

MAX_FORM = 100  # characters of a form, and of the longest punctuated word kept whole

_DROPPED = regex.compile(
    r"(?V1)[[\p{Default_Ignorable_Code_Point}--[\u200B-\u200D]]||\p{Me}"
    rf"||[{OPTIONAL_MARKS}]]+"
)

_OPTIONAL_MARKS = regex.compile(rf"[{OPTIONAL_MARKS}]+")

# Unicode's Stream-Safe Text Format: sorting longer runs of marks takes quadratic time.
_EXCESS_MARKS = regex.compile(r"(?<=\p{M}{30})\p{M}+")

_FRACTION = regex.compile(r"(?<=\p{Nd})(?=[\u00BC-\u00BE\u2150-\u215E\u2189])")

_ACCENTED = regex.compile(r"(?V1)([[\p{Latin}\p{Greek}]&&\p{L}])\p{M}+")

_JOINER = re.compile("[\u200c\u200d]+")

_PLAIN_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\u200C\u200D]+")

# Words of letters that each are in normal form in any company, once casefolded: without
# letters of which the compatibility form or the casefolding is another one or several,
# and without marks that join to letters. :func:`plain_letters` spells them.
_LETTERS = (
    "0-9A-Za-zÀ-ÖØ-öø-\u012f\u0134-\u013e\u0141-\u0148\u014a-\u017e"
    "\u0386\u0388-\u038a\u038c\u038e\u038f\u0391-\u03a1\u03a3-\u03af\u03b1-\u03ce"
    "\u0400-\u0481\u048a-\u052f\u0531-\u0556\u0561-\u0586\u05d0-\u05ea"
    "\u0621-\u063a\u0641-\u064a\u0671-\u0674\u0679-\u06d3\uac00-\ud7a3"
)
_DEVANAGARI = "[\u0904-\u0939][\u0901-\u0903\u093e-\u094d]{0,3}"
_PLAIN_LETTERS = re.compile(f"(?:[{_LETTERS}]|{_DEVANAGARI})+")

# Ends a loose form. No text holds it in a form, so none equals a loose form, and it
# sorts before every letter.
LOOSE_MARK = "\x1e"

_FOLDED = str.maketrans("đɖɗðłøıȷħŧŋɓƙƴς", "ddddloijhtnbkyσ") | {
    ord("ß"): "ss",
    ord("æ"): "ae",
    ord("œ"): "oe",
    ord("þ"): "th",
}


def plain_form(chunk: str) -> str | None:
    """Form of a chunk of ASCII letters and digits alone; ``None`` for any other chunk.

    A shortcut for most words of English text, without running the word patterns.
    """
    if chunk.isascii() and chunk.isalnum():
        return chunk.lower()[:MAX_FORM]
    return None


def plain_letters(chunk: str) -> str | None:
    """Form of a chunk of letters that need no normalising; ``None`` for any other.

    A shortcut, like :func:`plain_form`, for most words of alphabets beside Latin.
    """
    if _PLAIN_LETTERS.fullmatch(chunk) is None:
        return None
    return _casefolded(chunk)[:MAX_FORM]


def loose(form: str) -> str:
    """Form that the loose searches (words, phrases, prefixes …) find as this one.

    An exact search never does, since it compares forms. ``oneill`` of O'Neill is one.
    """
    return form + LOOSE_MARK


def fold(form: str) -> str:
    """Form without joiners and accents, with one spelling for each letter.

    Accents are those of Latin and Greek letters; :mod:`index.text.letters` has the
    letters with several spellings. A loose form folds like the one it is made of. Other
    marks stay, since they are letters; so do ``*`` and ``?`` of a wildcard.
    """
    form = form.rstrip(LOOSE_MARK)
    if form.isascii() or PLAIN_RUN.fullmatch(form):
        return form
    form = unicodedata.normalize("NFD", _JOINER.sub("", form))
    form = with_common_letters(form)
    return unicodedata.normalize("NFC", _ACCENTED.sub(r"\1", form).translate(_FOLDED))


def fold_text(text: str) -> str:
    """Typed text, such as a prefix or a facet value, normalised and folded."""
    return fold(normal_form(text))


def is_plain(form: str) -> bool:
    """Whether a form has only letters, digits and their marks."""
    return form.isalnum() or _PLAIN_WORD.fullmatch(form) is not None


def is_single_cjk(form: str) -> bool:
    """Whether a form is one character of a script written without spaces.

    It matches every token that starts with it, since tokens of such scripts are pairs.
    """
    return not form.isascii() and UNIT.fullmatch(form) is not None


def normal_form(text: str) -> str:
    """Text in NFKC, casefolded but for ß, with ASCII apostrophes, hyphens and digits.

    Marks that writers may leave out are removed.
    """
    if text.isascii():
        return text.lower()
    text = _EXCESS_MARKS.sub("", _DROPPED.sub("", text))
    text = _FRACTION.sub("-", text)  # 3½ is 3-1/2
    text = unicodedata.normalize("NFKC", text).replace("ẞ", "ß")
    text = _casefolded(text)
    text = unicodedata.normalize("NFKC", text)
    # Turkish İ casefolds to i and a combining dot; the i has a dot already.
    text = text.translate(PLAIN_PUNCTUATION).replace("i\u0307", "i")
    text = with_ascii_digits(_OPTIONAL_MARKS.sub("", text))  # of presentation forms
    text = text.replace("\u0e4d\u0e32", "\u0e33").replace("\u0ecd\u0eb2", "\u0eb3")
    return unicodedata.normalize("NFC", text)


def _casefolded(text: str) -> str:
    # Casefolding would make ss of ß, which an exact search tells apart.
    return "ß".join(piece.casefold() for piece in text.split("ß"))
