"""Text analysis: the tokens that index, query and highlighting share.

A **word** is a run of letters, digits and their marks, with single punctuation inside
(``U.S.``, ``C-17``, ``@handle``). A **form** is a spelling of it that can be found:
lower case, NFKC, accents kept. Words take positions. A punctuated word takes one for
each of its parts, and is found whole, by its parts, and by every run of parts without
the punctuation. A number is one word, found as it is written and by its plain figures.
Scripts written without spaces are indexed as pairs of characters. There are no stop
words. An emoji is a word; other symbols (``&``, ``%``, ``€``) are not.

:func:`index.text.word_key` decides whether two forms are the same word in a language.
Forms with anything but letters (``@handle``, ``f-16``, ``1990s``) are not stemmed.
``tests/golden/tokens`` holds tables of all this, written by hand.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator

import Stemmer

from index.deadline import Check, never
from index.text.characters import NUMBER, SPACELESS, UNIT, Span
from index.text.conventions import CONVENTIONS, DEFAULT, convention_of
from index.text.numbers import has_number_signs, plain_figures, with_groups_joined
from index.text.tokens import Analysis, Tokens
from index.text.words import analysis_of, surfaces_of, tokens_of


def analyse(text: str, language: str = "", check: Check = never) -> Tokens:
    """Tokens of a text, in time linear in its length.

    :param language: of its article, as a BCP 47 tag; ``""`` if it is unknown, or if the
        text is a query. It decides how numbers and elisions are read.
    :param check: called every some words; it may raise to stop the analysis.

    Words of more than 8 parts or 100 characters give their parts only, each marked by
    itself. Forms are cut at 100 characters.
    """
    return tokens_of(text, convention_of(language), check)


_OTHER_SPACE = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
# A text with one of each kind of word. Python and its libraries read it as well: an
# index that was built by one that reads it otherwise is not used.
SAMPLE = "Kerry's U.S.-led @plan 1,234.5 3.11.2: naïve O’Neil, 中国政府 서울에서 10㎏"
# Forms and keys are stored in the index: raise the first number with every change to
# the rules of this package. The library versions decide which characters are letters,
# and the stems.
ANALYZER_VERSION: int = zlib.crc32(
    f"5 {unicodedata.unidata_version} {Stemmer.version()} {analyse(SAMPLE)}".encode()
)


def surfaces(text: str) -> list[str]:
    """The words of a text as they are written.

    :func:`analysis_of` gives the tokens of each, as :func:`analyse` gives those of all.
    """
    return surfaces_of(text)[1]


def with_ascii_spaces(text: str) -> str:
    """Text of the same words; white space that separates any is that of ASCII."""
    if text.isascii() or _OTHER_SPACE.search(text) is None:
        return text
    return " ".join(with_groups_joined(text).split())


def word_spans(text: str) -> list[Span]:
    """Spans of the words of a text as they are written, in order.

    A punctuated word is one, its possessive included. In scripts written without spaces
    each character with its marks is one.
    """
    spans: list[Span] = []
    end = 0
    text, words = surfaces_of(text)
    for surface in words:
        start = text.index(surface, end)
        end = start + len(surface)
        if SPACELESS.match(surface):
            starts = [start + match.start() for match in UNIT.finditer(surface)]
            spans += zip(starts, [*starts[1:], end], strict=True)
        else:
            spans.append((start, end))
    return spans


def query_forms(text: str) -> tuple[str, ...]:
    """Forms that must follow each other to match a typed word or phrase.

    A punctuated word is looked up by its parts, so that ``C-17`` finds C-17, C 17 and
    C/17; a number by its plain figures. Each form stands one position after the
    previous one. Empty if the text holds nothing searchable.
    """
    forms: list[str] = []
    analysis: str | Analysis = ""
    for surface in surfaces_of(text)[1]:
        analysis = analysis_of(surface, DEFAULT)
        forms += (analysis,) if isinstance(analysis, str) else analysis.phrase
    return _without_last_unit(forms, analysis)


def exact_forms(text: str) -> tuple[str, ...]:
    """Forms that must follow each other to match ``=word`` or ``="exact form"``.

    One whole form for each word; each starts where the previous one ends, by its width.
    """
    forms: list[str] = []
    analysis: str | Analysis = ""
    for surface in surfaces_of(text)[1]:
        analysis = analysis_of(surface, DEFAULT)
        forms += (analysis,) if isinstance(analysis, str) else analysis.exact
    return _without_last_unit(forms, analysis)


def number_readings(text: str) -> tuple[str, ...]:
    """Typed text in every way to read its numbers, which are in plain figures.

    A query has no language: 1,500 may be 1500 or 1.500. But a text is written by one
    convention, so each gives one reading. Those with fewer points come first, however
    the numbers were typed.
    """
    plain, _ = surfaces_of(text)
    numbers = [
        (start + match.start(), start + match.end(), match)
        for start, end in _surface_spans(text)
        if has_number_signs(plain[start:end])
        for match in NUMBER.finditer(plain[start:end])
    ]
    figures_of = [
        [plain_figures(match, convention) for convention in CONVENTIONS]
        for _, _, match in numbers
    ]
    readings: dict[str, None] = {}
    for place in range(len(CONVENTIONS)):
        pieces: list[str] = []
        at = 0
        for (start, end, _), figures in zip(numbers, figures_of, strict=True):
            # What one convention does not read as a number, another may.
            reading = figures[place] or next(filter(None, figures), None)
            if reading is not None:
                pieces += (text[at:start], reading)
                at = end
        readings["".join([*pieces, text[at:]])] = None
    return tuple(sorted(readings, key=lambda reading: reading.count(".")))


def adjoining_spans(text: str) -> list[Span]:
    """Spans of the words of a text, where words with nothing between them are one."""
    spans: list[Span] = []
    for start, end in _surface_spans(text):
        if spans and spans[-1][1] == start:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return spans


def _surface_spans(text: str) -> Iterator[Span]:
    """Yield the span of each word of a text as it is written."""
    end = 0
    text, words = surfaces_of(text)
    for surface in words:
        start = text.index(surface, end)
        end = start + len(surface)
        yield start, end


def _without_last_unit(forms: list[str], analysis: str | Analysis) -> tuple[str, ...]:
    """Forms without the unit that ends a run of pairs: anything may follow it."""
    if not isinstance(analysis, str) and analysis.is_run and analysis.length > 1:
        del forms[-1]
    return tuple(forms)
