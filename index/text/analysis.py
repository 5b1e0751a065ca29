"""Text analysis: the tokens, folding and stems that index, query and highlight share.

A **word** is a run of letters, digits and their marks, with single inner punctuation
(``U.S.``, ``C-17``, ``@handle``); a **form** is a spelling of it that can be found: in
lower case, NFKC, accents kept. Words take positions; a punctuated word takes one for
each of its parts and is found whole, without the punctuation, and by its parts. Scripts
written without spaces are found by pairs of characters. Every token is kept: there are
no stop words. An emoji is a word; other symbols (``&``, ``%``, ``€``) are none.

:func:`word_key` decides whether two forms are the same word in a language. Forms that
are not made of letters alone (``@handle``, ``f-16``, ``1990s``) have no stem.
``tests/golden/tokens`` tables all this by hand.
"""

from __future__ import annotations

import re
import threading
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

import regex
import Stemmer

# Forms and keys are stored in the index: raise the first number with every change of
# rule here. The libraries' versions belong to it, since they decide letters and stems.
ANALYZER_VERSION: int = zlib.crc32(
    f"1 {unicodedata.unidata_version} {Stemmer.version()}".encode()
)

MAX_PARTS = 8  # a punctuated word of more is only its parts: URLs, tables of figures
MAX_FORM = 100  # characters kept of a form, and the longest punctuated word kept whole
_CACHED_WORDS = 100_000  # distinct surface words kept analysed, some 500 bytes each

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

Span = tuple[int, int]  # start and end of a part of a text, in code points


class Tokens(NamedTuple):
    """The tokens of a text, as parallel lists, by position and then by appearance."""

    forms: list[str]  # NFKC and casefolded, accents kept, ' and - for typographic ones
    positions: list[int]  # from 0
    widths: list[int]  # positions covered: 1, or the parts of a whole punctuated word
    starts: list[int]  # code points into the text: what is marked for the form
    ends: list[int]
    length: int  # positions that the text takes


class _Word(NamedTuple):
    """What a surface word stands for, as offsets from its own start and position."""

    forms: Sequence[str]
    positions: Sequence[int]
    widths: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    length: int
    phrase: Sequence[str]  # the forms that find it, one a position
    exact: Sequence[str]  # the forms that find it as it is spelt
    is_run: bool = False  # of a script without spaces


# Modifier letters among them: Hawaiʻi, Qurʾan, the Ukrainian п’ять.
_APOSTROPHES = "'‘’\u02bb\u02bc\u02be\u02bf＇"
_SPELLED = str.maketrans(
    dict.fromkeys(_APOSTROPHES + "\u05f3", "'")  # geresh
    | dict.fromkeys("\u2010\u2011", "-")
    | dict.fromkeys("“”\u05f4", '"')  # gershayim, and what is typed for it
    | {"\u2044": "/"}
)
# Of one code point each, so that offsets stay. They make most news in English ASCII.
_TO_ASCII = (
    ("’", "'"),
    ("‘", "'"),
    ("“", '"'),
    ("”", '"'),
    ("–", " "),
    ("—", " "),
    ("…", " "),
    ("\xa0", " "),
    ("\u2010", "-"),
    ("\u2011", "-"),
)

# Characters of scripts written without spaces; 々 and ー live in more than one script.
_SPACELESS = (
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\u3006\u3031-\u3035\u303C\u30FC\uFF70\uFF9E\uFF9F]&&[\p{L}\p{N}]]"
)
# Invisible and no break: soft hyphen, joiners, direction marks, variation selectors.
# Zero width space is not among them: it says where a word ends.
_IGNORED = r"[\p{Default_Ignorable_Code_Point}--\u200B]"
_LETTER = (
    rf"[[\p{{L}}\p{{N}}]--{_SPACELESS}--\p{{Default_Ignorable_Code_Point}}"
    rf"--[{_APOSTROPHES}]]"
)
_BODY = rf"[{_LETTER}||\p{{M}}||{_IGNORED}]"
_CORE = rf"{_LETTER}{_BODY}*+"
_JOINERS = rf"{_APOSTROPHES}\u05F3.\-/_&+@·\u2010\u2011\u2044．－／＿＆＋＠"
_POSSESSED_ABBREVIATION = rf"(?:[.．][{_APOSTROPHES}][sSｓＳ](?!{_BODY}))?"  # U.S.'s

