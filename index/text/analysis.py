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

import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import regex
import Stemmer

from index.text.characters import (
    APOSTROPHES,
    ASCII_SURFACE,
    INVISIBLE,
    NUMBER,
    NUMBER_SIGNS,
    PLAIN_RUN,
    SPACELESS,
    SURFACE,
    TO_ASCII,
    UNIT,
    Span,
)
from index.text.conventions import CONVENTIONS, DEFAULT, Convention, convention_of
from index.text.forms import LOOSE_MARK, MAX_FORM, loose, normal_form, plain_form
from index.text.korean import nouns
from index.text.numbers import has_number_signs, plain_figures, with_groups_joined
from index.text.parts import Part, figures_meet, parts_of, runs_of
from index.text.symbols import HAS_WORD_SYMBOL, written_out

# Forms and keys are stored in the index: raise the first number with every change to
# the rules of this package. The library versions decide which characters are letters,
# and the stems.
ANALYZER_VERSION: int = zlib.crc32(
    f"3 {unicodedata.unidata_version} {Stemmer.version()}".encode()
)

MAX_PARTS = 8  # a word of more gives its parts only: URLs, tables of figures
_DEPENDING = regex.compile(rf"[{APOSTROPHES}](?=\p{{L}})|[{NUMBER_SIGNS}]\p{{Nd}}")
_CACHED_WORDS = 100_000  # distinct words whose analysis is kept, some 500 bytes each


class Tokens(NamedTuple):
    """The tokens of a text, as parallel lists: by position, then in order of text."""

    forms: list[str]  # NFKC and casefolded, accents kept, ' and - for typographic ones
    positions: list[int]  # from 0
    widths: list[int]  # positions covered: 1, or the parts of a whole punctuated word
    starts: list[int]  # code points: the piece of text to mark for the form
    ends: list[int]
    length: int  # number of positions in the text


class _Analysis(NamedTuple):
    """The tokens of one word, as offsets from its start and its position."""

    forms: Sequence[str]
    positions: Sequence[int]
    widths: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    length: int
    phrase: Sequence[str]  # the forms that find it, one for each position
    exact: Sequence[str]  # the forms that find it as it is spelt
    is_run: bool = False  # of a script without spaces


class _ByConvention(dict[Convention, _Analysis]):
    """The analyses of a word that conventions read in different ways."""


def analyse(text: str, language: str = "") -> Tokens:
    """Tokens of a text, in time linear in its length.

    :param language: of its article, as a BCP 47 tag; ``""`` if it is unknown, or if the
        text is a query. It decides how numbers and elisions are read.

    Words of more than 8 parts or 100 characters give their parts only, each marked by
    itself. Forms are cut at 100 characters.
    """
    return _tokens(text, convention_of(language))


def _tokens(text: str, convention: Convention) -> Tokens:
    forms: list[str] = []
    positions: list[int] = []
    widths: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    position = end = 0
    text, words = _surfaces(text)
    # No surface can start between two matches, so the next occurrence of a surface is
    # the one that the pattern matched. Match objects would cost more.
    find, analysis_of = text.index, _ANALYSES.__getitem__
    for surface in words:
        start = find(surface, end)
        end = start + len(surface)
        analysis = analysis_of(surface)
        if isinstance(analysis, str):
            forms.append(analysis)
            positions.append(position)
            widths.append(1)
            starts.append(start)
            ends.append(end)
            position += 1
        else:
            if isinstance(analysis, _ByConvention):
                analysis = analysis[convention]
            forms += analysis.forms
            positions += [position + n for n in analysis.positions]
            widths += analysis.widths
            starts += [start + n for n in analysis.starts]
            ends += [start + n for n in analysis.ends]
            position += analysis.length
    return Tokens(forms, positions, widths, starts, ends, position)


class Word(NamedTuple):
    """The tokens of one word for an index, from the word's own position on."""

    forms: Sequence[str]
    positions: Sequence[int]  # from 0, ascending
    widths: Sequence[int]
    length: int  # number of positions


def surfaces(text: str) -> list[str]:
    """The words of a text as they are written.

    :func:`word` gives the tokens of each: all that an index needs of :func:`analyse`,
    without the offsets.
    """
    return _surfaces(text)[1]


def word(surface: str, convention: Convention = DEFAULT) -> Word:
    """Tokens of one of the :func:`surfaces` of a text."""
    analysis = _analysis_of(surface, convention)
    if isinstance(analysis, str):
        return Word((analysis,), (0,), (1,), 1)
    return Word(analysis.forms, analysis.positions, analysis.widths, analysis.length)


def depends_on_convention(chunk: str) -> bool:
    """Whether the words of a piece of text may differ between conventions."""
    return _DEPENDING.search(chunk) is not None


def split(text: str) -> list[str]:
    """Pieces of a text between white space, none of which cuts a word in two."""
    return with_groups_joined(text).split()


