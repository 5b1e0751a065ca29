"""Words: the analysis of one word, which is kept for its next occurrence.

See :mod:`index.text.analysis` for what words and forms are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from sys import getsizeof

import regex

from index.deadline import Check, never
from index.memo import Memo
from index.text.characters import (
    APOSTROPHES,
    ASCII_SURFACE,
    INVISIBLE,
    NUMBER_SIGNS,
    PLAIN_RUN,
    SPACELESS,
    SURFACE,
    TO_ASCII,
    UNIT,
    Span,
)
from index.text.clock_times import with_times_marked
from index.text.conventions import DEFAULT, Convention
from index.text.forms import (
    LOOSE_MARK,
    MAX_FORM,
    loose,
    normal_form,
    plain_form,
    plain_letters,
)
from index.text.korean import nouns
from index.text.numbers import with_groups_joined
from index.text.parts import Part, figures_meet, parts_of, runs_of
from index.text.shapes import analysis_by_shape, of_one_form
from index.text.symbols import HAS_WORD_SYMBOL, written_out
from index.text.tokens import Analysis, Tokens

MAX_PARTS = 8  # a word of more gives its parts only: URLs, tables of figures
_DEPENDING = regex.compile(rf"[{APOSTROPHES}](?=\p{{L}})|[{NUMBER_SIGNS}]\p{{Nd}}")
_TIME_OR_DATE = regex.compile(
    r"(?<![\p{L}\p{N}\p{M}]|\p{Nd}[.,:\u2024])\p{Nd}++[.\u2024]\p{Nd}++"
    r"(?![\p{L}\p{N}\p{M}]|[.,:\u2024]\p{Nd})"
)
_ANALYSES_BYTES = 32_000_000  # of the analyses that are kept, of most words 200 each
_UNITS_BYTES = 2_000_000
_LONGEST_UNIT = 8  # characters of a unit that is kept
_NEXT_CHECK = 256  # words or parts between two looks at the deadline
# Words of a long text are sought piece by piece, since one search for all words cannot
# be stopped. No word has a plain space or a line feed.
_PIECE = 16_384
_SPACE = re.compile("[ \n]")

Words = re.Pattern[str] | regex.Pattern[str]


class ByConvention(dict[Convention, Analysis]):
    """The analyses of a word that conventions read in different ways."""

    def __init__(self, surface: str) -> None:
        super().__init__()
        self._surface = surface

    def __missing__(self, convention: Convention) -> Analysis:
        analysis = _analyse_spaced(self._surface, convention)
        self[convention] = analysis
        return analysis


def tokens_of(text: str, convention: Convention, check: Check = never) -> Tokens:
    """Tokens of a text that is read by a convention.

    :param check: called every some words; it may raise to stop the analysis.
    """
    forms: list[str] = []
    positions: list[int] = []
    widths: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    position = end = 0
    if not convention.decimal_comma:
        text = with_times_marked(text)
    text, pattern = _plain_text(text)
    # No surface can start between two matches, so the next occurrence of a surface is
    # the one that the pattern matched. Match objects would cost more.
    find, known = text.index, ANALYSES.get
    short = len(text) <= _PIECE  # as nearly all texts are
    batches = [pattern.findall(text)] if short else _surfaces_in(text, pattern, check)
    for surfaces in batches:
        check()
        for surface in surfaces:
            start = find(surface, end)
            end = start + len(surface)
            analysis = known(surface)
            if analysis is None:
                analysis = (
                    ANALYSES[surface]
                    if len(surface) <= MAX_FORM
                    else _analyse(surface, convention, check)
                )
            if isinstance(analysis, str):
                forms.append(analysis)
                positions.append(position)
                widths.append(1)
                starts.append(start)
                ends.append(end)
                position += 1
            else:
                if isinstance(analysis, ByConvention):
                    analysis = analysis[convention]
                forms += analysis.forms
                positions += [position + n for n in analysis.positions]
                widths += analysis.widths
                starts += [start + n for n in analysis.starts]
                ends += [start + n for n in analysis.ends]
                position += analysis.length
    return Tokens(forms, positions, widths, starts, ends, position)


def _surfaces_in(text: str, pattern: Words, check: Check) -> Iterator[list[str]]:
    """Yield the words of a text, some at a time."""
    for start, end in _pieces(text):
        check()
        words = pattern.findall(text, start, end)
        for at in range(0, len(words), _NEXT_CHECK):
            yield words[at : at + _NEXT_CHECK]


def _pieces(text: str) -> Iterator[Span]:
    """Yield spans that make up a text, none of which cuts a word in two."""
    start = 0
    while len(text) - start > 2 * _PIECE:
        space = _SPACE.search(text, start + _PIECE)
        if space is None:
            break
        yield start, space.end()
        start = space.end()
    yield start, len(text)


def depends_on_convention(chunk: str) -> bool:
    """Whether the words of a piece of text may differ between conventions."""
    return _DEPENDING.search(chunk) is not None


def surfaces_of(text: str) -> tuple[str, list[str]]:
    """The text with plain punctuation, of the same length, and the words in it."""
    text, pattern = _plain_text(text)
    return text, pattern.findall(text)


def _plain_text(text: str) -> tuple[str, Words]:
    """The text with plain punctuation, of the same length, and the pattern of words."""
    if not text.isascii():
        text = with_groups_joined(text)
        for typographic, plain in TO_ASCII:
            text = text.replace(typographic, plain)
        if not text.isascii():
            return text, SURFACE
    return text, ASCII_SURFACE


def _analyse_surface(surface: str) -> str | Analysis | ByConvention:
    """Analysis of a word by every convention; a plain word is its one form."""
    plain = plain_form(surface)
    if plain is not None:
        return plain
    if not surface.isascii() and SPACELESS.match(surface):
        return _analyse_run(surface)
    if depends_on_convention(surface):
        return ByConvention(surface)
    analysis = _analyse_spaced(surface, DEFAULT)
    if len(analysis.forms) == analysis.length == 1 and analysis.ends == (len(surface),):
        return analysis.forms[0]
    return analysis


def _analyse(surface: str, convention: Convention, check: Check) -> Analysis:
    """Analysis of a word that is too long to be kept."""
    if SPACELESS.match(surface):
        return _analyse_run(surface, check)
    return _analyse_spaced(surface, convention, check)


def _bytes_of(surface: str, analysis: str | Analysis | ByConvention) -> int | None:
    """Memory of a word and its analysis; ``None`` if it is not kept."""
    size = getsizeof(surface)
    if isinstance(analysis, str):
        return size + getsizeof(analysis)
    if len(surface) > MAX_FORM or SPACELESS.match(surface):
        return None  # rarely repeated
    if isinstance(analysis, ByConvention):
        # Its four readings, of which the first is about as large as the others.
        return size + 4 * _tokens_bytes(analysis[DEFAULT])
    return size + _tokens_bytes(analysis)


def _tokens_bytes(analysis: Analysis) -> int:
    forms = analysis.forms
    # A character takes up to 4 bytes, and a string some 76 besides.
    return 600 + 136 * len(forms) + 4 * len("".join(forms))


# Analyses of words by surface; a plain word is its one form.
ANALYSES = Memo(_analyse_surface, _bytes_of, limit=_ANALYSES_BYTES)


def analysis_of(surface: str, convention: Convention) -> str | Analysis:
    """Analysis of a word by a convention; a plain word is its one form."""
    analysis = ANALYSES[surface]
    return analysis[convention] if isinstance(analysis, ByConvention) else analysis


def _analyse_word(
    surface: str, convention: Convention, check: Check = never
) -> Analysis:
    end = _end_without_possessive(surface)
    body = surface[:end]
    analysis = analysis_by_shape(body, convention, end)
    if analysis is not None:
        return analysis
    whole = normal_form(body)
    parts = parts_of(body, convention, check)
    if not parts:  # an emoji, also one made of letters: 🆗
        return of_one_form(whole[:MAX_FORM], end)
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
    return Analysis(
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


def _parts_alone(parts: Sequence[Part]) -> Analysis:
    """Analysis of a word that is too long to be found whole."""
    spellings = [(number, spelling) for number, _, spelling in _spellings_of(parts)]
    return Analysis(
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
        if part.amount:
            yield number, 1, loose(part.amount)


def _runs(body: str, parts: Sequence[Part], convention: Convention) -> Iterator[_Token]:
    """Yield the runs of a word's parts: joined, and as they are written up to its end.

    Those as they are written let a prefix or wildcard start at any part. Two figures
    with a point between, a time or a date, are found as a typed number is: the 9.30 of
    9.30-10.15.
    """
    for first, end in runs_of(body, parts, convention):
        joined = normal_form("".join(part.plain for part in parts[first:end]))
        yield first, end - first, loose(joined)
    for first in range(1, len(parts) - 1):
        before, part = parts[first - 1], parts[first]
        if before.end < part.start and not figures_meet(before, part):
            yield first, len(parts) - first, loose(normal_form(body[part.start :]))
    if len(parts) > 2:
        for match in _TIME_OR_DATE.finditer(body):
            for first, part in enumerate(parts):
                if part.start == match.start() and parts[first + 1 :]:
                    yield first, 2, normal_form(match[0])


def _end_without_possessive(surface: str) -> int:
    end = len(surface)
    while not surface.isascii() and INVISIBLE.match(surface, end - 1):
        end -= 1
    if end > 2 and surface[end - 1] in "sSｓＳ" and surface[end - 2] in APOSTROPHES:
        end -= 2
        if surface[end - 1] in ".．":
            end -= 1
    return end


def _analyse_spaced(
    surface: str, convention: Convention, check: Check = never
) -> Analysis:
    """Analysis of a word of a script with spaces, or of an emoji."""
    if surface.isascii():
        return _analyse_word(surface, convention, check)
    plain = plain_letters(surface)
    if plain is not None:
        return _with_nouns(of_one_form(plain, len(surface)))
    if HAS_WORD_SYMBOL.search(surface):
        return _analyse_written_out(surface, convention, check)
    return _with_nouns(_analyse_word(surface, convention, check))


def _with_nouns(analysis: Analysis) -> Analysis:
    """An analysis with the nouns of Korean forms, loose, beside the forms."""
    places: list[int] = []  # for each token, the one that it is or is of
    forms: list[str] = []
    for place, form in enumerate(analysis.forms):
        spellings = [form, *map(loose, nouns(form.removesuffix(LOOSE_MARK)))]
        forms += spellings
        places += [place] * len(spellings)
    if len(places) == len(analysis.forms):
        return analysis
    return analysis._replace(
        forms=forms,
        positions=[analysis.positions[place] for place in places],
        widths=[analysis.widths[place] for place in places],
        starts=[analysis.starts[place] for place in places],
        ends=[analysis.ends[place] for place in places],
    )


def _analyse_written_out(
    surface: str, convention: Convention, check: Check
) -> Analysis:
    """Analysis of a word with symbols: that of the text that they stand for."""
    text, places = written_out(surface)
    tokens = tokens_of(text, convention, check)
    phrase: list[str] = []
    exact: list[str] = []
    last: str | Analysis = ""
    for part in surfaces_of(text)[1]:
        last = analysis_of(part, convention)
        phrase += (last,) if isinstance(last, str) else last.phrase
        exact += (last,) if isinstance(last, str) else last.exact
    return Analysis(
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


def _analyse_run(surface: str, check: Check = never) -> Analysis:
    """Analysis of a run of a script without spaces: pairs, and the last unit alone."""
    if PLAIN_RUN.fullmatch(surface):
        units = list(surface)
        starts = list(range(len(surface)))
        ends = [start + 1 for start in starts]
    else:
        units, starts, ends = [], [], []
        for number, match in enumerate(UNIT.finditer(surface)):
            if number % _NEXT_CHECK == 0:
                check()
            written = _UNITS[match[0]]
            units += written
            starts += [match.start()] * len(written)
            ends += [match.end()] * len(written)
        ends[-1] = len(surface)
    check()
    count = len(units)
    forms = [first + second for first, second in pairwise(units)]
    forms.append(units[-1])
    return Analysis(
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


def _normal_units(unit: str) -> tuple[str, ...]:
    """Units in normal form that a unit stands for: several for a symbol, such as ㍻."""
    form = normal_form(unit)
    return tuple(each[: MAX_FORM // 2] for each in UNIT.findall(form) or [form])


def _unit_bytes(unit: str, written: tuple[str, ...]) -> int | None:
    if len(unit) > _LONGEST_UNIT:
        return None
    return getsizeof(unit) + getsizeof(written) + sum(map(getsizeof, written))


_UNITS = Memo(_normal_units, _unit_bytes, limit=_UNITS_BYTES)