_ASCII_SURFACE = re.compile(
    r"(?:(?<![A-Za-z0-9])[@#])?[A-Za-z0-9]++"
    r"(?:(?:[.'\-/_&+@]|(?<=[0-9])[,:](?=[0-9]))[A-Za-z0-9]++)*+"
    r"(?:\.'[sS](?![A-Za-z0-9]))?"
)
_SURFACE = regex.compile(
    rf"""(?V1)(?:(?<!{_BODY})[@\#＠＃])?{_CORE}
    (?:(?:[{_JOINERS}]
        |(?<=\p{{Nd}})[,:，：\u066B\u066C](?=\p{{Nd}})
        |(?<=\p{{Hebrew}})["“”\u05F4](?=\p{{Hebrew}})
       ){_CORE})*+{_POSSESSED_ABBREVIATION}
    |{_SPACELESS}[{_SPACELESS}||\p{{M}}||{_IGNORED}]*+
    |\p{{Regional_Indicator}}{{2}}
    |(?:\p{{Emoji_Presentation}}
        |\p{{Extended_Pictographic}}(?=[\uFE0F\p{{Emoji_Modifier}}]))
     [\uFE0F\p{{Emoji_Modifier}}]*+
     (?:\u200D\p{{Extended_Pictographic}}[\uFE0F\p{{Emoji_Modifier}}]*+)*+""",
    regex.VERBOSE,
)
_PART = regex.compile(rf"(?V1){_CORE}")
# What compatibility forms become may be of any script: ㊀ is 一, ½ is 1⁄2.
_NORMAL_PART = regex.compile(
    rf"(?V1)[{_LETTER}||{_SPACELESS}][{_BODY}||{_SPACELESS}]*+"
)
_IS_INVISIBLE = regex.compile(rf"(?V1)[{_IGNORED}--\p{{M}}]")
_IS_SPACELESS = regex.compile(rf"(?V1){_SPACELESS}")
# Plain characters: each is its own unit and its own normal form.
_PLAIN_RUN = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff]+")
# What is paired: a character with its marks. The Thai and Lao vowel am is a mark here,
# also where NFKC has parted it; so are the voicing marks of halfwidth kana.
_UNIT = regex.compile(
    rf"(?V1){_SPACELESS}[\p{{M}}||{_IGNORED}||\uFF9E\uFF9F]*+"
    r"(?:[\u0E33\u0EB3]|(?<=\u0E4D)\u0E32|(?<=\u0ECD)\u0EB2)?"
)

_DROPPED = regex.compile(
    r"(?V1)[[\p{Default_Ignorable_Code_Point}--[\u200B-\u200D]]||\p{Me}]+"
)
# Unicode's Stream-Safe Text Format; sorting longer runs of marks takes quadratic time.
_EXCESS_MARKS = regex.compile(r"(?<=\p{M}{30})\p{M}+")
_FRACTION = regex.compile(r"(?<=\p{Nd})(?=[\u00BC-\u00BE\u2150-\u215E\u2189])")
_ACCENTED = regex.compile(r"(?V1)([[\p{Latin}\p{Greek}]&&\p{L}])\p{M}+")
_JOINER = re.compile("[\u200c\u200d]+")
_STEMMABLE = regex.compile(r"[\p{L}\p{M}]+")
_PLAIN_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\u200C\u200D]+")
_FOLDED = str.maketrans("đɖɗðłøıȷħŧŋɓƙƴς", "ddddloijhtnbkyσ") | {
    ord("ß"): "ss",
    ord("æ"): "ae",
    ord("œ"): "oe",
    ord("þ"): "th",
}


