"""Numbers: which figures with points and commas are one number, and its plain figures.

The **plain figures** of a number have no thousands separators and a point as decimal
sign: 1234.5 for 1,234.5 and for 1.234,5. Figures that are no number (a version, a time,
a date) are a word of several parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import regex

from index.text.characters import NUMBER_SIGNS
from index.text.conventions import Convention
from index.text.forms import normal_form

_GROUPING_ONLY = "'\u066c"  # Swiss, Arabic
_DECIMAL_ONLY = "\u066b\u00b7"  # Arabic, older British
_DECIMAL = ".," + _DECIMAL_ONLY

# Thin and no-break spaces. The apostrophe stands for one that groups figures, so that
# splitting a text at white space leaves a number whole.
_SPACES = "\u00a0\u2007\u2009\u202f"
_GROUPED_BY_SPACES = regex.compile(
    rf"(?<![\p{{Nd}}{NUMBER_SIGNS}])\p{{Nd}}{{1,3}}"
    rf"(?:[{_SPACES}]\p{{Nd}}{{3}})++(?!\p{{Nd}})"
)
_SPACES_AS_APOSTROPHES = str.maketrans(dict.fromkeys(_SPACES, "'"))

_SIGN_BESIDE_FIGURE = regex.compile(rf"(?:\A|\p{{Nd}})[{NUMBER_SIGNS}]\p{{Nd}}")
_CLOCK = re.compile(r"\d{1,2}\.\d\d")
_CLOCK_UNITS = ("am", "pm", "uhr", "h", "hrs")


def with_groups_joined(text: str) -> str:
    """Text of the same length, with an apostrophe for each space inside a number.

    Thin and no-break spaces group thousands; a plain space never does.
    """
    if text.isascii() or not any(map(text.__contains__, _SPACES)):
        return text
    return _GROUPED_BY_SPACES.sub(
        lambda match: match[0].translate(_SPACES_AS_APOSTROPHES), text
    )


def has_number_signs(surface: str) -> bool:
    """Whether a word has signs that may be those of a number."""
    return _SIGN_BESIDE_FIGURE.search(surface) is not None


def plain_figures(match: regex.Match[str], convention: Convention) -> str | None:
    """Plain figures and unit of a match of ``NUMBER``, ``None`` if it is no number.

    Also ``None`` for figures without signs, which are a word like any other. Behind
    letters only grouped figures are a number: Rs1,500, and not PM2.5.
    """
    figures = normal_form(match["figures"])
    unit = normal_form(match["unit"])
    if figures.isdecimal() or (_CLOCK.fullmatch(figures) and _is_clock(match, unit)):
        return None
    plain = plain_number(figures, convention)
    if plain is None or (match["before"] and "." in plain):
        return None
    return normal_form(match["before"] or "") + plain + unit


def _is_clock(match: regex.Match[str], unit: str) -> bool:
    """Whether a time of day is written: 10.30am, 10.30p.m."""
    after = match.string[match.end() : match.end() + 2].lower()
    return unit in _CLOCK_UNITS or (unit in ("a", "p") and after == ".m")


def plain_number(figures: str, convention: Convention) -> str | None:
    """Plain figures of figures with signs between them; ``None`` if they are no number.

    :param figures: in normal form.
    """
    groups = re.split(r"\D", figures)
    signs = [letter for letter in figures if not letter.isdecimal()]
    last = signs[-1]
    if not groups[0]:
        return f"0.{groups[1]}" if len(signs) == 1 else None
    if len(signs) > 1 and last in _DECIMAL and last not in signs[:-1]:
        if _is_grouped(groups[:-1], signs[:-1]):
            return "".join(groups[:-1]) + f".{groups[-1]}"
        return None
    decimal_sign = "," if convention.decimal_comma else "."
    if _is_grouped(groups, signs) and (len(signs) > 1 or last != decimal_sign):
        return "".join(groups)
    if len(signs) > 1 or last in _GROUPING_ONLY:
        return None
    whole, fraction = groups
    if last == "." and convention.decimal_comma:
        return None  # a time or a date
    if last == "," and len(whole) > 3 and len(fraction) > 3:
        return None  # two years
    return f"{whole}.{fraction}"


def _is_grouped(groups: Sequence[str], signs: Sequence[str]) -> bool:
    """Whether signs group figures by thousands, or in the Indian way."""
    first, *middle, last = groups
    sign = signs[0]
    if sign in _DECIMAL_ONLY or any(other != sign for other in signs):
        return False
    if len(first) > 3 or int(first[0]) == 0 or len(last) != 3:
        return False
    if all(len(group) == 3 for group in middle):
        return sign != "." or not _is_address(groups)
    return sign == "," and len(first) < 3 and all(len(group) == 2 for group in middle)


def _is_address(groups: Sequence[str]) -> bool:
    """Whether figures are an address of the internet, such as 192.168.100.200."""
    return len(groups) == 4 and all(
        int(group[0]) > 0 and int(group) <= 255 for group in groups
    )
