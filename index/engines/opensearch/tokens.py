"""Tokens as text: how the analyzers, the scripts and this engine read them.

A token is indexed by its form, and by its **terms**: ``en:key`` for its
:func:`index.text.word_key` in a language, and in scripts without spaces ``~`` and the
start of its first character. Who knows the terms of a word finds the tokens that match
it.

The terms of a text follow each other, one for each position. Other tokens at these
positions come behind them, where only their number counts, and are **irregular** in
this text: the positions of the cluster do not tell what follows them. The **places** of
the tokens do: lines of ``form|key``, a tab, and positions, with the width of the token
behind ``^`` if it is not 1. A key that equals the form is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from sys import getsizeof
from typing import NamedTuple

from index.memo import Memo
from index.text import (
    LOOSE_MARK,
    Tokens,
    fold,
    is_single_cjk,
    stem_language,
    word_key,
)

_MARK = "~"  # the mark of a loose form is a space to the analyzers
_TERMS_BYTES = 64_000_000
_ENTRY_BYTES = 300
# Positions as text, of most texts all.
_MOST_DIGITS = 1_000
_DIGITS = [str(position) for position in range(_MOST_DIGITS)]


def form_term(form: str) -> str:
    """Form of a token as it is indexed."""
    return form.replace(LOOSE_MARK, _MARK)


def word_term(form: str, language: str) -> str:
    """Term of the tokens in a language that match a word of a query."""
    if is_single_cjk(form):
        return _MARK + fold(form)
    return f"{stem_language(language)}:{word_key(form, language)}"


class IndexedText(NamedTuple):
    """The tokens of a text as they are indexed.

    :param terms: one for each position, then those of other tokens.
    :param forms: of all tokens.
    :param irregular: the terms that are irregular in it.
    :param places: of all tokens.
    """

    terms: str
    forms: str
    irregular: list[str]
    places: str


class _Terms(NamedTuple):
    """The terms of a token: ``line`` is that of its places, up to the positions."""

    form: str
    key: str
    line: str
    units: tuple[str, ...] = ()


def _terms(token: tuple[str, str]) -> _Terms:
    form, language = token
    key = word_key(form, language)
    own = form_term(form)
    units: list[str] = []
    if not form.isascii():
        folded = fold(form)
        for end in range(1, len(folded) + 1):
            if not is_single_cjk(folded[:end]):
                break
            units.append(_MARK + folded[:end])
    line = f"\n{own}|{'' if key == own else key}\t"
    return _Terms(own, f"{language}:{key}", line, tuple(units))


def _bytes_of(token: tuple[str, str], terms: _Terms) -> int:
    return _ENTRY_BYTES + 4 * getsizeof(token[0])


# By form and stem language: a form recurs in a text, and in the next ones.
_TERMS = Memo(_terms, _bytes_of, limit=_TERMS_BYTES)


def indexed_text(tokens: Tokens, language: str) -> IndexedText:
    """Tokens of a text as they are indexed."""
    stems = stem_language(language)
    terms = [*map(_TERMS.__getitem__, zip(tokens.forms, repeat(stems)))]
    keys: list[str] = [""] * tokens.length
    others: list[str] = []
    places: dict[str, str] = {}  # by line: the line, and the positions so far
    for (_, key, line, units), position, width in zip(
        terms, tokens.positions, tokens.widths, strict=True
    ):
        place = _DIGITS[position] if position < _MOST_DIGITS else str(position)
        if width != 1:
            place = f"{place}^{width}"
            others.append(key)
        elif keys[position]:
            others.append(key)
        else:
            keys[position] = key
        places[line] = f"{places[line]} {place}" if line in places else line + place
        for unit in units:
            others.append(unit)
            line = f"\n|{unit}\t"
            places[line] = f"{places[line]} {place}" if line in places else line + place
    return IndexedText(
        terms=" ".join([key or _MARK for key in keys] + others),
        forms=" ".join([form for form, *_ in terms]),
        irregular=sorted(set(others)),
        places="".join(places.values()),
    )


def form_needles(form: str) -> list[str]:
    """What the places of the tokens with a form are behind."""
    return [f"\n{form_term(form)}|"]


def term_needles(term: str) -> list[str]:
    """What the places of the tokens with a term are behind."""
    if term.startswith(_MARK):
        return [f"|{term}\t"]
    key = term.partition(":")[2]
    return [f"|{key}\t", f"\n{key}|\t"]


def tokens_of(places: str, needles: Iterable[str]) -> Tokens:
    """Those tokens of a text that needles are before, in no order; without spans.

    :param places: of the tokens of the text.
    """
    forms: list[str] = []
    positions: list[int] = []
    widths: list[int] = []
    for needle in needles:
        at = places.find(needle)
        while at >= 0:
            tab = places.index("\t", at)
            end = places.find("\n", tab)
            line = places[places.rfind("\n", 0, tab) + 1 : tab]
            form, _, key = line.partition("|")
            # The places of a single character stand for the token that it starts.
            form = form.replace(_MARK, LOOSE_MARK) or key.removeprefix(_MARK)
            for place in places[tab + 1 : end if end >= 0 else None].split(" "):
                position, _, width = place.partition("^")
                forms.append(form)
                positions.append(int(position))
                widths.append(int(width or 1))
            at = places.find(needle, tab)
    nowhere = [0] * len(forms)
    return Tokens(forms, positions, widths, nowhere, nowhere, len(forms))


def forms_in(places: str) -> Iterator[str]:
    """Yield the forms of the tokens of a text."""
    for line in places.split("\n")[1:]:
        form = line.partition("|")[0]
        if form:
            yield form.replace(_MARK, LOOSE_MARK)