def analyse(text: str) -> Tokens:
    """Return the tokens of a text, in time linear in its length.

    Words of more than 8 parts or 100 characters give only their parts, each marked by
    itself; forms are cut at 100 characters.
    """
    forms: list[str] = []
    positions: list[int] = []
    widths: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    position = end = 0
    text, surfaces = _surfaces(text)
    # Between two surfaces there is nothing that a surface could start with, so the
    # next occurrence is the one that the pattern matched; match objects cost more.
    find, word_of = text.index, _WORDS.__getitem__
    for surface in surfaces:
        start = find(surface, end)
        end = start + len(surface)
        word = word_of(surface)
        if isinstance(word, str):
            forms.append(word)
            positions.append(position)
            widths.append(1)
            starts.append(start)
            ends.append(end)
            position += 1
        else:
            forms += word.forms
            positions += [position + n for n in word.positions]
            widths += word.widths
            starts += [start + n for n in word.starts]
            ends += [start + n for n in word.ends]
            position += word.length
    return Tokens(forms, positions, widths, starts, ends, position)


class Word(NamedTuple):
    """What a surface word gives an index: its tokens, from its own position on."""

    forms: Sequence[str]
    positions: Sequence[int]  # from 0, ascending
    widths: Sequence[int]
    length: int  # positions that it takes


def surfaces(text: str) -> list[str]:
    """Return the words of a text as they are written, to be looked up one by one.

    What :func:`analyse` says of a text follows from :func:`word` of each: an index,
    which needs no place in the text, does without the rest.
    """
    return _surfaces(text)[1]


def word(surface: str) -> Word:
    """Return the tokens of one of the :func:`surfaces` of a text."""
    found = _WORDS[surface]
    if isinstance(found, str):
        return Word((found,), (0,), (1,), 1)
    return Word(found.forms, found.positions, found.widths, found.length)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand, as they are written, in order.

    A punctuated word is one, its possessive included; of a script written without
    spaces each character with its marks is one.
    """
    spans: list[tuple[int, int]] = []
    end = 0
    text, found = _surfaces(text)
    for surface in found:
        start = text.index(surface, end)
        end = start + len(surface)
        if _IS_SPACELESS.match(surface):
            starts = [start + match.start() for match in _UNIT.finditer(surface)]
            spans += zip(starts, [*starts[1:], end], strict=True)
        else:
            spans.append((start, end))
    return spans


def plain_form(chunk: str) -> str | None:
    """Return the one form of a word of ASCII letters and digits; ``None`` of others.

    What most words of English text are, told without looking for words in them.
    """
    if chunk.isascii() and chunk.isalnum():
        return chunk.lower()[:MAX_FORM]
    return None


def stem_language(language: str) -> str:
    """Return what decides how words of a language are stemmed: '' if nothing does.

    Two languages of which this is the same have the same :func:`word_key` for any form.
    """
    primary = language.partition("-")[0].lower()
    return primary if primary in _ALGORITHMS else ""


def query_forms(text: str) -> tuple[str, ...]:
    """Return the forms that must follow each other for a typed word or phrase.

    A punctuated word is sought by its parts, so that ``C-17`` finds C-17, C 17 and
    C/17; each form stands one position after the one before. Empty if nothing in the
    text can be searched for.
    """
    forms: list[str] = []
    word: str | _Word = ""
    for surface in _surfaces(text)[1]:
        word = _WORDS[surface]
        forms += (word,) if isinstance(word, str) else word.phrase
    return _without_last_unit(forms, word)


def exact_forms(text: str) -> tuple[str, ...]:
    """Return the forms that must follow each other for ``=word`` or ``="exact form"``.

    One whole form a word; each stands where the one before ends, by its width.
    """
    forms: list[str] = []
    word: str | _Word = ""
    for surface in _surfaces(text)[1]:
        word = _WORDS[surface]
        forms += (word,) if isinstance(word, str) else word.exact
    return _without_last_unit(forms, word)


def fold(form: str) -> str:
    """Return a form without the accents of Latin and Greek letters, and joiners.

    Marks of other scripts are letters of theirs and stay. ``*`` and ``?`` of a pattern
    are left alone.
    """
    if form.isascii():
        return form
    form = unicodedata.normalize("NFD", _JOINER.sub("", form))
    return unicodedata.normalize("NFC", _ACCENTED.sub(r"\1", form).translate(_FOLDED))


def fold_text(text: str) -> str:
    """Return a typed string, such as a prefix or a facet value, as folded forms are."""
    return fold(_normal(text))


@lru_cache(maxsize=200_000)
def word_key(form: str, language: str) -> str:
    """Return what two forms share if they are the same word in a language.

    :param language: a BCP 47 tag; a language without a stemmer gives the folded form.
    """
    folded = fold(form)
    stemmer = _stemmer(language.partition("-")[0].lower())
    if stemmer is None or not _STEMMABLE.fullmatch(folded):
        return folded
    with _STEMMING:  # a stemmer keeps the word it works on
        stem: str = stemmer.stemWord(folded)
    return stem or folded


def word_keys(forms: Sequence[str], language: str) -> list[str]:
    """Return the :func:`word_key` of each form, for a whole vocabulary at once."""
    folded = [fold(form) for form in forms]
    stemmer = _stemmer(language.partition("-")[0].lower())
    if stemmer is None:
        return folded
    places = [at for at, form in enumerate(folded) if _STEMMABLE.fullmatch(form)]
    with _STEMMING:
        stems = stemmer.stemWords([folded[at] for at in places])
    for at, stem in zip(places, stems, strict=True):
        folded[at] = stem or folded[at]
    return folded


def is_plain(form: str) -> bool:
    """Say whether a form is a word of letters, digits and their marks alone."""
    return form.isalnum() or _PLAIN_WORD.fullmatch(form) is not None


def is_single_cjk(form: str) -> bool:
    """Say whether a form is one character of a script written without spaces.

    It then matches every token that starts with it, since such tokens are pairs.
    """
    return not form.isascii() and _UNIT.fullmatch(form) is not None


def same_word(form: str, token: str, language: str) -> bool:
    """Say whether a query's form matches a token of an article in a language."""
    if is_single_cjk(form):
        return fold(token).startswith(fold(form))
    return word_key(form, language) == word_key(token, language)


