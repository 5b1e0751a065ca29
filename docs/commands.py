"""Writes the ``--help`` of each command into docs/cli.md: ``make docs``.

The page has a block for each command, between two comments; all other text on it is
written by hand. This script is used in place of cog because it needs no code in the
page and no further library.
"""

from __future__ import annotations

import io
import os
import re
from contextlib import redirect_stdout, suppress
from pathlib import Path
from unittest.mock import patch

from index.cli.parser import build_parser

PAGE = Path(__file__).with_name("cli.md")
COLUMNS = "80"
BLOCK = re.compile(r"(<!-- nutgraf (.*?) --help -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def help_of(command: str) -> str:
    """What ``nutgraf COMMAND --help`` prints on a terminal of 80 columns."""
    printed = io.StringIO()
    with (
        patch.dict(os.environ, COLUMNS=COLUMNS),
        redirect_stdout(printed),
        suppress(SystemExit),
    ):
        build_parser().parse_args([*command.split(), "--help"])
    return printed.getvalue()


def block_of(command: str) -> str:
    """The block of a command in docs/cli.md."""
    return f"```text\n{help_of(command)}```\n"


def main() -> None:
    """Write the blocks of the page anew."""
    page = BLOCK.sub(
        lambda block: block[1] + block_of(block[2]) + block[4], PAGE.read_text("utf-8")
    )
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
