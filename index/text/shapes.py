"""Shapes: words of the most frequent ones, which are analysed at once.

They are plain words before a possessive, two words with a sign between them, and
figures with signs. :mod:`index.text.words` gives the same for them, in three times as
long.
"""

from __future__ import annotations

import re

from index.text.conventions import Convention
from index.text.forms import MAX_FORM, loose, plain_form
from index.text.numbers import plain_number
from index.text.tokens import Analysis

# An apostrophe could set off a clitic.
_PAIR = re.compile(r"([A-Za-z]+)[.\-/_&+@]([A-Za-z]+)")
_FIGURES = re.compile(r"[0-9]+(?:[.,][0-9]+)+")


def analysis_by_shape(body: str, convention: Convention, end: int) -> Analysis | None:
    """Analysis of a word of a frequent shape; ``None`` for any other.

    :param body: the word without its possessive, where the piece to mark has its
        ``end``.
    """
    plain = plain_form(body)
    if plain is not None:
        return of_one_form(plain, end)
    if len(body) > MAX_FORM:
        return None
    pair = _PAIR.fullmatch(body)
    if pair is not None:
        return _of_pair(body.lower(), pair[1].lower(), pair[2].lower(), end)
    if _FIGURES.fullmatch(body):
        figures = plain_number(body, convention)
        if figures is not None:
            return _of_number(body, figures, end)
    return None


def of_one_form(form: str, end: int) -> Analysis:
    """Analysis of a word that is found by one form."""
    return Analysis((form,), (0,), (1,), (0,), (end,), 1, (form,), (form,))


def _of_pair(whole: str, first: str, second: str, end: int) -> Analysis:
    """Analysis of two words of ASCII letters with a sign between: rebel-held."""
    return Analysis(
        (whole, loose(first + second), first, second),
        (0, 0, 0, 1),
        (2, 2, 1, 1),
        (0, 0, 0, 0),
        (end, end, end, end),
        2,
        phrase=(first, second),
        exact=(whole,),
    )


def _of_number(form: str, figures: str, end: int) -> Analysis:
    """Analysis of a number without unit or currency, of plain figures: 1,500."""
    if form == figures:
        return of_one_form(form, end)
    return Analysis(
        (form, loose(figures)),
        (0, 0),
        (1, 1),
        (0, 0),
        (end, end),
        1,
        phrase=(figures,),
        exact=(form,),
    )