def word_spans(text: str) -> list[Span]:
    """Spans of the words of a text as they are written, in order.

    A punctuated word is one, its possessive included. In scripts written without spaces
    each character with its marks is one.
    """
    spans: list[Span] = []
    end = 0
    text, words = _surfaces(text)
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
    analysis: str | _Analysis = ""
    for surface in _surfaces(text)[1]:
        analysis = _analysis_of(surface, DEFAULT)
        forms += (analysis,) if isinstance(analysis, str) else analysis.phrase
    return _without_last_unit(forms, analysis)


def exact_forms(text: str) -> tuple[str, ...]:
    """Forms that must follow each other to match ``=word`` or ``="exact form"``.

    One whole form for each word; each starts where the previous one ends, by its width.
    """
    forms: list[str] = []
    analysis: str | _Analysis = ""
    for surface in _surfaces(text)[1]:
        analysis = _analysis_of(surface, DEFAULT)
        forms += (analysis,) if isinstance(analysis, str) else analysis.exact
    return _without_last_unit(forms, analysis)


def number_readings(text: str) -> list[tuple[str, ...]]:
    """Typed text in pieces, each with the ways in which it can be read.

    A query has no language: 1,500 may be 1500 or 1.500. Numbers are in plain figures;
    any other piece has one reading, itself.
    """
    pieces: list[tuple[str, ...]] = []
    plain, _ = _surfaces(text)
    at = 0
    for start, end in _surface_spans(text):
        if not has_number_signs(plain[start:end]):
            continue
        for match in NUMBER.finditer(plain[start:end]):
            readings = {
                figures
                for convention in CONVENTIONS
                if (figures := plain_figures(match, convention)) is not None
            }
            if readings:
                # The one without a point first, however the number was typed.
                ordered = sorted(readings, key=lambda figures: "." in figures)
                pieces += [(text[at : start + match.start()],), tuple(ordered)]
                at = start + match.end()
    return [*pieces, (text[at:],)]


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
    text, words = _surfaces(text)
    for surface in words:
        start = text.index(surface, end)
        end = start + len(surface)
        yield start, end


def _surfaces(text: str) -> tuple[str, list[str]]:
    """The text with plain punctuation, of the same length, and the words in it."""
    if not text.isascii():
        text = with_groups_joined(text)
        for typographic, plain in TO_ASCII:
            text = text.replace(typographic, plain)
        if not text.isascii():
            return text, SURFACE.findall(text)
    return text, ASCII_SURFACE.findall(text)


def _without_last_unit(forms: list[str], analysis: str | _Analysis) -> tuple[str, ...]:
    """Forms without the unit that ends a run of pairs: anything may follow it."""
    if not isinstance(analysis, str) and analysis.is_run and analysis.length > 1:
        del forms[-1]
    return tuple(forms)


class _Analyses(dict[str, "str | _Analysis | _ByConvention"]):
    """Analyses of words by surface; a plain word is its one form."""

    def __missing__(self, surface: str) -> str | _Analysis | _ByConvention:
        plain = plain_form(surface)
        if plain is not None:
            analysis: str | _Analysis | _ByConvention = plain
        elif SPACELESS.match(surface):
            return _analyse_run(surface)  # rarely repeated
        elif depends_on_convention(surface):
            analysis = _ByConvention(
                (convention, _analyse_spaced(surface, convention))
                for convention in CONVENTIONS
            )
        else:
            analysis = _analyse_spaced(surface, DEFAULT)
            if len(analysis.forms) == analysis.length == 1 and analysis.ends == (
                len(surface),
            ):
                analysis = analysis.forms[0]
        if len(surface) <= MAX_FORM:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[surface] = analysis
        return analysis


_ANALYSES = _Analyses()


def _analysis_of(surface: str, convention: Convention) -> str | _Analysis:
    analysis = _ANALYSES[surface]
    return analysis[convention] if isinstance(analysis, _ByConvention) else analysis


def _analyse_word(surface: str, convention: Convention) -> _Analysis:
    end = _end_without_possessive(surface)
    body = surface[:end]
    whole = normal_form(body)
    parts = parts_of(body, convention)
    if not parts:  # an emoji, also one made of letters: 🆗
        form = whole[:MAX_FORM]
        return _Analysis((form,), (0,), (1,), (0,), (end,), 1, (form,), (form,))
    count = len(parts)
    if count > MAX_PARTS or len(whole) > MAX_FORM or " " in whole:
        return _parts_alone(parts)
    tokens = [
        (0, count, whole),
        *_runs(body, parts, convention),
        *_spellings_of(parts),
    ]
    tokens = sorted(dict.fromkeys(tokens), key=lambda token: (token[0], -token[1]))
    positions, widths, forms = zip(*tokens, strict=True)
    return _Analysis(
        forms,
        positions,
        widths,
        (0,) * len(forms),
        (end,) * len(forms),
        count,
        phrase=(whole,)
        if count == 1 and whole[0] in "@#"
        else tuple(part.plain for part in parts),
        exact=(whole,),
    )