def _surfaces(text: str) -> tuple[str, list[str]]:
    """Return the text as read, no longer or shorter, and the words in it."""
    if not text.isascii():
        for typographic, plain in _TO_ASCII:
            text = text.replace(typographic, plain)
        if not text.isascii():
            return text, _SURFACE.findall(text)
    return text, _ASCII_SURFACE.findall(text)


def _without_last_unit(forms: list[str], word: str | _Word) -> tuple[str, ...]:
    """Drop the unit that ends a run of pairs, where nothing need follow it."""
    if not isinstance(word, str) and word.is_run and word.length > 1:
        del forms[-1]
    return tuple(forms)


class _Words(dict[str, "str | _Word"]):
    """Surface words already analysed; a plain word is simply its form."""

    def __missing__(self, surface: str) -> str | _Word:
        plain = plain_form(surface)
        if plain is not None:
            word: str | _Word = plain
        elif _IS_SPACELESS.match(surface):
            return _run(surface)  # seldom seen again
        else:
            word = _word(surface)
        if len(surface) <= MAX_FORM:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[surface] = word
        return word


_WORDS = _Words()


def _word(surface: str) -> str | _Word:
    """Analyse a word of a script with spaces, or an emoji."""
    end = _end_without_possessive(surface)
    body = surface[:end]
    whole = _normal(body)
    parts: list[tuple[str, int, int]] = [
        (form[:MAX_FORM], match.start(), match.end())
        for match in _PART.finditer(body)
        for form in _NORMAL_PART.findall(_normal(match[0]))
    ]
    if not parts:  # an emoji, or one that stands for letters: 🆗
        form = whole[:MAX_FORM]
        return _Word((form,), (0,), (1,), (0,), (end,), 1, (form,), (form,))
    forms = tuple(form for form, _, _ in parts)
    count = len(forms)
    if count > MAX_PARTS or len(whole) > MAX_FORM or " " in whole:
        return _Word(
            forms,
            range(count),
            (1,) * count,
            tuple(start for _, start, _ in parts),
            tuple(end for _, _, end in parts),
            count,
            phrase=forms,
            exact=forms,
        )
    if count == 1 and whole[0] not in "@#":
        if end == len(surface):
            return forms[0]
        return _Word(forms, (0,), (1,), (0,), (end,), 1, forms, forms)
    spellings = [whole]
    joined = _normal("".join(forms))
    if joined not in (whole, *forms):
        spellings.append(joined)
    return _Word(
        (*spellings, *forms),
        (*(0 for _ in spellings), *range(count)),
        (*(count for _ in spellings), *(1 for _ in forms)),
        (0,) * (len(spellings) + count),
        (end,) * (len(spellings) + count),
        count,
        phrase=(whole,) if count == 1 else forms,
        exact=(whole,),
    )


