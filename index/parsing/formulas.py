"""Formulas: cells that a spreadsheet would compute, and what guards them.

A cell that begins with one of a few characters is taken for a formula, which may read
other cells or call a program. With an apostrophe before it, it is text.
"""

from __future__ import annotations

import re

# Also with apostrophes before it: so that one more, taken off again, leaves the text.
_START = r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(_START)
_GUARDED = re.compile(f"'(?={_START})")


def guarded(cell: str) -> str:
    """A cell with an apostrophe before it if a spreadsheet would compute it.

    ::

        guarded("=1+1")  # "'=1+1"
        unguarded(guarded(cell)) == cell  # for every text
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """A cell without the apostrophe that :func:`guarded` put before it."""
    return cell[1:] if _GUARDED.match(cell) else cell
