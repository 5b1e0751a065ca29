"""Tokens as text: how the analyzers, the scripts and this engine read them.

A token is indexed under several **terms**: ``=form`` for its form, ``en:key`` for its
:func:`index.text.word_key` in a language, and for the pairs of characters of scripts
without spaces ``~`` and the start of the first character. Whoever knows the terms of a
word finds the tokens that match it.

The positions of a text are separated by spaces, the terms at one position by ``|``.
What a query of a cluster cannot see of a phrase is kept beside it: the **places** of
terms, lines of ``=form|en:key``, a tab, and positions with the width of the token
behind ``^`` if it is not 1. A term is **irregular** in a text if one of its tokens is
wider than one position, or if two are at one position.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from index.text import (
    LOOSE_MARK,
    Tokens,
    fold,
    is_single_cjk,
    stem_language,
    word_key,
)

# The mark of a loose form is a space to the analyzers.
_MARK = "~"


def form_term(form: str) -> str:
    """Term of the tokens with a form."""
    return "=" + form.replace(LOOSE_MARK, _MARK)


def key_term(form: str, language: str) -> str:
    """Term of the tokens that are the same word as a form in a language."""
    return f"{stem_language(language)}:{word_key(form, language)}"


def unit_term(form: str) -> str:
    """Term of the tokens that start with a single character, a form."""
    return f"{_MARK}{fold(form)}"


def word_term(form: str, language: str) -> str:
    """Term of the tokens in a language that match a word of a query."""
    return unit_term(form) if is_single_cjk(form) else key_term(form, language)


def _unit_terms(form: str) -> Iterator[str]:
    """Yield the terms of the single characters that a form starts with."""
    if form.isascii():
        return
    folded = fold(form)
    for end in range(1, len(folded) + 1):
        if not is_single_cjk(folded[:end]):
            return
        yield _MARK + folded[:end]


class IndexedText(NamedTuple):
    """The tokens of a text as they are indexed.

    :param text: the terms of each position.
    :param irregular: the terms that are irregular in it.
    :param places: where each term is.
    """

    text: str
    irregular: list[str]
    places: str


def indexed_text(tokens: Tokens, language: str) -> IndexedText:
    """Tokens of a text as they are indexed."""
    positions: list[list[str]] = [[] for _ in range(tokens.length)]
    lines: dict[str, list[str]] = defaultdict(list)
    at: Counter[tuple[str, int]] = Counter()
    irregular: set[str] = set()
    for form, position, width in zip(
        tokens.forms, tokens.positions, tokens.widths, strict=True
    ):
        own, key, units = _terms(form, language)
        place = str(position) if width == 1 else f"{position}^{width}"
        lines[f"{own}|{key}"].append(place)
        for unit in units:
            lines[f"|{unit}"].append(place)
        for term in (own, key, *units):
            positions[position].append(term)
            at[term, position] += 1
            if width > 1 or at[term, position] > 1:
                irregular.add(term)
    return IndexedText(
        text=" ".join("|".join(terms) or "|" for terms in positions),
        irregular=sorted(irregular),
        places="".join(
            f"\n{terms}\t{' '.join(places)}" for terms, places in lines.items()
        ),
    )


def _terms(form: str, language: str) -> tuple[str, str, list[str]]:
    return form_term(form), key_term(form, language), list(_unit_terms(form))


def needle(term: str) -> str:
    """What is before the places of a term, and only there."""
    return f"\n{term}|" if term.startswith("=") else f"|{term}\t"


def tokens_of(places: str, length: int) -> Tokens:
    """Tokens of a text from the places of its terms; without their spans.

    :param length: of the text, in positions.
    """
    tokens: list[tuple[int, str, int]] = []
    for line in places.split("\n"):
        terms, _, at = line.partition("\t")
        own = terms.partition("|")[0]
        if not own:  # of a single character: its token has a line of its own
            continue
        form = own[1:].replace(_MARK, LOOSE_MARK)
        for place in at.split(" "):
            position, _, width = place.partition("^")
            tokens.append((int(position), form, int(width or 1)))
    tokens.sort(key=lambda token: token[0])
    nowhere = [0] * len(tokens)
    return Tokens(
        forms=[form for _, form, _ in tokens],
        positions=[position for position, _, _ in tokens],
        widths=[width for _, _, width in tokens],
        starts=nowhere,
        ends=nowhere,
        length=length,
    )
