"""Parts: the words inside a punctuated word, and which of them join to one word.

*non-U.S.* has the parts *non*, *u* and *s*. A **run** is two or more parts that follow
each other. Joined, it is another spelling: *us*, as people type it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from index.deadline import Check, never
from index.text.characters import APOSTROPHES, NORMAL_PART, NUMBER, PART
from index.text.conventions import Convention
from index.text.forms import MAX_FORM, normal_form
from index.text.numbers import has_number_signs, plain_figures

# What English adds to a word, and French, Italian, Catalan and others put before one.
# Names begin with some of these too (L'Oréal), but in capitals.
_ASCII_PART = re.compile("[A-Za-z0-9]+")
_AFTER = frozenset({"s", "ll", "d", "re", "ve", "m"})
_BEFORE_FRENCH = frozenset(
    {"c", "d", "j", "jusqu", "l", "lorsqu", "m", "n", "puisqu", "qu", "quelqu"}
    | {"quoiqu", "s", "t"}
)
_BEFORE_ITALIAN = frozenset(
    {"all", "anch", "bell", "ciascun", "coll", "com", "dagl", "dall", "degl", "dell"}
    | {"dov", "mezz", "negl", "nell", "nessun", "quell", "quest", "sant", "senz"}
    | {"sugl", "sull", "tutt", "un", "v"}
)
_BEFORE = _BEFORE_FRENCH | _BEFORE_ITALIAN  # Catalan has some of the French ones
_AFTER_IN_CATALAN = frozenset({"l", "n", "ls", "ns", "t"})


class Part(NamedTuple):
    """One part of a word."""

    form: str  # as it is written
    plain: str  # of a number, its plain figures; else the form
    start: int  # code points
    end: int
    amount: str = ""  # of a number behind letters, its plain figures without them


def parts_of(body: str, convention: Convention, check: Check = never) -> list[Part]:
    """Parts of a word, in order; a number with its signs is one.

    :param check: called for each part; it may raise to stop the analysis.
    """
    parts: list[Part] = []
    at = 0
    if has_number_signs(body):
        for match in NUMBER.finditer(body):
            check()
            plain = plain_figures(match, convention)
            if plain is not None:
                parts += _plain_parts(body, at, match.start(), check)
                form = normal_form(match[0])[:MAX_FORM]
                before = normal_form(match["before"] or "")
                amount = plain[len(before) :][:MAX_FORM] if before else ""
                parts.append(Part(form, plain[:MAX_FORM], *match.span(), amount))
                at = match.end()
    return [*parts, *_plain_parts(body, at, len(body), check)]


def _plain_parts(body: str, start: int, end: int, check: Check) -> Iterator[Part]:
    if body.isascii():  # as most words are
        for ascii_match in _ASCII_PART.finditer(body, start, end):
            check()
            form = ascii_match[0].lower()[:MAX_FORM]
            yield Part(form, form, *ascii_match.span())
        return
    for match in PART.finditer(body, start, end):
        check()
        for form in NORMAL_PART.findall(normal_form(match[0])):
            yield Part(form[:MAX_FORM], form[:MAX_FORM], *match.span())


def runs_of(
    body: str, parts: Sequence[Part], convention: Convention
) -> list[tuple[int, int]]:
    """Runs whose joined spelling is a word: each as its first part, and its end.

    Figures are not joined to figures: 2-1 is not 21. Neither is a clitic joined to its
    word: *she'll* is not *shell*.
    """
    if len(parts) < 2:
        return []
    clitics = _clitics(body, parts, convention)
    joined = [
        not (
            one in clitics
            or one + 1 in clitics
            or figures_meet(parts[one], parts[one + 1])
        )
        for one in range(len(parts) - 1)
    ]
    runs: list[tuple[int, int]] = []
    for first in range(len(parts) - 1):
        end = first + 1
        while end < len(parts) and joined[end - 1]:
            end += 1
            runs.append((first, end))
    return runs


def figures_meet(one: Part, other: Part) -> bool:
    """Whether a part ends in a figure and the next one starts with one."""
    return one.plain[-1].isdecimal() and other.plain[0].isdecimal()


def _clitics(
    body: str, parts: Sequence[Part], convention: Convention
) -> frozenset[int]:
    """Parts that are short forms of another word, set off by an apostrophe."""
    clitics: set[int] = set()
    if "'" not in body and body.isascii():
        return frozenset()
    for number, (one, other) in enumerate(pairwise(parts)):
        between = body[one.end : other.start]
        if not between or between not in APOSTROPHES:
            continue
        written = body[one.start : one.end]
        follows_apostrophe = body[: one.start].endswith(tuple(APOSTROPHES))
        if (
            one.form in _BEFORE
            and (convention.elision or written.islower())
            and not follows_apostrophe  # rock'n'roll
        ):
            clitics.add(number)
        elif (
            other.form in _AFTER
            or (other.form == "t" and one.form.endswith("n"))
            or (convention.elision and other.form in _AFTER_IN_CATALAN)
        ):
            clitics.add(number + 1)
    return frozenset(clitics)