_Token = tuple[int, int, str]  # position, width and form, in the order of an index


def _parts_alone(parts: Sequence[Part]) -> _Analysis:
    """Analysis of a word that is too long to be found whole."""
    spellings = [(number, spelling) for number, _, spelling in _spellings_of(parts)]
    return _Analysis(
        [spelling for _, spelling in spellings],
        [number for number, _ in spellings],
        [1] * len(spellings),
        [parts[number].start for number, _ in spellings],
        [parts[number].end for number, _ in spellings],
        len(parts),
        phrase=tuple(part.plain for part in parts),
        exact=tuple(part.form for part in parts),
    )


def _spellings_of(parts: Sequence[Part]) -> Iterator[_Token]:
    for number, part in enumerate(parts):
        yield number, 1, part.form
        if part.plain != part.form:
            yield number, 1, loose(part.plain)


def _runs(body: str, parts: Sequence[Part], convention: Convention) -> Iterator[_Token]:
    """Yield the runs of a word's parts: joined, and as they are written up to its end.

    Those as they are written let a prefix or wildcard start at any part.
    """
    for first, end in runs_of(body, parts, convention):
        joined = normal_form("".join(part.plain for part in parts[first:end]))
        yield first, end - first, loose(joined)
    for first in range(1, len(parts) - 1):
        before, part = parts[first - 1], parts[first]
        if before.end < part.start and not figures_meet(before, part):
            yield first, len(parts) - first, loose(normal_form(body[part.start :]))


def _end_without_possessive(surface: str) -> int:
    end = len(surface)
    while INVISIBLE.match(surface, end - 1):
        end -= 1
    if end > 2 and surface[end - 1] in "sSｓＳ" and surface[end - 2] in APOSTROPHES:
        end -= 2
        if surface[end - 1] in ".．":
            end -= 1
    return end


def _analyse_spaced(surface: str, convention: Convention) -> _Analysis:
    """Analysis of a word of a script with spaces, or of an emoji."""
    if surface.isascii():
        return _analyse_word(surface, convention)
    if HAS_WORD_SYMBOL.search(surface):
        return _analyse_written_out(surface, convention)
    return _with_nouns(_analyse_word(surface, convention))


def _with_nouns(analysis: _Analysis) -> _Analysis:
    """An analysis with the nouns of Korean forms, loose, beside the forms."""
    places: list[int] = []  # for each token, the one that it is or is of
    forms: list[str] = []
    for place, form in enumerate(analysis.forms):
        found = [form, *map(loose, nouns(form.removesuffix(LOOSE_MARK)))]
        forms += found
        places += [place] * len(found)
    if len(places) == len(analysis.forms):
        return analysis
    return analysis._replace(
        forms=forms,
        positions=[analysis.positions[place] for place in places],
        widths=[analysis.widths[place] for place in places],
        starts=[analysis.starts[place] for place in places],
        ends=[analysis.ends[place] for place in places],
    )


def _analyse_written_out(surface: str, convention: Convention) -> _Analysis:
    """Analysis of a word with symbols: that of the text that they stand for."""
    text, places = written_out(surface)
    tokens = _tokens(text, convention)
    phrase: list[str] = []
    exact: list[str] = []
    last: str | _Analysis = ""
    for part in _surfaces(text)[1]:
        last = _analysis_of(part, convention)
        phrase += (last,) if isinstance(last, str) else last.phrase
        exact += (last,) if isinstance(last, str) else last.exact
    return _Analysis(
        tokens.forms,
        tokens.positions,
        tokens.widths,
        [places[start] for start in tokens.starts],
        [places[end - 1] + 1 for end in tokens.ends],
        tokens.length,
        phrase,
        exact,
        is_run=not isinstance(last, str) and last.is_run and last.length > 1,
    )


def _analyse_run(surface: str) -> _Analysis:
    """Analysis of a run of a script without spaces: pairs, and the last unit alone."""
    if PLAIN_RUN.fullmatch(surface):
        units = list(surface)
        starts = list(range(len(surface)))
        ends = [start + 1 for start in starts]
    else:
        units, starts, ends = [], [], []
        for match in UNIT.finditer(surface):
            form = normal_form(match[0])
            written = UNIT.findall(form) or [form]  # several of a symbol, such as ㍻
            units += [unit[: MAX_FORM // 2] for unit in written]
            starts += [match.start()] * len(written)
            ends += [match.end()] * len(written)
        ends[-1] = len(surface)
    count = len(units)
    forms = [first + second for first, second in pairwise(units)]
    forms.append(units[-1])
    return _Analysis(
        forms,
        range(count),
        [1] * count,
        starts,
        [*ends[1:], ends[-1]],
        count,
        phrase=forms,
        exact=forms,
        is_run=True,
    )
