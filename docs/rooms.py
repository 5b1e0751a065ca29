"""Writes the table of each room's modules into docs/architecture.md: ``make docs``.

A row is a module and the first sentence of its docstring, so that a module says in one
place what it is for.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"(<!-- modules of (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
# ``:func:`index.text.fold``` reads as `fold` on a page.
ROLE = re.compile(r":\w+:`~?\.?(?:[\w.]*\.)?(\w+)`|``(.+?)``")


def sentence_of(module: Path) -> str:
    """The first sentence of a module's docstring, as Markdown."""
    docstring = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    first = " ".join(docstring.partition("\n\n")[0].split())
    return ROLE.sub(lambda role: f"`{role[1] or role[2]}`", first).rstrip(".")


def block_of(folder: str) -> str:
    """The table of the modules in a folder, or the row of a single module."""
    place = ROOT / folder
    modules = [place] if place.suffix else sorted(place.glob("*.py"))
    rows = [
        f"| `{module.name}` | {sentence_of(module)} |\n"
        for module in modules
        if module.name != "__init__.py"
    ]
    return "".join(["| module | |\n", "| --- | --- |\n", *rows])


def main() -> None:
    """Write the blocks of the page anew."""
    page = BLOCK.sub(
        lambda block: block[1] + block_of(block[2]) + block[4], PAGE.read_text("utf-8")
    )
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
