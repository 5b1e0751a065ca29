"""Version numbers: their stored form, their order and the next one."""

from __future__ import annotations

import re

from index.errors import InvalidArticle

FIRST = "1"
_NUMBERS = re.compile("([0-9]+)")
_LAST_NUMBER = re.compile(r"[0-9]+\Z")
_LEADING_ZEROS = re.compile(r"0+(?=[0-9]+\Z)")
_NEGATIVE = re.compile(r"-[0-9.]+\Z")


def plain_version(version: str) -> str:
    """Version as it is stored: a whole number loses its leading zeros.

    So 007 is version 7, and equal numbers are the same version.
    """
    zeros = _LEADING_ZEROS.match(version)
    return version if zeros is None else version[zeros.end() :]


def check_counts_up(version: str) -> None:
    """Refuse a version that is a number below 0.

    :raises InvalidArticle: it is one.
    """
    if _NEGATIVE.match(version):
        raise InvalidArticle("version", f"{version} is below 0; use 0 or more")


def version_key(version: str) -> tuple[bool, tuple[int | str, ...], str]:
    """Sort key of a version: numbers in it compare as numbers.

    So 9 < 10, 2.9 < 2.10 and 1 < 1.1. A version that starts with a digit is above every
    one that does not, so that a stray ``draft`` never blocks the numbers that follow.
    The order is total: versions that differ only in leading zeros (1.01, 1.1) are
    different ones, in the order of their text.
    """
    # Split at groups of digits, texts and numbers alternate, and a text comes first.
    parts = _NUMBERS.split(version)
    natural = tuple(int(part) if n % 2 else part for n, part in enumerate(parts))
    return not parts[0], natural, version


def next_version(version: str) -> str:
    """Version that follows: its last number plus 1, or ``.1`` appended to it.

    It is always higher by :func:`version_key`.
    """
    last = _LAST_NUMBER.search(version)
    if last is None:
        return f"{version}.1"
    digits = last[0]
    return f"{version[: last.start()]}{int(digits) + 1:0{len(digits)}}"