def _end_without_possessive(surface: str) -> int:
    end = len(surface)
    while _IS_INVISIBLE.match(surface, end - 1):
        end -= 1
    if end > 2 and surface[end - 1] in "sSｓＳ" and surface[end - 2] in _APOSTROPHES:
        end -= 2
        if surface[end - 1] in ".．":
            end -= 1
    return end


def _run(surface: str) -> _Word:
    """Analyse a run of a script without spaces: pairs, and its last character alone."""
    if _PLAIN_RUN.fullmatch(surface):
        units = list(surface)
        bounds = list(range(len(surface) + 1))
    else:
        found = list(_UNIT.finditer(surface))
        units = [_normal(match[0])[: MAX_FORM // 2] for match in found]
        bounds = [*(match.start() for match in found), len(surface)]
    count = len(units)
    forms = [first + second for first, second in pairwise(units)]
    forms.append(units[-1])
    return _Word(
        forms,
        range(count),
        [1] * count,
        bounds[:-1],
        [*bounds[2:], bounds[-1]],
        count,
        phrase=forms,
        exact=forms,
        is_run=True,
    )


def _normal(text: str) -> str:
    """Return a text in NFKC, casefolded, with plain apostrophes and hyphens."""
    if text.isascii():
        return text.lower()
    text = _EXCESS_MARKS.sub("", _DROPPED.sub("", text))
    text = _FRACTION.sub("-", text)  # 3½ is 3-1/2
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # Turkish İ would keep a dot over its i, which has one.
    text = text.translate(_SPELLED).replace("i\u0307", "i")
    text = text.replace("\u0e4d\u0e32", "\u0e33").replace("\u0ecd\u0eb2", "\u0eb3")
    return unicodedata.normalize("NFC", text)


_STEMMING = threading.Lock()


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    name = _ALGORITHMS.get(language)
    return None if name is None else Stemmer.Stemmer(name, 0)  # key() has the cache


# A full stop behind one of these ends no sentence; it may, but a sentence too long is
# better than half a one.
_SHORT = (
    r"Mrs?|Ms|Mx|Drs?|Profs?|Revs?|Hon|Gens?|Lt|Maj|Col|Capt|Cmdr|Adm|Sgt|Cpl|Pvt"
    r"|Govs?|Sens?|Reps?|Pres|Supt|Insp|Det|St|Ste|Mt|Ft|Jr|Sr|vs?|cf|Nos?|ca"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Inc|Corp|Co|Ltd|Bros|Ave"
    r"|\p{L}"  # initials, and the last letter of U.S. or p.m.
)


_ENDS_SHORT = regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?:{_SHORT})\Z")


_QUOTES = r"[\"'”’»›)\]]*+"


# Each run of stops is tried once, where it starts: the search stays linear.
_SENTENCE_END = regex.compile(
    rf"(?<![.…])(?P<stop>[.…]++){_QUOTES}(?=\s+[^\s\p{{Ll}}])"
    rf"|(?<![!?؟।॥۔։።])[!?؟।॥۔։።]++{_QUOTES}(?=\s+[^\s\p{{Ll}}])"
    r"|(?<![。！？｡])[。！？｡]++[」』）〉》】”’]*+"
    r"|\n\s*\n"
)


def sentences(text: str) -> list[Span]:
    """Return the span of each sentence, without the space around it.

    A full stop ends one if a space and no small letter follow, and what is before it is
    no initial, abbreviation or title. Full stops of scripts without spaces need none.
    """
    bounds = [0]
    for match in _SENTENCE_END.finditer(text):
        stop = match["stop"]
        # Looking back a few letters only, so that the whole stays linear.
        before = text[max(match.start() - 20, 0) : match.start()]
        if stop != "." or not _ENDS_SHORT.search(before):
            bounds.append(match.end())
    bounds.append(len(text))
    found: list[Span] = []
    for start, end in pairwise(bounds):
        sentence = text[start:end]
        if stripped := sentence.strip():
            start += len(sentence) - len(sentence.lstrip())
            found.append((start, start + len(stripped)))
    return found
