"""Tokens: the records that an analysis gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Tokens(NamedTuple):
    """The tokens of a text, as parallel lists: by position, then in order of text."""

    forms: list[str]  # NFKC and casefolded, accents kept, ' and - for typographic ones
    positions: list[int]  # from 0
    widths: list[int]  # positions covered: 1, or the parts of a whole punctuated word
    starts: list[int]  # code points: the piece of text to mark for the form
    ends: list[int]
    length: int  # number of positions in the text


class Analysis(NamedTuple):
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
